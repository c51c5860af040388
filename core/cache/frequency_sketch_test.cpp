#include "core/cache/frequency_sketch.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/base/hash.h"
#include "core/base/prng.h"
#include "core/testing/allocation_count.h"

namespace copal {
namespace {

void count(FrequencySketch& sketch, std::uint64_t key, int times) {
  for (int i = 0; i < times; ++i) {
    sketch.count(mix64(key));
  }
}

TEST(FrequencySketch, CountsToFifteen) {
  FrequencySketch sketch;
  EXPECT_EQ(sketch.estimate(mix64(1)), 0u);
  for (std::uint32_t i = 1; i <= 20; ++i) {
    count(sketch, 1, 1);
    EXPECT_EQ(sketch.estimate(mix64(1)), i < 15 ? i : 15u);
  }
  EXPECT_EQ(sketch.estimate(mix64(2)), 0u);
}

TEST(FrequencySketch, HalvesAfterTenTimesAsManyAsItHasItems) {
  FrequencySketch sketch;
  count(sketch, 0, 15);
  std::uint64_t key = 1;
  for (int counted = 15; counted < 639; counted += 3) {
    count(sketch, key++, 3);
  }
  EXPECT_EQ(sketch.estimate(mix64(0)), 15u);
  count(sketch, key, 1);  // the 640th
  EXPECT_EQ(sketch.estimate(mix64(0)), 7u);
}

TEST(FrequencySketch, WhatCanNotRiseDoesNotAge) {
  FrequencySketch sketch;
  count(sketch, 1, 3);
  count(sketch, 0, 10'000);
  EXPECT_EQ(sketch.estimate(mix64(0)), 15u);
  EXPECT_EQ(sketch.estimate(mix64(1)), 3u);
}

TEST(FrequencySketch, NeverSaysLessThanWasCountedThoughItGrows) {
  FrequencySketch sketch;
  sketch.ensure(400);
  std::vector<std::uint32_t> truth(300);
  Prng random(1, "sketch");
  for (int i = 0; i < 1'000; ++i) {
    const std::uint32_t key = draw_below(random, 300);
    truth[key] += truth[key] < 15 ? 1 : 0;
    count(sketch, key, 1);
  }
  for (const std::size_t items : {400u, 513u, 5'000u, 100'000u, 100u}) {
    sketch.ensure(items);
    for (std::size_t key = 0; key < truth.size(); ++key) {
      ASSERT_GE(sketch.estimate(mix64(key)), truth[key]);
    }
  }
}

TEST(FrequencySketch, IsRightOfNearlyAllKeysAtItsSize) {
  FrequencySketch sketch;
  sketch.ensure(10'000);
  for (std::uint64_t key = 0; key < 10'000; ++key) {
    count(sketch, key, 1 + static_cast<int>(key % 7));
  }
  int wrong = 0;
  for (std::uint64_t key = 0; key < 10'000; ++key) {
    wrong += sketch.estimate(mix64(key)) == 1 + key % 7 ? 0 : 1;
  }
  EXPECT_LT(wrong, 100);
}

TEST(FrequencySketch, AllocatesOnlyToDouble) {
  FrequencySketch sketch;
  sketch.ensure(1'000);
  const std::uint64_t before = testing::allocation_count();
  sketch.ensure(1'024);
  for (std::uint64_t key = 0; key < 50'000; ++key) {
    count(sketch, key, 1);
  }
  EXPECT_EQ(testing::allocation_count(), before);
  sketch.ensure(1'025);
  EXPECT_GT(testing::allocation_count(), before);
}

}  // namespace
}  // namespace copal
