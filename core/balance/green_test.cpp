#include "core/balance/green.h"

#include <gtest/gtest.h>

#include "core/testing/policy_bed.h"

namespace copal::balance {
namespace {

using testing::PolicyBed;

TEST(Green, FillsInOrder) {
  PolicyBed bed(std::make_unique<Green>(10, 0.8), 3);
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_EQ(bed.pick(), i / 10) << i;
  }
}

TEST(Green, AFullServerGetsNothingBeforeItHasFallenToTheLowerThreshold) {
  PolicyBed bed(std::make_unique<Green>(10, 0.8), 2);
  for (int i = 0; i < 10; ++i) {
    bed.pick();
  }
  bed.end(0);
  EXPECT_EQ(bed.choose(), 1U);  // 9: within the gap
  bed.end(0);
  EXPECT_EQ(bed.choose(), 0U);  // 8
  bed.start(0);
  EXPECT_EQ(bed.choose(), 0U);  // 9 again, but not full on the way up
  bed.start(0);
  EXPECT_EQ(bed.choose(), 1U);
}

TEST(Green, WhenAllAreFullTheLeastLoadedForItsWeightIsChosen) {
  PolicyBed bed(std::make_unique<Green>(2, 0.5), 3);
  bed.servers[1].weight = 4;
  bed.changed();
  for (int i = 0; i < 2 + 8 + 2; ++i) {
    bed.pick();
  }
  EXPECT_EQ(bed.servers[1].active, 8U);
  EXPECT_EQ(bed.pick(), 1U);  // 9/4 against 3/1
  for (int i = 0; i < 6 * 4 - 13; ++i) {
    bed.pick();
  }
  EXPECT_EQ(bed.servers[0].active, 4U);
  EXPECT_EQ(bed.servers[1].active, 16U);
  EXPECT_EQ(bed.servers[2].active, 4U);
}

TEST(Green, WarmUpLowersTheThreshold) {
  PolicyBed bed(std::make_unique<Green>(16, 0.8), 2);
  bed.servers[0].share = 4.0 / 16;
  bed.changed();
  for (int i = 0; i < 10; ++i) {
    bed.pick();
  }
  EXPECT_EQ(bed.servers[0].active, 4U);
  EXPECT_EQ(bed.servers[1].active, 6U);
}

TEST(Green, ARetryGoesToTheNextWithRoom) {
  PolicyBed bed(std::make_unique<Green>(10, 0.8), 3);
  const std::array<std::size_t, 1> tried = {0};
  EXPECT_EQ(bed.choose(0, tried), 1U);
  const std::array<std::size_t, 2> both = {0, 1};
  EXPECT_EQ(bed.choose(0, both), 2U);
}

TEST(Green, ASessionLeavesAFullServerWhileAnotherHasRoom) {
  PolicyBed bed(std::make_unique<Green>(2, 0.5), 2);
  EXPECT_TRUE(bed.keeps(0));
  bed.start(0);
  bed.start(0);
  EXPECT_FALSE(bed.keeps(0));
  bed.start(1);
  bed.start(1);
  EXPECT_TRUE(bed.keeps(0)) << "moving would not help anyone";
}

TEST(Green, OrderHoldsBeyondAMachineWord) {
  PolicyBed bed(std::make_unique<Green>(1, 1), 200);
  for (std::size_t i = 0; i < 200; ++i) {
    ASSERT_EQ(bed.pick(), i);
  }
  bed.end(130);
  EXPECT_EQ(bed.choose(), 130U);
  bed.end(70);
  EXPECT_EQ(bed.choose(), 70U);
}

}  // namespace
}  // namespace copal::balance
