#pragma once

#include "core/base/time.h"

namespace copal {

/// What tells a driver the time and wakes it.
///
/// Contract, held by clock_contract.h in both worlds:
/// 1. now().mono never goes back; now().wall may do anything.
/// 2. After wake_at(t) the driver's wake() is called once, at or after t, and never from inside
///    wake_at(). A later wake_at() may add a wake-up or replace one; an earlier time always counts.
/// 3. A wake-up may come late, and one too many may come.
class Clock {
 public:
  virtual ~Clock() = default;

  /// Returns the time. Within one driver call it is read once.
  virtual Now now() = 0;

  /// Asks for a wake-up of the driver that owns this clock.
  /// time  may be in the past: then the wake-up comes as soon as the caller has returned.
  virtual void wake_at(TimePoint time) = 0;
};

}  // namespace copal
