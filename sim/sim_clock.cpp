#include "sim/sim_clock.h"

#include <algorithm>

namespace copal::sim {

namespace {
constexpr std::int64_t kMillion = 1'000'000;

/// amount * numerator / denominator, rounded up; in whole numbers, so that it is the same
/// everywhere.
Duration scaled(Duration amount, std::int64_t numerator, std::int64_t denominator) {
  __extension__ using Wide = __int128;
  const Wide product = static_cast<Wide>(amount.count()) * numerator;
  return Duration{static_cast<std::int64_t>((product + denominator - 1) / denominator)};
}
}  // namespace

TimePoint SimClock::mono() const {
  return mono_anchor_ + scaled(engine_.now() - anchor_, kMillion + drift_ppm_, kMillion);
}

WallTime SimClock::wall() const {
  const WallTime true_time{kWallStart + engine_.now().time_since_epoch()};
  return (wall_frozen_ ? wall_stands_at_ : true_time) + wall_offset_;
}

void SimClock::restart() {
  ++starts_;
  wall_stands_at_ += Duration{1};
}

void SimClock::reboot(TimePoint mono) {
  restart();
  anchor_ = engine_.now();
  mono_anchor_ = mono;
}

void SimClock::set_drift_ppm(std::int64_t ppm) {
  mono_anchor_ = mono();
  anchor_ = engine_.now();
  drift_ppm_ = ppm;
}

void SimClock::set_wall_frozen(bool frozen) {
  const WallTime true_time{kWallStart + engine_.now().time_since_epoch()};
  if (frozen && !wall_frozen_) {
    wall_stands_at_ = true_time;
  } else if (!frozen && wall_frozen_) {
    wall_offset_ -= true_time - wall_stands_at_;
  }
  wall_frozen_ = frozen;
}

void SimClock::wake_at(TimePoint time) {
  if (time >= kNever) {
    return;
  }
  std::size_t slot = wake_ups_.size();
  if (free_.empty()) {
    wake_ups_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  wake_ups_[slot] = {time, starts_};
  arm(slot);
}

void SimClock::arm(std::size_t slot) {
  const Duration wait = scaled(wake_ups_[slot].mono - mono(), kMillion, kMillion + drift_ppm_);
  engine_.at(engine_.now() + std::max(wait, Duration::zero()), *this, slot);
}

void SimClock::on_event(std::uint64_t slot) {
  const WakeUp wake_up = wake_ups_[slot];
  if (wake_up.start == starts_ && mono() < wake_up.mono) {
    arm(slot);  // the clock runs slower now than when this was asked for
    return;
  }
  free_.push_back(slot);
  if (wake_up.start == starts_) {
    on_wake_();
  }
}

}  // namespace copal::sim
