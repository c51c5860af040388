#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <memory>
#include <set>

#include "core/ports/random.h"

// What every world's Random must hold. A world is a type with
//   std::unique_ptr<Random> make(std::uint32_t index);   // sources of one run, told apart

namespace copal {

template <class World>
class RandomContract : public ::testing::Test {};
TYPED_TEST_SUITE_P(RandomContract);

TYPED_TEST_P(RandomContract, EachBitIsSetHalfTheTime) {
  TypeParam world;
  const auto random = world.make(0);
  constexpr int kDraws = 20'000;
  int set[64] = {};
  for (int i = 0; i < kDraws; ++i) {
    const std::uint64_t number = random->next();
    for (unsigned bit = 0; bit < 64; ++bit) {
      set[bit] += static_cast<int>((number >> bit) & 1U);
    }
  }
  for (unsigned bit = 0; bit < 64; ++bit) {
    // Six standard deviations of a fair coin.
    EXPECT_NEAR(set[bit], kDraws * 0.5, 6 * 71) << "bit " << bit;
  }
}

TYPED_TEST_P(RandomContract, SourcesOfOneRunDoNotRepeatEachOther) {
  TypeParam world;
  std::set<std::uint64_t> seen;
  for (std::uint32_t source = 0; source < 20; ++source) {
    const auto random = world.make(source);
    for (int i = 0; i < 1000; ++i) {
      EXPECT_TRUE(seen.insert(random->next()).second);
    }
  }
}

TYPED_TEST_P(RandomContract, DrawsStayInTheirRangeAndReachAllOfIt) {
  TypeParam world;
  const auto random = world.make(0);
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(draw_below(*random, 7));
    const double unit = draw_unit(*random);
    EXPECT_GE(unit, 0);
    EXPECT_LT(unit, 1);
  }
  EXPECT_EQ(seen, (std::set<std::uint32_t>{0, 1, 2, 3, 4, 5, 6}));
}

REGISTER_TYPED_TEST_SUITE_P(RandomContract, EachBitIsSetHalfTheTime,
                            SourcesOfOneRunDoNotRepeatEachOther,
                            DrawsStayInTheirRangeAndReachAllOfIt);

}  // namespace copal
