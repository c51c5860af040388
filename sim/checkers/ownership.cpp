// Who acts (R1): no member begins to act for a group under a term under which it has acted before,
// in whatever start; and where no link is broken, nobody frozen or slow and nobody's clock wrong,
// two act at the same time for a heartbeat at most, and who begins to act has what the others had
// (R1.1: it is ready). Wherever else it can be judged: who stops passes on what it has (R1.3,
// R1.5), who is heard to act is not replaced (R1.4), and what was frozen does not go on (R1.6).

#include <algorithm>
#include <bit>
#include <set>
#include <tuple>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {
using Kind = fuzz::PlannedFault::Kind;

std::string member(std::uint32_t slot) {
  return "member " + std::to_string(slot);
}

/// A member at a time.
struct Moment {
  std::uint32_t member = 0;
  TimePoint at{};
};

/// One member is to have all that another one had of a group; of a span alone, what that one did.
void expect_all(const fuzz::Trial& world, Group group, const Moment& one, const Moment& other,
                const ActingSpan* by, const std::string& what, Findings& findings) {
  const History& history = world.history();
  for (const auto& [name, key] : history.keys) {
    const HeldState* had = key.group == group ? key.at(other.member, other.at) : nullptr;
    const HeldState* has = key.at(one.member, one.at);
    const bool counts = had != nullptr && has != nullptr && had->running && has->running &&
                        (by == nullptr || (had->version.owner.slot().value == by->member &&
                                           had->version.epoch == by->term));
    if (!counts) {
      continue;
    }
    findings.judged();
    if (has->version < had->version && !may_be_forgotten(history, name, key, *had, one.at)) {
      findings.violated(member(one.member) + " had " + describe(has->version) + " of " + key.text +
                        " at " + seconds(one.at) + ", " + member(other.member) + " " +
                        describe(had->version) + " at " + seconds(other.at) + ": " + what);
    }
  }
}

/// Whoever begins to act has what each other member had two seconds ago, if that one and the links
/// have been well for ten.
void check_begins_ready(const fuzz::Trial& world, Group group, const ActingSpan& span,
                        Findings& findings) {
  const TimePoint since = span.from - 10s;
  if (!is_calm(world.plan(), since, span.from)) {
    return;
  }
  for (std::uint32_t other = 0; other < kSlots; ++other) {
    if (other != span.member && runs_through(world.history(), other, since, span.from) &&
        !were_apart(world, span.member, other, since, span.from)) {
      expect_all(world, group, {span.member, span.from}, {other, span.from - 2s}, nullptr,
                 "it began to act", findings);
    }
  }
}

/// Nobody begins to act while a peer that it hears well hears well another one that acts (R1.4).
void check_nobody_replaced(const fuzz::Trial& world, Group group, const ActingSpan& span,
                           const ActingSpan& before, Findings& findings) {
  const History& history = world.history();
  const TimePoint since = span.from - 10s;
  if (before.member == span.member || before.from > span.from - 5s || before.to < span.from + 1s) {
    return;
  }
  const std::uint32_t between = 3 - span.member - before.member;
  const bool heard = runs_through(history, between, since, span.from) &&
                     hear_each_other(world, between, span.member, since, span.from) &&
                     hear_each_other(world, between, before.member, since, span.from);
  if (heard) {
    findings.violated(member(span.member) + " began to act for group " +
                      std::to_string(group.value) + " at " + seconds(span.from) + ", while " +
                      member(between) + " heard " + member(before.member) + " act");
  }
}

/// Who stops passes on what the next one lacks: at once where it hands over (R1.5), soon where it
/// has seen a higher view (R1.3).
void check_passes_on(const fuzz::Trial& world, Group group, const ActingSpan& span,
                     const ActingSpan& next, Findings& findings) {
  const History& history = world.history();
  const std::vector<ActingSpan>& spans = history.acting[group.value];
  if (next.member == span.member || span.to == kNever) {
    return;
  }
  const TimePoint soon = span.to + 5s + 200 * world.plan().latency;
  const bool by_another = std::ranges::any_of(spans, [&](const ActingSpan& one) {
    return &one != &span && &one != &next && one.from <= next.from && one.to >= span.to;
  });
  const bool hands_over =
      next.from >= span.to && next.from - span.to < 1s && !by_another &&
      !is_outbid(history, group, span, {}, span.to) &&
      hear_each_other(world, span.member, next.member, span.to - 100ms, next.from) &&
      runs_through(history, span.member, span.from, next.from) &&
      !had_fault(world.plan(), Kind::kFreeze, Kind::kFreeze, span.to - 1min, next.from) &&
      !had_fault(world.plan(), Kind::kSlowNode, Kind::kSlowNode, span.to - 1min, next.from) &&
      !had_fault(world.plan(), Kind::kClockDrift, Kind::kClockDrift, span.to - 1min, next.from);
  if (hands_over) {
    expect_all(world, group, {next.member, next.from}, {span.member, span.to}, &span,
               "it was handed over", findings);
  }
  // Comparisons with a third one that is not heard may hold this one up.
  if (next.from <= soon && next.to > soon && are_all_well(world, span.to, soon)) {
    expect_all(world, group, {next.member, soon}, {span.member, span.to}, nullptr,
               "it acts after that one", findings);
  }
}

/// What was frozen for longer than others wait does not go on (R1.6).
void check_frozen(const fuzz::Trial& world, Group group, const ActingSpan& span,
                  Findings& findings) {
  if (std::has_single_bit(world.plan().slots)) {
    return;  // it acts anew at once
  }
  for (const fuzz::PlannedFault& fault : world.plan().faults) {
    const TimePoint thaws = TimePoint{fault.at + fault.lasting};
    const bool alone = std::ranges::none_of(world.plan().faults, [&](const auto& other) {
      return &other != &fault && other.node == fault.node && other.kind == Kind::kFreeze &&
             TimePoint{other.at} <= thaws && other.at + other.lasting >= fault.at;
    });
    if (fault.kind == Kind::kFreeze && fault.node == span.member && fault.lasting > 4s && alone &&
        thaws < world.core_from() && span.from < TimePoint{fault.at}) {
      findings.judged();
      if (span.to > thaws + 500ms) {
        findings.violated(member(span.member) + " went on acting for group " +
                          std::to_string(group.value) + " after " + seconds(thaws) +
                          ", having been frozen");
      }
    }
  }
}

}  // namespace

void check_ownership(fuzz::Trial& world, Findings& findings) {
  const fuzz::Plan& plan = world.plan();
  const bool calm = is_calm(plan) && plan.latency < 100ms;
  const Duration heartbeat = 300ms + 4 * plan.latency;
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    std::set<std::tuple<std::uint32_t, std::uint32_t, std::int64_t>> acted;
    const std::vector<ActingSpan>& spans = world.history().acting[i];
    for (std::size_t k = 0; k < spans.size(); ++k) {
      findings.judged();
      const std::int64_t life = starts_of_memory(world, spans[k].member, spans[k].from);
      if (!acted.insert({spans[k].member, spans[k].term, life}).second) {
        findings.violated("member " + std::to_string(spans[k].member) + " acted twice for group " +
                          std::to_string(i) + " in term " + std::to_string(spans[k].term));
      }
      check_begins_ready(world, Group{i}, spans[k], findings);
      check_frozen(world, Group{i}, spans[k], findings);
      for (const ActingSpan& other : spans) {
        check_nobody_replaced(world, Group{i}, spans[k], other, findings);
        check_passes_on(world, Group{i}, spans[k], other, findings);
      }
      for (std::size_t j = 0; j < k && calm; ++j) {
        const TimePoint from = std::max(spans[j].from, spans[k].from);
        const TimePoint to = std::min(spans[j].to, spans[k].to);
        if (to > from && to != kNever && to - from > heartbeat &&
            !were_apart(world, spans[j].member, spans[k].member, from, from)) {
          findings.violated("members " + std::to_string(spans[j].member) + " and " +
                            std::to_string(spans[k].member) + " both acted for group " +
                            std::to_string(i) + " from " + seconds(from) + " to " + seconds(to));
        }
      }
    }
  }
}

}  // namespace copal::sim
