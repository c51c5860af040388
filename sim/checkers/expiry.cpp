// Entries end neither before their time nor long after it (R0.7), which is their cache's, or one
// that a put or a touch has given them. A timeout counts by the clocks of those that hold the
// entry, whose ages of it are too young by the time that it was on its way. So "long after" leaves
// room for what the plan's links and freezes may do; and where the plan sets wall clocks or a
// member was lost with what it knew of uses, "before" can't be judged. An owner that ends an idle
// entry is judged over a takeover, too, where somebody must know the use. And where nothing ends by
// itself, no owner removes what nobody asked it to. Whatever wall clocks say, no entry is thought
// to be younger than nothing (R0.1).

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "core/mnode/mnode.h"
#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

using Kind = fuzz::PlannedFault::Kind;

/// Of operations whose changes begin the entry's time anew.
bool begins_time(Action action) {
  return action == Action::kPut || action == Action::kTouch;
}

bool begins_time(const Operation& operation) {
  return operation.changed() && begins_time(operation.change.action);
}

/// Whether a state may come from an earlier try of such an operation, of which its server was told
/// nothing: that was done once more by another member.
bool may_be_of_a_try(const History& history, const KeyName& name, const MNode& mnode,
                     TimePoint at) {
  return std::ranges::any_of(history.operations, [&](const Operation& operation) {
    return operation.name() == name && operation.server == mnode.change.server.value &&
           begins_time(operation.change.action) && operation.asked <= at &&
           operation.answered >= at;
  });
}

bool was_cleared_between(const History& history, std::uint32_t cache, TimePoint one,
                         TimePoint other) {
  return std::ranges::any_of(history.operations, [&](const Operation& operation) {
    return operation.planned.kind == fuzz::PlannedOp::Kind::kClear &&
           operation.planned.cache == cache && operation.asked <= other &&
           operation.answered >= one;
  });
}

/// Whose states a member that had what was read knew, from one term each: those of the other side
/// of a split do not count, though their versions stand between.
std::set<std::pair<OwnerId, std::uint32_t>> known_issuers(const KeyHistory& key,
                                                          const Operation& read) {
  std::set<std::pair<OwnerId, std::uint32_t>> issuers{{read.version.owner, read.version.epoch}};
  for (const std::vector<HeldState>& held : key.held) {
    const auto had_it = std::ranges::find(held, read.version, &HeldState::version);
    if (had_it == held.end() || had_it->since > read.answered) {
      continue;
    }
    std::set<std::pair<OwnerId, std::uint32_t>> known;
    for (auto at = held.begin(); at != had_it; ++at) {
      if (!at->running && at->version == kNoVersion) {
        known.clear();  // lost with its disk
      }
      known.insert({at->version.owner, at->version.epoch});
    }
    issuers.merge(known);
  }
  return issuers;
}

/// When the time of the state that was read began: with the newest put or touch up to it, or with
/// whatever made an entry where there was none, or none within its time any more.
TimePoint time_began(const History& history, const Operation& read) {
  const KeyHistory& key = history.keys.at(read.name());
  std::map<Version, const Operation*> writes;
  for (const Operation& write : history.operations) {
    if (write.name() == read.name() && write.changed()) {
      writes[write.version] = &write;
    }
  }
  const std::set<std::pair<OwnerId, std::uint32_t>> issuers = known_issuers(key, read);
  TimePoint began = kNever;
  TimePoint before = kNever;
  Duration timeout{};  // of the state before; 0: none
  for (const auto& [version, mnode] : key.states) {
    if (read.version < version) {
      break;
    }
    if (!issuers.contains({version.owner, version.epoch})) {
      continue;
    }
    const TimePoint at = born(key, version);
    if (before != kNever && was_cleared_between(history, read.planned.cache, before, at)) {
      began = kNever;
    }
    before = at;
    const auto write = writes.find(version);
    const bool ended =
        began == kNever || (timeout > 0ns && at - began >= timeout - timeout / 50 - 100ms);
    timeout = mnode.expire_timeout;
    if (mnode.is_tombstone()) {
      began = kNever;
    } else if (ended ||
               (write != writes.end() ? begins_time(*write->second)
                                      : may_be_of_a_try(history, read.name(), mnode, at))) {
      began = at;
    }
  }
  return began;
}

struct Bounds {
  Duration early{};  // not absent before
  Duration late{};   // not read after
};

Bounds bounds_of(const fuzz::Plan& plan, Duration timeout, Duration grace) {
  const bool calm = !had_fault(plan, Kind::kFreeze, Kind::kFreeze) &&
                    !had_fault(plan, Kind::kSlowNode, Kind::kFlipBit) &&
                    !had_fault(plan, Kind::kClockStep, Kind::kClockFreeze) &&
                    !had_fault(plan, Kind::kCrash, Kind::kPlannedStop);
  const Duration drift = had_fault(plan, Kind::kClockDrift, Kind::kClockDrift) ? timeout / 50 : 0ns;
  return {timeout - drift - 100ms, timeout + drift + grace + (calm ? Duration{2s} : Duration{35s})};
}

/// The newest use of a key, by any other operation that was not told that it is absent, which may
/// have happened before a read was answered.
TimePoint last_use(const History& history, const Operation& read) {
  TimePoint last{};
  for (const Operation& operation : history.operations) {
    if (&operation != &read && operation.name() == read.name() && operation.asked < read.answered &&
        operation.status != CacheStatus::kAbsent) {
      last = std::max(last, std::min(operation.answered, read.answered));
    }
  }
  return last;
}

/// The expire timeout of a version; 0 if it has none, or was never seen.
Duration timeout_of(const KeyHistory& key, const Version& version) {
  const auto state = key.states.find(version);
  return state == key.states.end() ? Duration{} : state->second.expire_timeout;
}

/// What a put or a touch is to give to the entry.
void check_timeout_given(const fuzz::Plan& plan, const KeyHistory& key, const Operation& write,
                         Findings& findings) {
  const Duration has = timeout_of(key, write.version);
  if (begins_time(write) && key.states.contains(write.version) &&
      !may_have_timeout(cache_of(plan, write), write.change, has)) {
    findings.violated(describe(write) + " did not give the entry its timeout");
  }
}

void check_expire_timeout(fuzz::Trial& world, const Operation& read, Findings& findings) {
  const History& history = world.history();
  const KeyHistory& key = history.keys.at(read.name());
  const Duration stale = cache_of(world.plan(), read).local_read_timeout;
  if (read.status == CacheStatus::kDone) {
    const Duration timeout = timeout_of(key, read.version);
    const Bounds bounds = bounds_of(world.plan(), timeout, 0ns);
    const TimePoint began = timeout > 0ns ? time_began(history, read) : kNever;
    const bool known = std::ranges::none_of(history.operations, [&](const Operation& other) {
      return other.name() == read.name() &&
             (other.died || other.status == CacheStatus::kOutcomeUnknown);
    });
    if (known && began != kNever) {
      findings.judged();
      if (read.asked - began > bounds.late) {
        findings.violated(describe(read) + " returned an entry of " + seconds(began));
      }
    }
    return;
  }
  if (had_fault(world.plan(), Kind::kClockStep, Kind::kClockFreeze)) {
    return;
  }
  for (const Operation& write : history.operations) {
    const bool earlier = write.name() == read.name() && begins_time(write) && write.entry &&
                         write.answered + stale < read.asked;
    const Duration timeout = earlier ? timeout_of(key, write.version) : Duration{};
    if (!earlier || (timeout > 0ns &&
                     read.answered - write.asked >= bounds_of(world.plan(), timeout, 0ns).early)) {
      continue;
    }
    const auto newer = key.states.upper_bound(write.version);
    const bool replaced = std::any_of(newer, key.states.end(), [&](const auto& state) {
      return born(key, state.first) <= read.answered && state.second.change.server != kNoNode;
    });
    const bool was_cleared = history.cleared(key.group, write.planned.cache) > write.version;
    bool lost = false;
    for (std::uint32_t node = 0; node < history.ends.size(); ++node) {
      lost = lost || ended(history, node, write.asked, read.answered);
    }
    findings.judged();
    const bool apart = std::ranges::any_of(std::array{0U, 1U, 2U}, [&](std::uint32_t member) {
      return were_apart(world, member, read.server, write.asked, read.answered);
    });
    const bool split = apart || had_fault(world.plan(), Kind::kFreeze, Kind::kFlipBit);
    if (!replaced && !was_cleared && !lost && !split) {
      findings.violated(describe(read) + " found nothing; " + describe(write) +
                        " was not past its time");
    }
  }
}

/// Whether nothing went wrong in a span, nor for so long before it that it is settled.
bool was_undisturbed(const fuzz::Trial& world, TimePoint from, TimePoint to) {
  constexpr Duration kSettled = 10s;
  const auto cut_off = [&](std::uint32_t node) { return world.was_cut_off(node); };
  const bool apart = from - kSettled <= world.healed_from() && to >= world.core_from() &&
                     std::ranges::any_of(std::array{0U, 1U, 2U}, cut_off);
  return !apart && !had_fault(world.plan(), Kind::kCrash, Kind::kFlipBit, from - kSettled, to);
}

void check_idle_timeout(fuzz::Trial& world, const Operation& read, std::uint32_t timeout_ms,
                        Findings& findings) {
  const Duration timeout = std::chrono::milliseconds{timeout_ms};
  const Bounds bounds = bounds_of(world.plan(), timeout, touch_interval(timeout_ms));
  const TimePoint used = last_use(world.history(), read);
  if (used == TimePoint{}) {
    return;
  }
  findings.judged();
  if (read.status == CacheStatus::kDone && read.asked - used > bounds.late) {
    findings.violated(describe(read) + " returned an entry that was last used at " + seconds(used));
  }
  if (read.status != CacheStatus::kAbsent ||
      had_fault(world.plan(), Kind::kClockStep, Kind::kClockFreeze)) {
    return;
  }
  // Somebody read it within the time, nobody removed it since, and it is not there. What was read
  // may have been removed already, and this server may not know yet that it is there.
  const Duration stale = cache_of(world.plan(), read).local_read_timeout;
  for (const Operation& use : world.history().operations) {
    const bool found = use.name() == read.name() && use.is_read() &&
                       use.status == CacheStatus::kDone && use.answered + stale < read.asked &&
                       read.answered - use.asked < bounds.early &&
                       was_undisturbed(world, use.asked, read.answered);
    const bool removed = std::ranges::any_of(world.history().operations, [&](const Operation& by) {
      return by.name().cache == read.name().cache && !by.is_read() &&
             (by.answered == kNever || by.answered + stale >= use.asked) &&
             by.asked <= read.answered &&
             (by.name() == read.name() || by.planned.kind == fuzz::PlannedOp::Kind::kClear);
    });
    if (found && !removed) {
      findings.violated(describe(read) + " found nothing; " + describe(use) +
                        " had used it within its time");
    }
  }
}

/// Whether somebody who must have known of a use of a state is still there when an owner ends it:
/// two members had it when all had been told, links are well, and at most one of them has ended.
bool use_is_known(const fuzz::Trial& world, const KeyHistory& key, const Operation& use,
                  Duration told, TimePoint end) {
  const History& history = world.history();
  const TimePoint known = use.answered + told;
  int had = 0;
  int ended_since = 0;
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    const HeldState* state = key.at(member, known);
    had += state != nullptr && state->running && state->version == use.version ? 1 : 0;
    ended_since += ended(history, member, known, end) ? 1 : 0;
    if (ended(history, member, use.asked, known)) {
      return false;
    }
  }
  return had > 1 && ended_since < 2 && !two_acted(history, key.group, use.asked, end) &&
         !ended(history, use.server, use.asked, known) &&
         is_calm(world.plan(), use.asked - told, end);
}

/// No owner removes an idle entry before its time.
void check_ended_early(const fuzz::Trial& world, const KeyName& name, const KeyHistory& key,
                       Findings& findings) {
  const fuzz::PlannedCache& cache = world.plan().caches[name.cache - 1];
  if (cache.idle_timeout_ms == 0 || cache.expire_timeout > 0ns || cache.evict ||
      has_own_timeouts(world.plan(), name) ||
      had_fault(world.plan(), Kind::kClockStep, Kind::kClockFreeze)) {
    return;
  }
  const Duration told = touch_interval(cache.idle_timeout_ms) + 1s;
  const Duration early =
      bounds_of(world.plan(), std::chrono::milliseconds{cache.idle_timeout_ms}, 0ns).early;
  for (auto at = key.states.begin(); at != key.states.end(); ++at) {
    const auto& [version, mnode] = *at;
    const TimePoint end = born(key, version);
    if (!mnode.is_tombstone() || mnode.change.server != kNoNode || at == key.states.begin() ||
        end == kNever) {
      continue;
    }
    const auto& [ended, entry] = *std::prev(at);
    if (entry.is_tombstone()) {
      continue;
    }
    for (const Operation& use : world.history().operations) {
      if (use.name() != name || use.status != CacheStatus::kDone || use.version != ended ||
          use.answered + told >= end || !use_is_known(world, key, use, told, end)) {
        continue;
      }
      findings.judged();
      if (end - use.asked < early) {
        findings.violated(key.text + " was ended as " + describe(version) + " at " + seconds(end) +
                          "; " + describe(use) + " had used it within its time");
      }
    }
  }
}

void check_removed_by_owner(const fuzz::Plan& plan, const KeyName& name, const KeyHistory& key,
                            Findings& findings) {
  if (ends_by_itself(plan, name)) {
    return;
  }
  for (const auto& [version, mnode] : key.states) {
    if (mnode.is_tombstone() && mnode.change.server == kNoNode) {
      findings.violated(key.text + " was removed as " + describe(version) +
                        " by its owner, which nobody had asked to");
    }
  }
}

}  // namespace

void check_expiry(fuzz::Trial& world, Findings& findings) {
  for (const std::string& where : world.history().from_the_future) {
    findings.violated(where + " is thought to have been changed or used later than now");
  }
  for (const auto& [name, key] : world.history().keys) {
    check_removed_by_owner(world.plan(), name, key, findings);
    check_ended_early(world, name, key, findings);
  }
  for (const Operation& write : world.history().operations) {
    if (write.changed() && write.planned.kind != fuzz::PlannedOp::Kind::kClear) {
      check_timeout_given(world.plan(), world.history().keys.at(write.name()), write, findings);
    }
  }
  for (const Operation& read : world.history().operations) {
    const bool judged = read.is_read() && read.is_over() && read.was_told &&
                        (read.status == CacheStatus::kDone || read.status == CacheStatus::kAbsent);
    const fuzz::PlannedCache& cache = cache_of(world.plan(), read);
    if (!judged || cache.evict) {
      continue;
    }
    const bool may_expire =
        cache.expire_timeout > 0ns || has_own_timeouts(world.plan(), read.name());
    if (may_expire && cache.idle_timeout_ms == 0) {
      check_expire_timeout(world, read, findings);
    } else if (!may_expire && cache.idle_timeout_ms > 0) {
      check_idle_timeout(world, read, cache.idle_timeout_ms, findings);
    }
  }
}

}  // namespace copal::sim
