// Who acts (R1): no member begins to act for a group under a term under which it has acted before,
// in whatever start; and where no link is broken, nobody frozen or slow and nobody's clock wrong,
// two act at the same time for a heartbeat at most.

#include <algorithm>
#include <set>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {
using Kind = fuzz::PlannedFault::Kind;
}  // namespace

void check_ownership(fuzz::Trial& world, Findings& findings) {
  const fuzz::Plan& plan = world.plan();
  const bool calm = !had_fault(plan, Kind::kFreeze, Kind::kFreeze) &&
                    !had_fault(plan, Kind::kSlowNode, Kind::kFlipBit) &&
                    !had_fault(plan, Kind::kClockDrift, Kind::kClockDrift) && plan.latency < 100ms;
  const Duration heartbeat = 300ms + 4 * plan.latency;
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> acted;
    const std::vector<ActingSpan>& spans = world.history().acting[i];
    for (std::size_t k = 0; k < spans.size(); ++k) {
      findings.judged();
      if (!acted.insert({spans[k].member, spans[k].term}).second) {
        findings.violated("member " + std::to_string(spans[k].member) + " acted twice for group " +
                          std::to_string(i) + " in term " + std::to_string(spans[k].term));
      }
      for (std::size_t j = 0; j < k && calm; ++j) {
        const TimePoint from = std::max(spans[j].from, spans[k].from);
        const TimePoint to = std::min(spans[j].to, spans[k].to);
        if (to > from && to != kNever && to - from > heartbeat) {
          findings.violated("members " + std::to_string(spans[j].member) + " and " +
                            std::to_string(spans[k].member) + " both acted for group " +
                            std::to_string(i) + " from " + seconds(from) + " to " + seconds(to));
        }
      }
    }
  }
}

}  // namespace copal::sim
