#pragma once

#include "core/balance/cost_tree.h"
#include "core/balance/policy.h"

namespace copal::balance {

/// The server with the lowest (active + 1) / w; w = weight * share, active = requests of this
/// balancer. The + 1 is the request to be placed: so weights count on an idle cluster too, where
/// active / w would be 0 for all, and a burst of n requests onto an idle cluster is spread exactly
/// by weight. Equals go in turn, the one picked longest ago first (cost_tree.h). Requests that come
/// one by one, each ended before the next, go to the heaviest servers in turn: nothing is gained by
/// a slower one that is just as idle.
/// Source: weighted least connections of LVS, HAProxy and nginx; with the + 1 it is the "shortest
/// expected delay" of LVS.
class LeastConnections final : public Policy {
 public:
  void on_servers(std::span<const ServerView> servers, Now now) override;
  std::optional<std::size_t> choose(const Choice& choice, std::span<const ServerView> servers,
                                    Now now, Random& random) override;
  void on_start(std::size_t index, std::span<const ServerView> servers, Now now) override;
  void on_end(std::size_t index, const Outcome& outcome, std::span<const ServerView> servers,
              Now now) override;

 private:
  CostTree tree_;
};

}  // namespace copal::balance
