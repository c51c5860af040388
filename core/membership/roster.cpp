#include "core/membership/roster.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/base/mutant.h"

namespace copal {

namespace {

std::uint64_t sum_of(const RosterOrder& order) {
  return mix64(mix64(order.node.value, order.version.counter), order.version.owner.number());
}

}  // namespace

Roster::Roster(std::vector<Registered> registered) : registered_(std::move(registered)) {
  COPAL_ASSERT(registered_.size() <= kRegisteredMax);
  for (std::size_t i = 0; i < registered_.size(); ++i) {
    by_node_.push_back(i);
  }
  std::ranges::sort(by_node_, {}, [this](std::size_t i) { return registered_[i].node; });
  for (std::size_t i = 1; i < by_node_.size(); ++i) {
    COPAL_ASSERT(registered_[by_node_[i - 1]].node < registered_[by_node_[i]].node);
  }
}

const Registered* Roster::find(NodeId node) const {
  const auto at = std::ranges::lower_bound(by_node_, node, {},
                                           [this](std::size_t i) { return registered_[i].node; });
  return at == by_node_.end() || registered_[*at].node != node ? nullptr : &registered_[*at];
}

RosterState Roster::state(NodeId node) const {
  const auto at = std::ranges::lower_bound(orders_, node, {}, &RosterOrder::node);
  return at == orders_.end() || at->node != node ? RosterState::kEnabled : at->state;
}

bool Roster::take(const RosterOrder& order) {
  if (find(order.node) == nullptr) {
    return false;
  }
  const auto at = std::ranges::lower_bound(orders_, order.node, {}, &RosterOrder::node);
  if (at == orders_.end() || at->node != order.node) {
    orders_.insert(at, order);
    sum_ += sum_of(order);
    return true;
  }
  if (order.version <= at->version &&
      !(COPAL_MUTANT(kHiddenOlderOrderWins) && order.version != at->version)) {
    return false;
  }
  sum_ += sum_of(order) - sum_of(*at);
  *at = order;
  return true;
}

}  // namespace copal
