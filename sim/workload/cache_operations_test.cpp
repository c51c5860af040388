#include "sim/workload/cache_operations.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace copal::sim {
namespace {

using Kind = CacheOperation::Kind;
using scenario::CacheUse;

std::vector<CacheOperation> drawn(const CacheUse& use, std::uint64_t requests,
                                  const Arrival& arrival = {}, std::uint64_t seed = 1) {
  const std::vector<CacheUse> uses{use};
  const OperationLaw law(uses, seed);
  std::vector<CacheOperation> all;
  for (std::uint64_t request = 1; request <= requests; ++request) {
    const auto more = law.draw(arrival, request);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

TEST(CacheOperations, SharesAreThoseOfTheScenario) {
  const auto all = drawn({.operations = 2, .read_share = 0.7, .remove_share = 0.1}, 20'000);
  ASSERT_EQ(all.size(), 40'000U);
  std::map<Kind, double> counts;
  for (const CacheOperation& operation : all) {
    counts[operation.kind] += 1.0 / 40'000;
  }
  EXPECT_NEAR(counts[Kind::kRead], 0.7, 0.01);
  EXPECT_NEAR(counts[Kind::kRemove], 0.1, 0.01);
  EXPECT_NEAR(counts[Kind::kPut], 0.2, 0.01);
}

TEST(CacheOperations, KeysFollowTheirPopularity) {
  const auto all = drawn({.key_count = 100, .zipf_exponent = 1}, 50'000);
  std::map<std::uint64_t, double> counts;
  for (const CacheOperation& operation : all) {
    EXPECT_GE(operation.key, 1U);
    EXPECT_LE(operation.key, 100U);
    ++counts[operation.key];
  }
  EXPECT_NEAR(counts[1] / counts[2], 2, 0.1);
  EXPECT_NEAR(counts[1] / counts[10], 10, 1);
}

TEST(CacheOperations, DependOnSeedAndRequestAlone) {
  const std::vector<CacheUse> uses{{.operations = 3}, {.operations = 2}};
  const OperationLaw law(uses, 7);
  const auto second = law.draw({}, 2);
  law.draw({}, 1);
  const auto again = law.draw({}, 2);
  ASSERT_EQ(second.size(), 5U);
  for (std::size_t i = 0; i < second.size(); ++i) {
    EXPECT_EQ(second[i].key, again[i].key);
    EXPECT_EQ(second[i].value, again[i].value);
    EXPECT_EQ(second[i].use, i < 3 ? 0U : 1U);
  }
  EXPECT_NE(OperationLaw(uses, 8).draw({}, 2)[0].value, second[0].value);
}

TEST(CacheOperations, AKeyKeepsItsSize) {
  const auto all =
      drawn({.key_count = 20,
             .zipf_exponent = 0,
             .value_size = {.kind = scenario::Distribution::Kind::kLognormal, .mean = 1000}},
            2'000);
  std::map<std::uint64_t, std::uint32_t> sizes;
  std::set<std::uint32_t> different;
  for (const CacheOperation& operation : all) {
    const auto at = sizes.try_emplace(operation.key, operation.value_size_bytes).first;
    EXPECT_EQ(at->second, operation.value_size_bytes);
    different.insert(operation.value_size_bytes);
  }
  EXPECT_GT(different.size(), 15U);
}

TEST(CacheOperations, SameValuesAreTheSame) {
  const auto all = drawn({.read_share = 0, .key_count = 1, .same_value_share = 0.5}, 2'000);
  std::map<std::uint64_t, int> values;
  for (const CacheOperation& operation : all) {
    ++values[operation.value];
  }
  int most = 0;
  for (const auto& [value, count] : values) {
    most = std::max(most, count);
  }
  EXPECT_NEAR(most, 1'000, 100);
}

TEST(CacheOperations, SessionsAndRecordingsSayTheKey) {
  Arrival arrival;
  arrival.session = SessionId{99};
  arrival.cache_key = 12;
  EXPECT_EQ(drawn({.keys = CacheUse::Keys::kSession}, 1, arrival)[0].key, 99U);
  EXPECT_EQ(drawn({.keys = CacheUse::Keys::kTrace}, 1, arrival)[0].key, 12U);
}

TEST(CacheOperations, LifetimesFollowTheirShares) {
  CacheUse use;
  use.lifetimes = {{60min, 0.5}, {120min, 0.25}};
  const auto all = drawn(use, 20'000);
  std::map<Duration, double> shares;
  for (const CacheOperation& operation : all) {
    shares[operation.expire_timeout] += 1.0 / 20'000;
  }
  EXPECT_NEAR(shares[60min], 0.5, 0.02);
  EXPECT_NEAR(shares[120min], 0.25, 0.02);
  EXPECT_NEAR(shares[0s], 0.25, 0.02) << "the rest does not expire";
}

TEST(CacheOperations, KeysAndValuesHaveTheirSizes) {
  EXPECT_EQ(cache_key_text(7, 16), "0000000000000007");
  EXPECT_EQ(cache_key_text(1234567890123, 10), "1234567890123");
  EXPECT_EQ(cache_value(1, 1000).size_bytes(), 1000U);
  EXPECT_EQ(cache_value(1, 1003), cache_value(1, 1003));
  EXPECT_FALSE(cache_value(1, 10) == cache_value(2, 10));
}

}  // namespace
}  // namespace copal::sim
