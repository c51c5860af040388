// Staleness, as promised in section 5 of the design for `available` and `replicated`:
//
//   A read returns at least the newest version that the acting owner asked had at the read's time
//   minus the bound.
//
// The read's time is when the server's node was told of it, the bound its cache's
// local_read_timeout, longer by the drift that clocks may have. Which owner was asked is not known
// from outside, so the read must satisfy one of those that acted in between: nothing more can be
// asked of it in a split, and where one acts it is exact. An owner that began to act within that
// time is held to what it had when it began. What has no m-node counts as version none: a read that
// finds nothing must meet an owner that had nothing, or a removal at least that new which this
// server itself has had acknowledged or has met before.
//
// In a `replicated` cache a takeover does not go back (section 5): while one member acts at a time,
// a read returns at least the newest write that was acknowledged as replicated, if somebody has it
// whom the acting member hears.
//
// A clear that was acknowledged counts like a removal of all keys: while somebody who knows of it
// runs, no link is broken and nobody cut off from the core, nobody answers with what was before it,
// whoever acts by then.

#include <algorithm>
#include <array>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

using Kind = fuzz::PlannedFault::Kind;

struct Window {
  TimePoint from{};
  TimePoint to{};
};

Duration bound_of(const fuzz::PlannedCache& cache) {
  return cache.local_read_timeout + cache.local_read_timeout / 50;
}

bool is_absent(const HeldState& state) {
  return state.version == kNoVersion || state.is_tombstone;
}

/// Whether the member had no entry at some time of a span.
bool was_absent(const KeyHistory& key, std::uint32_t member, TimePoint from, TimePoint to) {
  const std::vector<HeldState>& held = key.held[member];
  for (std::size_t i = 0; i < held.size(); ++i) {
    const TimePoint until = i + 1 < held.size() ? held[i + 1].since : kNever;
    if (held[i].since <= to && until >= from && held[i].running && is_absent(held[i])) {
      return true;
    }
  }
  return false;
}

/// Whether the server knows of a removal at least this new by itself. One that an owner did and
/// could not replicate is told with its version, and offered by the server from then on.
bool knows_removal(const History& history, const Operation& read, const Version& floor) {
  return std::ranges::any_of(history.operations, [&](const Operation& other) {
    if (other.server != read.server || other.server_start != read.server_start ||
        other.name() != read.name() || other.answered > read.answered || other.id == read.id) {
      return false;
    }
    const bool is_named = other.status == CacheStatus::kOutcomeUnknown && !other.is_read();
    const bool removed = (other.changed() || is_named) && !other.entry && other.version >= floor;
    // That an earlier owner had nothing is kept as a removal of the version that it named.
    const bool found_nothing = other.status == CacheStatus::kAbsent;
    return removed || found_nothing;
  });
}

void check_read(const History& history, const Operation& read, const Window& window,
                Findings& findings) {
  const KeyHistory& key = history.keys.at(read.name());
  const HeldState* lowest = nullptr;
  bool absent_somewhere = false;
  for (const ActingSpan& span : history.acting[key.group.value]) {
    if (span.from > window.to || span.to < window.from) {
      continue;
    }
    const TimePoint from = std::max(window.from, span.from);
    // What it had when it began: it may have changed within the same instant, read and all.
    const HeldState* state = span.from >= window.from ? key.before(span.member, span.from)
                                                      : key.at(span.member, window.from);
    if (state != nullptr && (lowest == nullptr || state->version < lowest->version)) {
      lowest = state;
    }
    absent_somewhere =
        absent_somewhere || was_absent(key, span.member, from, std::min(window.to, span.to));
  }
  if (lowest == nullptr) {
    return;  // nobody acted: the answer is from before
  }
  findings.judged();
  if (read.status == CacheStatus::kDone && read.version < lowest->version) {
    findings.violated(describe(read) + " is older than " + describe(lowest->version) +
                      ", which the acting owner had at " + seconds(window.from));
  }
  if (read.status == CacheStatus::kAbsent && !absent_somewhere &&
      !knows_removal(history, read, lowest->version)) {
    findings.violated(describe(read) + " found nothing; the acting owner had " +
                      describe(lowest->version));
  }
}

// ---- takeovers

/// The one member that acted through a span, or nothing: several did, one after the other.
const ActingSpan* who_acted(const History& history, Group group, const Window& window) {
  const ActingSpan* acted = nullptr;
  for (const ActingSpan& span : history.acting[group.value]) {
    if (span.from <= window.to && span.to >= window.from) {
      if (acted != nullptr) {
        return nullptr;
      }
      acted = &span;
    }
  }
  return acted;
}

/// The newest write of a key that was acknowledged as replicated before a time.
const Operation* newest_replicated(const History& history, const KeyName& name, TimePoint before) {
  const Operation* newest = nullptr;
  for (const Operation& write : history.operations) {
    if (write.name() == name && write.changed() && write.status == CacheStatus::kDone &&
        write.answered < before && (newest == nullptr || newest->version < write.version)) {
      newest = &write;
    }
  }
  return newest;
}

void check_takeover(fuzz::Trial& world, const Operation& read, const Window& window,
                    Findings& findings) {
  const History& history = world.history();
  const KeyHistory& key = history.keys.at(read.name());
  const ActingSpan* acted = who_acted(history, key.group, window);
  const Operation* write = newest_replicated(history, read.name(), window.from);
  if (acted == nullptr || write == nullptr || write->answered >= acted->from ||
      two_acted(history, key.group, write->asked, read.answered)) {
    return;
  }
  // From some time before it took over, so that each has heard the other.
  const TimePoint since = acted->from - 10s;
  const HeldState* known = nullptr;
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    const HeldState* state = key.at(member, std::max(since, write->answered));
    if (state != nullptr && state->running && state->version >= write->version &&
        !ended(history, member, std::min(since, write->answered), read.answered) &&
        hear_each_other(world, member, acted->member, since, read.answered)) {
      known = state;
    }
  }
  if (known == nullptr || may_be_forgotten(history, read.name(), key, *known, read.answered)) {
    return;
  }
  findings.judged();
  const bool removed_since =
      std::any_of(key.states.lower_bound(write->version), key.states.end(),
                  [&](const auto& state) { return state.second.is_tombstone(); });
  const bool goes_back = read.status == CacheStatus::kDone
                             ? read.version < write->version
                             : !removed_since && !knows_removal(history, read, write->version);
  if (goes_back) {
    findings.violated(describe(read) + " went back behind " + describe(*write) +
                      ", which was acknowledged as replicated before member " +
                      std::to_string(acted->member) + " took over at " + seconds(acted->from));
  }
}

// ---- clears

/// All clears of a cache are done and acknowledged before a time. Returns the last of them, or
/// nothing.
const Operation* last_clear(const History& history, std::uint32_t cache, TimePoint before) {
  const Operation* last = nullptr;
  for (const Operation& clear : history.operations) {
    if (clear.planned.kind != fuzz::PlannedOp::Kind::kClear || clear.planned.cache != cache ||
        !clear.was_told || clear.status == CacheStatus::kDegraded) {
      continue;
    }
    const bool is_done =
        clear.status == CacheStatus::kDone || clear.status == CacheStatus::kSingleCopy;
    if (!is_done || clear.answered >= before) {
      return nullptr;
    }
    last = last == nullptr || clear.asked > last->asked ? &clear : last;
  }
  return last;
}

/// The one member that acted for a group during a clear; nothing if several did.
std::optional<std::uint32_t> who_cleared(const History& history, Group group,
                                         const Operation& clear) {
  std::optional<std::uint32_t> member;
  for (const ActingSpan& span : history.acting[group.value]) {
    if (span.from <= clear.answered && span.to >= clear.asked) {
      if (member) {
        return std::nullopt;
      }
      member = span.member;
    }
  }
  return member;
}

/// Whether somebody who knows of a clear runs all through a span: the member that did it, or
/// another that it told.
bool is_known(const fuzz::Trial& world, const KeyHistory& key, const Operation& clear,
              std::uint32_t by, const Window& window) {
  const History& history = world.history();
  constexpr Duration kTold = 2s;
  if (world.was_cut_off(by)) {
    return false;
  }
  if (!ended(history, by, clear.asked, window.to)) {
    return true;
  }
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    const HeldState* state = key.at(member, clear.asked - kTold);
    if (member != by && state != nullptr && state->running &&
        !ended(history, member, window.from, window.to) && !world.was_cut_off(member) &&
        !ended(history, by, window.from, clear.answered + kTold) &&
        !two_acted(history, key.group, clear.asked, window.to)) {
      return true;
    }
  }
  return false;
}

void check_clear(fuzz::Trial& world, const Operation& read, Duration bound, Findings& findings) {
  const History& history = world.history();
  const Operation* clear = last_clear(history, read.planned.cache, read.asked - bound);
  const KeyHistory& key = history.keys.at(read.name());
  if (clear == nullptr) {
    return;
  }
  const std::optional<std::uint32_t> member = who_cleared(history, key.group, *clear);
  if (!member) {
    return;
  }
  const TimePoint from = clear->asked - 10s;
  const bool apart = std::ranges::any_of(std::array{0U, 1U, 2U}, [&](std::uint32_t one) {
    return were_apart(world, one, read.server, from, read.answered);
  });
  if (apart || !is_calm(world.plan(), from, read.answered) ||
      !is_known(world, key, *clear, *member, {from, read.answered})) {
    return;
  }
  findings.judged();
  const Version cleared = cleared_as(history, key.group, *clear);
  if (read.status == CacheStatus::kDone && read.version < cleared) {
    findings.violated(describe(read) + " was cleared as " + describe(cleared) + " by " +
                      describe(*clear));
  }
}

}  // namespace

void check_staleness(fuzz::Trial& world, Findings& findings) {
  for (const Operation& read : world.history().operations) {
    const bool judged =
        read.is_read() && read.is_over() &&
        (read.status == CacheStatus::kDone || read.status == CacheStatus::kAbsent) &&
        !ends_by_itself(world.plan(), read.name());
    if (judged) {
      const Duration bound = bound_of(cache_of(world.plan(), read));
      const Window window{read.asked - bound, read.answered};
      check_read(world.history(), read, window, findings);
      if (cache_of(world.plan(), read).consistency == Consistency::kReplicated) {
        check_takeover(world, read, window, findings);
      }
      check_clear(world, read, bound, findings);
    }
  }
}

}  // namespace copal::sim
