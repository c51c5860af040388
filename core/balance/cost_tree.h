#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "core/balance/weight.h"

// The server of the lowest cost, for every policy that wants one: a tournament tree over all
// servers. A change of one cost plays again the matches on the way to the root; the winner stands
// there.
//
// Invariants: 1. of equal costs the one picked longest ago wins, and of those never picked the
// first of the list, so an idle cluster is used in turn and nobody is favoured by position;
// 2. a server whose cost is kNotChoosable never wins.

namespace copal::balance {

class CostTree {
 public:
  static constexpr double kNotChoosable = std::numeric_limits<double>::infinity();

  /// Takes this many servers, all kNotChoosable; who was picked when is kept for those that were
  /// there before. Allocates. Call rebuild() after the set_cost() that follow.
  void reset(std::size_t count);
  /// Sets a cost without playing: only between reset() and rebuild(). cost >= 0.
  void set_cost(std::size_t index, double cost) { leaves_[index].cost = cost; }
  /// Plays all matches. O(servers).
  void rebuild();

  /// A new cost of one server. O(log servers), often less. Allocates nothing.
  void update(std::size_t index, double cost);
  /// The same for a server that was given work just now: it goes to the end of its equals.
  void update_picked(std::size_t index, double cost);
  double cost(std::size_t index) const { return leaves_[index].cost; }

  /// Returns the server of the lowest cost but for these; nothing if there is none.
  /// O(excluded * log servers). Allocates nothing.
  std::optional<std::size_t> lowest(std::span<const std::size_t> excluded) const;

 private:
  struct Leaf {
    double cost = kNotChoosable;
    std::uint64_t picked = 0;  // number of the last pick; 0: never
  };

  std::uint32_t winner(std::size_t node) const {
    return node < leaf_count_ ? winners_[node] : static_cast<std::uint32_t>(node - leaf_count_);
  }
  std::uint32_t better(std::uint32_t left, std::uint32_t right) const;
  std::uint32_t best_below(std::size_t node, std::span<const std::size_t> excluded) const;

  std::size_t leaf_count_ = 1;  // a power of two; leaf i is the node leaf_count_ + i
  std::uint64_t pick_count_ = 0;
  std::vector<Leaf> leaves_ = std::vector<Leaf>(1);
  std::vector<std::uint32_t> winners_ = std::vector<std::uint32_t>(1);  // of nodes 1 and up
};

/// What one more request costs a server by the requests it has and by its weight.
inline double cost_by_active(const ServerView& server) {
  return server.eligible ? (server.active + 1.0) / effective_weight(server)
                         : CostTree::kNotChoosable;
}

}  // namespace copal::balance
