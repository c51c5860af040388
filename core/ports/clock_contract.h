#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "core/ports/clock.h"

// What every world's Clock must hold; see clock.h for the numbers. A world makes a ClockWorld and
// instantiates the suite: INSTANTIATE_TYPED_TEST_SUITE_P(Sim, ClockContract, SimClockWorld).

namespace copal {

/// What the suite needs of a world.
class ClockWorld {
 public:
  virtual ~ClockWorld() = default;
  virtual Clock& clock() = 0;
  /// Called at each wake-up.
  std::function<void()> on_wake = [] {};
  /// Lets the world go on for so long.
  virtual void run_for(Duration time) = 0;
};

template <class World>
class ClockContract : public ::testing::Test {};
TYPED_TEST_SUITE_P(ClockContract);

TYPED_TEST_P(ClockContract, MonoNeverGoesBack) {
  TypeParam world;
  TimePoint last = world.clock().now().mono;
  for (int i = 0; i < 100; ++i) {
    world.run_for(1ms);
    const TimePoint now = world.clock().now().mono;
    EXPECT_GE(now, last);
    last = now;
  }
  EXPECT_GT(last, TimePoint{});
}

TYPED_TEST_P(ClockContract, WakesAtOrAfterTheTimeAndNotInsideTheCall) {
  TypeParam world;
  std::vector<TimePoint> woken;
  world.on_wake = [&] { woken.push_back(world.clock().now().mono); };
  const TimePoint wanted = world.clock().now().mono + 5ms;
  world.clock().wake_at(wanted);
  EXPECT_TRUE(woken.empty());
  world.run_for(50ms);
  ASSERT_GE(woken.size(), 1u);
  EXPECT_GE(woken.front(), wanted);
}

TYPED_TEST_P(ClockContract, ATimeThatHasPassedWakesSoonButNotInsideTheCall) {
  TypeParam world;
  world.run_for(10ms);
  int woken = 0;
  world.on_wake = [&] { ++woken; };
  world.clock().wake_at(TimePoint{});
  EXPECT_EQ(woken, 0);
  world.run_for(10ms);
  EXPECT_EQ(woken, 1);
}

TYPED_TEST_P(ClockContract, AnEarlierTimeAskedForLaterStillCounts) {
  TypeParam world;
  std::vector<TimePoint> woken;
  world.on_wake = [&] { woken.push_back(world.clock().now().mono); };
  const TimePoint start = world.clock().now().mono;
  world.clock().wake_at(start + 100ms);
  world.clock().wake_at(start + 5ms);
  world.run_for(50ms);
  ASSERT_GE(woken.size(), 1u);
  EXPECT_LT(woken.front(), start + 100ms);
}

TYPED_TEST_P(ClockContract, NeverMeansNever) {
  TypeParam world;
  int woken = 0;
  world.on_wake = [&] { ++woken; };
  world.clock().wake_at(kNever);
  world.run_for(50ms);
  EXPECT_EQ(woken, 0);
}

REGISTER_TYPED_TEST_SUITE_P(ClockContract, MonoNeverGoesBack,
                            WakesAtOrAfterTheTimeAndNotInsideTheCall,
                            ATimeThatHasPassedWakesSoonButNotInsideTheCall,
                            AnEarlierTimeAskedForLaterStillCounts, NeverMeansNever);

}  // namespace copal
