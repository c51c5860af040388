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
// A clear that was acknowledged counts like a removal of all keys: while the member that did it
// runs and no link is broken, nobody answers with what was before it, whoever acts by then.

#include <algorithm>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

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

/// Whether the server knows of a removal at least this new by itself.
bool knows_removal(const History& history, const Operation& read, const Version& floor) {
  return std::ranges::any_of(history.operations, [&](const Operation& other) {
    if (other.server != read.server || other.server_start != read.server_start ||
        other.name() != read.name() || other.answered > read.answered || other.id == read.id) {
      return false;
    }
    const bool removed = other.changed() && !other.entry && other.version >= floor;
    // That an earlier owner had nothing is kept as a removal of the version that it named.
    const bool found_nothing = other.status == CacheStatus::kAbsent;
    return removed || found_nothing;
  });
}

struct Window {
  TimePoint from{};
  TimePoint to{};
};

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

// ---- clears

using Kind = fuzz::PlannedFault::Kind;

/// All clears of a cache are done and acknowledged before a time. Returns the last of them, or
/// nothing.
const Operation* last_clear(const History& history, std::uint32_t cache, TimePoint before) {
  const Operation* last = nullptr;
  for (const Operation& clear : history.operations) {
    if (clear.planned.kind != fuzz::PlannedOp::Kind::kClear || clear.planned.cache != cache ||
        !clear.was_told) {
      continue;
    }
    if (clear.status != CacheStatus::kDone || clear.answered >= before) {
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

void check_clear(fuzz::Trial& world, const Operation& read, Duration bound, Findings& findings) {
  const History& history = world.history();
  const Operation* clear = last_clear(history, read.planned.cache, read.asked - bound);
  const KeyHistory& key = history.keys.at(read.name());
  const auto cleared = history.cleared.find({key.group.value, read.planned.cache});
  if (clear == nullptr || cleared == history.cleared.end()) {
    return;
  }
  const std::optional<std::uint32_t> member = who_cleared(history, key.group, *clear);
  if (!member) {
    return;
  }
  const bool ended = std::ranges::any_of(history.ends[*member], [&](TimePoint end) {
    return end >= clear->asked && end <= read.answered;
  });
  const TimePoint from = clear->asked - 10s;
  const fuzz::Plan& plan = world.plan();
  const bool calm = !had_fault(plan, Kind::kFreeze, Kind::kFreeze, from, read.answered) &&
                    !had_fault(plan, Kind::kSlowNode, Kind::kFlipBit, from, read.answered) &&
                    !had_fault(plan, Kind::kClockDrift, Kind::kClockDrift, from, read.answered) &&
                    !world.was_cut_off(*member);
  if (ended || !calm) {
    return;
  }
  findings.judged();
  if (read.status == CacheStatus::kDone && read.version < cleared->second) {
    findings.violated(describe(read) + " was cleared as " + describe(cleared->second) + " by " +
                      describe(*clear));
  }
}

}  // namespace

void check_staleness(fuzz::Trial& world, Findings& findings) {
  for (const Operation& read : world.history().operations) {
    const bool judged =
        read.is_read() && read.is_over() &&
        (read.status == CacheStatus::kDone || read.status == CacheStatus::kAbsent) &&
        !ends_by_itself(world.plan(), read.planned.cache);
    if (judged) {
      const Duration bound = bound_of(cache_of(world.plan(), read));
      check_read(world.history(), read, {read.asked - bound, read.answered}, findings);
      check_clear(world, read, bound, findings);
    }
  }
}

}  // namespace copal::sim
