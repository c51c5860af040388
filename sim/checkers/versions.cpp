// A version is one state of an m-node, wherever and whenever it is seen (R6); and while a member's
// process runs, what it holds of a key does not go back, but for what was forgotten altogether:
// what was cleared, or what is below a horizon (R4.2). And a member's horizon rises only above what
// it knows (R4.1): whatever another one has below it is taken for removed, and never taken (R4.2).
// And what a member writes is above all that it has written before, in earlier starts and of other
// keys, too.

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

using Kind = fuzz::PlannedFault::Kind;

/// The newest version that a member has had up to a time.
Version newest_had(const KeyHistory& key, std::uint32_t member, TimePoint by) {
  Version newest = kNoVersion;
  for (const HeldState& held : key.held[member]) {
    newest = held.since <= by ? std::max(newest, held.version) : newest;
  }
  return newest;
}

void check_horizon(const KeyHistory& key, const History::Rise& rise, Findings& findings) {
  const Version known = newest_had(key, rise.member, rise.at);
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    const HeldState* held = key.at(member, rise.at);
    if (held != nullptr && held->version < rise.horizon && held->version > known) {
      findings.violated(key.text + ": the horizon of member " + std::to_string(rise.member) +
                        " rose at " + seconds(rise.at) + " above " + describe(held->version) +
                        " of member " + std::to_string(member) + ", while it knew " +
                        describe(known));
    }
  }
}

/// Of all keys, as long as the member has its memory.
void check_clock(const fuzz::Trial& world, std::uint32_t member, Findings& findings) {
  std::map<TimePoint, std::vector<std::uint64_t>> counters;
  for (const auto& [name, key] : world.history().keys) {
    for (const auto& [version, mnode] : key.states) {
      if (version.owner.slot().value != member) {
        continue;
      }
      // What its next change in the same step overtook shows first where its server offers it, be
      // it this member, which has lost its disk.
      const TimePoint at = born(key, version);
      const HeldState* here = at == kNever ? nullptr : key.at(member, at);
      if (here == nullptr || here->version != version) {
        continue;
      }
      const Operation* write = told_of(world.history(), name, version);
      if (write == nullptr || write->answered >= at) {
        counters[at].push_back(version.counter);
      }
    }
  }
  std::uint64_t highest = 0;
  std::int64_t life = 0;
  for (const auto& [at, of_step] : counters) {
    const std::int64_t now = starts_of_memory(world, member, at);
    highest = std::exchange(life, now) == now ? highest : 0;
    const auto [least, most] = std::ranges::minmax(of_step);
    if (least <= highest) {
      findings.violated("member " + std::to_string(member) + " wrote " + std::to_string(least) +
                        " at " + seconds(at) + ", and " + std::to_string(highest) + " before");
    }
    highest = std::max(highest, most);
  }
}

}  // namespace

void check_versions(fuzz::Trial& world, Findings& findings) {
  for (const std::string& conflict : world.history().conflicts) {
    findings.violated(conflict);
  }
  for (const std::string& who : world.history().agreed_with_others) {
    findings.violated(who + " went on with what they had agreed, though one is another now (R4.1)");
  }
  for (const std::string& where : world.history().below_horizons) {
    findings.violated(where + " was taken, although it was below the horizon (R4.2)");
  }
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    check_clock(world, member, findings);
  }
  // By how much members' clocks are apart, and so a short lifetime, can't be said.
  const bool judges_horizons = !had_fault(world.plan(), Kind::kClockStep, Kind::kClockFreeze) &&
                               world.plan().tombstone_lifetime >= std::chrono::hours{1};
  for (const auto& [name, key] : world.history().keys) {
    findings.judged(key.states.size());
    if (judges_horizons) {
      for (const History::Rise& rise : world.history().horizons[key.group.value]) {
        check_horizon(key, rise, findings);
      }
    }
    for (std::uint32_t member = 0; member < kSlots; ++member) {
      const std::string where = key.text + " at member " + std::to_string(member);
      const std::vector<HeldState>& held = key.held[member];
      for (std::size_t i = 1; i < held.size(); ++i) {
        const HeldState& before = held[i - 1];
        const HeldState& now = held[i];
        if (!before.running || !now.running || now.version >= before.version) {
          continue;
        }
        if (now.version != kNoVersion) {
          findings.violated(where + " went back from " + describe(before.version) + " to " +
                            describe(now.version) + " at " + seconds(now.since));
        } else if (!may_be_forgotten(world.history(), name, key, before, now.since)) {
          findings.violated(where + " was forgotten as " + describe(before.version) + " at " +
                            seconds(now.since) + ", neither cleared nor below a horizon");
        }
      }
    }
  }
}

}  // namespace copal::sim
