// What a World has counted, as a RunResult.

#include <algorithm>

#include "core/base/assert.h"
#include "sim/world.h"

namespace copal::sim {

namespace {
/// The kinds of messages between balancers and servers stand first in Message.
constexpr std::size_t kBalancingKinds = 6;
static_assert(BalancingMessage<std::variant_alternative_t<kBalancingKinds - 1, MessageKinds>> &&
              !BalancingMessage<std::variant_alternative_t<kBalancingKinds, MessageKinds>>);
}  // namespace

RunResult World::result() {
  RunResult result;
  result.line = contender_.label;
  result.algorithm =
      balance::algorithm_names()[static_cast<std::size_t>(contender_.policy.algorithm)];
  result.seed = seed_;
  result.event_hash = engine_.hash();
  result.metrics = metrics();
  if (caches_) {
    const auto more = caches_->finish();
    result.metrics.insert(result.metrics.end(), more.begin(), more.end());
  }
  result.latency = recorder_.latency();
  result.series = recorder_.take_series();
  add_server_results(result);
  return result;
}

void World::add_server_results(RunResult& result) const {
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const PowerMeter::Reading& warm = marks_[i].warm;
    const PowerMeter::Reading& end = at_end_[i];
    const double measured_s = to_seconds(end_) - to_seconds(scenario_.warm_up);
    const double core_s = end.core_s - warm.core_s;
    result.servers.push_back(
        {.name = servers_[i]->name(),
         .requests = servers_[i]->tasks_started() - marks_[i].tasks_warm,
         .active_mean = measured_s > 0 ? (end.active_s - warm.active_s) / measured_s : 0,
         .cpu_ratio_mean = core_s > 0 ? (end.busy_core_s - warm.busy_core_s) / core_s : 0,
         .awake_s = end.on_s - marks_[i].formed.on_s,
         .energy_joules = joules_at_end_[i]});
  }
}

/// Of all balancers, those that died too.
BalancerCounts World::balancer_counts() {
  BalancerCounts counts;
  for (const SimBalancer& balancer : balancers_) {
    counts.retries += balancer.counts.retries;
    counts.sessions_moved += balancer.counts.sessions_moved;
    if (const Node* node = balancer.member->node()) {
      counts.retries += node->balancer()->counts().retries;
      counts.sessions_moved += node->balancer()->counts().sessions_moved;
    }
  }
  return counts;
}

/// What was sent for balancing, since the cluster had formed.
Network::Count World::balancing_messages() const {
  Network::Count balancing;
  for (std::size_t kind = 0; kind < kBalancingKinds; ++kind) {
    const Network::Count& count = network_->counts()[kind];
    const Network::Count& formed = counts_formed_[kind];
    balancing.frames += count.frames - formed.frames;
    balancing.frame_bytes += count.frame_bytes - formed.frame_bytes;
    balancing.body_bytes += count.body_bytes - formed.body_bytes;
  }
  return balancing;
}

std::vector<std::pair<std::string, double>> World::metrics() {
  const double measured_s = std::max(1e-9, to_seconds(end_) - to_seconds(scenario_.warm_up));
  const auto ended = [this](ClientStatus status) {
    return static_cast<double>(recorder_.ended(status));
  };
  const auto arrived = static_cast<double>(recorder_.arrived());
  const double answered = ended(ClientStatus::kDone);
  const double errors = ended(ClientStatus::kFailed) + ended(ClientStatus::kRejected) +
                        ended(ClientStatus::kTimedOut) + ended(ClientStatus::kLost);
  double joules = 0;
  double on_s = 0;
  double working_s = 0;
  double busy_core_s = 0;
  double core_s = 0;
  double tasks_per_weight = 0;
  double tasks_per_weight_max = 0;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    joules += joules_at_end_[i];
    on_s += at_end_[i].on_s - marks_[i].formed.on_s;
    working_s += at_end_[i].working_s - marks_[i].warm.working_s;
    busy_core_s += at_end_[i].busy_core_s - marks_[i].warm.busy_core_s;
    core_s += at_end_[i].core_s - marks_[i].warm.core_s;
    const double tasks = static_cast<double>(servers_[i]->tasks_started() - marks_[i].tasks_warm) /
                         server_weights_[i];
    tasks_per_weight += tasks;
    tasks_per_weight_max = std::max(tasks_per_weight_max, tasks);
  }
  const BalancerCounts counts = balancer_counts();
  const Network::Count balancing = balancing_messages();
  const Histogram& latency = recorder_.latency();
  const auto ms = [&latency](double ratio) { return latency.quantile(ratio) * 1e-6; };
  const double tasks_mean = tasks_per_weight / static_cast<double>(servers_.size());
  return {
      {"requests_count", arrived},
      {"answered_count", answered},
      {"failed_count", ended(ClientStatus::kFailed)},
      {"rejected_count", ended(ClientStatus::kRejected)},
      {"timed_out_count", ended(ClientStatus::kTimedOut)},
      {"lost_count", ended(ClientStatus::kLost)},
      {"retried_count", static_cast<double>(counts.retries)},
      {"unfinished_count", arrived - answered - errors},
      {"error_ratio", arrived > 0 ? errors / arrived : 0},
      {"throughput_per_s", answered / measured_s},
      {"latency_ms_mean", latency.mean() * 1e-6},
      {"latency_ms_p50", ms(0.50)},
      {"latency_ms_p90", ms(0.90)},
      {"latency_ms_p95", ms(0.95)},
      {"latency_ms_p99", ms(0.99)},
      {"latency_ms_p99_9", ms(0.999)},
      {"latency_ms_max", static_cast<double>(latency.max()) * 1e-6},
      {"server_hours", on_s / 3600},
      {"servers_active_mean", working_s / measured_s},
      {"energy_joules", joules},
      {"energy_joules_per_request", answered > 0 ? joules / answered : 0},
      {"cpu_ratio_mean", core_s > 0 ? busy_core_s / core_s : 0},
      {"imbalance_ratio", tasks_mean > 0 ? tasks_per_weight_max / tasks_mean : 0},
      {"sessions_moved_count", static_cast<double>(counts.sessions_moved)},
      {"messages_count", static_cast<double>(balancing.frames)},
      {"message_bytes_count", static_cast<double>(balancing.frame_bytes + balancing.body_bytes)}};
}

}  // namespace copal::sim
