// What a client is told of a change is true (R0.3): one that ended as "not done" was not and is not
// done; one owner in one term does no change twice, however often it comes; and a change that is
// more than a plain put or removal happens once at most, wherever it is sent.

#include <algorithm>
#include <map>
#include <tuple>

#include "core/mnode/value_name.h"
#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

using PlannedKind = fuzz::PlannedOp::Kind;

/// Whether this status says that nothing was changed, nor will be.
bool says_not_done(CacheStatus status) {
  switch (status) {
    case CacheStatus::kConditionFailed:
    case CacheStatus::kDegraded:
    case CacheStatus::kUnknownCache:
    case CacheStatus::kKeyTooLong:
    case CacheStatus::kValueTooLarge:
    case CacheStatus::kNotANumber:
    case CacheStatus::kNumberTooLarge:
    case CacheStatus::kFull:
    case CacheStatus::kOverloaded:
    case CacheStatus::kTimedOut:
      return true;
    default:
      return false;
  }
}

/// Values with these numbers are written by one operation of a plan alone.
bool has_own_value(const Operation& operation) {
  const PlannedKind kind = operation.planned.kind;
  return kind != PlannedKind::kList && kind != PlannedKind::kClear &&
         operation.change.action == Action::kPut && operation.planned.value >= 1'000 &&
         operation.planned.value_size_bytes > 0 && !operation.is_read();
}

/// How many states an operation has made. What an owner did before it forgot that, with nobody
/// there to tell it, is as lost, and may be done anew.
std::int64_t states_of(const fuzz::Trial& world, const Operation& operation,
                       const KeyHistory& key) {
  return std::ranges::count_if(key.states, [&](const auto& state) {
    const std::uint32_t owner = state.first.owner.slot().value;
    return value_name(state.second) == operation.change.value &&
           (!may_hear_nobody(world, owner) ||
            starts_of_memory(world, owner, born(key, state.first)) ==
                starts_of_memory(world, owner, operation.answered));
  });
}

/// A member whose disk loses the record of its start, and whom nobody tells, uses its terms again:
/// what it did before is as lost.
void check_twice(const fuzz::Trial& world, const KeyHistory& key, Findings& findings) {
  // id, owner, term, which life of the owner's memory
  using Change = std::tuple<ChangeId, std::uint32_t, std::uint32_t, std::int64_t>;
  std::map<Change, Version> done;
  for (const auto& [version, mnode] : key.states) {
    if (mnode.change.server == kNoNode) {
      continue;
    }
    const std::uint32_t owner = version.owner.slot().value;
    const std::int64_t life = starts_of_memory(world, owner, born(key, version));
    const Change change{mnode.change, version.owner.number(), version.epoch, life};
    if (!done.try_emplace(change, version).second) {
      findings.violated("change " + std::to_string(mnode.change.sequence) + " of server " +
                        std::to_string(mnode.change.server.value) + " on " + key.text +
                        " was done twice in one term, as " + describe(done[change]) + " and " +
                        describe(version));
    }
  }
}

}  // namespace

void check_outcomes(fuzz::Trial& world, Findings& findings) {
  const History& history = world.history();
  for (const Operation& operation : history.operations) {
    if (!has_own_value(operation)) {
      continue;
    }
    findings.judged();
    const KeyHistory& key = history.keys.at(operation.name());
    const std::int64_t times = states_of(world, operation, key);
    if (operation.is_over() && says_not_done(operation.status) && times > 0) {
      findings.violated(describe(operation) + " was told as not done (" +
                        std::to_string(static_cast<int>(operation.status)) + ") and was");
    }
    // Appends and touches carry a value on into further states.
    const bool carried = std::ranges::any_of(history.operations, [&](const Operation& other) {
      return other.name() == operation.name() && other.change.action == Action::kTouch;
    });
    if (!is_plain(operation.change) && !carried && times > 1) {
      findings.violated(describe(operation) + " was done " + std::to_string(times) + " times");
    }
  }
  for (const auto& [name, key] : history.keys) {
    check_twice(world, key, findings);
  }
}

}  // namespace copal::sim
