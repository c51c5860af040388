// Every operation ends, at its deadline at the latest; and once a core of members and servers is
// healed, whatever stays broken outside of it, operations at its servers succeed after the time
// that a failover takes. Before that, too, an operation succeeds at a server that hears a member
// well which hears the one that acts well: it passes on what it is asked (R1.4).

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

/// Another member began to act on the way, such as when a server shows a view that its side of a
/// split has come to: what may have been done under the one before is not done again, and its
/// server is told so when it asks (R0.3).
bool changed_owner(const History& history, Group group, const Operation& operation) {
  const auto& acting = history.acting[group.value];
  return operation.status == CacheStatus::kOutcomeUnknown && !is_plain(operation.change) &&
         operation.answered + 500ms < operation.asked + operation.planned.timeout &&
         std::ranges::any_of(acting, [&operation](const ActingSpan& span) {
           return span.from > operation.asked && span.from < operation.answered;
         });
}

/// Whether its second copy may have been given up on the way.
bool lost_its_stream(const fuzz::Plan& plan, const Operation& operation) {
  return clears_overflow(plan) && operation.status == CacheStatus::kOutcomeUnknown &&
         cache_of(plan, operation).refuse_degraded;
}

/// Whether the bytes of what some members have are at one of them: what nobody has can't be read.
/// members  a bit each.
bool have_bytes(std::uint32_t members, const KeyHistory& key, TimePoint at) {
  const HeldState* newest = nullptr;
  bool somewhere = true;
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    const HeldState* state = (members >> member & 1U) != 0 ? key.at(member, at) : nullptr;
    if (state == nullptr || (newest != nullptr && state->version < newest->version)) {
      continue;
    }
    somewhere =
        state->has_bytes || (newest != nullptr && state->version == newest->version && somewhere);
    newest = state;
  }
  return somewhere;
}

/// The same until an operation was over: that bytes are damaged shows when they are read.
bool have_bytes(std::uint32_t members, const KeyHistory& key, const Operation& operation) {
  return have_bytes(members, key, operation.asked) && have_bytes(members, key, operation.answered);
}

/// With fewer a server's changes wait for a member that does not hear the owner.
constexpr std::uint64_t kKeptMaxMany = 1'000'000;

void check_passed_on(const fuzz::Trial& world, const Operation& operation, Findings& findings) {
  const History& history = world.history();
  const KeyHistory& key = history.keys.at(operation.name());
  const TimePoint since = operation.asked - 10s;
  const TimePoint until = operation.answered;
  if (!operation.was_told || !operation.is_over() || operation.planned.timeout < 5s ||
      cache_of(world.plan(), operation).refuse_degraded ||
      world.plan().kept_max_bytes < kKeptMaxMany ||
      ended(history, operation.server, since, until) ||
      had_fault(world.plan(), Kind::kDiskSlow, Kind::kDiskTears, since, until)) {
    return;
  }
  const auto span = std::ranges::find_if(history.acting[key.group.value], [&](const auto& one) {
    return one.from <= since && one.to >= until;
  });
  if (span == history.acting[key.group.value].end() ||
      two_acted(history, key.group, since, until) ||
      !runs_through(history, span->member, since, until)) {
    return;
  }
  for (std::uint32_t by = 0; by < kSlots; ++by) {
    if (by == span->member || !runs_through(history, by, since, until) ||
        !hear_each_other(world, by, span->member, since, until) ||
        !hear_each_other(world, by, operation.server, since, until)) {
      continue;
    }
    findings.judged();
    // What may have happened is not always done again (R0.3): that is told, and no failure here.
    const bool unknown = operation.status == CacheStatus::kOutcomeUnknown;
    const std::uint32_t both = 1U << by | 1U << span->member;
    if (is_failure(operation.status) && !unknown && have_bytes(both, key, operation)) {
      findings.violated(describe(operation) + " failed with status " +
                        std::to_string(static_cast<int>(operation.status)) + "; member " +
                        std::to_string(by) + " could have passed it on to member " +
                        std::to_string(span->member));
    }
  }
}

/// Whether a server has been there from the begin, with no end in sight, and was well heard by the
/// members, while they were there, and by a balancer that has been there as long: whatever becomes
/// of the members, that one knows it.
bool is_known_to(const fuzz::Trial& world, std::uint32_t server, std::uint32_t balancer,
                 TimePoint to) {
  const History& history = world.history();
  const bool ordered = std::ranges::find(world.ordered(), server, &fuzz::Trial::Ordered::node) !=
                       world.ordered().end();
  const auto misses = [&](std::uint32_t member) {
    if ((world.plan().slots >> member & 1U) == 0) {
      return false;
    }
    return were_apart(world, server, member, {}, to) ||
           std::ranges::any_of(world.plan().faults, [&](const fuzz::PlannedFault& fault) {
             const bool is_frozen = fault.kind == Kind::kFreeze && fault.node == member;
             return TimePoint{fault.at} <= to && !is_frozen && comes_between(fault, server, member);
           });
  };
  const bool stops = std::ranges::any_of(world.plan().faults, [&](const fuzz::PlannedFault& fault) {
    return TimePoint{fault.at} <= to && fault.node == server && fault.kind < Kind::kSlowNode;
  });
  return !ordered && !stops && !ended(history, server, {}, to) &&
         !ended(history, balancer, {}, to) && hear_each_other(world, server, balancer, {}, to) &&
         !misses(0) && !misses(1) && !misses(2);
}

/// A balancer answers each request, however its servers answer it (core/node/balancer.h).
void check_request_ends(const fuzz::Trial& world, const fuzz::Trial::ClientAnswer& request,
                        Findings& findings) {
  const TimePoint by = request.asked + fuzz::kRequestTimeout + 500ms;
  if (!request.was_told || by > world.now() || is_disturbed(world.plan(), request.balancer) ||
      ended(world.history(), request.balancer, request.asked, by)) {
    return;
  }
  findings.judged();
  if (request.answered > by) {
    findings.violated("a request at " + seconds(request.asked) +
                      " was never answered by balancer " + std::to_string(request.balancer));
  }
}

/// By then balancers know the servers that were there from the begin, if a member was.
constexpr TimePoint kFirstLists{3s};

/// A balancer goes on with its last list while it hears no member (R9), and while those that it
/// hears have only begun, or were frozen: they say nothing until they have heard the servers.
void check_routed(const fuzz::Trial& world, const fuzz::Trial::ClientAnswer& request,
                  Findings& findings) {
  bool were_listed = false;
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    were_listed = were_listed || runs_through(world.history(), member, TimePoint{1s}, kFirstLists);
  }
  for (std::uint32_t server = 3; server < 3 + world.plan().servers; ++server) {
    if (were_listed && request.asked >= kFirstLists &&
        is_known_to(world, server, request.balancer, request.answered)) {
      findings.judged();
      if (request.status == ClientStatus::kRejected) {
        findings.violated("a request at " + seconds(request.asked) + " was rejected by balancer " +
                          std::to_string(request.balancer) + ", which must know server " +
                          std::to_string(server));
      }
    }
  }
}

}  // namespace

void check_liveness(fuzz::Trial& world, Findings& findings) {
  const fuzz::Plan& plan = world.plan();
  if (world.went_in_circles()) {
    findings.violated("the run had " + std::to_string(world.counts().events) + " events by " +
                      seconds(world.now()) + ": nodes answer each other without an end");
    return;
  }
  // A member is given up, the next one compares or waits for others, and retries find it.
  const TimePoint from = world.core_from() + plan.start_alone_timeout + 3s + 12s;
  for (const Operation& operation : world.history().operations) {
    check_ends(world, operation, findings);
    const bool whole_cache = operation.planned.kind == fuzz::PlannedOp::Kind::kClear ||
                             operation.planned.kind == fuzz::PlannedOp::Kind::kList;
    if (!whole_cache) {
      check_passed_on(world, operation, findings);
    }
    const bool in_core = (plan.core_mask >> operation.server & 1U) != 0;
    if (!in_core || operation.asked < from || operation.planned.timeout < 5s ||
        operation.asked + operation.planned.timeout > world.healed_from()) {
      continue;
    }
    findings.judged();
    const auto can_be_done = [&] {
      const KeyHistory& key = world.history().keys.at(operation.name());
      return have_bytes(plan.core_mask, key, operation) &&
             !changed_owner(world.history(), key.group, operation);
    };
    if (is_failure(operation.status) && !lost_its_stream(plan, operation) &&
        (whole_cache || can_be_done())) {
      findings.violated(describe(operation) + " failed with status " +
                        std::to_string(static_cast<int>(operation.status)) +
                        " though a core was healed");
    }
  }
  for (const auto& request : world.requests()) {
    check_request_ends(world, request, findings);
    check_routed(world, request, findings);
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
