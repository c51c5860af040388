// A change of a `replicated` cache that is acknowledged as done, and not as a single copy, is at
// two members when it is acknowledged: m-node and bytes. One of an `available` cache is at one.

#include <algorithm>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

/// How many members had this version, or a newer one, with its bytes at some time up to `by`.
int members_with(const KeyHistory& key, const Version& version, TimePoint by) {
  return static_cast<int>(std::ranges::count_if(key.held, [&](const auto& held) {
    return std::ranges::any_of(held, [&](const HeldState& state) {
      return state.running && state.since <= by && state.version >= version && state.has_bytes;
    });
  }));
}

}  // namespace

void check_copies(fuzz::Trial& world, Findings& findings) {
  for (const Operation& write : world.history().operations) {
    if (!write.changed() || is_cleared_meanwhile(world.history(), write)) {
      continue;
    }
    findings.judged();
    const bool replicated = cache_of(world.plan(), write).consistency == Consistency::kReplicated &&
                            write.status == CacheStatus::kDone;
    const KeyHistory& key = world.history().keys.at(write.name());
    const int copies = members_with(key, write.version, write.answered);
    if (copies < (replicated ? 2 : 1)) {
      findings.violated(describe(write) + " was acknowledged with copies at " +
                        std::to_string(copies) + " members");
    }
  }
}

}  // namespace copal::sim
