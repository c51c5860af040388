#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/prng.h"
#include "scenarios/scenario.h"
#include "sim/workload/arrival_process.h"
#include "sim/workload/input_report.h"
#include "sim/workload/trace_window.h"

namespace copal::sim {

/// Requests and bytes within one minute of a recording.
struct MinuteRow {
  UtcSeconds at = 0;    // the minute's first second
  double requests = 0;  // a whole number as recorded
  double bytes = 0;     // of all answers

  bool operator==(const MinuteRow&) const = default;
};

/// Reads a line such as 1998-06-30T18:00Z,38402,109234871. Returns what was expected instead; empty
/// if it is well.
std::string_view parse_minute_row(std::string_view line, MinuteRow& row);

/// Reads a CSV with the header `minute_utc,requests,bytes`, plain, gzip or xz, and keeps the
/// minutes that the window touches, ascending, each once: rows of the same minute are added up,
/// minutes that are missing had no requests. report  its file is set; the rest is filled, for
/// errors too. Returns why the file can't be used, for people; nothing if all is well.
[[nodiscard]] std::optional<std::string> load_per_minute(const TraceWindow& window,
                                                         InputReport& report,
                                                         std::vector<MinuteRow>& rows);

/// Replays a recording of requests per minute. Each minute has as many requests as recorded, times
/// the scale in rate, at independent, evenly distributed times.
///
/// Chosen: exact numbers rather than a Poisson process of the minute's rate. Within the minute the
/// two are the same (a Poisson process, given its count, is this one), but the recorded counts
/// carry the traffic's chance already; drawing them again would add as much once more. So at scale
/// 1 the recording is met exactly and at any scale the total is off by less than one request: what
/// a scaled minute has beyond a whole number is carried over to the next.
///
/// The mean size of a minute's answers is the recorded one; their spread is the scenario's law.
class PerMinuteProcess final : public ArrivalProcess {
 public:
  /// rows  ascending.   start  of the recording that is time 0, not after what is used of any row.
  /// answer_mean  of the scenario's law for sizes of answers, in bytes, > 0.
  PerMinuteProcess(std::vector<MinuteRow> rows, const TraceWindow& window, UtcSeconds start,
                   const scenario::WorkloadSpec& spec, double answer_mean, std::uint64_t seed);

  TimePoint next() override;
  double answer_factor() const override { return answer_factor_; }

 private:
  void begin_minute();

  std::vector<MinuteRow> rows_;
  TraceWindow window_;
  UtcSeconds start_;
  double rate_scale_;
  double time_scale_;
  double answer_mean_;
  Prng random_;
  std::size_t next_row_ = 0;
  double carried_ = 0;      // of a request, from the minutes before
  std::uint64_t left_ = 0;  // requests of the minute under way
  double rest_ = 1;         // of the minute, after the last request
  double begin_s_ = 0;      // of the minute's used part, recorded seconds since start_
  double length_s_ = 0;
  double answer_factor_ = 1;
};

}  // namespace copal::sim
