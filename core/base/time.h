#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

// Times inside the core are whole nanoseconds: two machines, two compilers and two runs agree on
// every bit of them. Rule: R0.1.

namespace copal {

using Duration = std::chrono::nanoseconds;

using std::chrono_literals::operator""ns;
using std::chrono_literals::operator""us;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;

/// The clock that never goes back; all deadlines use it. It has no now(): time is an argument.
struct MonoClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonoClock, Duration>;
  static constexpr bool is_steady = true;
};
using TimePoint = MonoClock::time_point;

/// The wall clock, since 1970-01-01 UTC. It may do anything; it is for people to read.
struct WallClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<WallClock, Duration>;
  static constexpr bool is_steady = false;
};
using WallTime = WallClock::time_point;

/// The time of one step. Read once per input; it stands still during the step.
struct Now {
  TimePoint mono{};
  WallTime wall{};
};

/// A deadline that never comes. Far enough from the largest number that adding to it is safe.
inline constexpr TimePoint kNever{Duration{std::numeric_limits<std::int64_t>::max() / 2}};

/// Seconds as a number, for arithmetic on rates and ratios.
constexpr double to_seconds(Duration duration) {
  return static_cast<double>(duration.count()) * 1e-9;
}
constexpr double to_seconds(TimePoint time) {
  return to_seconds(time.time_since_epoch());
}

/// seconds  any finite number within +-9e9. Returns the nearest whole nanosecond, halves away
/// from zero; written out because the rounding mode must not matter.
constexpr Duration from_seconds(double seconds) {
  const double ns = seconds * 1e9;
  return Duration{static_cast<std::int64_t>(ns < 0 ? ns - 0.5 : ns + 0.5)};
}

}  // namespace copal
