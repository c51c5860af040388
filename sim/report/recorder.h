#pragma once

#include <cstdint>
#include <vector>

#include "core/base/time.h"
#include "core/protocol/effect.h"
#include "sim/report/histogram.h"
#include "sim/report/result.h"

namespace copal::sim {

/// What the servers look like at the end of an interval; filled by the world.
struct Gauges {
  std::uint64_t in_flight = 0;
  std::uint32_t servers_active = 0;
  std::uint32_t servers_on = 0;
  double cpu_ratio_mean = 0;  // over the interval, of cores that were on
  double cpu_ratio_max = 0;   // of one server
  double power_watts = 0;     // mean over the interval
};

/// Counts requests as they come and go. Requests that arrive before the warm-up is over stand in
/// the series, not in the figures.
class Recorder {
 public:
  explicit Recorder(TimePoint warm_until) : warm_until_(warm_until) {}

  void on_arrival(TimePoint now);
  /// arrived  when the request came; latency is from then to now.
  void on_answer(ClientStatus status, TimePoint arrived, TimePoint now);
  /// An interval ended at `now`.
  void on_interval(const Gauges& gauges, TimePoint now);

  /// Requests that came after the warm-up, by how they ended; index is a ClientStatus.
  std::uint64_t ended(ClientStatus status) const {
    return ended_[static_cast<std::size_t>(status)];
  }
  std::uint64_t arrived() const { return arrived_; }
  const Histogram& latency() const { return latency_; }
  std::vector<SeriesRow> take_series() { return std::move(series_); }

 private:
  TimePoint warm_until_;
  std::uint64_t arrived_ = 0;
  std::array<std::uint64_t, 5> ended_{};
  Histogram latency_;
  // Of the interval under way:
  TimePoint interval_start_{};
  std::uint64_t interval_arrivals_ = 0;
  std::uint64_t interval_answers_ = 0;
  std::uint64_t interval_errors_ = 0;
  Histogram interval_latency_;
  std::vector<SeriesRow> series_;
};

}  // namespace copal::sim
