#include "core/balance/power_of_choices.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/testing/policy_bed.h"

namespace copal::balance {
namespace {

using testing::PolicyBed;

TEST(PowerOfChoices, TwoDifferentServersAreCompared) {
  // Of two servers both are always drawn, so the busy one never wins.
  PolicyBed bed(std::make_unique<PowerOfChoices>(2, false), 2);
  bed.start(0);
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_EQ(bed.choose(), 1U);
  }
}

TEST(PowerOfChoices, WithReplacementABusyServerWinsWhenDrawnTwice) {
  PolicyBed bed(std::make_unique<PowerOfChoices>(2, true), 2);
  bed.start(0);
  int busy = 0;
  for (int i = 0; i < 40'000; ++i) {
    busy += bed.choose() == 0U ? 1 : 0;
  }
  EXPECT_NEAR(busy, 10'000, 433);  // a quarter, five standard deviations
}

TEST(PowerOfChoices, TheBusiestOfManyWinsWithTheChanceOfItsPlace) {
  // Loads 0 … 9: without replacement server k wins if both draws are from k … 9 and one is k.
  PolicyBed bed(std::make_unique<PowerOfChoices>(2, false), 10);
  for (std::size_t i = 0; i < 10; ++i) {
    for (std::size_t n = 0; n < i; ++n) {
      bed.start(i);
    }
  }
  std::array<double, 10> counts{};
  constexpr double kPicks = 90'000;
  for (int i = 0; i < kPicks; ++i) {
    ++counts[*bed.choose()];
  }
  for (std::size_t k = 0; k < 10; ++k) {
    const double chance = static_cast<double>(9 - k) / 45;
    EXPECT_NEAR(counts[k] / kPicks, chance, 5 * std::sqrt(chance * (1 - chance) / kPicks)) << k;
  }
}

TEST(PowerOfChoices, ManyChoicesOfFewServersFindTheLeastLoaded) {
  PolicyBed bed(std::make_unique<PowerOfChoices>(16, false), 10);
  for (std::size_t i = 0; i < 10; ++i) {
    if (i != 7) {
      bed.start(i);
    }
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(bed.choose(), 7U);
  }
}

TEST(PowerOfChoices, AnIdleClusterIsUsedByWeight) {
  PolicyBed bed(std::make_unique<PowerOfChoices>(2, false), 3);
  bed.servers[0].weight = 2;
  bed.changed();
  int heavy = 0;
  for (int i = 0; i < 40'000; ++i) {
    heavy += bed.pick_and_end() == 0 ? 1 : 0;
  }
  EXPECT_NEAR(heavy, 20'000, 500);
}

TEST(PowerOfChoices, LoadIsComparedPerWeight) {
  PolicyBed bed(std::make_unique<PowerOfChoices>(2, false), 2);
  bed.servers[0].weight = 4;
  bed.changed();
  for (int i = 0; i < 3; ++i) {
    bed.start(0);
  }
  bed.start(1);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(bed.choose(), 0U);  // 3/4 against 1/1
  }
}

}  // namespace
}  // namespace copal::balance
