#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>

#include "sim/theory/closed_forms.h"
#include "sim/theory/cluster.h"
#include "sim/theory/join_idle_queue.h"

// The table of balancing by few choices: mean time over load, first come first served, one core a
// server, exponential service times. Sources: Mitzenmacher, IEEE TPDS 2001 (the limits); the
// columns for 100 servers are an independent simulation's, which agrees with the paper's within
// 0.7 %. Tolerances at the full sample size (COPAL_THEORY=1): 2 % where the value is exact, 3 %
// where it was simulated.

namespace copal::sim::theory {
namespace {

constexpr std::array kTableLoads = {0.5, 0.7, 0.8, 0.9, 0.95};
using Column = std::array<double, kTableLoads.size()>;
constexpr std::uint64_t kSeed = 1;
constexpr double kExact = 0.02;
constexpr double kSimulated = 0.03;

Cluster single_cores(std::uint32_t servers) {
  return {.servers = servers, .concurrency_max = 1};
}

Cluster choices(std::uint32_t servers, std::uint32_t count) {
  Cluster cluster = single_cores(servers);
  cluster.policy.algorithm = balance::Algorithm::kPowerOfTwo;
  cluster.policy.choices = count;
  cluster.policy.with_replacement = true;
  return cluster;
}

/// How long a cluster takes to forget that it began empty. Servers that share nothing but the
/// arrivals are so many single queues; where all share the load it is a few drain times of what
/// waits.
double separate_queues(double load) {
  return 3 * relaxation_time(load);
}
double shared_load(double load) {
  return 10 / (1 - load);
}

/// requests  by load, at the full sample size.
void check_column(const std::string& what, Cluster cluster, double (*warm_up)(double),
                  const Column& requests, const Column& expected, double tolerance) {
  for (std::size_t i = 0; i < kTableLoads.size(); ++i) {
    cluster.load = kTableLoads[i];
    cluster.warm_up = warm_up(kTableLoads[i]);
    cluster.requests = requests[i] * sample_factor();
    const Observed observed = observe(cluster, kSeed);
    EXPECT_EQ(observed.broken_laws, "") << what;
    const double off = observed.mean_time / expected[i] - 1;
    std::printf("theory | %-34s | %.2f | %10llu | %9.5f (%+5.2f %%) | %9.5f +- %.0f %%\n",
                what.c_str(), kTableLoads[i], static_cast<unsigned long long>(observed.requests),
                observed.mean_time, 100 * off, expected[i], 100 * tolerance);
    EXPECT_LE(std::abs(off), tolerance * tolerance_factor())
        << what << " at load " << kTableLoads[i];
  }
}

Column by_load(double (*formula)(double)) {
  Column column{};
  std::transform(kTableLoads.begin(), kTableLoads.end(), column.begin(), formula);
  return column;
}

TEST(TheoryChoices, RandomIsManySingleQueues) {
  Cluster cluster = single_cores(100);
  cluster.policy.algorithm = balance::Algorithm::kRandom;
  check_column("random, 100 servers = M/M/1", cluster, separate_queues, {1e6, 3e6, 8e6, 2e7, 4e7},
               by_load(mm1_mean_time), kExact);
}

TEST(TheoryChoices, OneQueueForAHundredCores) {
  const Cluster cluster{.cores = 100, .concurrency_max = 100};
  check_column("M/M/100", cluster, shared_load, {1e6, 1e6, 2e6, 4e6, 8e6},
               by_load([](double load) { return mmc_mean_time(100, load); }), kExact);
}

TEST(TheoryChoices, RoundRobinHandsOutEveryHundredth) {
  Cluster cluster = single_cores(100);
  cluster.policy.algorithm = balance::Algorithm::kRoundRobin;
  check_column("round robin, 100 servers = E100/M/1", cluster, separate_queues,
               {1e6, 2e6, 4e6, 1e7, 2e7},
               by_load([](double load) { return erlang_arrivals_mean_time(100, load); }), kExact);
}

constexpr Column kShared = {1e6, 2e6, 3e6, 4e6, 6e6};

TEST(TheoryChoices, TwoChoicesOfAThousandNearTheLimit) {
  check_column("2 choices of 1000", choices(1000, 2), shared_load, kShared,
               by_load([](double load) { return power_of_choices_mean_time(2, load); }), kExact);
}

TEST(TheoryChoices, ThreeChoicesOfAThousandNearTheLimit) {
  check_column("3 choices of 1000", choices(1000, 3), shared_load, kShared,
               by_load([](double load) { return power_of_choices_mean_time(3, load); }), kExact);
}

TEST(TheoryChoices, TwoChoicesOfAHundred) {
  check_column("2 choices of 100", choices(100, 2), shared_load, kShared,
               {1.272, 1.628, 1.971, 2.646, 3.458}, kSimulated);
}

TEST(TheoryChoices, ThreeChoicesOfAHundred) {
  check_column("3 choices of 100", choices(100, 3), shared_load, kShared,
               {1.131, 1.374, 1.606, 2.098, 2.624}, kSimulated);
}

TEST(TheoryChoices, JoinTheShortestQueueOfAHundred) {
  Cluster cluster = single_cores(100);
  cluster.policy.algorithm = balance::Algorithm::kLeastConnections;
  check_column("shortest queue of 100", cluster, shared_load, kShared,
               {0.997, 0.999, 1.006, 1.063, 1.234}, kSimulated);
}

TEST(TheoryChoices, JoinAnIdleQueueOfAHundred) {
  Cluster cluster = single_cores(100);
  cluster.policy_maker = [] { return std::make_unique<JoinIdleQueue>(); };
  check_column("idle queue of 100", cluster, shared_load, kShared,
               {1.000, 1.001, 1.004, 1.076, 1.260}, kSimulated);
}

}  // namespace
}  // namespace copal::sim::theory
