// Who acts (R1): no member begins to act for a group under a term under which it has acted before,
// in whatever start; and where no link is broken, nobody frozen or slow and nobody's clock wrong,
// two act at the same time for a heartbeat at most.

#include <algorithm>
#include <set>
#include <tuple>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {
using Kind = fuzz::PlannedFault::Kind;

/// Whether one of two members was cut off from the core while it was alone in being healed.
bool were_apart(const fuzz::Trial& world, std::uint32_t one, std::uint32_t other, TimePoint from) {
  return (world.was_cut_off(one) || world.was_cut_off(other)) && from >= world.core_from() &&
         from <= world.healed_from();
}

}  // namespace

void check_ownership(fuzz::Trial& world, Findings& findings) {
  const fuzz::Plan& plan = world.plan();
  const bool calm = !had_fault(plan, Kind::kFreeze, Kind::kFreeze) &&
                    !had_fault(plan, Kind::kSlowNode, Kind::kFlipBit) &&
                    !had_fault(plan, Kind::kClockDrift, Kind::kClockDrift) && plan.latency < 100ms;
  const Duration heartbeat = 300ms + 4 * plan.latency;
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    std::set<std::tuple<std::uint32_t, std::uint32_t, std::int64_t>> acted;
    const std::vector<ActingSpan>& spans = world.history().acting[i];
    for (std::size_t k = 0; k < spans.size(); ++k) {
      findings.judged();
      const std::int64_t life = starts_of_memory(world, spans[k].member, spans[k].from);
      if (!acted.insert({spans[k].member, spans[k].term, life}).second) {
        findings.violated("member " + std::to_string(spans[k].member) + " acted twice for group " +
                          std::to_string(i) + " in term " + std::to_string(spans[k].term));
      }
      for (std::size_t j = 0; j < k && calm; ++j) {
        const TimePoint from = std::max(spans[j].from, spans[k].from);
        const TimePoint to = std::min(spans[j].to, spans[k].to);
        if (to > from && to != kNever && to - from > heartbeat &&
            !were_apart(world, spans[j].member, spans[k].member, from)) {
          findings.violated("members " + std::to_string(spans[j].member) + " and " +
                            std::to_string(spans[k].member) + " both acted for group " +
                            std::to_string(i) + " from " + seconds(from) + " to " + seconds(to));
        }
      }
    }
  }
}

}  // namespace copal::sim
