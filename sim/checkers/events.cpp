// Who listens to a cache learns of each change, or is told, then or later, that it may have missed
// some: only then can it look again and miss none. Whoever lives to the end of a run, when all is
// healed, has learnt it by then. What a link swallowed without breaking nobody can know of; over
// TCP there is no such loss.

#include <algorithm>
#include <array>
#include <vector>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

using Kind = fuzz::PlannedFault::Kind;

/// Since when the process runs that a server has at the end; kNever if it has none.
TimePoint runs_since(const History& history, std::uint32_t server) {
  const auto starts = history.starts.find(server);
  if (starts == history.starts.end()) {
    return kNever;
  }
  const TimePoint since = starts->second.back();
  return ended(history, server, since, kNever) ? kNever : since;
}

/// Whether frames between a server and a member may have got lost in a span while their connection
/// stood.
bool may_swallow(const fuzz::Trial& world, std::uint32_t server, TimePoint from, TimePoint to) {
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    if (were_apart(world, server, member, from, to)) {
      return true;
    }
  }
  constexpr std::array kKinds = {Kind::kPartition, Kind::kRing, Kind::kBridge, Kind::kOneWay,
                                 Kind::kFlap,      Kind::kLoss, Kind::kFlipBit};
  return std::ranges::any_of(world.plan().faults, [&](const fuzz::PlannedFault& fault) {
    const bool is_far = !is_partition(fault.kind) && fault.node != server &&
                        fault.other != server &&
                        (fault.other != fuzz::PlannedFault::kAnyNode || fault.node >= kSlots);
    return std::ranges::find(kKinds, fault.kind) != kKinds.end() && !is_far &&
           TimePoint{fault.at} <= to && TimePoint{fault.at + fault.lasting} >= from;
  });
}

bool was_told(const History& history, const KeyHistory& key, std::uint32_t server,
              const Operation& write) {
  const auto told = key.events.find(server);
  const auto lost = history.events_lost.find(server);
  // What the next change overwrites within the same step is never seen at its owner.
  const TimePoint changed = std::min(born(key, write.version), write.answered);
  return (told != key.events.end() &&
          std::ranges::find(told->second, write.version) != told->second.end()) ||
         (lost != history.events_lost.end() && lost->second.back() >= changed);
}

}  // namespace

void check_events(fuzz::Trial& world, Findings& findings) {
  const History& history = world.history();
  for (const Operation& write : history.operations) {
    if (!write.changed() || CacheId{write.planned.cache} != fuzz::kListenedTo) {
      continue;
    }
    const KeyHistory& key = history.keys.at(write.name());
    for (std::uint32_t server = 3; server < 3 + world.plan().servers; ++server) {
      if (runs_since(history, server) > write.asked ||
          may_swallow(world, server, write.asked, write.answered + 5s)) {
        continue;
      }
      findings.judged();
      if (!was_told(history, key, server, write)) {
        findings.violated(describe(write) + " was never told to server " + std::to_string(server) +
                          ", which listens, nor that it may have missed something");
      }
    }
  }
}

}  // namespace copal::sim
