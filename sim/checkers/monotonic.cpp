// The reads of one server's process never go back: one that began after another of the same key, or
// a change of it, had been answered does not return an older version. (The near caches of these
// runs are large enough to forget nothing; what is read by then is at least what was seen before.
// But of what it knows without the bytes a server has nothing to give if its owner goes back.)

#include <algorithm>
#include <map>
#include <tuple>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

/// Whether no member had it any more, nor anything newer, at some time before another.
bool was_lost(const History& history, const Operation& operation, TimePoint before) {
  return std::ranges::any_of(
      gaps(history.keys.at(operation.name()), operation.version, operation.answered),
      [before](const Gap& gap) { return gap.from <= before; });
}

}  // namespace

void check_monotonic(fuzz::Trial& world, Findings& findings) {
  using Place = std::tuple<std::uint32_t, std::uint32_t, KeyName>;
  std::map<Place, std::vector<const Operation*>> by_place;
  for (const Operation& operation : world.history().operations) {
    if (operation.is_over() && operation.version != kNoVersion) {
      by_place[{operation.server, operation.server_start, operation.name()}].push_back(&operation);
    }
  }
  for (auto& [place, operations] : by_place) {
    for (const Operation* later : operations) {
      if (!later->is_read()) {
        continue;
      }
      findings.judged();
      for (const Operation* earlier : operations) {
        if (earlier->planned.kind != fuzz::PlannedOp::Kind::kContains &&
            earlier->planned.kind != fuzz::PlannedOp::Kind::kTouch &&
            earlier->answered < later->asked && earlier->version > later->version &&
            !was_lost(world.history(), *earlier, later->answered)) {
          findings.violated(describe(*later) + " is older than " + describe(*earlier));
          break;
        }
      }
    }
  }
}

}  // namespace copal::sim
