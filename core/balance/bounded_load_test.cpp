#include "core/balance/bounded_load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/hash.h"
#include "core/testing/policy_bed.h"

namespace copal::balance {
namespace {

using testing::PolicyBed;

constexpr double kLoose = 1e6;  // a bound that is never reached: plain consistent hashing

struct Spread {
  double deviation = 0;  // standard deviation over mean
  double highest = 0;    // over mean
};

/// Shares of the key space of n servers, by drawing keys.
Spread spread_of(std::uint32_t ring_points, std::size_t server_count) {
  PolicyBed bed(std::make_unique<BoundedLoad>(kLoose, ring_points), server_count);
  std::vector<double> counts(server_count);
  const std::uint64_t keys = 2'000 * server_count;
  for (std::uint64_t key = 0; key < keys; ++key) {
    ++counts[*bed.choose(key)];
  }
  double squares = 0;
  for (const double count : counts) {
    squares += (count / 2'000 - 1) * (count / 2'000 - 1);
  }
  return {std::sqrt(squares / static_cast<double>(server_count)),
          *std::max_element(counts.begin(), counts.end()) / 2'000};
}

TEST(BoundedLoad, ShareDeviationFallsWithTheRootOfThePoints) {
  // Source of the figures: a calculation for n = 1,000, highest share 7.0, 1.66, 1.35, 1.11.
  const std::map<std::uint32_t, double> highest = {{1, 7.0}, {40, 1.66}, {100, 1.35}, {1000, 1.11}};
  for (const auto& [points, expected] : highest) {
    const Spread spread = spread_of(points, 1'000);
    EXPECT_NEAR(spread.highest, expected, (expected - 1) * 0.25) << points;
    // Drawn keys add their own noise of 1/sqrt(2,000).
    const double deviation = std::sqrt(1.0 / points + 1.0 / 2'000);
    EXPECT_NEAR(spread.deviation, deviation, deviation * 0.08) << points;
  }
}

/// Position of a server on a ring of one point each, as the policy lays it.
class OnePointRing {
 public:
  explicit OnePointRing(const std::vector<ServerView>& servers) : position_(servers.size()) {
    for (std::size_t i = 0; i < servers.size(); ++i) {
      points_.emplace_back(mix64(servers[i].node.value, 0), i);
    }
    std::sort(points_.begin(), points_.end());
    for (std::size_t i = 0; i < points_.size(); ++i) {
      position_[points_[i].second] = i;
    }
  }

  /// Returns how many points a request passed on its way from its key to its server.
  std::size_t steps(std::uint64_t key, std::size_t server) const {
    const auto first =
        std::lower_bound(points_.begin(), points_.end(), std::pair(mix64(key), std::size_t{0}));
    const auto from = static_cast<std::size_t>(first - points_.begin()) % points_.size();
    return (position_[server] + points_.size() - from) % points_.size();
  }

 private:
  std::vector<std::pair<std::uint64_t, std::size_t>> points_;
  std::vector<std::size_t> position_;
};

/// Mean extra steps of 10 n requests put into n servers of room ceil(factor * 10) each. The
/// policy's bound moves with the total, the calculation's stands still; so a server of no weight,
/// which never has room, holds all the requests that are yet to come.
double extra_steps(double factor, std::uint32_t ring_number) {
  constexpr std::size_t kServers = 1'000;
  PolicyBed bed(std::make_unique<BoundedLoad>(factor, 1), kServers + 1, 1, ring_number * 10'000);
  bed.servers[kServers].weight = 1e-9;
  bed.changed();
  const OnePointRing ring(bed.servers);
  for (std::size_t i = 0; i < 10 * kServers; ++i) {
    bed.start(kServers);
  }
  double steps = 0;
  for (std::uint64_t key = 0; key + 1 < 10 * kServers; ++key) {
    bed.end(kServers);
    const std::size_t index = bed.pick(key);
    // After 128 the policy stops walking and takes the lowest of all.
    steps += static_cast<double>(std::min<std::size_t>(ring.steps(key, index), 128));
    EXPECT_LE(bed.servers[index].active, std::ceil(factor * 10));
  }
  return steps / (10 * kServers);
}

TEST(BoundedLoad, ExtraStepsAreAsCalculated) {
  // The known figures are of one ring each; rings differ. mean and deviation (of one ring) are from
  // a calculation of its own over 100 random rings.
  struct Expected {
    double excess;
    double one_ring;
    double mean;
    double deviation;
  };
  constexpr std::array<Expected, 4> kExpected = {{{0.1, 4.6, 4.58, 1.19},
                                                  {0.25, 1.7, 1.47, 0.25},
                                                  {0.5, 0.8, 0.79, 0.11},
                                                  {1, 0.26, 0.286, 0.04}}};
  for (const Expected& expected : kExpected) {
    SCOPED_TRACE("c = 1 + " + std::to_string(expected.excess));
    constexpr std::uint32_t kRings = 100;
    double sum = 0;
    for (std::uint32_t ring = 1; ring <= kRings; ++ring) {
      sum += extra_steps(1 + expected.excess, ring);
    }
    // Two means of 100 rings: four standard deviations of their difference.
    EXPECT_NEAR(sum / kRings, expected.mean, 4 * expected.deviation * std::sqrt(2.0 / kRings));
    EXPECT_NEAR(sum / kRings, expected.one_ring, 2 * expected.deviation);
  }
}

TEST(BoundedLoad, NoServerGetsAboveItsBoundWhateverTheKeys) {
  for (const double factor : {1.05, 1.25, 2.0}) {
    PolicyBed bed(std::make_unique<BoundedLoad>(factor, 160), 7);
    bed.servers[2].weight = 3;
    bed.servers[4].share = 0.5;
    bed.changed();
    for (int total = 1; total <= 500; ++total) {
      const std::size_t index = bed.pick(total % 3 == 0 ? 99 : 7);  // two keys only
      const double weight = index == 2 ? 3 : index == 4 ? 0.5 : 1;
      EXPECT_LE(bed.servers[index].active, std::ceil(factor * total * weight / 8.5 - 1e-9))
          << "total " << total << " server " << index;
    }
  }
}

TEST(BoundedLoad, TheBoundHoldsWhereTheWalkIsCutShort) {
  // c so near 1 that nearly all are full: the lowest one takes over, still within the bound.
  PolicyBed bed(std::make_unique<BoundedLoad>(1.0001, 1), 2'000);
  for (std::uint32_t total = 1; total <= 8'000; ++total) {
    const std::size_t index = bed.pick(5);
    ASSERT_LE(bed.servers[index].active, std::ceil(1.0001 * total / 2'000));
  }
}

TEST(BoundedLoad, AKeyStaysWhileItsServerHasRoomAndReturnsWhenItHasAgain) {
  PolicyBed bed(std::make_unique<BoundedLoad>(1.25, 160), 10);
  for (std::uint64_t key = 0; key < 100; ++key) {
    const std::size_t home = *bed.choose(key);
    bed.start(home);
    const std::size_t second = *bed.choose(key);  // bound ceil(1.25 * 2 / 10) = 1
    EXPECT_NE(second, home);
    bed.end(home);
    EXPECT_EQ(bed.choose(key), home);
  }
}

TEST(BoundedLoad, OnlyTheKeysOfALeavingServerMove) {
  PolicyBed bed(std::make_unique<BoundedLoad>(kLoose, 160), 50);
  std::vector<std::size_t> homes;
  for (std::uint64_t key = 0; key < 20'000; ++key) {
    homes.push_back(*bed.choose(key));
  }
  bed.servers[17].eligible = false;
  bed.changed();
  std::vector<double> gained(50);
  for (std::uint64_t key = 0; key < homes.size(); ++key) {
    const std::size_t now_at = *bed.choose(key);
    if (homes[key] == 17) {
      ++gained[now_at];
    } else {
      EXPECT_EQ(now_at, homes[key]);
    }
  }
  EXPECT_EQ(gained[17], 0);
  // 160 points of others stand behind its own: no neighbour inherits it all.
  EXPECT_LT(*std::max_element(gained.begin(), gained.end()), 40);
  bed.servers[17].eligible = true;
  bed.changed();
  for (std::uint64_t key = 0; key < homes.size(); ++key) {
    EXPECT_EQ(bed.choose(key), homes[key]);
  }
}

TEST(BoundedLoad, SharesFollowWeightAndWarmUp) {
  PolicyBed bed(std::make_unique<BoundedLoad>(kLoose, 1'000), 3);
  bed.servers[0].weight = 4;
  bed.servers[1].share = 0.5;
  bed.servers[1].weight = 4;
  bed.servers[2].weight = 2;
  bed.changed();
  std::array<double, 3> counts{};
  for (std::uint64_t key = 0; key < 80'000; ++key) {
    ++counts[*bed.choose(key)];
  }
  EXPECT_NEAR(counts[0], 40'000, 2'000);
  EXPECT_NEAR(counts[1], 20'000, 1'500);
  EXPECT_NEAR(counts[2], 20'000, 1'500);
}

}  // namespace
}  // namespace copal::balance
