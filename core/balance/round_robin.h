#pragma once

#include <cstdint>
#include <vector>

#include "core/balance/policy.h"

namespace copal::balance {

/// Smooth weighted round robin. For each request every server i that may be chosen gains its
/// weight,
///   current_i += w_i,   best = the first of the list with the highest current,
///   current_best -= sum of all w_i,
/// so that of any sum-of-weights requests in a row each gets exactly its weight, well mixed:
/// weights 5, 1, 1 give a a b a c a a, equal weights the order of the list. Looks at no load.
/// Source: nginx, upstream round robin ("smooth weighted", 2012); the paper, "Resin 4.0 Load
/// Balancer": round robin in the triad's order. Departs: the product's ignored weights (resin-facts
/// L4).
///
/// Weights are whole numbers here: weight * share, times the highest power of two that keeps the
/// sum of all weights within 2^29, rounded, at least 1. So whole weights and warm-up's sixteenths
/// are exact as long as the weights add up to 2^25 at most. A factor common to all does not change
/// the sequence. A server that leaves keeps its current for its return, and an excluded one neither
/// gains nor counts in the sum, as in nginx.
class RoundRobin final : public Policy {
 public:
  void on_servers(std::span<const ServerView> servers, Now now) override;
  std::optional<std::size_t> choose(const Choice& choice, std::span<const ServerView> servers,
                                    Now now, Random& random) override;

 private:
  static constexpr std::size_t kExcludedMax = 8;
  static constexpr std::uint32_t kNoPosition = 0xffff'ffff;

  std::size_t advance();
  std::optional<std::size_t> advance_without(std::span<const std::size_t> excluded);

  double scale_ = 0;                     // units of a weight of 1
  std::vector<std::int32_t> kept_;       // current of each server while it is not in the arrays
  std::vector<std::uint32_t> position_;  // by server; kNoPosition: not eligible
  // The eligible servers in the order of the list, one array a field, for vector instructions;
  // padded with servers of weight 0 that never win.
  std::vector<std::uint32_t> servers_;
  std::vector<std::int32_t> weights_;
  std::vector<std::int32_t> currents_;
  std::int32_t total_ = 0;
};

}  // namespace copal::balance
