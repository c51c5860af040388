#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/balance/policy.h"
#include "core/balance/policy_config.h"
#include "core/base/assert.h"
#include "core/base/prng.h"

namespace copal::testing {

/// A policy with a table of servers, driven by hand as the balancer would: keeps `active` in step
/// with starts and ends, and the time where the test puts it.
class PolicyBed {
 public:
  PolicyBed(std::unique_ptr<balance::Policy> policy, std::size_t server_count,
            std::uint64_t seed = 1, std::uint32_t first_node = 1)
      : policy_(std::move(policy)), random_(seed, "policy_bed") {
    now.mono = TimePoint{60min};
    for (std::size_t i = 0; i < server_count; ++i) {
      servers.emplace_back();
      servers.back().node = NodeId{first_node + static_cast<std::uint32_t>(i)};
    }
    changed();
  }

  std::vector<balance::ServerView> servers;
  Now now;

  /// To be called after a change of weight, share or eligibility.
  void changed() { policy_->on_servers(servers, now); }

  void pass(Duration time) { now.mono += time; }

  std::optional<std::size_t> choose(std::uint64_t routing_key = 0,
                                    std::span<const std::size_t> excluded = {}) {
    return policy_->choose({routing_key, excluded}, servers, now, random_);
  }

  bool keeps(std::size_t index) const { return policy_->keeps(index, servers); }

  void start(std::size_t index) {
    ++servers[index].active;
    policy_->on_start(index, servers, now);
  }

  void end(std::size_t index, Duration latency = Duration{10'000'000}, bool succeeded = true) {
    COPAL_ASSERT(servers[index].active > 0);
    --servers[index].active;
    policy_->on_end(index, {latency, succeeded}, servers, now);
  }

  /// Chooses, which must succeed, and starts.
  std::size_t pick(std::uint64_t routing_key = 0) {
    const auto index = choose(routing_key);
    COPAL_ASSERT(index.has_value());
    start(*index);
    return *index;
  }

  /// A request that has ended before anything else happens.
  std::size_t pick_and_end(std::uint64_t routing_key = 0) {
    const std::size_t index = pick(routing_key);
    end(index);
    return index;
  }

  void report(std::size_t index, balance::ReportKind kind, const LoadSample& load) {
    servers[index].reported = load;
    servers[index].reported_at = now.mono;
    policy_->on_report(index, kind, servers, now);
  }

  /// Returns whom the policy wants to probe now; valid until the next call.
  const std::vector<std::size_t>& probe_targets() {
    targets_.clear();
    policy_->probe_targets(servers, now, random_, targets_);
    return targets_;
  }

  /// Probes as the policy wants, all answered at once with these servers' own active requests.
  void probe(Duration latency = Duration{10'000'000}) {
    for (const std::size_t index : probe_targets()) {
      report(index, balance::ReportKind::kProbe, {servers[index].active, 0, latency});
    }
  }

  template <class Concrete>
  Concrete& policy() {
    return static_cast<Concrete&>(*policy_);
  }

 private:
  std::unique_ptr<balance::Policy> policy_;
  Prng random_;
  std::vector<std::size_t> targets_;
};

}  // namespace copal::testing
