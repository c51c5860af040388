// No acknowledged write is lost but as section 5 of the design says:
//   available, or acknowledged as a single copy: only if its owner and the server that wrote it are
//   gone before it was replicated;
//   replicated, by its cache or since: only if every member that had it is gone.
// Gone is what no member has any more, neither in a running process nor on a disk that would give
// it back (that of a member that crashed for good would not). So a write may be lost only if at
// some time after its acknowledgement no member had its version or a newer one, with the bytes;
// and, unless it was replicated, the server's process ended while that was so: as long as it lives
// it has a copy and offers it, and it is taken unless it is older than a kept write may be. And
// that soon: a member that begins to act has it after some seconds (R1.7), if it and the server
// hear each other well. And what is deleted as too old to be copied is set aside and counted
// (R4.4).

#include <algorithm>
#include <array>
#include <vector>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

using Kind = fuzz::PlannedFault::Kind;

bool ended_within(const std::vector<TimePoint>& ends, TimePoint since, const Gap& gap) {
  // An end before the gap counts as well, if it came after the acknowledgement: then nobody was
  // left to offer the write.
  return std::ranges::any_of(ends, [&](TimePoint end) { return end >= since && end <= gap.to; });
}

/// Whether two members had it before a time.
bool was_replicated(const KeyHistory& key, const Version& version, TimePoint before) {
  return std::ranges::count_if(key.held, [&](const auto& held) {
           return std::ranges::any_of(held, [&](const HeldState& state) {
             return state.since < before && state.version >= version && state.has_bytes;
           });
         }) >= 2;
}

/// Whether a member let go of it while its process ran: nothing excuses that but a removal, a
/// clear, or a horizon.
bool was_dropped(const History& history, const KeyName& name, const KeyHistory& key,
                 const Version& version) {
  return std::ranges::any_of(key.held, [&](const std::vector<HeldState>& held) {
    for (std::size_t i = 1; i < held.size(); ++i) {
      const HeldState& before = held[i - 1];
      if (before.running && held[i].running && !before.is_tombstone && before.has_bytes &&
          before.version >= version && held[i].version < version &&
          !may_be_forgotten(history, name, key, before, held[i].since)) {
        return true;
      }
    }
    return false;
  });
}

/// Whether what replaced a write was acknowledged to nobody, so that no server has its bytes; the
/// members' disks may have damaged them.
bool is_replaced_by_damaged(const fuzz::Trial& world, const Operation& write,
                            const Version& newest) {
  return newest > write.version && had_fault(world.plan(), Kind::kDiskFlips, Kind::kDiskTears) &&
         told_of(world.history(), write.name(), newest) == nullptr;
}

bool may_be_lost(const History& history, const Operation& write, const KeyHistory& key,
                 bool replicated) {
  return std::ranges::any_of(gaps(key, write.version, write.answered), [&](const Gap& gap) {
    return replicated || was_replicated(key, write.version, gap.from) ||
           ended_within(history.ends[write.server], write.asked, gap);
  });
}

/// Whether its server's offer may have been refused while no member had it (R4.2): removals younger
/// than it were forgotten by then, and not before it was as old as kept writes are taken back for.
/// By how much a clock that is set changes that age can't be said.
bool was_too_old(const fuzz::Trial& world, const Operation& write, const KeyHistory& key) {
  const fuzz::Plan& plan = world.plan();
  const TimePoint above = world.history().above(key.group, write.version);
  const Duration kept = plan.kept_write_lifetime - plan.kept_write_lifetime / 20;  // by any drift
  if (above == kNever ||
      (above < write.asked + kept && !had_fault(plan, Kind::kClockStep, Kind::kClockFreeze))) {
    return false;
  }
  return std::ranges::any_of(gaps(key, write.version, write.answered),
                             [&](const Gap& gap) { return above <= gap.to; });
}

/// Whether something newer was written over it.
bool is_superseded(const Operation& write, const KeyHistory& key) {
  return key.states.upper_bound(write.version) != key.states.end();
}

bool is_cleared_at_the_end(fuzz::Trial& world, const Operation& write, const KeyHistory& key) {
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    const TriadServer* member = world.member(slot);
    if (member != nullptr && member->is_running() &&
        member->replica().cleared(key.group, CacheId{write.planned.cache}) > write.version) {
      return true;
    }
  }
  return false;
}

/// Whether a write may be given up while its server lives: a server whose owner is alone gives up
/// the oldest of what it keeps (KeptWrites), and what a member had that was cut off for longer than
/// tombstones live is set aside (R4.4).
bool may_be_given_up(fuzz::Trial& world, const Operation& write, const KeyHistory& key) {
  const History& history = world.history();
  const auto given_up = world.counts().marks.find("kept writes given up at the bound");
  return (given_up != world.counts().marks.end() && given_up->second > 0) ||
         (history.set_aside > 0 && history.above(key.group, write.version) != kNever);
}

/// Whether a member has a version of a key, or a newer one, in its running process, or has had it
/// since a time: a removal may be forgotten at once, for a horizon that covers it, or soon, for all
/// members have it.
bool has_had(const KeyHistory& key, std::uint32_t member, const Version& version, TimePoint since,
             TimePoint at) {
  const auto knows = [&](const HeldState& state) {
    return state.running && state.version >= version;
  };
  const HeldState* at_first = key.at(member, since);
  const HeldState* at_last = key.at(member, at);
  return (at_last != nullptr && knows(*at_last)) ||
         (at_first != nullptr && at_first->is_tombstone && knows(*at_first)) ||
         std::ranges::any_of(key.held[member], [&](const HeldState& held) {
           return held.since >= since && held.since <= at && held.is_tombstone && knows(held);
         });
}

/// Whether the server of a write may not have the bytes of what it made: a touch leaves the bytes
/// that another one wrote, and no member takes an entry without them (R0.4).
bool may_lack_bytes(const Operation& write, const KeyHistory& key) {
  const auto state = key.states.find(write.version);
  return write.change.action == Action::kTouch && state != key.states.end() &&
         state->second.has_stored_value();
}

/// Whether a removal at least as new was forgotten by a time, under a horizon: what is offered
/// after that is refused, and rightly so (R4.2).
bool is_removed_and_forgotten(const History& history, const KeyHistory& key, const Version& version,
                              TimePoint by) {
  return std::any_of(key.states.lower_bound(version), key.states.end(), [&](const auto& state) {
    return state.second.is_tombstone() && history.above(key.group, state.first) <= by;
  });
}

/// A server offers what it keeps to whoever begins to act; in a split, to the highest view it
/// hears.
void check_offered(const fuzz::Trial& world, const Operation& write, const KeyHistory& key,
                   Findings& findings) {
  constexpr Duration kOffered = 5s;
  const History& history = world.history();
  for (const ActingSpan& span : history.acting[key.group.value]) {
    const TimePoint until = span.from + kOffered;
    if (span.from <= write.answered || span.to < until ||
        was_replicated(key, write.version, span.from) ||
        is_removed_and_forgotten(history, key, write.version, until) ||
        is_outbid(history, key.group, span, span.from, until) ||
        ended(history, write.server, write.asked, until) ||
        !hear_each_other(world, write.server, span.member, span.from - kOffered, until)) {
      continue;
    }
    findings.judged();
    if (!has_had(key, span.member, write.version, span.from, until)) {
      findings.violated(describe(write) + " was not known to member " +
                        std::to_string(span.member) + " at " + seconds(until) +
                        ", although its server lived and it had begun to act at " +
                        seconds(span.from));
    }
  }
}

/// What a member that was cut off for too long had alone is counted when it is deleted (R4.4).
void check_set_aside(const fuzz::Trial& world, const KeyName& name, const KeyHistory& key,
                     Findings& findings) {
  const History& history = world.history();
  if (ends_by_itself(world.plan(), name)) {
    return;
  }
  for (const std::vector<HeldState>& held : key.held) {
    for (std::size_t i = 1; i < held.size(); ++i) {
      const HeldState& before = held[i - 1];
      if (before.running && held[i].running && before.version != kNoVersion &&
          !before.is_tombstone && held[i].version == kNoVersion &&
          before.version > history.cleared(key.group, name.cache)) {
        findings.judged();
        if (history.set_aside == 0) {
          findings.violated(key.text + ": " + describe(before.version) + " was deleted at " +
                            seconds(held[i].since) + ", and nothing was set aside");
        }
      }
    }
  }
}

}  // namespace

void check_durability(fuzz::Trial& world, Findings& findings) {
  const History& history = world.history();
  for (const auto& [name, key] : history.keys) {
    check_set_aside(world, name, key, findings);
  }
  for (const Operation& write : history.operations) {
    if (!write.changed() || ends_by_itself(world.plan(), write.name())) {
      continue;
    }
    findings.judged();
    const KeyHistory& key = history.keys.at(write.name());
    const bool given_up = may_be_given_up(world, write, key);
    const bool replicated = cache_of(world.plan(), write).consistency == Consistency::kReplicated &&
                            write.status == CacheStatus::kDone;
    const bool too_old = was_too_old(world, write, key);
    if (!replicated && !given_up && !too_old && !may_lack_bytes(write, key) &&
        history.cleared(key.group, write.planned.cache) < write.version) {
      check_offered(world, write, key, findings);
    }
    Version newest;
    bool has_bytes = false;
    for (std::uint32_t member = 0; member < kSlots; ++member) {
      const HeldState* state = key.at(member, world.now());
      if (state != nullptr && state->running && state->version >= newest) {
        has_bytes = (state->version == newest && has_bytes) || state->has_bytes;
        newest = state->version;
      }
    }
    const auto state = key.states.find(write.version);
    const bool removed = state != key.states.end() && state->second.is_tombstone();
    const bool forgotten = newest == kNoVersion && (removed || is_superseded(write, key));
    // What was cleared is rightly gone; what is older may have come back, if nobody is left that
    // knows of the clear: no server keeps one.
    const bool cleared = history.cleared(key.group, write.planned.cache) > write.version &&
                         (newest == kNoVersion || !is_cleared_at_the_end(world, write, key));
    if ((newest >= write.version && has_bytes) || forgotten || cleared) {
      continue;
    }
    const bool only_there =
        may_lack_bytes(write, key) && !gaps(key, write.version, write.answered).empty();
    const bool damaged = !has_bytes && is_replaced_by_damaged(world, write, newest);
    const bool excused =
        (too_old || only_there || damaged || may_be_lost(history, write, key, replicated)) &&
        !was_dropped(history, write.name(), key, write.version);
    if (excused || given_up) {
      continue;
    }
    findings.violated(describe(write) + " is lost; the newest at the end is " + describe(newest) +
                      (has_bytes ? "" : ", without its bytes"));
  }
}

}  // namespace copal::sim
