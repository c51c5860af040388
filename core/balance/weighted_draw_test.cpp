#include "core/balance/weighted_draw.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/prng.h"

namespace copal::balance {
namespace {

std::vector<ServerView> servers_of(std::span<const double> weights) {
  std::vector<ServerView> servers(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    servers[i].weight = weights[i];
  }
  return servers;
}

/// Counts of draws within five standard deviations of their expectation.
void expect_share(std::uint64_t count, std::uint64_t draws, double share) {
  const double expected = static_cast<double>(draws) * share;
  EXPECT_NEAR(static_cast<double>(count), expected, 5 * std::sqrt(expected * (1 - share)) + 1e-9);
}

TEST(WeightedDraw, DrawsByWeight) {
  const std::vector<double> weights = {1, 2, 0.5, 4, 0.001};
  Prng random(1, "weighted_draw_test");
  WeightedDraw draw;
  draw.rebuild(servers_of(weights));
  std::vector<std::uint64_t> counts(weights.size());
  constexpr std::uint64_t kDraws = 400'000;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    ++counts[*draw.draw(random, {})];
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    expect_share(counts[i], kDraws, weights[i] / 7.501);
  }
}

TEST(WeightedDraw, SecondDrawKeepsTheRatiosOfTheRest) {
  const std::vector<double> weights = {1, 2, 3, 4};
  Prng random(2, "weighted_draw_test");
  WeightedDraw draw;
  draw.rebuild(servers_of(weights));
  std::array<std::array<std::uint64_t, 4>, 4> counts{};
  constexpr std::uint64_t kDraws = 400'000;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    WeightedDraw::Taken taken;
    const std::size_t first = *draw.draw(random, taken);
    draw.take(taken, first);
    ++counts[first][*draw.draw(random, taken)];
  }
  for (std::size_t first = 0; first < 4; ++first) {
    EXPECT_EQ(counts[first][first], 0U);
    for (std::size_t second = 0; second < 4; ++second) {
      if (second != first) {
        const double share = weights[first] / 10 * weights[second] / (10 - weights[first]);
        expect_share(counts[first][second], kDraws, share);
      }
    }
  }
}

TEST(WeightedDraw, EqualWeightsLeaveOutTheTaken) {
  const std::vector<double> weights(10, 3.0);
  Prng random(3, "weighted_draw_test");
  WeightedDraw draw;
  draw.rebuild(servers_of(weights));
  WeightedDraw::Taken taken;
  draw.take(taken, 9);
  draw.take(taken, 0);
  draw.take(taken, 4);
  draw.take(taken, 4);
  EXPECT_EQ(taken.count(), 3U);
  std::array<std::uint64_t, 10> counts{};
  constexpr std::uint64_t kDraws = 140'000;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    ++counts[*draw.draw(random, taken)];
  }
  for (const std::size_t i : {0U, 4U, 9U}) {
    EXPECT_EQ(counts[i], 0U);
  }
  for (const std::size_t i : {1U, 2U, 3U, 5U, 6U, 7U, 8U}) {
    expect_share(counts[i], kDraws, 1.0 / 7);
  }
}

TEST(WeightedDraw, NothingIsLeftWhenAllAreTakenOrNoneIsEligible) {
  std::vector<ServerView> servers(2);
  Prng random(4, "weighted_draw_test");
  WeightedDraw draw;
  draw.rebuild(servers);
  WeightedDraw::Taken taken;
  draw.take(taken, 0);
  draw.take(taken, 1);
  EXPECT_EQ(draw.draw(random, taken), std::nullopt);
  servers[0].eligible = servers[1].eligible = false;
  draw.rebuild(servers);
  EXPECT_EQ(draw.draw(random, {}), std::nullopt);
}

TEST(WeightedDraw, SixteenThousandServersOfWildWeightsAreAllDrawn) {
  // The lightest has one unit of 2^31, and the sum must not overflow.
  std::vector<ServerView> servers(kServersMax);
  for (std::size_t i = 0; i < servers.size(); ++i) {
    servers[i].weight = i % 2 == 0 ? 1e9 : 1e-9;
  }
  Prng random(5, "weighted_draw_test");
  WeightedDraw draw;
  draw.rebuild(servers);
  std::uint64_t heavy = 0;
  for (int i = 0; i < 10'000; ++i) {
    heavy += *draw.draw(random, {}) % 2 == 0 ? 1 : 0;
  }
  EXPECT_GT(heavy, 9'900U);
  WeightedDraw::Taken taken;
  draw.take(taken, 1);
  EXPECT_EQ(taken.count(), 1U);
}

}  // namespace
}  // namespace copal::balance
