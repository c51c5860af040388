// A list of a cache's keys, taken page by page, names each key once, and no key that never was
// there (core/protocol/input.h). What every member that ran had all the while is in it: one of them
// acts.

#include <algorithm>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

bool was_ever_there(const KeyHistory& key, TimePoint by) {
  return std::ranges::any_of(key.held, [&](const std::vector<HeldState>& held) {
    return std::ranges::any_of(held, [&](const HeldState& state) {
      return state.since <= by && state.version != kNoVersion && !state.is_tombstone;
    });
  });
}

/// Whether each member had an entry, whenever it ran within a span, and nothing ever cleared it.
bool was_always_there(const History& history, const KeyName& name, const KeyHistory& key,
                      TimePoint from, TimePoint to) {
  const Version cleared = history.cleared(key.group, name.cache);
  bool was_there = false;
  for (const std::vector<HeldState>& held : key.held) {
    for (std::size_t i = 0; i < held.size(); ++i) {
      const bool is_within =
          held[i].since <= to && (i + 1 == held.size() || held[i + 1].since >= from);
      if (!is_within || !held[i].running) {
        continue;
      }
      if (held[i].is_tombstone || held[i].version <= cleared) {
        return false;
      }
      was_there = true;
    }
  }
  return was_there;
}

void check_list(const fuzz::Trial& world, const Operation& list, Findings& findings) {
  findings.judged();
  std::size_t known = 0;
  for (const auto& [name, key] : world.history().keys) {
    if (name.cache != list.planned.cache) {
      continue;
    }
    const auto count = std::ranges::count(list.keys, key.text);
    known += static_cast<std::size_t>(count);
    if (count > 1) {
      findings.violated(describe(list) + " names " + key.text + " " + std::to_string(count) +
                        " times");
    }
    if (count > 0 && !was_ever_there(key, list.answered)) {
      findings.violated(describe(list) + " names " + key.text + ", which never was there");
    }
    if (count == 0 && !ends_by_itself(world.plan(), name) &&
        was_always_there(world.history(), name, key, list.asked, list.answered)) {
      findings.violated(describe(list) + " leaves out " + key.text + ", which was there");
    }
  }
  if (known != list.keys.size()) {
    findings.violated(describe(list) + " names " + std::to_string(list.keys.size() - known) +
                      " keys that nobody wrote");
  }
}

}  // namespace

void check_listing(fuzz::Trial& world, Findings& findings) {
  for (const Operation& operation : world.history().operations) {
    if (operation.planned.kind == fuzz::PlannedOp::Kind::kList && operation.is_over() &&
        operation.status == CacheStatus::kDone) {
      check_list(world, operation, findings);
    }
  }
}

}  // namespace copal::sim
