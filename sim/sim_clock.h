#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/ports/clock.h"
#include "sim/engine.h"

namespace copal::sim {

/// The clocks of one machine in the simulated cloud, and the wake-ups of its process. Unless told
/// otherwise both run with the engine's time; wall time starts at an arbitrary, fixed date. Offset,
/// step, drift and freeze act on the wall clock, drift within its bound on the mono clock (R0.1).
class SimClock final : public Clock, public EventTarget {
 public:
  /// on_wake  called for each wake-up that was asked for since the last restart().
  SimClock(Engine& engine, std::uint32_t trace_id, std::function<void()> on_wake)
      : EventTarget(trace_id), engine_(engine), on_wake_(std::move(on_wake)) {}

  Now now() override { return {mono(), wall()}; }
  void wake_at(TimePoint time) override;
  /// The process died: wake-ups that it asked for are not for its successor.
  void restart();
  /// The machine was switched on anew: mono counts from another zero.
  void reboot(TimePoint mono);

  /// The mono clock gains so many millionths from now on (10,000 is the bound of R0.1).
  void set_drift_ppm(std::int64_t ppm);
  /// The wall clock jumps.
  void step_wall(Duration by) { wall_offset_ += by; }
  /// The wall clock stands still, or goes on from where it stood. (No two starts of a process read
  /// the same wall time even so: as little as that may be relied on, R0.3.)
  void set_wall_frozen(bool frozen);

  void on_event(std::uint64_t slot) override;

 private:
  static constexpr Duration kWallStart = std::chrono::hours(24) * 365 * 30;

  struct WakeUp {
    TimePoint mono{};
    std::uint64_t start = 0;
  };

  TimePoint mono() const;
  WallTime wall() const;
  void arm(std::size_t slot);

  Engine& engine_;
  std::function<void()> on_wake_;
  std::uint64_t starts_ = 0;
  std::vector<WakeUp> wake_ups_;
  std::vector<std::size_t> free_;
  // Since `anchor_` of the engine's time mono runs from `mono_anchor_` with the drift.
  TimePoint anchor_{};
  TimePoint mono_anchor_{};
  std::int64_t drift_ppm_ = 0;
  Duration wall_offset_{};
  bool wall_frozen_ = false;
  WallTime wall_stands_at_{};
};

}  // namespace copal::sim
