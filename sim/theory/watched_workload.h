#pragma once

#include <algorithm>
#include <cstdint>

#include "sim/workload/workload.h"

namespace copal::sim::theory {

/// Passes a workload through and counts, over a window of time, what Little's law and the
/// utilisation law speak of. It counts where requests come and go, so it shares nothing with the
/// recorder whose figures it is held against.
class WatchedWorkload final : public Workload {
 public:
  /// inner  outlives it.   from, to  the window; `to` is when the run ends.
  WatchedWorkload(Workload& inner, TimePoint from, TimePoint to)
      : inner_(inner), from_(from), to_(to) {}

  TimePoint next_at() override { return inner_.next_at(); }
  Arrival take() override {
    const Arrival arrival = inner_.take();
    advance(arrival.at);
    ++present_;
    work_max_s_ = std::max(work_max_s_, to_seconds(arrival.work));
    if (arrival.at >= from_) {
      ++arrived_;
      work_s_ += to_seconds(arrival.work);
    }
    return arrival;
  }
  void on_answer(std::uint64_t user, TimePoint now) override {
    advance(now);
    --present_;
    inner_.on_answer(user, now);
  }
  /// The run is over.
  void end() { advance(to_); }

  std::uint64_t arrived() const { return arrived_; }     // within the window
  double work_s() const { return work_s_; }              // theirs
  double work_max_s() const { return work_max_s_; }      // of a single request, ever
  double presence_s() const { return presence_s_; }      // requests under way times time
  double present_at_start() const { return at_start_; }  // of the window
  double present_at_end() const { return present_; }

 private:
  void advance(TimePoint now) {
    if (last_ < from_ && now >= from_) {
      at_start_ = present_;
    }
    const TimePoint begin = std::max(last_, from_);
    const TimePoint end = std::min(now, to_);
    presence_s_ += end > begin ? present_ * to_seconds(end - begin) : 0;
    last_ = now;
  }

  Workload& inner_;
  TimePoint from_;
  TimePoint to_;
  TimePoint last_{};
  double present_ = 0;
  double at_start_ = 0;
  double presence_s_ = 0;
  double work_s_ = 0;
  double work_max_s_ = 0;
  std::uint64_t arrived_ = 0;
};

}  // namespace copal::sim::theory
