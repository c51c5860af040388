#include "core/balance/random_choice.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/testing/policy_bed.h"

namespace copal::balance {
namespace {

TEST(RandomChoice, SharesFollowWeightAndWarmUp) {
  testing::PolicyBed bed(std::make_unique<RandomChoice>(), 3);
  bed.servers[0].weight = 4;
  bed.servers[1].weight = 2;
  bed.servers[2].weight = 4;
  bed.servers[2].share = 0.25;
  bed.changed();
  std::array<double, 3> counts{};
  constexpr double kPicks = 70'000;
  for (int i = 0; i < kPicks; ++i) {
    ++counts[bed.pick_and_end()];
  }
  EXPECT_NEAR(counts[0] / kPicks, 4.0 / 7, 0.01);
  EXPECT_NEAR(counts[1] / kPicks, 2.0 / 7, 0.01);
  EXPECT_NEAR(counts[2] / kPicks, 1.0 / 7, 0.01);
}

TEST(RandomChoice, LoadDoesNotMatter) {
  testing::PolicyBed bed(std::make_unique<RandomChoice>(), 2);
  for (int i = 0; i < 100; ++i) {
    bed.start(0);
  }
  int busy = 0;
  for (int i = 0; i < 10'000; ++i) {
    busy += bed.pick_and_end() == 0 ? 1 : 0;
  }
  EXPECT_NEAR(busy, 5'000, 250);  // five standard deviations
}

}  // namespace
}  // namespace copal::balance
