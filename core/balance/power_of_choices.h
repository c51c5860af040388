#pragma once

#include <cstdint>

#include "core/balance/policy.h"
#include "core/balance/weighted_draw.h"

namespace copal::balance {

/// Draws d servers by weight and takes the one with the lowest active / w, the first drawn among
/// equals; w = weight * share, active = requests of this balancer. Draws by weight and not evenly,
/// so that an idle cluster too is used by weight: the first drawn of two idle ones wins.
/// Source: Mitzenmacher, "The power of two choices in randomized load balancing", IEEE TPDS 2001
/// (d draws with replacement); Envoy and finagle draw two different servers, the default here.
class PowerOfChoices final : public Policy {
 public:
  /// choices  d, 2 to 16 (asserted).   with_replacement  one server may be drawn several times.
  PowerOfChoices(std::uint32_t choices, bool with_replacement);

  void on_servers(std::span<const ServerView> servers, Now now) override;
  std::optional<std::size_t> choose(const Choice& choice, std::span<const ServerView> servers,
                                    Now now, Random& random) override;

 private:
  std::uint32_t choices_;
  bool with_replacement_;
  WeightedDraw draw_;
};

}  // namespace copal::balance
