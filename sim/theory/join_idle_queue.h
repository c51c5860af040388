#pragma once

#include <deque>
#include <vector>

#include "core/balance/policy.h"
#include "core/balance/weighted_draw.h"

namespace copal::sim::theory {

/// Join-Idle-Queue with one dispatcher: the server that has been idle longest, a random one if none
/// is idle. Idle: this balancer has no request there, which with one balancer is what the servers
/// themselves would say. A comparator of published tables.
/// Source: Lu et al., "Join-Idle-Queue", Performance Evaluation 68(11), 2011.
class JoinIdleQueue final : public balance::Policy {
 public:
  void on_servers(std::span<const balance::ServerView> servers, Now now) override;
  std::optional<std::size_t> choose(const balance::Choice& choice,
                                    std::span<const balance::ServerView> servers, Now now,
                                    Random& random) override;
  void on_end(std::size_t index, const balance::Outcome& outcome,
              std::span<const balance::ServerView> servers, Now now) override;

 private:
  void note_idle(std::size_t index, std::span<const balance::ServerView> servers);

  balance::WeightedDraw draw_;
  std::deque<std::size_t> idle_;  // may hold some that no longer are; they go when they come up
  std::vector<bool> in_idle_;     // by server
};

}  // namespace copal::sim::theory
