// A change of a `replicated` cache that is acknowledged as done, and not as a single copy, is at
// two members when it is acknowledged: m-node and bytes. One of an `available` cache is at one. The
// same holds for each group of a clear.
//
// Members that run and hear each other well soon know of each clear that was acknowledged, and when
// entries with an idle timeout were used, as closely as uses are told (R0.6, R0.7).

#include <algorithm>
#include <array>
#include <optional>

#include "core/mnode/mnode.h"
#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

using Kind = fuzz::PlannedFault::Kind;

/// How many members had this version, or a newer one, with its bytes at some time up to `by`.
int members_with(const KeyHistory& key, const Version& version, TimePoint by) {
  return static_cast<int>(std::ranges::count_if(key.held, [&](const auto& held) {
    return std::ranges::any_of(held, [&](const HeldState& state) {
      return state.running && state.since <= by && state.version >= version && state.has_bytes;
    });
  }));
}

/// Whether a member knew a clear at a time.
bool knew(const std::vector<History::KnownClear>& known, const Version& clear, TimePoint at) {
  return std::ranges::any_of(known, [&](const History::KnownClear& one) {
    return one.since <= at && one.version >= clear;
  });
}

void check_clear_is_told(const fuzz::Trial& world, const Operation& clear, Findings& findings) {
  constexpr Duration kTold = 2s;
  const TimePoint until = clear.answered + kTold;
  if (!are_all_well(world, clear.asked - 10s, until) || clears_overflow(world.plan())) {
    return;
  }
  for (const auto& [part, by_member] : world.history().clears) {
    if (part.second != clear.planned.cache) {
      continue;
    }
    findings.judged();
    for (const auto& known : by_member) {
      for (const History::KnownClear& done : known) {
        const bool all_know = std::ranges::all_of(
            by_member, [&](const auto& others) { return knew(others, done.version, until); });
        if (done.since >= clear.asked && done.since <= clear.answered && !all_know) {
          findings.violated(describe(clear) + ", " + describe(done.version) + " in group " +
                            std::to_string(part.first) + ", was not known to all members at " +
                            seconds(until));
        }
      }
    }
  }
}

/// What a member knew of uses at a time; nothing if of another version, or of none.
std::optional<TimePoint> used(const KeyHistory& key, std::uint32_t member, const Version& version,
                              TimePoint at) {
  const std::vector<KeyHistory::KnownUse>& uses = key.uses[member];
  const auto after = std::ranges::upper_bound(uses, at, {}, &KeyHistory::KnownUse::since);
  const HeldState* held = key.at(member, at);
  const bool is_known = after != uses.begin() && std::prev(after)->version == version &&
                        held != nullptr && held->version == version;
  return is_known ? std::optional(std::prev(after)->used) : std::nullopt;
}

/// Whether messages may have been long on their way since a time: a use is told as an age, and is
/// younger by so much where it arrives (R0.1). What was sent while it lasted arrives after it, and
/// what was sent later behind that.
bool may_be_told_late(const fuzz::Plan& plan, TimePoint from, TimePoint to) {
  constexpr Duration kOnTheirWay = 3s;
  return std::ranges::any_of(
      std::array{Kind::kFreeze, Kind::kSlowNode, Kind::kDelay, Kind::kClog, Kind::kSlowLink},
      [&](Kind kind) { return had_fault(plan, kind, kind, from - kOnTheirWay, to); });
}

/// What a clear that was acknowledged has done in each group is at two members, or at one where the
/// cache doesn't demand more.
void check_clear_copies(const fuzz::Trial& world, const Operation& clear, Findings& findings) {
  const bool replicated = cache_of(world.plan(), clear).consistency == Consistency::kReplicated &&
                          clear.status == CacheStatus::kDone;
  for (std::uint8_t group = 0; group < kGroups; ++group) {
    const Version done = cleared_as(world.history(), Group{group}, clear);
    const auto known = world.history().clears.find({group, clear.planned.cache});
    const auto copies =
        done == kNoVersion ? 0 : std::ranges::count_if(known->second, [&](const auto& by) {
          return knew(by, done, clear.answered);
        });
    findings.judged();
    if (copies < (replicated ? 2 : 1)) {
      findings.violated(describe(clear) + " was acknowledged with copies of group " +
                        std::to_string(group) + " at " + std::to_string(copies) + " members");
      return;
    }
  }
}

void check_uses_at(const fuzz::Plan& plan, const KeyHistory& key, TimePoint at, Duration within,
                   Findings& findings) {
  constexpr Duration kTold = 2s;
  const HeldState* held = key.at(0, at);
  if (held == nullptr || held->is_tombstone || held->version == kNoVersion) {
    return;
  }
  TimePoint newest{};
  TimePoint oldest = kNever;
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    const auto before = used(key, member, held->version, at - kTold);
    const auto now = used(key, member, held->version, at);
    if (!before || !now) {
      return;
    }
    newest = std::max(newest, *before);
    oldest = std::min(oldest, *now);
  }
  if (may_be_told_late(plan, oldest, at)) {
    return;
  }
  findings.judged();
  if (newest - oldest > within) {
    findings.violated(key.text + " was used at " + seconds(newest) + "; at " + seconds(at) +
                      " a member that was well thought at " + seconds(oldest));
  }
}

void check_uses(const fuzz::Trial& world, Findings& findings) {
  const fuzz::Plan& plan = world.plan();
  if (had_fault(plan, Kind::kClockStep, Kind::kClockFreeze)) {
    return;
  }
  constexpr Duration kWell = 8s;
  const Duration end = plan.faults_for + plan.core_for + plan.healed_for;
  for (Duration at = kWell; at < end; at += 1s) {
    if (!are_all_well(world, TimePoint{at - kWell}, TimePoint{at})) {
      continue;
    }
    for (const auto& [name, key] : world.history().keys) {
      const std::uint32_t timeout_ms = plan.caches[name.cache - 1].idle_timeout_ms;
      if (timeout_ms > 0) {
        check_uses_at(plan, key, TimePoint{at}, tell_interval(timeout_ms) + 200ms, findings);
      }
    }
  }
}

}  // namespace

void check_copies(fuzz::Trial& world, Findings& findings) {
  check_uses(world, findings);
  for (const Operation& clear : world.history().operations) {
    if (clear.planned.kind != fuzz::PlannedOp::Kind::kClear) {
      continue;
    }
    if (clear.status == CacheStatus::kDone || clear.status == CacheStatus::kSingleCopy) {
      check_clear_copies(world, clear, findings);
      check_clear_is_told(world, clear, findings);
    }
  }
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
