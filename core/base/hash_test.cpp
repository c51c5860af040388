#include "core/base/hash.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace copal {
namespace {

std::uint64_t hash_of(std::string_view text, std::uint64_t seed = 0) {
  return hash_bytes(text.data(), text.size(), seed);
}

TEST(Mix64, IsTheFinisherOfSplitmix64) {
  // The first outputs of splitmix64 from state 0 and 1234567, from the authors' program.
  EXPECT_EQ(mix64(0), 0xe220'a839'7b1d'cdafu);
  EXPECT_EQ(mix64(0x9e37'79b9'7f4a'7c15u), 0x6e78'9e6a'a1b9'65f4u);
  EXPECT_EQ(mix64(1'234'567), 6'457'827'717'110'365'317u);
}

TEST(Mix64, EveryInputBitChangesAboutHalfOfTheOutput) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    int changed = 0;
    for (std::uint64_t i = 0; i < 256; ++i) {
      changed += std::popcount(mix64(i) ^ mix64(i ^ (std::uint64_t{1} << bit)));
    }
    // 256 * 64 coins: 8192 expected, standard deviation 64; five of them.
    EXPECT_NEAR(changed, 8192, 320) << "bit " << bit;
  }
}

TEST(Mix64, OrderOfTwoNumbersMatters) {
  EXPECT_NE(mix64(1, 2), mix64(2, 1));
  EXPECT_NE(mix64(0, 1), mix64(1, 0));
  EXPECT_NE(mix64(0, 0), mix64(0));
}

TEST(Mix64, PairsOfSmallNumbersDoNotCollide) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t first = 0; first < 300; ++first) {
    for (std::uint64_t second = 0; second < 300; ++second) {
      seen.insert(mix64(first, second));
    }
  }
  EXPECT_EQ(seen.size(), 300u * 300u);
}

TEST(HashBytes, DependsOnEveryByteAndOnTheLength) {
  EXPECT_NE(hash_of("server-1"), hash_of("server-2"));
  EXPECT_NE(hash_of("a"), hash_of(std::string_view("a\0", 2)));
  EXPECT_NE(hash_of(""), hash_of(std::string_view("\0", 1)));
  EXPECT_NE(hash_of("ab"), hash_of("ba"));
  EXPECT_NE(hash_of("\x7f"), hash_of("\xff"));
}

TEST(HashBytes, SeedsGiveUnrelatedHashes) {
  EXPECT_NE(hash_of("server-1", 0), hash_of("server-1", 1));
  EXPECT_NE(hash_of("", 0), hash_of("", 1));
}

TEST(HashBytes, GoldenValuesAreTheSameOnEveryMachine) {
  EXPECT_EQ(hash_of(""), 0x5b21'f68f'fa77'f14cu);
  EXPECT_EQ(hash_of("server-1"), 0x6d0c'b828'c6c4'1d18u);
  EXPECT_EQ(hash_of("server-1", 42), 0x9d27'bcbf'21fc'9a0fu);
  EXPECT_EQ(mix64(1, 2), 0x87cf'bf7f'7fed'3d79u);
}

TEST(HashBytes, SpreadsConsecutiveNamesEvenlyOverBuckets) {
  constexpr int kBuckets = 64;
  constexpr int kNames = 64'000;
  int counts[kBuckets] = {};
  for (int i = 0; i < kNames; ++i) {
    const std::string name = "session-" + std::to_string(i);
    ++counts[hash_of(name) % kBuckets];
  }
  double chi_square = 0;
  for (const int count : counts) {
    chi_square += (count - 1000.0) * (count - 1000.0) / 1000.0;
  }
  // 63 degrees of freedom: below 30 or above 115 once in 10,000 on either side.
  EXPECT_GT(chi_square, 30);
  EXPECT_LT(chi_square, 115);
}

}  // namespace
}  // namespace copal
