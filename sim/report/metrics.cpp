#include "sim/report/metrics.h"

#include <array>

namespace copal::sim {

namespace {

using Better = MetricInfo::Better;

constexpr std::array kMetrics = {
    MetricInfo{"requests_count", "requests", "", Better::kNeither},
    MetricInfo{"answered_count", "answered", "", Better::kHigher},
    MetricInfo{"failed_count", "failed", "", Better::kLower},
    MetricInfo{"rejected_count", "rejected", "", Better::kLower},
    MetricInfo{"timed_out_count", "timed out", "", Better::kLower},
    MetricInfo{"lost_count", "lost", "", Better::kLower},
    MetricInfo{"retried_count", "retried", "", Better::kNeither},
    MetricInfo{"unfinished_count", "unfinished", "", Better::kLower},
    MetricInfo{"error_ratio", "errors", "%", Better::kLower},
    MetricInfo{"throughput_per_s", "throughput", "1/s", Better::kHigher},
    MetricInfo{"latency_ms_mean", "mean", "ms", Better::kLower},
    MetricInfo{"latency_ms_p50", "p50", "ms", Better::kLower},
    MetricInfo{"latency_ms_p90", "p90", "ms", Better::kLower},
    MetricInfo{"latency_ms_p95", "p95", "ms", Better::kLower},
    MetricInfo{"latency_ms_p99", "p99", "ms", Better::kLower},
    MetricInfo{"latency_ms_p99_9", "p99.9", "ms", Better::kLower},
    MetricInfo{"latency_ms_max", "max", "ms", Better::kLower},
    MetricInfo{"server_hours", "server-hours", "h", Better::kLower},
    MetricInfo{"servers_active_mean", "servers active", "", Better::kLower},
    MetricInfo{"energy_joules", "energy", "J", Better::kLower},
    MetricInfo{"energy_joules_per_request", "energy per request", "J", Better::kLower},
    MetricInfo{"cpu_ratio_mean", "CPU", "%", Better::kNeither},
    MetricInfo{"imbalance_ratio", "imbalance", "", Better::kLower},
    MetricInfo{"sessions_moved_count", "sessions moved", "", Better::kLower},
    MetricInfo{"messages_count", "messages", "", Better::kNeither},
    MetricInfo{"message_bytes_count", "message bytes", "", Better::kNeither},
};

}  // namespace

std::span<const MetricInfo> metric_infos() {
  return kMetrics;
}

const MetricInfo* find_metric(std::string_view name) {
  for (const MetricInfo& info : kMetrics) {
    if (info.name == name) {
      return &info;
    }
  }
  return nullptr;
}

}  // namespace copal::sim
