#include "core/balance/latency_by_load.h"

#include <gtest/gtest.h>

namespace copal::balance {
namespace {

constexpr TimePoint kStart{100s};

TEST(LatencyByLoad, NothingSeenIsZero) {
  EXPECT_EQ(LatencyByLoad{}.estimate(3, kStart), 0ns);
}

TEST(LatencyByLoad, CountsBelowThirtyTwoAreApart) {
  LatencyByLoad latency;
  for (std::uint32_t active = 0; active < 32; ++active) {
    latency.add(active, active * 1ms, kStart);
  }
  for (std::uint32_t active = 0; active < 32; ++active) {
    EXPECT_EQ(latency.estimate(active, kStart), active * 1ms);
  }
}

TEST(LatencyByLoad, HigherCountsShareQuartersOfADoubling) {
  LatencyByLoad latency;
  latency.add(32, 1ms, kStart);
  latency.add(40, 2ms, kStart);
  latency.add(64, 3ms, kStart);
  latency.add(80, 4ms, kStart);
  EXPECT_EQ(latency.estimate(39, kStart), 1ms);
  EXPECT_EQ(latency.estimate(47, kStart), 2ms);
  EXPECT_EQ(latency.estimate(79, kStart), 3ms);
  EXPECT_EQ(latency.estimate(95, kStart), 4ms);
  latency.add(1'000'000, 9ms, kStart);
  EXPECT_EQ(latency.estimate(4'000'000'000, kStart), 9ms);  // all beyond the last are one
}

TEST(LatencyByLoad, TheNearestCountAnswersAndOfTwoTheHigher) {
  LatencyByLoad latency;
  latency.add(4, 4ms, kStart);
  latency.add(8, 8ms, kStart);
  EXPECT_EQ(latency.estimate(0, kStart), 4ms);
  EXPECT_EQ(latency.estimate(5, kStart), 4ms);
  EXPECT_EQ(latency.estimate(6, kStart), 8ms);
  EXPECT_EQ(latency.estimate(7, kStart), 8ms);
  EXPECT_EQ(latency.estimate(31, kStart), 8ms);
}

TEST(LatencyByLoad, MedianWhateverTheOrder) {
  LatencyByLoad latency;
  for (const int ms : {50, 10, 40, 20, 30}) {
    latency.add(2, ms * 1ms, kStart);
  }
  EXPECT_EQ(latency.estimate(2, kStart), 30ms);
  latency.add(2, 60ms, kStart);
  EXPECT_EQ(latency.estimate(2, kStart), 40ms);  // of an even number the upper one
}

TEST(LatencyByLoad, OnlyTheLatestOfABucketCount) {
  LatencyByLoad latency;
  for (std::size_t i = 0; i < 100; ++i) {
    latency.add(2, 1ms, kStart);
  }
  for (std::size_t i = 0; i < LatencyByLoad::kKept / 2; ++i) {
    EXPECT_EQ(latency.estimate(2, kStart), 1ms);
    latency.add(2, 9ms, kStart);
  }
  EXPECT_EQ(latency.estimate(2, kStart), 9ms);
}

TEST(LatencyByLoad, OldOnesOfABucketCountNoLonger) {
  LatencyByLoad latency;
  for (int i = 0; i < 5; ++i) {
    latency.add(2, 1ms, kStart);
  }
  const TimePoint later = kStart + LatencyByLoad::kAgeMax;
  latency.add(2, 9ms, later);
  EXPECT_EQ(latency.estimate(2, later), 1ms);
  EXPECT_EQ(latency.estimate(2, later + 1ns), 9ms);
}

TEST(LatencyByLoad, AFreshNeighbourBeatsAnOldBucketOfTheSameCount) {
  // A neighbour has come: the counts are higher now, and times longer. When the count falls for a
  // moment, what was true before is not told again.
  LatencyByLoad latency;
  latency.add(2, 1ms, kStart);
  const TimePoint later = kStart + LatencyByLoad::kAgeMax;
  latency.add(20, 9ms, later);
  EXPECT_EQ(latency.estimate(2, later), 1ms);
  EXPECT_EQ(latency.estimate(2, later + 1ns), 9ms);
}

TEST(LatencyByLoad, WithNothingFreshTheVeryLatestAnswers) {
  LatencyByLoad latency;
  for (int i = 0; i < 5; ++i) {
    latency.add(2, 1ms, kStart);
  }
  latency.add(20, 9ms, kStart + 1s);
  latency.add(30, 5ms, kStart + 2s);
  latency.add(30, 7ms, kStart + 3s);
  EXPECT_EQ(latency.estimate(2, kStart + 60min), 7ms);
  EXPECT_EQ(latency.estimate(31, kStart + 60min), 7ms);
}

TEST(LatencyByLoad, EndsAtTheStartOfTimeCount) {
  LatencyByLoad latency;
  latency.add(2, 3ms, TimePoint{});
  EXPECT_EQ(latency.estimate(0, TimePoint{}), 3ms);
  EXPECT_EQ(latency.estimate(9, TimePoint{60min}), 3ms);
}

}  // namespace
}  // namespace copal::balance
