#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/time.h"
#include "scenarios/scenario.h"

namespace copal::sim {

/// What a host has used up since the start of the run. Reads exactly what SimGrid's host_energy
/// would: idle watts plus the busy share of what all cores add; power_meter_test.cpp compares them.
class PowerMeter {
 public:
  enum class State : std::uint8_t { kOff, kBooting, kOn };

  struct Reading {
    double joules = 0;
    double busy_core_s = 0;
    double on_s = 0;       // switched on, booting included
    double core_s = 0;     // cores times time in service: what could have been busy
    double working_s = 0;  // with at least one piece of work
    double active_s = 0;   // pieces of work times time
  };

  PowerMeter(const scenario::Power& power, std::uint32_t cores) : power_(power), cores_(cores) {}

  void set_state(State state, TimePoint now) {
    advance(now);
    state_ = state;
  }
  /// active  pieces of work under way.
  void set_active(std::uint32_t active, TimePoint now) {
    advance(now);
    active_ = active;
  }
  /// Returns the totals at `now`, which is not before any other call's.
  const Reading& read(TimePoint now) {
    advance(now);
    return total_;
  }
  double watts() const {
    switch (state_) {
      case State::kOff:
        return power_.off_watts;
      case State::kBooting:
        return power_.boot_watts;
      case State::kOn:
        return power_.idle_watts + (power_.busy_watts - power_.idle_watts) * busy() / cores_;
    }
    return 0;
  }
  State state() const { return state_; }
  double busy_ratio() const { return busy() / cores_; }

 private:
  double busy() const { return std::min<double>(active_, cores_); }

  void advance(TimePoint now) {
    const double passed = to_seconds(now - since_);
    since_ = now;
    total_.joules += watts() * passed;
    if (state_ != State::kOff) {
      total_.on_s += passed;
    }
    if (state_ == State::kOn) {
      total_.busy_core_s += busy() * passed;
      total_.core_s += cores_ * passed;
      total_.active_s += active_ * passed;
      total_.working_s += active_ > 0 ? passed : 0;
    }
  }

  scenario::Power power_;
  double cores_;
  std::uint32_t active_ = 0;
  State state_ = State::kOn;
  TimePoint since_{};
  Reading total_;
};

}  // namespace copal::sim
