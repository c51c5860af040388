#pragma once

#include "core/balance/policy.h"
#include "core/balance/weighted_draw.h"

namespace copal::balance {

/// Any server, by weight: P(i) = w_i / sum w, with w = weight * share over the servers that may be
/// chosen. Looks at no load, so n servers under Poisson arrivals are n queues that know nothing of
/// each other: what every other algorithm is measured against.
/// Source: folklore; as comparator in Mitzenmacher, "The power of two choices in randomized load
/// balancing", IEEE TPDS 2001.
class RandomChoice final : public Policy {
 public:
  void on_servers(std::span<const ServerView> servers, Now now) override;
  std::optional<std::size_t> choose(const Choice& choice, std::span<const ServerView> servers,
                                    Now now, Random& random) override;

 private:
  WeightedDraw draw_;
};

}  // namespace copal::balance
