#include "sim/theory/closed_forms.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <vector>

// The printed values are those of tables and of independent calculations, not of these functions.

namespace copal::sim::theory {
namespace {

constexpr std::array kLoads = {0.5, 0.7, 0.8, 0.9, 0.95};

TEST(TheoryClosedForms, OneServer) {
  EXPECT_NEAR(mm1_mean_time(0.5), 2, 1e-12);
  EXPECT_NEAR(mm1_mean_time(0.95), 20, 1e-9);
  EXPECT_NEAR(mm1_time_quantile(0.9, 0.95), 29.957323, 1e-6);
  EXPECT_NEAR(mm1_time_quantile(0.5, 0.5), 1.386294, 1e-6);
}

TEST(TheoryClosedForms, ErlangC) {
  EXPECT_NEAR(erlang_c(2, 0.5), 0.33333, 5e-6);
  EXPECT_NEAR(mmc_mean_time(2, 0.5), 1.33333, 5e-6);
  EXPECT_NEAR(erlang_c(4, 0.8), 0.59643, 5e-6);
  EXPECT_NEAR(mmc_mean_time(4, 0.8), 1.74554, 5e-6);
  EXPECT_NEAR(erlang_c(10, 0.8), 0.40918, 5e-6);
  EXPECT_NEAR(mmc_mean_time(10, 0.8), 1.20459, 5e-6);
  EXPECT_NEAR(erlang_c(10, 0.9), 0.66873, 5e-6);
  EXPECT_NEAR(mmc_mean_time(10, 0.9), 1.66873, 5e-6);
  EXPECT_NEAR(mmc_mean_time(100, 0.95), 1.1013, 5e-5);
  EXPECT_NEAR(mmc_mean_time(100, 0.9), 1.0217, 5e-5);
}

TEST(TheoryClosedForms, OneServerIsErlangCWithOne) {
  for (const double load : kLoads) {
    EXPECT_NEAR(mmc_mean_time(1, load), mm1_mean_time(load), 1e-9);
    // P(T > t) = exp(-(1 - load) t); the part of it that waits at all is load.
    EXPECT_NEAR(mmc_wait_exceeds(1, load, 0), load, 1e-12);
    EXPECT_NEAR(mmc_wait_exceeds(1, load, 2 / (1 - load)), load * 0.1353352832, 1e-9);
  }
}

TEST(TheoryClosedForms, RoundRobinOverAHundred) {
  constexpr std::array kExpected = {1.2619, 1.8905, 2.7157, 5.2268, 10.2707};
  for (std::size_t i = 0; i < kLoads.size(); ++i) {
    EXPECT_NEAR(erlang_arrivals_mean_time(100, kLoads[i]), kExpected[i], 5e-5);
  }
}

TEST(TheoryClosedForms, ErlangArrivalsLieBetweenPoissonAndEvenOnes) {
  EXPECT_NEAR(even_arrivals_mean_time(0.5), 1.2550, 5e-5);
  EXPECT_NEAR(even_arrivals_mean_time(0.9), 5.1787, 5e-5);
  for (const double load : kLoads) {
    EXPECT_NEAR(erlang_arrivals_mean_time(1, load), mm1_mean_time(load), 1e-6);
    EXPECT_NEAR(erlang_arrivals_mean_time(1'000'000, load), even_arrivals_mean_time(load), 1e-3);
    EXPECT_GT(erlang_arrivals_mean_time(100, load), even_arrivals_mean_time(load));
  }
}

TEST(TheoryClosedForms, AnyServiceTime) {
  for (const double load : kLoads) {
    EXPECT_NEAR(mg1_mean_time(load, 1), mm1_mean_time(load), 1e-9);
    EXPECT_NEAR(mg1_mean_time(load, 0) - 1, (mm1_mean_time(load) - 1) / 2, 1e-9);
  }
  EXPECT_NEAR(mg1_sharing_mean_time(0.8), 5.0, 1e-12);
}

TEST(TheoryClosedForms, PowerOfChoices) {
  constexpr std::array kTwo = {1.2657, 1.6145, 1.9474, 2.6141, 3.3830};
  constexpr std::array kThree = {1.1252, 1.3568, 1.5809, 2.0279, 2.5351};
  for (std::size_t i = 0; i < kLoads.size(); ++i) {
    EXPECT_NEAR(power_of_choices_mean_time(2, kLoads[i]), kTwo[i], 5e-5);
    EXPECT_NEAR(power_of_choices_mean_time(3, kLoads[i]), kThree[i], 5e-5);
  }
  EXPECT_NEAR(power_of_choices_mean_time(2, 0.99), 5.4320, 5e-5);
}

TEST(TheoryClosedForms, JoinIdleQueue) {
  EXPECT_NEAR(join_idle_queue_mean_time(10, 0.5), 1.091, 5e-4);
  EXPECT_NEAR(join_idle_queue_mean_time(10, 0.9), 1.818, 5e-4);
  EXPECT_NEAR(join_idle_queue_mean_time(20, 0.5), 1.048, 5e-4);
  EXPECT_NEAR(join_idle_queue_mean_time(20, 0.9), 1.429, 5e-4);
}

TEST(TheoryClosedForms, LruHitRatio) {
  const std::vector<double> shares = zipf_shares(10'000, 0.8);
  EXPECT_NEAR(shares[0] / shares[31], 16, 1e-9);
  EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1, 1e-12);
  EXPECT_NEAR(lru_hit_ratio(shares, 1'000), 0.4367, 5e-5);
  // All keys alike: what is held is hit.
  EXPECT_NEAR(lru_hit_ratio(zipf_shares(1'000, 0), 250), 0.25, 1e-9);
  EXPECT_GT(lru_hit_ratio(shares, 9'999), 0.999);
}

TEST(TheoryClosedForms, RelaxationTime) {
  EXPECT_NEAR(relaxation_time(0.25), 4, 1e-12);
  EXPECT_GT(relaxation_time(0.99), 3.9e4);
}

}  // namespace
}  // namespace copal::sim::theory
