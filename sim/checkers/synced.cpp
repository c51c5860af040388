// With `sync: always` a change is acknowledged when the disk of the member that acts says that it
// is synced; of a `replicated` one, not a single copy, another member's disk too.
// With `sync: interval` it is on the disks of all members that have it soon afterwards, if these
// and the machines are well.

#include <algorithm>
#include <array>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

using Kind = fuzz::PlannedFault::Kind;

bool is_durable(const KeyHistory& key, std::uint32_t member, const Version& version, TimePoint by) {
  return std::ranges::any_of(key.durable[member], [&](const KeyHistory::Durable& state) {
    return state.since <= by && state.version >= version;
  });
}

int disks_with(const KeyHistory& key, const Version& version, TimePoint by) {
  return static_cast<int>(std::ranges::count_if(std::array{0U, 1U, 2U}, [&](std::uint32_t member) {
    return is_durable(key, member, version, by);
  }));
}

/// What a member has, its disk has soon.
void check_interval(const fuzz::Trial& world, const Operation& write, Findings& findings) {
  constexpr Duration kSoon = 2s;  // twenty intervals
  const fuzz::Plan& plan = world.plan();
  const KeyHistory& key = world.history().keys.at(write.name());
  const TimePoint from = write.answered - 10s;
  const TimePoint until = write.answered + kSoon;
  if (!is_calm(plan, from, until) ||
      had_fault(plan, Kind::kDiskSlow, Kind::kDiskTears, from, until)) {
    return;
  }
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    const HeldState* held = key.at(member, write.answered);
    if (held == nullptr || held->version < write.version ||
        !runs_through(world.history(), member, from, until)) {
      continue;
    }
    findings.judged();
    if (!is_durable(key, member, write.version, until)) {
      findings.violated(describe(write) + " was not synced by member " + std::to_string(member) +
                        " at " + seconds(until));
    }
  }
}

}  // namespace

void check_synced(fuzz::Trial& world, Findings& findings) {
  for (const Operation& write : world.history().operations) {
    const Sync sync = cache_of(world.plan(), write).sync;
    if (!write.changed() || sync == Sync::kBySystem ||
        is_cleared_meanwhile(world.history(), write)) {
      continue;
    }
    if (sync == Sync::kInterval) {
      check_interval(world, write, findings);
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
