#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/ids.h"
#include "core/protocol/member_message.h"

namespace copal {

/// One registered server or balancer. Nobody else is listened to or routed to.
struct Registered {
  NodeId node;
  std::uint32_t generation = 1;  // of the machine: a replaced one inherits nothing
  NodeRole role = NodeRole::kDynamic;
  Weight weight;
};

/// Who belongs to the cluster, in the triad's order, and what operators have ordered of each. The
/// registered ones come from the configuration and are the same at every member; orders are given
/// at any member and spread: the newest of each server wins. Source: paper, section V.i. Rule: R9.
/// Invariants: 1. each node once; 2. an order is of a registered node.
class Roster {
 public:
  /// As many as a list on the disk names: servers, each cluster's most, and their balancers.
  static constexpr std::size_t kRegisteredMax = 65'535;

  /// Asserts the first invariant, and the limit: the configuration was checked.
  explicit Roster(std::vector<Registered> registered);

  const std::vector<Registered>& registered() const { return registered_; }
  const Registered* find(NodeId node) const;
  RosterState state(NodeId node) const;

  /// Takes an order, of an operator or of another member. Returns whether it is news.
  bool take(const RosterOrder& order);
  /// By node.
  const std::vector<RosterOrder>& orders() const { return orders_; }
  /// One number for all orders: two members that agree have the same.
  std::uint64_t sum() const { return sum_; }

 private:
  std::vector<Registered> registered_;
  std::vector<std::size_t> by_node_;  // places in registered_
  std::vector<RosterOrder> orders_;
  std::uint64_t sum_ = 0;  // it is in every heartbeat
};

}  // namespace copal
