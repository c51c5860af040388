#include "core/base/time.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <type_traits>

namespace copal {
namespace {

TEST(Time, IsWholeNanoseconds) {
  static_assert(std::is_same_v<TimePoint::rep, std::int64_t>);
  EXPECT_EQ((TimePoint{} + 1s).time_since_epoch().count(), 1'000'000'000);
  EXPECT_EQ(1min, Duration{60'000'000'000});
}

TEST(Time, MonotonicAndWallTimesDoNotMix) {
  static_assert(!std::is_convertible_v<TimePoint, WallTime>);
  static_assert(!std::is_convertible_v<WallTime, TimePoint>);
  static_assert(!std::is_constructible_v<TimePoint, WallTime>);
}

TEST(Time, FromSecondsRoundsToTheNearestNanosecond) {
  EXPECT_EQ(from_seconds(0), 0ns);
  EXPECT_EQ(from_seconds(1.5), 1'500ms);
  EXPECT_EQ(from_seconds(0.1), 100ms);
  EXPECT_EQ(from_seconds(1e-9), 1ns);
  EXPECT_EQ(from_seconds(0.4e-9), 0ns);
  EXPECT_EQ(from_seconds(1e-7 + 0.6e-9), 101ns);
}

TEST(Time, FromSecondsRoundsHalvesAwayFromZeroOnBothSides) {
  EXPECT_EQ(from_seconds(0.5e-9), 1ns);
  EXPECT_EQ(from_seconds(-0.5e-9), -1ns);
  EXPECT_EQ(from_seconds(-1.5), -1'500ms);
  EXPECT_EQ(from_seconds(-0.4e-9), 0ns);
}

TEST(Time, FromSecondsHoldsOverItsWholeRange) {
  EXPECT_EQ(from_seconds(9e9).count(), 9'000'000'000'000'000'000);
  EXPECT_EQ(from_seconds(-9e9).count(), -9'000'000'000'000'000'000);
}

TEST(Time, ToSecondsUndoesFromSecondsToTheNanosecondWithinAMonth) {
  for (std::int64_t ns = 1; ns < 2'600'000'000'000'000; ns = ns * 3 + 1) {
    EXPECT_EQ(from_seconds(to_seconds(Duration{ns})), Duration{ns});
    EXPECT_EQ(to_seconds(TimePoint{Duration{ns}}), to_seconds(Duration{ns}));
  }
}

TEST(Time, NeverLiesBeyondEveryDeadlineAndCanBeAddedTo) {
  EXPECT_GT(kNever, TimePoint{} + std::chrono::hours(24 * 365 * 100));
  const TimePoint later = kNever + std::chrono::hours(24 * 365 * 100);
  EXPECT_GT(later, kNever);
}

}  // namespace
}  // namespace copal
