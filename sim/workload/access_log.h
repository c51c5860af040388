#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "scenarios/scenario.h"
#include "sim/workload/access_log_line.h"
#include "sim/workload/input_report.h"
#include "sim/workload/request_model.h"
#include "sim/workload/trace_window.h"
#include "sim/workload/workload.h"

namespace copal::sim {

/// One request of a log, kept small: logs have millions.
struct LogRecord {
  std::int64_t time_ns = 0;   // since 1970
  std::uint64_t session = 0;  // hash of client address and agent, never 0
  std::uint32_t answer_size_bytes = 0;
  std::uint32_t duration_us = kNoDuration;
  bool repeatable = false;
  bool fails = false;  // status 5xx
  bool time_is_end = false;

  static constexpr std::uint32_t kNoDuration = std::numeric_limits<std::uint32_t>::max();
};
static_assert(sizeof(LogRecord) == 32);

/// What a well-formed line means for the replay; time_ns has whole seconds.
LogRecord record_of(const AccessLine& line);

/// Reads the requests of an access log that lie within the window (by the times as logged), in the
/// file's order. report  its file is set; the rest is filled, for errors too.
/// Returns why the log can't be used, for people; nothing if all is well.
/// Allocates 32 bytes a request.
[[nodiscard]] std::optional<std::string> load_access_log(const TraceWindow& window,
                                                         InputReport& report,
                                                         std::vector<LogRecord>& records);

/// Sorts the requests by the time at which they came. A log is only roughly in order (Apache writes
/// a line when the request ends), and its times are whole seconds: requests of one second get
/// evenly distributed times within it, in the order of their lines; from a time of ending the
/// duration is subtracted.
void order_by_arrival(std::vector<LogRecord>& records, std::uint64_t seed);

/// Replays an access log: its times over the scale in time, its sizes of answers, its sessions, its
/// failures; work from the scenario's law or, with service_from: log, from the log's own durations
/// (what lacks one, from the law). Durations are not scaled in time.
///
/// Scaling in rate by r: each session (all requests of one address and agent) is repeated floor(r)
/// times, and once more with probability r - floor(r); so with r < 1 it is kept or left out.
/// Chosen: by session rather than by request, for a session that has lost most of its requests is
/// no session, and stickiness is what balancers differ in. Which sessions, the seed says. Each copy
/// is a session of its own. The first one keeps the log's times; each other is shifted as a whole,
/// by up to a minute of the log or a second of simulated time, whichever is longer: so copies
/// neither coincide nor tear a session apart, and the shape of the load over minutes stays.
class AccessLogReplay final : public Workload {
 public:
  /// records  as order_by_arrival() leaves them, at most 2^32 - 1.
  /// start_ns  what is time 0; earlier requests come at 0.
  AccessLogReplay(std::vector<LogRecord> records, std::int64_t start_ns,
                  const scenario::WorkloadSpec& spec, RequestModel model, std::uint64_t seed);

  TimePoint next_at() override { return due_.empty() ? kNever : due_.front().at; }
  Arrival take() override;
  void on_answer(std::uint64_t, TimePoint) override {}

 private:
  struct Due {
    TimePoint at;
    std::uint32_t record = 0;
    std::uint32_t copy = 0;
    /// For a heap that gives the earliest first.
    bool operator<(const Due& other) const {
      if (at != other.at) {
        return at > other.at;
      }
      return record != other.record ? record > other.record : copy > other.copy;
    }
  };

  TimePoint time_of(const LogRecord& record) const;
  std::uint32_t copies_of(std::uint64_t session) const;
  Duration shift_of(std::uint64_t session, std::uint32_t copy) const;
  void refill();

  std::vector<LogRecord> records_;
  std::int64_t start_ns_;
  scenario::WorkloadSpec spec_;
  RequestModel model_;
  RequestStreams streams_;
  std::uint64_t copy_seed_;
  Duration shift_max_;
  std::size_t next_record_ = 0;
  TimePoint next_record_at_ = kNever;
  std::vector<Due> due_;  // a heap: copies of requests whose time in the log has come
};

}  // namespace copal::sim
