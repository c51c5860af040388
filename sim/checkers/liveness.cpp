// Every operation ends, at its deadline at the latest; and once a core of members and servers is
// healed, whatever stays broken outside of it, operations at its servers succeed after the time
// that a failover takes.

#include <algorithm>
#include <array>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

using Kind = fuzz::PlannedFault::Kind;

bool is_disturbed(const fuzz::Plan& plan, std::uint32_t node) {
  return std::ranges::any_of(plan.faults, [node](const fuzz::PlannedFault& fault) {
    return fault.node == node && (fault.kind == Kind::kFreeze || fault.kind == Kind::kSlowNode ||
                                  fault.kind == Kind::kClockDrift);
  });
}

void check_ends(const fuzz::Trial& world, const Operation& operation, Findings& findings) {
  if (!operation.was_told || operation.died) {
    return;
  }
  findings.judged();
  const bool listed = operation.planned.kind == fuzz::PlannedOp::Kind::kList;
  const Duration most = operation.planned.timeout + operation.planned.timeout / 50 + 500ms;
  if (!operation.is_over()) {
    findings.violated(describe(operation) + " never ended");
  } else if (!listed && !is_disturbed(world.plan(), operation.server) &&
             operation.answered - operation.asked > most) {
    findings.violated(describe(operation) + " ended long after its deadline");
  }
}

/// Statuses that a core that is able to serve does not answer with.
bool is_failure(CacheStatus status) {
  return status == CacheStatus::kTimedOut || status == CacheStatus::kOutcomeUnknown ||
         status == CacheStatus::kTryAgain || status == CacheStatus::kOverloaded ||
         status == CacheStatus::kUnknownCache || status == CacheStatus::kNotAllowed ||
         status == CacheStatus::kNeedValue;
}

/// Whether its second copy may have been given up on the way: a clear alone sends each member a
/// change for every group, and a stream that holds fewer begins anew (R1.8).
bool lost_its_stream(const fuzz::Plan& plan, const Operation& operation) {
  return plan.replication_log_max < kGroups && operation.status == CacheStatus::kOutcomeUnknown &&
         cache_of(plan, operation).refuse_degraded;
}

/// Whether the bytes of what members have are anywhere: what nobody has can't be read.
bool bytes_are_somewhere(const KeyHistory& key, TimePoint at) {
  const HeldState* newest = nullptr;
  bool somewhere = true;
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    const HeldState* state = key.at(member, at);
    if (state == nullptr || (newest != nullptr && state->version < newest->version)) {
      continue;
    }
    somewhere =
        state->has_bytes || (newest != nullptr && state->version == newest->version && somewhere);
    newest = state;
  }
  return somewhere;
}

}  // namespace

void check_liveness(fuzz::Trial& world, Findings& findings) {
  const fuzz::Plan& plan = world.plan();
  // A member is given up, the next one compares or waits for others, and retries find it.
  const TimePoint from = world.core_from() + plan.start_alone_timeout + 3s + 12s;
  for (const Operation& operation : world.history().operations) {
    check_ends(world, operation, findings);
    const bool in_core = (plan.core_mask >> operation.server & 1U) != 0;
    if (!in_core || operation.asked < from || operation.planned.timeout < 5s ||
        operation.asked + operation.planned.timeout > world.healed_from()) {
      continue;
    }
    findings.judged();
    const bool whole_cache = operation.planned.kind == fuzz::PlannedOp::Kind::kClear ||
                             operation.planned.kind == fuzz::PlannedOp::Kind::kList;
    if (is_failure(operation.status) && !lost_its_stream(plan, operation) &&
        (whole_cache ||
         bytes_are_somewhere(world.history().keys.at(operation.name()), operation.asked))) {
      findings.violated(describe(operation) + " failed with status " +
                        std::to_string(static_cast<int>(operation.status)) +
                        " though a core was healed");
    }
  }
  for (const auto& request : world.requests()) {
    if (request.asked < from || request.asked + 6s > world.healed_from()) {
      continue;
    }
    findings.judged();
    if (request.answered == kNever || request.status != ClientStatus::kDone) {
      findings.violated("a request at " + seconds(request.asked) + " ended with status " +
                        std::to_string(static_cast<int>(request.status)) +
                        " though a core was healed");
    }
  }
}

}  // namespace copal::sim
