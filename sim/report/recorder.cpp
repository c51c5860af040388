#include "sim/report/recorder.h"

namespace copal::sim {

void Recorder::on_arrival(TimePoint now) {
  ++interval_arrivals_;
  if (now >= warm_until_) {
    ++arrived_;
  }
}

void Recorder::on_answer(ClientStatus status, TimePoint arrived, TimePoint now) {
  const auto latency_ns = static_cast<std::uint64_t>((now - arrived).count());
  const bool counts = arrived >= warm_until_;
  if (counts) {
    ++ended_[static_cast<std::size_t>(status)];
  }
  if (status == ClientStatus::kDone) {
    ++interval_answers_;
    interval_latency_.add(latency_ns);
    if (counts) {
      latency_.add(latency_ns);
    }
  } else {
    ++interval_errors_;
  }
}

void Recorder::on_interval(const Gauges& gauges, TimePoint now) {
  const double seconds = to_seconds(now - interval_start_);
  if (seconds <= 0) {
    return;
  }
  SeriesRow row;
  row.time_s = to_seconds(interval_start_);
  row.arrivals_per_s = static_cast<double>(interval_arrivals_) / seconds;
  row.answers_per_s = static_cast<double>(interval_answers_) / seconds;
  row.errors_per_s = static_cast<double>(interval_errors_) / seconds;
  if (interval_latency_.count() > 0) {
    row.latency_ms_p50 = interval_latency_.quantile(0.50) * 1e-6;
    row.latency_ms_p95 = interval_latency_.quantile(0.95) * 1e-6;
    row.latency_ms_p99 = interval_latency_.quantile(0.99) * 1e-6;
  }
  row.in_flight = static_cast<double>(gauges.in_flight);
  row.servers_active = gauges.servers_active;
  row.servers_on = gauges.servers_on;
  row.cpu_ratio_mean = gauges.cpu_ratio_mean;
  row.cpu_ratio_max = gauges.cpu_ratio_max;
  row.power_watts = gauges.power_watts;
  series_.push_back(row);
  interval_start_ = now;
  interval_arrivals_ = 0;
  interval_answers_ = 0;
  interval_errors_ = 0;
  interval_latency_.clear();
}

}  // namespace copal::sim
