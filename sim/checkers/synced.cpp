// With `sync: always` a change is acknowledged when the disk of the member that acts says that it
// is synced; of a `replicated` one, not a single copy, another member's disk too.

#include <algorithm>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

int disks_with(const KeyHistory& key, const Version& version, TimePoint by) {
  return static_cast<int>(std::ranges::count_if(key.durable, [&](const auto& durable) {
    return std::ranges::any_of(durable, [&](const KeyHistory::Durable& state) {
      return state.since <= by && state.version >= version;
    });
  }));
}

}  // namespace

void check_synced(fuzz::Trial& world, Findings& findings) {
  for (const Operation& write : world.history().operations) {
    if (!write.changed() || cache_of(world.plan(), write).sync != Sync::kAlways ||
        is_cleared_meanwhile(world.history(), write)) {
      continue;
    }
    findings.judged();
    const bool replicated = cache_of(world.plan(), write).consistency == Consistency::kReplicated &&
                            write.status == CacheStatus::kDone;
    const KeyHistory& key = world.history().keys.at(write.name());
    const int disks = disks_with(key, write.version, write.answered);
    if (disks < (replicated ? 2 : 1)) {
      findings.violated(describe(write) + " was acknowledged and is synced on " +
                        std::to_string(disks) + " disks");
    }
  }
}

}  // namespace copal::sim
