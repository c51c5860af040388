#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scenarios/scenario.h"
#include "sim/workload/workload.h"
#include "sim/world.h"

// Clusters as queueing theory draws them: equal servers, Poisson arrivals, a network that takes no
// time, clients that wait for ever. They run in the same World, with the same nodes and messages,
// as every scenario.

namespace copal::sim::theory {

/// One such cluster. Times are in mean service times.
struct Cluster {
  std::uint32_t servers = 1;
  std::uint32_t cores = 1;            // of each
  std::uint32_t concurrency_max = 0;  // of each; cores: first come first served; 0: sharing
  double load = 0.5;                  // offered share of all cores
  scenario::Distribution service_time{.kind = scenario::Distribution::Kind::kExponential};
  balance::PolicyConfig policy;
  PolicyMaker policy_maker;  // instead of policy, if given
  double warm_up = 100;
  double requests = 1'000;  // expected after the warm-up, of the whole cluster
};

/// What one run says. Times are in mean service times.
struct Observed {
  std::uint64_t requests = 0;  // that arrived after the warm-up
  double mean_time = 0;
  double time_p95 = 0;
  /// The laws that every run must obey, whatever its policy; empty if it does. Requests lost or
  /// refused; Little's law, time-averaged number in the cluster = rate * mean time; the
  /// utilisation law, busy time = work that arrived. Both may be off by what the requests present
  /// at the ends of the window bring in or take out, and by no more.
  std::string broken_laws;
};

Observed observe(const Cluster& cluster, std::uint64_t seed);

/// Mean of independent values and half the width of its 99.9 % confidence interval.
struct Interval {
  double mean = 0;
  double half_width = 0;
};

/// values  exactly 20, one for each of the seeds 1 to 20 (asserted).
Interval interval_of_twenty(const std::vector<double>& values);

/// Factor on the sample sizes, from the environment's COPAL_THEORY: 1 is the size at which the
/// tolerances hold as they are stated; they grow as 1 / sqrt(factor) for smaller ones. 0.02 if
/// unset or no number within 1e-4 to 100.
double sample_factor();
/// 1 / sqrt(sample_factor()).
double tolerance_factor();

}  // namespace copal::sim::theory
