#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/balance/policy.h"

// Which algorithm, with which parameters. Every default is that of the algorithm's source.

namespace copal::balance {

enum class Algorithm : std::uint8_t {
  kRoundRobin,
  kRandom,
  kPowerOfTwo,
  kLeastConnections,
  kServerLoad,
  kGreen,
  kPeakEwma,
  kPrequal,
  kBoundedLoad,
  kMaglev,
};

/// The ten names as scenarios write them, in the order of Algorithm.
std::span<const std::string_view> algorithm_names();

/// Parameters; an algorithm reads only its own.
struct PolicyConfig {
  Algorithm algorithm = Algorithm::kRoundRobin;

  std::uint32_t choices = 2;      // power_of_two: how many are drawn; 2 to 16
  bool with_replacement = false;  // power_of_two: true as in Mitzenmacher's analysis

  double cpu_weight = 100;    // server_load: cost of a fully busy CPU, in requests*100
  double latency_weight = 0;  // server_load: cost of a second of latency, likewise

  double fill_max = 10;      // green: requests at a server before the next one's turn
  double fill_resume = 0.8;  // green: share of fill_max at which it counts as free

  Duration ewma_decay = 10s;           // peak_ewma: mean life of a latency sample
  Duration ewma_default_latency = 1s;  // peak_ewma: assumed of a server never heard of

  std::uint32_t probe_pool_max = 16;  // prequal: probes kept; 2 to 64
  Duration probe_age_max = 1s;        // prequal
  double probe_rate = 3;              // prequal: probes a request
  double probe_remove_rate = 1;       // prequal: probes removed a request
  double hot_quantile = 0.84;         // prequal: requests in flight above it are hot (Q_RIF)
  double probe_reuse_delta = 1;       // prequal: delta in the reuse formula

  double load_bound = 1.25;         // bounded_load: c, times the mean; > 1
  std::uint32_t ring_points = 160;  // bounded_load: points a server of weight 1 has

  std::uint32_t maglev_table_size = 65537;  // maglev: a prime
};

/// Makes a policy. Parameters outside their ranges are the loader's fault (asserted).
std::unique_ptr<Policy> make_policy(const PolicyConfig& config);

}  // namespace copal::balance
