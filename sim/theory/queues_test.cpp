#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

#include "sim/theory/closed_forms.h"
#include "sim/theory/cluster.h"

// Single queues against their exact values. Each value is a mean over the seeds 1 to 20; its 99.9 %
// confidence interval must hold the exact value and must not be wider than 2 % to either side at
// the full sample size (COPAL_THEORY=1).

namespace copal::sim::theory {
namespace {

using Kind = scenario::Distribution::Kind;

constexpr std::array kQueueLoads = {0.5, 0.8, 0.9};
constexpr double kHalfWidthMax = 0.02;

void expect_exact(const std::string& what, double load, std::uint64_t requests,
                  const std::vector<double>& values, double exact) {
  const Interval interval = interval_of_twenty(values);
  const double ratio = interval.half_width / interval.mean;
  std::printf("theory | %-34s | %.2f | %10llu | %9.5f +- %8.5f (%5.2f %%) | %9.5f\n", what.c_str(),
              load, static_cast<unsigned long long>(requests), interval.mean, interval.half_width,
              100 * ratio, exact);
  EXPECT_LE(ratio, kHalfWidthMax * tolerance_factor()) << what << " at load " << load;
  EXPECT_NEAR(exact, interval.mean, interval.half_width) << what << " at load " << load;
}

struct Sample {
  std::uint64_t requests = 0;
  std::vector<double> means;
  std::vector<double> p95s;
};

/// requests  of all twenty seeds together, at the full sample size.
Sample sample(Cluster cluster, double requests) {
  cluster.requests = requests * sample_factor() / 20;
  // From empty, after five relaxation times less than 1 % of the way is left.
  cluster.warm_up = 5 * relaxation_time(cluster.load);
  Sample sample;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Observed observed = observe(cluster, seed);
    EXPECT_EQ(observed.broken_laws, "") << "seed " << seed;
    sample.requests += observed.requests;
    sample.means.push_back(observed.mean_time);
    sample.p95s.push_back(observed.time_p95);
  }
  return sample;
}

TEST(TheoryQueues, OneServerFirstComeFirstServed) {
  constexpr std::array kRequests = {2e6, 1.2e7, 5e7};
  for (std::size_t i = 0; i < kQueueLoads.size(); ++i) {
    const Cluster cluster{.concurrency_max = 1, .load = kQueueLoads[i]};
    const Sample seen = sample(cluster, kRequests[i]);
    expect_exact("M/M/1 mean", kQueueLoads[i], seen.requests, seen.means,
                 mm1_mean_time(kQueueLoads[i]));
    expect_exact("M/M/1 95th percentile", kQueueLoads[i], seen.requests, seen.p95s,
                 mm1_time_quantile(kQueueLoads[i], 0.95));
  }
}

void check_many_cores(std::uint32_t cores, const std::array<double, 3>& requests) {
  for (std::size_t i = 0; i < kQueueLoads.size(); ++i) {
    const Cluster cluster{.cores = cores, .concurrency_max = cores, .load = kQueueLoads[i]};
    const Sample seen = sample(cluster, requests[i]);
    expect_exact("M/M/" + std::to_string(cores) + " mean", kQueueLoads[i], seen.requests,
                 seen.means, mmc_mean_time(cores, kQueueLoads[i]));
  }
}

TEST(TheoryQueues, FourCores) {
  check_many_cores(4, {5e5, 4e6, 3e7});
}
TEST(TheoryQueues, TenCores) {
  check_many_cores(10, {2e5, 2e6, 2e7});
}

/// Processor sharing does not care for the law of the service time: one exact value for all.
void check_sharing(const char* name, const scenario::Distribution& law,
                   const std::array<double, 3>& requests) {
  for (std::size_t i = 0; i < kQueueLoads.size(); ++i) {
    const Cluster cluster{.load = kQueueLoads[i], .service_time = law};
    const Sample seen = sample(cluster, requests[i]);
    expect_exact(std::string("M/G/1 sharing, ") + name, kQueueLoads[i], seen.requests, seen.means,
                 mg1_sharing_mean_time(kQueueLoads[i]));
  }
}

TEST(TheoryQueues, SharingExponential) {
  check_sharing("exponential", {.kind = Kind::kExponential}, {1.5e6, 1.2e7, 5e7});
}
TEST(TheoryQueues, SharingConstant) {
  check_sharing("constant", {.kind = Kind::kConstant}, {8e5, 6e6, 3e7});
}
TEST(TheoryQueues, SharingHyperexponential) {
  check_sharing("hyperexponential", {.kind = Kind::kHyperexponential, .cv2 = 4}, {3e6, 1.5e7, 8e7});
}
TEST(TheoryQueues, SharingLognormal) {
  check_sharing("lognormal", {.kind = Kind::kLognormal, .sigma = 1}, {3e6, 1.5e7, 6e7});
}

}  // namespace
}  // namespace copal::sim::theory
