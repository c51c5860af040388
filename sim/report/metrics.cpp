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

constexpr std::array kCacheMetrics = {
    MetricInfo{"cache_operations_count", "cache operations", "", Better::kNeither},
    MetricInfo{"cache_failed_count", "cache failed", "", Better::kLower},
    MetricInfo{"cache_unknown_count", "outcome unknown", "", Better::kLower},
    MetricInfo{"cache_near_hit_ratio", "near hits", "%", Better::kHigher},
    MetricInfo{"cache_owner_hit_ratio", "owner hits", "%", Better::kHigher},
    MetricInfo{"cache_not_modified_ratio", "not modified", "%", Better::kNeither},
    MetricInfo{"cache_read_ms_p50", "read p50", "ms", Better::kLower},
    MetricInfo{"cache_read_ms_p99", "read p99", "ms", Better::kLower},
    MetricInfo{"cache_write_ms_p50", "write p50", "ms", Better::kLower},
    MetricInfo{"cache_write_ms_p99", "write p99", "ms", Better::kLower},
    MetricInfo{"cache_messages_per_operation", "messages/op", "", Better::kLower},
    MetricInfo{"cache_metadata_bytes_per_operation", "metadata/op", "B", Better::kLower},
    MetricInfo{"cache_data_bytes_per_operation", "data/op", "B", Better::kLower},
    MetricInfo{"replica_messages_per_operation", "replica messages/op", "", Better::kLower},
    MetricInfo{"replica_metadata_bytes_per_operation", "replica metadata/op", "B", Better::kLower},
    MetricInfo{"replica_data_bytes_per_operation", "replica data/op", "B", Better::kLower},
    MetricInfo{"stale_read_ratio", "stale reads", "%", Better::kLower},
    MetricInfo{"staleness_ms_p50", "staleness p50", "ms", Better::kLower},
    MetricInfo{"staleness_ms_p99", "staleness p99", "ms", Better::kLower},
    MetricInfo{"staleness_ms_p99_9", "staleness p99.9", "ms", Better::kLower},
    MetricInfo{"staleness_ms_max", "staleness max", "ms", Better::kLower},
    MetricInfo{"acknowledged_writes_count", "writes", "", Better::kNeither},
    MetricInfo{"single_copy_count", "single copies", "", Better::kLower},
    MetricInfo{"lost_writes_count", "lost writes", "", Better::kLower},
    MetricInfo{"overwritten_writes_count", "overwritten writes", "", Better::kLower},
    MetricInfo{"loss_window_ms_p50", "loss window p50", "ms", Better::kLower},
    MetricInfo{"loss_window_ms_p99", "loss window p99", "ms", Better::kLower},
    MetricInfo{"loss_window_ms_max", "loss window max", "ms", Better::kLower},
    MetricInfo{"recovery_s_max", "recovery", "s", Better::kLower},
};

const MetricInfo* find_in(std::span<const MetricInfo> infos, std::string_view name) {
  for (const MetricInfo& info : infos) {
    if (info.name == name) {
      return &info;
    }
  }
  return nullptr;
}

}  // namespace

std::span<const MetricInfo> metric_infos() {
  return kMetrics;
}

std::span<const MetricInfo> cache_metric_infos() {
  return kCacheMetrics;
}

const MetricInfo* find_metric(std::string_view name) {
  const MetricInfo* found = find_in(kMetrics, name);
  return found != nullptr ? found : find_in(kCacheMetrics, name);
}

}  // namespace copal::sim
