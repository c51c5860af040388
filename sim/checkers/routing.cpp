// Balancers send only to servers that the list allows (R9): registered ones, none that an operator
// has disabled, and to one that is draining only requests of sessions that are there (section 6 of
// the design), once the order has had time to spread. A balancer that hears no member, or one that
// has not heard of the order, may be wrong longer: so only calm spans are judged. What a member
// said before it ended, or began again for its disk failed a write, counts until its silence is
// noticed. An order that the only member told could not write, for its disk failed, is known to
// nobody until it is given anew.

#include <algorithm>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

using Kind = fuzz::PlannedFault::Kind;

constexpr Duration kSpread = 2s;

/// The last order for a server before a time; to enable it if there was none.
fuzz::Trial::Ordered last_order(const fuzz::Trial& world, std::uint32_t node, TimePoint at) {
  fuzz::Trial::Ordered last;
  for (const auto& order : world.ordered()) {
    if (order.node == node && order.at <= at) {
      last = order;
    }
  }
  return last;
}

/// Whether the last words of a member that has ended may still count at some time of a span.
bool has_last_words(const History& history, TimePoint from, TimePoint to) {
  constexpr Duration kSilence = 4s;
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    if (ended(history, member, from - kSilence, to)) {
      return true;
    }
  }
  return false;
}

bool allows(RosterState order, const fuzz::Trial::Routed& routed) {
  return order == RosterState::kEnabled ||
         (order == RosterState::kDraining && routed.stuck_to == routed.to);
}

}  // namespace

void check_routing(fuzz::Trial& world, Findings& findings) {
  const fuzz::Plan& plan = world.plan();
  for (const auto& routed : world.routed()) {
    findings.judged();
    if (!plan.is_server(routed.to.value)) {
      findings.violated("a request went to node " + std::to_string(routed.to.value) +
                        ", which is no server");
      continue;
    }
    const auto order = last_order(world, routed.to.value, routed.at);
    const TimePoint since = order.at;
    if (allows(order.state, routed) || routed.at - since < kSpread + 4 * plan.latency) {
      continue;
    }
    const bool calm =
        !has_last_words(world.history(), since, routed.at) &&
        !had_fault(plan, Kind::kCrash, Kind::kFlipBit, since, routed.at) &&
        !had_fault(plan, Kind::kDiskStall, Kind::kDiskStall, since, routed.at) &&
        !had_fault(plan, Kind::kDiskWriteErrors, Kind::kDiskWriteErrors, since, routed.at);
    const bool lost = routed.known < order.state &&
                      had_fault(plan, Kind::kDiskFull, Kind::kDiskTears, since, routed.at);
    if (calm && !lost) {
      findings.violated("a request at " + seconds(routed.at) + " went to server " +
                        std::to_string(routed.to.value) +
                        (order.state == RosterState::kDisabled ? ", disabled" : ", draining") +
                        " since " + seconds(since));
    }
  }
}

}  // namespace copal::sim
