// A member counts its own writes that another member's replaced without knowing them: what a split
// cost (R6). From outside: each time that a running member's own state of a key gave way to one of
// another owner whose base is below it. A base is the newest state of another owner that who wrote
// this one had.

#include <algorithm>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

void check_bases(const KeyHistory& key, std::uint32_t member, Findings& findings) {
  const std::vector<HeldState>& held = key.held[member];
  for (std::size_t i = 1; i < held.size(); ++i) {
    const Version& before = held[i - 1].version;
    const auto was = key.states.find(before);
    const auto now = key.states.find(held[i].version);
    if (!held[i - 1].running || !held[i].running || before == kNoVersion ||
        was == key.states.end() || now == key.states.end() ||
        now->first.owner.slot().value != member || born(key, now->first) != held[i].since) {
      continue;
    }
    const bool is_own = before.owner == now->first.owner;
    const Version& expected = is_own ? was->second.base : before;
    const Version& base = now->second.base;
    // Or one of another owner that it took and replaced within the same step: nobody saw that here.
    const bool is_between = before < base && base < now->first && base.owner != now->first.owner;
    if (base != expected && !is_between) {
      findings.violated(key.text + ": " + describe(now->first) + " was written over " +
                        describe(before) + ", and its base is " + describe(base));
    }
  }
}

}  // namespace

void check_overwritten(fuzz::Trial& world, Findings& findings) {
  const History& history = world.history();
  std::uint64_t seen = 0;
  std::uint64_t possible = 0;
  for (const auto& [name, key] : history.keys) {
    for (auto at = key.states.begin(); at != key.states.end(); ++at) {
      possible += std::any_of(std::next(at), key.states.end(),
                              [&](const auto& later) {
                                return later.first.owner != at->first.owner &&
                                       later.second.base < at->first;
                              })
                      ? 1
                      : 0;
    }
    for (std::uint32_t member = 0; member < kSlots; ++member) {
      check_bases(key, member, findings);
      const std::vector<HeldState>& held = key.held[member];
      for (std::size_t i = 1; i < held.size(); ++i) {
        const Version& before = held[i - 1].version;
        const auto after = key.states.find(held[i].version);
        if (held[i - 1].running && held[i].running && after != key.states.end() &&
            before != kNoVersion && before.owner.slot().value == member &&
            disks_lost(world.plan(), member, held[i].since) == 0 &&
            after->first.owner.slot().value != member && after->second.base < before) {
          ++seen;
        }
      }
    }
  }
  findings.judged(std::max(seen, history.overwritten_counted));
  if (history.overwritten_counted < seen || (history.overwritten_counted > 0 && possible == 0)) {
    findings.violated(std::to_string(history.overwritten_counted) +
                      " overwritten writes were counted, " + std::to_string(seen) +
                      " were seen and " + std::to_string(possible) + " are possible");
  }
}

}  // namespace copal::sim
