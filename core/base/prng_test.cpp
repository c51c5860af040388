#include "core/base/prng.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace copal {
namespace {

std::vector<std::uint64_t> first_of(Prng prng, std::size_t count) {
  std::vector<std::uint64_t> numbers(count);
  for (std::uint64_t& number : numbers) {
    number = prng.next();
  }
  return numbers;
}

TEST(Prng, GoldenValuesAreTheSameOnEveryMachine) {
  const std::vector<std::uint64_t> expected{0x006c'a356'456d'3897u, 0xce45'c089'1f92'73abu,
                                            0x34e8'1160'2d0c'582du, 0x95b7'9e36'3b35'0ca2u};
  EXPECT_EQ(first_of(Prng(1, "arrivals"), 4), expected);
}

TEST(Prng, SameSeedPurposeAndIndexGiveTheSameStream) {
  EXPECT_EQ(first_of(Prng(7, "arrivals", 3), 100), first_of(Prng(7, "arrivals", 3), 100));
}

TEST(Prng, StreamsDifferByEachOfSeedPurposeAndIndex) {
  std::set<std::uint64_t> seen;
  int streams = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const char* purpose : {"arrivals", "service", "faults", "", "arrival", "sarrivals"}) {
      for (std::uint64_t index = 0; index < 20; ++index) {
        const std::vector<std::uint64_t> numbers = first_of(Prng(seed, purpose, index), 4);
        seen.insert(numbers.begin(), numbers.end());
        ++streams;
      }
    }
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(streams) * 4);
}

/// Chi-square of counts that should be equal.
double chi_square(const std::vector<int>& counts, double expected) {
  double sum = 0;
  for (const int count : counts) {
    sum += (count - expected) * (count - expected) / expected;
  }
  return sum;
}

TEST(Prng, EveryByteOfTheNumbersIsEven) {
  Prng prng(11, "uniformity");
  std::vector<std::vector<int>> counts(8, std::vector<int>(256));
  for (int i = 0; i < 256'000; ++i) {
    std::uint64_t number = prng.next();
    for (std::vector<int>& of_byte : counts) {
      ++of_byte[number & 0xffU];
      number >>= 8U;
    }
  }
  for (const std::vector<int>& of_byte : counts) {
    // 255 degrees of freedom: outside 176 to 347 twice in 10,000.
    EXPECT_GT(chi_square(of_byte, 1000), 176);
    EXPECT_LT(chi_square(of_byte, 1000), 347);
  }
}

TEST(Prng, ConsecutiveNumbersAreIndependent) {
  Prng prng(12, "uniformity");
  std::vector<int> pairs(256);
  for (int i = 0; i < 256'000; ++i) {
    const std::uint64_t first = prng.next() >> 60U;
    const std::uint64_t second = prng.next() >> 60U;
    ++pairs[first * 16 + second];
  }
  EXPECT_GT(chi_square(pairs, 1000), 176);
  EXPECT_LT(chi_square(pairs, 1000), 347);
}

TEST(Prng, StreamsOfNeighbouringIndicesAreIndependent) {
  std::vector<int> pairs(256);
  for (std::uint64_t index = 0; index < 256'000; ++index) {
    const std::uint64_t first = Prng(5, "clients", index).next() >> 60U;
    const std::uint64_t second = Prng(5, "clients", index + 1).next() >> 60U;
    ++pairs[first * 16 + second];
  }
  EXPECT_GT(chi_square(pairs, 1000), 176);
  EXPECT_LT(chi_square(pairs, 1000), 347);
}

TEST(Draw, BelowIsEvenAlsoWhereTheCountIsNoPowerOfTwo) {
  Prng prng(13, "uniformity");
  std::vector<int> counts(10);
  for (int i = 0; i < 100'000; ++i) {
    ++counts[draw_below(prng, 10)];
  }
  // 9 degrees of freedom: above 33.7 once in 10,000.
  EXPECT_LT(chi_square(counts, 10'000), 33.7);
  EXPECT_EQ(draw_below(prng, 1), 0u);
}

TEST(DrawDeathTest, BelowNothingIsAsserted) {
  Prng prng(1, "death");
  EXPECT_DEATH(draw_below(prng, 0), "count >= 1");
}

/// Always the same bits, to reach the ends of a range.
class FixedBits final : public Random {
 public:
  explicit FixedBits(std::uint64_t bits) : bits_(bits) {}
  std::uint64_t next() override { return bits_; }

 private:
  std::uint64_t bits_;
};

TEST(Draw, EndsOfTheRangesAreReachedAndNotPassed) {
  FixedBits none(0);
  FixedBits all(~std::uint64_t{0});
  EXPECT_EQ(draw_unit(none), 0.0);
  EXPECT_EQ(draw_unit(all), 1.0 - 0x1p-53);
  EXPECT_EQ(draw_below(none, 7), 0u);
  EXPECT_EQ(draw_below(all, 7), 6u);
  EXPECT_EQ(draw_below(all, 0xffff'ffffu), 0xffff'fffeu);
}

TEST(Draw, UnitHasTheMeanAndVarianceOfAnEvenDistribution) {
  Prng prng(14, "uniformity");
  double sum = 0;
  double square_sum = 0;
  constexpr int kCount = 1'000'000;
  for (int i = 0; i < kCount; ++i) {
    const double x = draw_unit(prng);
    sum += x;
    square_sum += x * x;
  }
  const double mean = sum / kCount;
  // Standard errors: 0.00029 of the mean, 0.000075 of the variance; four of each.
  EXPECT_NEAR(mean, 0.5, 0.00116);
  EXPECT_NEAR(square_sum / kCount - mean * mean, 1.0 / 12, 0.0003);
}

}  // namespace
}  // namespace copal
