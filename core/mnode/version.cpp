#include "core/mnode/version.h"

#include <algorithm>

#include "core/base/mutant.h"

namespace copal {

namespace {
std::uint64_t since_start(TimePoint time) {
  // Before its zero the mono clock can't be: it would be a fault of the world.
  COPAL_ASSERT(time >= TimePoint{});
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
}  // namespace

HybridClock::HybridClock(Now now, std::uint64_t reserved) {
  const auto wall = now.wall.time_since_epoch().count();
  raise(std::max(reserved, static_cast<std::uint64_t>(std::max(wall, decltype(wall){0}))),
        now.mono);
}

std::uint64_t HybridClock::reading(TimePoint now) const {
  return since_start(now) + offset_;
}

void HybridClock::observe(std::uint64_t seen, TimePoint now) {
  constexpr std::uint64_t kMinuteNs = 60'000'000'000;
  const bool is_far = COPAL_MUTANT(kHiddenFarClockIgnored) && seen > reading(now) + kMinuteNs;
  if (!COPAL_MUTANT(kClockNotObserved) && !is_far) {
    raise(seen, now);
  }
}

void HybridClock::raise(std::uint64_t seen, TimePoint now) {
  const std::uint64_t mine = reading(now);
  if (seen > mine) {
    offset_ += seen - mine;
  }
}

std::uint64_t HybridClock::next_counter(std::uint64_t previous, TimePoint now) {
  if (!COPAL_MUTANT(kVersionNotAbove)) {
    raise(previous + 1, now);
  }
  return reading(now);
}

}  // namespace copal
