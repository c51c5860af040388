#include "core/mnode/version.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>

namespace copal {
namespace {

TimePoint time_at(Duration time) {
  return TimePoint{time};
}
Now start(Duration mono, Duration wall) {
  return {.mono = TimePoint{mono}, .wall = WallTime{wall}};
}
const OwnerId kA{0, Slot{0}, 1};
const OwnerId kB{0, Slot{1}, 1};

TEST(OwnerId, HoldsItsParts) {
  const OwnerId owner(OwnerId::kPodMax, Slot{2}, OwnerId::kGenerationMax);
  EXPECT_EQ(owner.pod(), 4'095U);
  EXPECT_EQ(owner.slot(), Slot{2});
  EXPECT_EQ(owner.generation(), 262'143U);
  EXPECT_EQ(OwnerId::from_number(owner.number()), owner);
  EXPECT_LT(OwnerId{}, OwnerId(0, Slot{0}, 1));
}

TEST(OwnerId, PartsOutsideTheirRangeStopTheProgram) {
  EXPECT_DEATH(OwnerId(4'096, Slot{0}, 1), "kPodMax");
  EXPECT_DEATH(OwnerId(0, Slot{3}, 1), "kSlots");
  EXPECT_DEATH(OwnerId(0, Slot{0}, 0), "generation");
  EXPECT_DEATH(OwnerId(0, Slot{0}, 262'144), "kGenerationMax");
}

TEST(Version, CounterThenEpochThenOwner) {
  const std::array ascending = {kNoVersion,        Version{1, 0, kA}, Version{1, 0, kB},
                                Version{1, 1, kA}, Version{2, 0, kA}, Version{2, 0, kB}};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(ascending[i] < ascending[j], i < j) << i << " and " << j;
      EXPECT_EQ(ascending[i] == ascending[j], i == j) << i << " and " << j;
    }
  }
}

TEST(HybridClock, StartsAtTheWallClockAndRunsWithMono) {
  const HybridClock clock(start(5s, 1'000s), 0);
  EXPECT_EQ(clock.reading(time_at(5s)), 1'000'000'000'000U);
  EXPECT_EQ(clock.reading(time_at(7s)), 1'002'000'000'000U);
}

TEST(HybridClock, NeverStartsBelowWhatWasReserved) {
  const HybridClock clock(start(0s, 1'000s), 2'000'000'000'000U);
  EXPECT_EQ(clock.reading(time_at(0s)), 2'000'000'000'000U);
}

TEST(HybridClock, WallClockBefore1970CountsAsZero) {
  const HybridClock clock(start(3s, -10s), 0);
  EXPECT_EQ(clock.reading(time_at(3s)), 3'000'000'000U) << "mono itself is ahead of it";
}

// Rule: R6. T28: a member ten minutes ahead carries the others along; none loses a write for it.
TEST(HybridClock, IsCarriedAlongByWhoIsAhead) {
  HybridClock behind(start(0s, 1'000s), 0);
  const HybridClock ahead(start(0s, 1'600s), 0);
  behind.observe(ahead.reading(time_at(1s)), time_at(1s));
  EXPECT_EQ(behind.reading(time_at(1s)), ahead.reading(time_at(1s)));
  EXPECT_EQ(behind.reading(time_at(4s)), ahead.reading(time_at(4s))) << "it runs on in seconds";
}

TEST(HybridClock, LowerReadingsChangeNothing) {
  HybridClock clock(start(0s, 1'000s), 0);
  clock.observe(5, time_at(1s));
  EXPECT_EQ(clock.reading(time_at(1s)), 1'001'000'000'000U);
}

TEST(HybridClock, CountersGrowWithoutTimePassing) {
  HybridClock clock(start(0s, 1'000s), 0);
  std::uint64_t previous = 0;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t next = clock.next_counter(previous, time_at(1s));
    EXPECT_GT(next, previous);
    previous = next;
  }
  EXPECT_GE(clock.reading(time_at(1s)), previous)
      << "no version is ahead of the clock that made it";
}

TEST(HybridClock, CounterFollowsAVersionFromFarAhead) {
  HybridClock clock(start(0s, 1'000s), 0);
  const std::uint64_t far = 9'000'000'000'000U;
  EXPECT_EQ(clock.next_counter(far, time_at(1s)), far + 1);
  EXPECT_EQ(clock.next_counter(far + 1, time_at(2s)), far + 1 + 1'000'000'000U);
}

}  // namespace
}  // namespace copal
