#include "core/balance/maglev.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/testing/policy_bed.h"

namespace copal::balance {
namespace {

using testing::PolicyBed;

constexpr std::uint32_t kTableSize = 65'537;

std::vector<double> entry_counts(PolicyBed& bed) {
  std::vector<double> counts(bed.servers.size());
  for (const std::uint16_t server : bed.policy<Maglev>().table()) {
    ++counts[server];
  }
  return counts;
}

TEST(Maglev, AThousandServersDifferByOneEntry) {
  PolicyBed bed(std::make_unique<Maglev>(kTableSize), 1'000);
  const auto counts = entry_counts(bed);
  const double mean = kTableSize / 1'000.0;
  EXPECT_NEAR(*std::max_element(counts.begin(), counts.end()) / mean, 1.007, 0.0005);
  EXPECT_NEAR(*std::min_element(counts.begin(), counts.end()) / mean, 0.992, 0.0005);
}

TEST(Maglev, RemovingOnePercentMovesFewOtherKeys) {
  PolicyBed bed(std::make_unique<Maglev>(kTableSize), 1'000);
  const std::vector<std::uint16_t> before(bed.policy<Maglev>().table().begin(),
                                          bed.policy<Maglev>().table().end());
  for (std::size_t i = 0; i < 10; ++i) {
    bed.servers[i * 97].eligible = false;
  }
  bed.changed();
  const auto after = bed.policy<Maglev>().table();
  double needed = 0;
  double extra = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const bool was_removed = !bed.servers[before[i]].eligible;
    needed += was_removed ? 1 : 0;
    extra += !was_removed && before[i] != after[i] ? 1 : 0;
    EXPECT_TRUE(bed.servers[after[i]].eligible);
  }
  EXPECT_NEAR(needed / kTableSize, 0.0099, 0.0003);
  EXPECT_NEAR(extra / kTableSize, 0.0233, 0.003);
  RecordProperty("extra_ratio", std::to_string(extra / kTableSize));
}

TEST(Maglev, EntriesFollowWeightAndWarmUp) {
  PolicyBed bed(std::make_unique<Maglev>(kTableSize), 4);
  bed.servers[1].weight = 2;
  bed.servers[2].weight = 5;
  bed.servers[3].weight = 2;
  bed.servers[3].share = 0.25;
  bed.changed();
  const auto counts = entry_counts(bed);
  const std::array<double, 4> weights = {1, 2, 5, 0.5};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(counts[i], kTableSize * weights[i] / 8.5, 2) << i;
  }
}

TEST(Maglev, AKeyKeepsItsServerWhateverTheLoad) {
  PolicyBed bed(std::make_unique<Maglev>(kTableSize), 20);
  const std::size_t home = bed.pick(12'345);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(bed.pick(12'345), home);
  }
}

TEST(Maglev, ARetryOfAKeyGoesToOneOtherServerAndSpreadsOverAll) {
  PolicyBed bed(std::make_unique<Maglev>(kTableSize), 5);
  std::vector<double> counts(5);
  for (std::uint64_t key = 0; key < 50'000; ++key) {
    const std::array<std::size_t, 1> tried = {2};
    const auto index = bed.choose(key, tried);
    ASSERT_NE(index, 2U);
    EXPECT_EQ(index, bed.choose(key, tried));
    ++counts[*index];
  }
  for (const std::size_t i : {0U, 1U, 3U, 4U}) {
    EXPECT_NEAR(counts[i], 12'500, 600);
  }
}

TEST(Maglev, TheTableDependsOnWhoIsThereAndNotOnTheOrderOfEvents) {
  PolicyBed once(std::make_unique<Maglev>(kTableSize), 30);
  PolicyBed twice(std::make_unique<Maglev>(kTableSize), 30);
  twice.servers[3].eligible = false;
  twice.changed();
  twice.servers[3].eligible = true;
  twice.changed();
  EXPECT_TRUE(std::ranges::equal(once.policy<Maglev>().table(), twice.policy<Maglev>().table()));
}

}  // namespace
}  // namespace copal::balance
