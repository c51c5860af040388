// Trial: what balancers' lists say of servers of which it is known what they should say.

#include <algorithm>
#include <array>

#include "sim/fuzz/trial.h"

namespace copal::sim::fuzz {

namespace {

constexpr Duration kListsLookedAtEach = 1s;

/// Kept from hearing each other, with nothing else wrong: judged by their links, not by who is
/// named.
bool only_separates(PlannedFault::Kind kind) {
  return is_partition(kind) || kind == PlannedFault::Kind::kOneWay;
}

/// What a balancer has a server as; absent if it is not in its list.
ServerPhase phase_at(const Balancer& balancer, NodeId server) {
  for (std::size_t k = 0; k < balancer.servers().size(); ++k) {
    if (balancer.servers()[k].node == server) {
      return balancer.listed(k);
    }
  }
  return ServerPhase::kAbsent;
}

}  // namespace

/// core_only  the core is alone: its own servers, and those that are cut off or have no process.
void Trial::sample_lists(bool core_only) {
  constexpr Duration kLongEnough = 12s;
  for (std::uint32_t i = 0; i < plan_.balancers; ++i) {
    const std::uint32_t at = 3 + plan_.servers + i;
    const Balancer* of = balancer(i);
    for (std::uint32_t k = 0; of != nullptr && k < of->servers().size(); ++k) {
      const std::uint32_t node = of->servers()[k].node.value;
      const bool alive = servers_[node - 3]->node() != nullptr && !broken_for_good_[node];
      const bool in_core = (plan_.core_mask >> node & 1U) != 0;
      const bool known = !core_only || (in_core ? alive : !alive);
      if (known && engine_.now() - changed_at_[node] >= kLongEnough &&
          engine_.now() - changed_at_[at] >= kLongEnough) {
        list_samples_.push_back({engine_.now(), at, node, of->listed(k), alive});
      }
    }
    if (of != nullptr && of->servers().empty()) {
      list_samples_.push_back({engine_.now(), at, 0, ServerPhase::kAbsent, true});
    }
  }
}

/// Whether a member has heard a server, and a balancer the member, for long enough, whoever else
/// hears them: then the balancer has the server as ready, whatever others say (R9: the union).
void Trial::look_at_lists() {
  constexpr Duration kSoon = 8s;
  if (healed_phase_) {
    return;  // all hear all
  }
  const TimePoint now = engine_.now();
  for (std::uint32_t i = 0; i < plan_.balancers; ++i) {
    const std::uint32_t at = 3 + plan_.servers + i;
    const Balancer* of = balancer(i);
    for (std::uint32_t server = 3; server < 3 + plan_.servers; ++server) {
      for (std::uint32_t member = 0; member < kSlots; ++member) {
        TimePoint& since = path_clear_since_[{at, member, server}];
        if (!is_path_clear({at, member, server})) {
          since = kNever;
        } else if (since == kNever) {
          since = now;
        } else if (now - std::max(
                             {since, changed_at_[at], changed_at_[member], changed_at_[server]}) >=
                   kSoon) {
          list_samples_.push_back({now, at, server, phase_at(*of, NodeId{server}), true});
        }
      }
    }
  }
  schedule(now + kListsLookedAtEach, Happening::kLists);
}

/// Nothing is wrong with a balancer, a member and a server, nor between the member and the others.
bool Trial::is_path_clear(const std::array<std::uint32_t, 3>& nodes) {
  const std::uint32_t member = nodes[1];
  for (const std::uint32_t node : nodes) {
    const NodeId forth{node};
    const NodeId back{member};
    if (member_of(node).node() == nullptr || stopping_[node] ||
        (node != member && (network_faults_.link(forth, back).blocked ||
                            network_faults_.link(back, forth).blocked))) {
      return false;
    }
    for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
      const PlannedFault& fault = plan_.faults[i];
      // An operator's order outlasts its fault until every member knows of its end.
      const bool concerns = is_order(fault.kind) ? engine_.now() >= TimePoint{fault.at}
                                                 : fault_active_[i] && !only_separates(fault.kind);
      if (concerns && touches(fault, node)) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace copal::sim::fuzz
