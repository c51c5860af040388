#include "core/balance/cost_tree.h"

#include <algorithm>
#include <bit>

#include "core/base/assert.h"

namespace copal::balance {

namespace {

constexpr std::uint32_t kNobody = 0xffff'ffff;

}  // namespace

void CostTree::reset(std::size_t count) {
  leaf_count_ = std::bit_ceil(std::max<std::size_t>(count, 1));
  leaves_.resize(leaf_count_);
  winners_.resize(leaf_count_);
  for (Leaf& leaf : leaves_) {
    leaf.cost = kNotChoosable;
  }
}

void CostTree::rebuild() {
  for (std::size_t node = leaf_count_ - 1; node >= 1; --node) {
    winners_[node] = better(winner(2 * node), winner(2 * node + 1));
  }
}

void CostTree::update(std::size_t index, double cost) {
  leaves_[index].cost = cost;
  for (std::size_t node = (leaf_count_ + index) / 2; node >= 1; node /= 2) {
    const std::uint32_t before = winners_[node];
    winners_[node] = better(winner(2 * node), winner(2 * node + 1));
    if (winners_[node] == before && before != index) {
      return;  // it lost here before and loses here still: nothing changes above
    }
  }
}

void CostTree::update_picked(std::size_t index, double cost) {
  leaves_[index].picked = ++pick_count_;
  update(index, cost);
}

std::uint32_t CostTree::better(std::uint32_t left, std::uint32_t right) const {
  const Leaf& l = leaves_[left];
  const Leaf& r = leaves_[right];
  if (l.cost != r.cost) {
    return l.cost < r.cost ? left : right;
  }
  return l.picked <= r.picked ? left : right;
}

std::optional<std::size_t> CostTree::lowest(std::span<const std::size_t> excluded) const {
  const std::uint32_t best = best_below(1, excluded);
  return best == kNobody ? std::nullopt : std::optional<std::size_t>(best);
}

/// Only subtrees that an excluded server wins are opened, so the rest costs nothing.
std::uint32_t CostTree::best_below(std::size_t node, std::span<const std::size_t> excluded) const {
  const std::uint32_t best = winner(node);
  if (leaves_[best].cost == kNotChoosable) {
    return kNobody;
  }
  if (std::find(excluded.begin(), excluded.end(), best) == excluded.end()) {
    return best;
  }
  if (node >= leaf_count_) {
    return kNobody;
  }
  const std::uint32_t left = best_below(2 * node, excluded);
  const std::uint32_t right = best_below(2 * node + 1, excluded);
  if (left == kNobody || right == kNobody) {
    return left == kNobody ? right : left;
  }
  return better(left, right);
}

}  // namespace copal::balance
