#include "core/balance/policy_config.h"

#include <array>

#include "core/balance/bounded_load.h"
#include "core/balance/green.h"
#include "core/balance/least_connections.h"
#include "core/balance/maglev.h"
#include "core/balance/peak_ewma.h"
#include "core/balance/power_of_choices.h"
#include "core/balance/prequal.h"
#include "core/balance/random_choice.h"
#include "core/balance/round_robin.h"
#include "core/balance/server_load.h"
#include "core/base/assert.h"

namespace copal::balance {

namespace {

constexpr std::array<std::string_view, 10> kNames = {
    "round_robin", "random",    "power_of_two", "least_connections", "server_load",
    "green",       "peak_ewma", "prequal",      "bounded_load",      "maglev"};

std::unique_ptr<Policy> make_prequal(const PolicyConfig& config) {
  return std::make_unique<Prequal>(PrequalConfig{.pool_max = config.probe_pool_max,
                                                 .age_max = config.probe_age_max,
                                                 .probe_rate = config.probe_rate,
                                                 .remove_rate = config.probe_remove_rate,
                                                 .hot_quantile = config.hot_quantile,
                                                 .reuse_delta = config.probe_reuse_delta});
}

}  // namespace

std::span<const std::string_view> algorithm_names() {
  return kNames;
}

std::unique_ptr<Policy> make_policy(const PolicyConfig& config) {
  switch (config.algorithm) {
    case Algorithm::kRoundRobin:
      return std::make_unique<RoundRobin>();
    case Algorithm::kRandom:
      return std::make_unique<RandomChoice>();
    case Algorithm::kPowerOfTwo:
      return std::make_unique<PowerOfChoices>(config.choices, config.with_replacement);
    case Algorithm::kLeastConnections:
      return std::make_unique<LeastConnections>();
    case Algorithm::kServerLoad:
      return std::make_unique<ServerLoad>(config.cpu_weight, config.latency_weight);
    case Algorithm::kGreen:
      return std::make_unique<Green>(config.fill_max, config.fill_resume);
    case Algorithm::kPeakEwma:
      return std::make_unique<PeakEwma>(config.ewma_decay, config.ewma_default_latency);
    case Algorithm::kPrequal:
      return make_prequal(config);
    case Algorithm::kBoundedLoad:
      return std::make_unique<BoundedLoad>(config.load_bound, config.ring_points);
    case Algorithm::kMaglev:
      return std::make_unique<Maglev>(config.maglev_table_size);
  }
  COPAL_ASSERT(false);  // a number that is no Algorithm
  return nullptr;
}

}  // namespace copal::balance
