#include "sim/checkers/checkers.h"

#include <algorithm>
#include <array>
#include <bit>

#include "sim/fuzz/fault_names.h"

namespace copal::sim {

namespace {

using Kind = fuzz::PlannedFault::Kind;

constexpr std::array kCheckers = {
    Checker{"staleness", "reads are at most as old as their cache allows", check_staleness},
    Checker{"durability", "no acknowledged write is lost that section 5 keeps", check_durability},
    Checker{"copies", "what counts as replicated is at two members", check_copies},
    Checker{"synced", "with sync: always what is acknowledged is on disks", check_synced},
    Checker{"versions", "a version is one state, and no member's m-nodes go back", check_versions},
    Checker{"monotonic", "a server's reads of a key never go back", check_monotonic},
    Checker{"values", "what is read is what was written under its version", check_values},
    Checker{"atomicity", "while one owner acts, operations are atomic", check_atomicity},
    Checker{"outcomes", "what is told to be impossible does not happen", check_outcomes},
    Checker{"expiry", "entries end neither before nor long after their time", check_expiry},
    Checker{"overwritten", "writes overwritten after a split are counted", check_overwritten},
    Checker{"ownership", "no view is acted under twice; two act only in a split", check_ownership},
    Checker{"convergence", "healed members become the same", check_convergence},
    Checker{"liveness", "every operation ends; a healed core serves", check_liveness},
    Checker{"routing", "balancers send only to whom the list allows", check_routing},
    Checker{"server_list", "the list comes to be what is true", check_server_list},
    Checker{"events", "who listens learns what changed, or that it may not have", check_events},
    Checker{"listing", "keys that are there are listed, once", check_listing},
};

}  // namespace

std::span<const Checker> all_checkers() {
  return kCheckers;
}

Findings check_run(fuzz::Trial& world, std::span<const std::string> but) {
  Findings findings;
  for (const Checker& checker : kCheckers) {
    if (std::ranges::find(but, checker.name) == but.end()) {
      findings.begin(checker.name);
      checker.check(world, findings);
    }
  }
  return findings;
}

std::string seconds(TimePoint time) {
  if (time == kNever) {
    return "never";
  }
  std::string text = std::to_string(time.time_since_epoch().count() / 1'000);
  text.insert(0, text.size() < 7 ? 7 - text.size() : 0, '0');
  return text.insert(text.size() - 6, ".") + " s";
}

std::string describe(const Version& version) {
  return std::to_string(version.counter) + "/" + std::to_string(version.epoch) + "/" +
         std::to_string(version.owner.slot().value);
}

std::string describe(const Operation& operation) {
  return "operation " + std::to_string(operation.id) + " (" +
         fuzz::op_name(operation.planned.kind) + " " + std::to_string(operation.planned.cache) +
         "/" + std::to_string(operation.planned.key) + " at server " +
         std::to_string(operation.server) + ", " + seconds(operation.asked) + " to " +
         seconds(operation.answered) + ", version " + describe(operation.version) + ")";
}

const fuzz::PlannedCache& cache_of(const fuzz::Plan& plan, const Operation& operation) {
  return plan.caches[operation.planned.cache - 1];
}

bool may_have_timeout(const fuzz::PlannedCache& cache, const Change& change, Duration has) {
  if (change.expire_timeout > 0ns) {
    return has == change.expire_timeout;
  }
  const Duration least = cache.expire_timeout / 100 * (100 - cache.expire_spread_percent);
  return has >= least && has <= cache.expire_timeout;
}

bool ends_by_itself(const fuzz::Plan& plan, const KeyName& name) {
  const fuzz::PlannedCache& of = plan.caches[name.cache - 1];
  return of.expire_timeout > 0ns || of.idle_timeout_ms > 0 || of.evict ||
         has_own_timeouts(plan, name);
}

bool has_own_timeouts(const fuzz::Plan& plan, const KeyName& name) {
  return std::ranges::any_of(plan.ops, [&name](const fuzz::PlannedOp& op) {
    return op.cache == name.cache && op.key == name.key && op.expire_timeout > 0ns;
  });
}

bool had_fault(const fuzz::Plan& plan, fuzz::PlannedFault::Kind first,
               fuzz::PlannedFault::Kind last, TimePoint from, TimePoint to) {
  return std::ranges::any_of(plan.faults, [&](const fuzz::PlannedFault& fault) {
    return fault.kind >= first && fault.kind <= last && TimePoint{fault.at} <= to &&
           TimePoint{fault.at + fault.lasting} >= from;
  });
}

bool is_calm(const fuzz::Plan& plan, TimePoint from, TimePoint to) {
  return !had_fault(plan, Kind::kFreeze, Kind::kFreeze, from, to) &&
         !had_fault(plan, Kind::kSlowNode, Kind::kFlipBit, from, to) &&
         !had_fault(plan, Kind::kClockDrift, Kind::kClockDrift, from, to);
}

std::vector<Gap> gaps(const KeyHistory& key, const Version& version, TimePoint from) {
  std::vector<TimePoint> times = {from};
  for (const auto& held : key.held) {
    for (const HeldState& state : held) {
      if (state.since > from) {
        times.push_back(state.since);
      }
    }
  }
  std::ranges::sort(times);
  std::vector<Gap> found;
  bool in_gap = false;
  for (const TimePoint time : times) {
    const bool somewhere = std::ranges::any_of(std::array{0U, 1U, 2U}, [&](std::uint32_t member) {
      const HeldState* state = key.at(member, time);
      return state != nullptr && state->version >= version && state->has_bytes;
    });
    if (in_gap && somewhere) {
      found.back().to = time;
    } else if (!in_gap && !somewhere) {
      found.push_back({time});
    }
    in_gap = !somewhere;
  }
  return found;
}

Version cleared_as(const History& history, Group group, const Operation& clear) {
  Version lowest = kNoVersion;
  const auto found = history.clears.find({group.value, clear.planned.cache});
  for (std::uint32_t member = 0; found != history.clears.end() && member < kSlots; ++member) {
    for (const History::KnownClear& known : found->second[member]) {
      const bool meanwhile = known.since >= clear.asked && known.since <= clear.answered;
      const bool is_lowest = lowest == kNoVersion || known.version < lowest;
      lowest = meanwhile && is_lowest ? known.version : lowest;
    }
  }
  return lowest;
}

bool is_cleared_meanwhile(const History& history, const Operation& write) {
  return std::ranges::any_of(history.operations, [&write](const Operation& other) {
    return other.planned.kind == fuzz::PlannedOp::Kind::kClear &&
           other.planned.cache == write.planned.cache && other.asked <= write.answered &&
           other.answered >= write.asked;
  });
}

std::int64_t disks_lost(const fuzz::Plan& plan, std::uint32_t member, TimePoint before) {
  return std::ranges::count_if(plan.faults, [&](const fuzz::PlannedFault& fault) {
    return fault.kind == fuzz::PlannedFault::Kind::kLoseDisk && fault.node == member &&
           TimePoint{fault.at} <= before;
  });
}

bool may_be_forgotten(const History& history, const KeyName& name, const KeyHistory& key,
                      const HeldState& state, TimePoint when) {
  return state.version < history.cleared(key.group, name.cache) ||
         history.above(key.group, state.version) <= when;
}

bool ended(const History& history, std::uint32_t node, TimePoint from, TimePoint to) {
  return std::ranges::any_of(history.ends[node],
                             [&](TimePoint at) { return at >= from && at <= to; });
}

bool runs(const History& history, std::uint32_t member, TimePoint at) {
  const HeldState* state = history.keys.begin()->second.at(member, at);
  return state != nullptr && state->running;
}

bool runs_through(const History& history, std::uint32_t member, TimePoint from, TimePoint to) {
  return runs(history, member, from) && !ended(history, member, from, to);
}

bool were_apart(const fuzz::Trial& world, std::uint32_t one, std::uint32_t other, TimePoint from,
                TimePoint to) {
  return (world.was_cut_off(one) || world.was_cut_off(other)) && to >= world.core_from() &&
         from <= world.healed_from();
}

bool comes_between(const fuzz::PlannedFault& fault, std::uint32_t one, std::uint32_t other) {
  const bool any = fault.other == fuzz::PlannedFault::kAnyNode;
  if (is_partition(fault.kind)) {
    return separates(fault, one, other);
  }
  if (fault.kind >= Kind::kOneWay && fault.kind <= Kind::kFlipBit) {
    return (fault.node == one && (any || fault.other == other)) ||
           (fault.node == other && (any || fault.other == one));
  }
  // A clock that is off all the time disturbs nobody.
  const bool is_ill = fault.kind == Kind::kFreeze || fault.kind == Kind::kSlowNode ||
                      fault.kind == Kind::kClockStep || fault.kind == Kind::kClockDrift ||
                      fault.kind == Kind::kClockFreeze;
  return is_ill && (fault.node == one || fault.node == other);
}

bool hear_each_other(const fuzz::Trial& world, std::uint32_t one, std::uint32_t other,
                     TimePoint from, TimePoint to) {
  return !were_apart(world, one, other, from, to) &&
         std::ranges::none_of(world.plan().faults, [&](const fuzz::PlannedFault& fault) {
           return TimePoint{fault.at} <= to && TimePoint{fault.at + fault.lasting} >= from &&
                  comes_between(fault, one, other);
         });
}

bool are_all_well(const fuzz::Trial& world, TimePoint from, TimePoint to) {
  for (std::uint32_t one = 0; one < kSlots; ++one) {
    const auto next = static_cast<std::uint32_t>((one + 1) % kSlots);
    if (!runs_through(world.history(), one, from, to) ||
        !hear_each_other(world, one, next, from, to)) {
      return false;
    }
  }
  return true;
}

bool is_outbid(const History& history, Group group, const ActingSpan& by, TimePoint from,
               TimePoint to) {
  const auto view = [](const ActingSpan& span) {
    return View{span.term, Slot{static_cast<std::uint8_t>(span.member)}};
  };
  return std::ranges::any_of(history.acting[group.value], [&](const ActingSpan& other) {
    return other.member != by.member && other.from < to && other.to >= from &&
           view(other) > view(by);
  });
}

bool two_acted(const History& history, Group group, TimePoint from, TimePoint to) {
  TimePoint last{};
  for (const ActingSpan& span : history.acting[group.value]) {
    if (span.from > to) {
      break;
    }
    if (span.from < last && last >= from && span.to >= from) {
      return true;
    }
    last = std::max(last, span.to);
  }
  return false;
}

const Operation* told_of(const History& history, const KeyName& name, const Version& version) {
  const auto found = std::ranges::find_if(history.operations, [&](const Operation& one) {
    return one.changed() && one.version == version && one.name() == name;
  });
  return found == history.operations.end() ? nullptr : &*found;
}

TimePoint born(const KeyHistory& key, const Version& version) {
  TimePoint first = kNever;
  for (const auto& held : key.held) {
    for (const HeldState& state : held) {
      if (state.version == version) {
        first = std::min(first, state.since);
      }
    }
  }
  return first;
}

bool may_hear_nobody(const fuzz::Trial& world, std::uint32_t member) {
  return std::has_single_bit(world.plan().slots) || world.was_cut_off(member);
}

bool has_heard_nobody(const fuzz::Trial& world, std::uint32_t member, TimePoint at) {
  constexpr Duration kBegins = 2s;  // from one process's end to the next one's first word
  TimePoint ended_at{};
  for (const TimePoint end : world.history().ends[member]) {
    ended_at = end <= at ? std::max(ended_at, end) : ended_at;
  }
  return std::ranges::all_of(std::array{0U, 1U, 2U}, [&](std::uint32_t other) {
    const bool is_filled = (world.plan().slots >> other & 1U) != 0;
    return other == member || !is_filled ||
           std::ranges::any_of(world.plan().faults, [&](const fuzz::PlannedFault& fault) {
             return TimePoint{fault.at} <= ended_at + kBegins &&
                    TimePoint{fault.at + fault.lasting} >= at &&
                    comes_between(fault, member, other);
           });
  });
}

std::int64_t starts_of_memory(const fuzz::Trial& world, std::uint32_t member, TimePoint before) {
  const fuzz::Plan& plan = world.plan();
  const bool damaged = std::ranges::any_of(plan.faults, [&](const fuzz::PlannedFault& fault) {
    return (fault.kind == Kind::kDiskFlips || fault.kind == Kind::kDiskMisdirects ||
            fault.kind == Kind::kDiskLies) &&
           fault.node == member && TimePoint{fault.at} <= before;
  });
  const std::int64_t starts = std::ranges::count_if(world.history().ends[member],
                                                    [&](TimePoint end) { return end <= before; });
  return disks_lost(plan, member, before) +
         (damaged && (may_hear_nobody(world, member) || has_heard_nobody(world, member, before))
              ? starts
              : 0);
}

}  // namespace copal::sim
