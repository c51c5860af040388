#pragma once

#include <cstdint>
#include <vector>

#include "core/balance/cost_tree.h"
#include "core/balance/policy.h"

namespace copal::balance {

/// The least loaded server by its active requests and its CPU: the lowest cost of taking one more,
///   cost = (100 * (active + others * t + 1) + cpu_weight * cpu * t + latency_weight * latency * t)
///          / (weight * share)
///   active   requests of this balancer that wait there
///   others   requests of other balancers: what the server reported beyond ours at that moment
///   cpu      busy share of its cores, 0 to 1; latency: seconds; both as last reported
///   t        trust in the report: 1 up to kTrustedAge, then kTrustedAge / age, 0 if there is none
/// Equals go in turn, the one picked longest ago first (cost_tree.h).
///
/// Source: the paper, "Resin 4.0 Load Balancer"; resin-facts L5 and L6 (the product's formula, and
/// the 10 s after which it trusted a CPU reading less).
/// Departs: 1. the request to be placed counts (+ 1), so weights, backups and warm-up count on an
/// idle cluster, where the product's cost was 0 for all; 2. the CPU counts by default as one
/// request when fully busy (the product's default weight was 0); 3. servers tell every balancer all
/// they hold, so balancers side by side see each other's load; 4. latency is the server's own
/// median, not the time between completions, which is short exactly where much is going on.
class ServerLoad final : public Policy {
 public:
  /// cpu_weight  cost of a fully busy CPU, and latency_weight  of a second of latency, both in
  /// hundredths of a request and >= 0 (asserted).
  ServerLoad(double cpu_weight, double latency_weight);

  void on_servers(std::span<const ServerView> servers, Now now) override;
  std::optional<std::size_t> choose(const Choice& choice, std::span<const ServerView> servers,
                                    Now now, Random& random) override;
  void on_start(std::size_t index, std::span<const ServerView> servers, Now now) override;
  void on_end(std::size_t index, const Outcome& outcome, std::span<const ServerView> servers,
              Now now) override;
  void on_report(std::size_t index, ReportKind kind, std::span<const ServerView> servers,
                 Now now) override;

 private:
  static constexpr Duration kTrustedAge = 10s;

  double cost_of(std::size_t index, std::span<const ServerView> servers, Now now) const;

  double cpu_weight_;
  double latency_weight_;
  CostTree tree_;
  std::vector<std::uint32_t> others_;
  std::size_t aging_next_ = 0;  // whose report is looked at for its age next
};

}  // namespace copal::balance
