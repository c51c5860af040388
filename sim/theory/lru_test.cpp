#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "core/base/prng.h"
#include "core/cache/eviction_choice.h"
#include "core/testing/eviction_replay.h"
#include "sim/theory/closed_forms.h"
#include "sim/theory/cluster.h"

// The hit ratio of LRU on independent requests by Zipf's law, against Che's approximation: within
// 2 % relative at every sample size, as the standard error of the smallest is 0.5 %. The cache is
// full, so what it holds is steady, before hits are counted.

namespace copal::sim::theory {
namespace {

/// Draws keys by their shares.
class Popularity {
 public:
  explicit Popularity(const std::vector<double>& shares) : ends_(shares) {
    double sum = 0;
    for (double& end : ends_) {
      end = sum += end;
    }
  }
  std::uint64_t draw(Random& random) const {
    const auto at = std::upper_bound(ends_.begin(), ends_.end() - 1, draw_unit(random));
    return static_cast<std::uint64_t>(at - ends_.begin());
  }

 private:
  std::vector<double> ends_;
};

void check_lru(std::uint32_t keys, double exponent) {
  const std::vector<double> shares = zipf_shares(keys, exponent);
  const Popularity popularity(shares);
  const auto requests = static_cast<std::uint64_t>(std::max(200'000.0, 1e7 * sample_factor()));
  for (const std::uint32_t part : {100u, 30u, 10u, 3u}) {
    const std::uint32_t capacity = keys / part;
    copal::testing::EvictionReplay cache(make_eviction_policy(Eviction::kLru, capacity));
    Prng random(1, "lru", capacity);
    while (cache.count() < capacity) {
      cache.request(popularity.draw(random));
    }
    std::uint64_t hits = 0;
    for (std::uint64_t i = 0; i < requests; ++i) {
      hits += cache.request(popularity.draw(random)) ? 1 : 0;
    }
    const double ratio = static_cast<double>(hits) / static_cast<double>(requests);
    const double expected = lru_hit_ratio(shares, capacity);
    std::printf("theory | LRU, Zipf %.1f, %6u of %6u keys | %10llu | %7.5f | %7.5f (%+5.2f %%)\n",
                exponent, capacity, keys, static_cast<unsigned long long>(requests), ratio,
                expected, 100 * (ratio / expected - 1));
    EXPECT_NEAR(ratio, expected, 0.02 * expected) << "capacity " << capacity;
  }
}

TEST(TheoryLru, ZipfOfExponentFourFifths) {
  check_lru(10'000, 0.8);
  check_lru(100'000, 0.8);
}
TEST(TheoryLru, ZipfOfExponentOne) {
  check_lru(10'000, 1.0);
  check_lru(100'000, 1.0);
}

}  // namespace
}  // namespace copal::sim::theory
