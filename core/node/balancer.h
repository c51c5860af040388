#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/balance/health.h"
#include "core/balance/policy.h"
#include "core/balance/policy_config.h"
#include "core/balance/retry_budget.h"
#include "core/base/flat_map.h"
#include "core/base/ids.h"
#include "core/base/pending_table.h"
#include "core/base/time.h"
#include "core/membership/triad_link.h"
#include "core/ports/random.h"
#include "core/protocol/effect.h"
#include "core/protocol/input.h"

namespace copal {

struct BalancerConfig {
  TriadLinkConfig triad{.role = NodeRole::kBalancer};  // where the list of servers comes from
  balance::PolicyConfig policy;
  balance::HealthConfig health;
  bool sticky = true;
  Duration request_timeout = 30s;
  std::uint32_t attempts_max = 2;  // 1 to 4; 1: no retries
  double retry_budget_ratio = 0.2;
  double retry_budget_per_s = 10;
};

struct BalancerCounts {
  std::uint64_t retries = 0;
  std::uint64_t sessions_moved = 0;  // a session's server did not take it
};

/// Passes each client's request on to the server that the policy chooses and the answer back.
/// Several balancers work side by side without a word to each other: what a session sticks to is in
/// the client's cookie, and servers tell everyone their own load. Whom it may send to is the list
/// that the triad's members push: nobody else, whatever it hears of them (R9); before the first
/// list it rejects. Source: the paper, "Resin 4.0 Load Balancer". Invariants: 1. every client is
/// answered exactly once, at the latest after request_timeout;
/// 2. no request goes to the same server twice; 3. what may have been worked on is repeated only if
/// it is repeatable; 4. servers_[i].active counts the pending requests at i.
class Balancer {
 public:
  /// random  outlives the balancer.   policy  made from config.policy unless one is handed in (the
  /// comparators of published tables, which are no algorithms to run a site with).
  Balancer(const BalancerConfig& config, Random& random,
           std::unique_ptr<balance::Policy> policy = nullptr);

  void step(const Input& input, Now now, Effects& effects);
  TimePoint next_deadline() const;

  const BalancerCounts& counts() const { return counts_; }
  std::size_t pending_count() const { return pending_.size(); }
  /// In the list's order, those that are absent too.
  const std::vector<balance::ServerView>& servers() const { return servers_; }
  ServerPhase listed(std::size_t index) const { return listed_[index]; }
  std::uint32_t active_at(std::size_t index) const { return servers_[index].active; }
  balance::HealthState health(std::size_t index) const { return healths_[index].state(); }
  void check_invariants();

 private:
  static constexpr std::size_t kAttemptsMax = 4;
  static constexpr std::uint64_t kNoRequest = ~std::uint64_t{0};

  /// A client's request that waits for a server's answer.
  struct Pending {
    ClientRequest client;
    TimePoint sent_at{};
    std::array<std::size_t, kAttemptsMax> tried{};  // the last one is where it waits
    std::uint32_t tried_count = 0;
    std::uint64_t previous = kNoRequest;  // in the list of its server
    std::uint64_t next = kNoRequest;
  };

  // The list of servers.
  void on_link_news(const TriadLink::News& news, Now now, Effects& effects);
  void on_new_servers(const std::vector<ListedServer>& listed, Now now, Effects& effects);
  void start_policy(Now now);
  bool takes_new(std::size_t index) const;
  bool takes_sticky(std::size_t index) const;

  // Handlers, in the order in which a request meets them.
  void on_client_request(const ClientRequest& request, Now now, Effects& effects);
  void on_answer(NodeId from, const Answer& message, Now now, Effects& effects);
  void on_load_report(NodeId from, const LoadReport& report, Now now, Effects& effects);
  void on_probe_answer(NodeId from, const ProbeAnswer& message, Now now);
  void on_link_down(NodeId peer, Now now, Effects& effects);
  void on_wake(Now now, Effects& effects);

  std::optional<std::size_t> place(const ClientRequest& client, std::span<const std::size_t> tried,
                                   Now now);
  std::optional<std::size_t> last_resort(std::span<const std::size_t> tried);
  void send(std::uint64_t id, std::size_t index, Now now, Effects& effects);
  void probe(Now now, Effects& effects);
  void wake_a_server(Now now, Effects& effects);
  /// Takes the request off its server, telling the policy how it went.
  void take_off(std::uint64_t id, bool succeeded, Now now);
  /// Sends it to another server if that is allowed, else answers the client.
  void retry_or_answer(std::uint64_t id, bool may_repeat, ClientStatus status, Now now,
                       Effects& effects);
  void answer(std::uint64_t id, ClientStatus status, Effects& effects);
  bool update_view(std::size_t index, Now now);
  void refresh(std::size_t index, Now now);
  void refresh_all(Now now);
  void remember_deadline(TimePoint deadline);
  std::optional<std::size_t> index_of(NodeId node);

  BalancerConfig config_;
  Random& random_;
  std::optional<TriadLink> link_;    // from the first step on
  std::vector<ServerPhase> listed_;  // of each server, as the list says
  bool policy_given_;                // it can't be made anew
  bool policy_used_ = false;
  std::unique_ptr<balance::Policy> policy_;
  balance::RetryBudget budget_;
  std::vector<balance::ServerView> servers_;
  std::vector<balance::Health> healths_;
  std::vector<std::uint64_t> first_at_;  // newest pending request of each server
  std::vector<bool> asleep_;
  FlatMap<std::uint32_t> index_of_;  // NodeId -> index
  PendingTable<Pending> pending_;
  std::vector<std::size_t> probe_targets_;  // reused
  TimePoint next_health_change_{};
  std::uint64_t next_probe_ = 1;
  std::size_t resort_from_ = 0;
  std::uint32_t asleep_count_ = 0;
  BalancerCounts counts_;
};

}  // namespace copal
