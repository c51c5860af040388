#pragma once

#include <functional>
#include <utility>

#include "core/ports/clock.h"
#include "sim/engine.h"

namespace copal::sim {

/// The clock of one process in the simulated cloud: the engine's time. Wall time starts at an
/// arbitrary, fixed date.
class SimClock final : public Clock, public EventTarget {
 public:
  /// on_wake  called for each wake-up that was asked for since the last restart().
  SimClock(Engine& engine, std::uint32_t trace_id, std::function<void()> on_wake)
      : EventTarget(trace_id), engine_(engine), on_wake_(std::move(on_wake)) {}

  Now now() override {
    return {engine_.now(), WallTime{kWallStart + engine_.now().time_since_epoch()}};
  }
  void wake_at(TimePoint time) override {
    if (time < kNever) {
      engine_.at(std::max(time, engine_.now()), *this, starts_);
    }
  }
  /// The process died: wake-ups that it asked for are not for its successor.
  void restart() { ++starts_; }

  void on_event(std::uint64_t start) override {
    if (start == starts_) {
      on_wake_();
    }
  }

 private:
  static constexpr Duration kWallStart = std::chrono::hours(24) * 365 * 30;

  Engine& engine_;
  std::function<void()> on_wake_;
  std::uint64_t starts_ = 0;
};

}  // namespace copal::sim
