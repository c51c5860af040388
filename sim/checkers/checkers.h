#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/checkers/history.h"
#include "sim/fuzz/trial.h"

// What must hold in every run, one property a file. A checker judges a finished run by its history
// alone, and says how often it had something to judge.

namespace copal::sim {

struct Violation {
  std::string checker;
  std::string message;
};

/// What the checkers found in one run.
class Findings {
 public:
  /// All that follows is this checker's.
  void begin(std::string_view checker) { checker_ = checker; }
  /// One thing was looked at.
  void judged(std::uint64_t count = 1) { judged_[checker_] += count; }
  void violated(std::string message) { violations_.push_back({checker_, std::move(message)}); }

  const std::vector<Violation>& violations() const { return violations_; }
  /// By checker.
  const std::map<std::string, std::uint64_t>& judged_counts() const { return judged_; }

 private:
  std::string checker_;
  std::vector<Violation> violations_;
  std::map<std::string, std::uint64_t> judged_;
};

struct Checker {
  std::string_view name;
  std::string_view what;  // one sentence, for people
  void (*check)(fuzz::Trial& world, Findings& findings);
};
std::span<const Checker> all_checkers();
/// Runs all but those named.
Findings check_run(fuzz::Trial& world, std::span<const std::string> but = {});

// The properties.
void check_staleness(fuzz::Trial& world, Findings& findings);
void check_durability(fuzz::Trial& world, Findings& findings);
void check_copies(fuzz::Trial& world, Findings& findings);
void check_synced(fuzz::Trial& world, Findings& findings);
void check_versions(fuzz::Trial& world, Findings& findings);
void check_monotonic(fuzz::Trial& world, Findings& findings);
void check_values(fuzz::Trial& world, Findings& findings);
void check_atomicity(fuzz::Trial& world, Findings& findings);
void check_outcomes(fuzz::Trial& world, Findings& findings);
void check_expiry(fuzz::Trial& world, Findings& findings);
void check_overwritten(fuzz::Trial& world, Findings& findings);
void check_ownership(fuzz::Trial& world, Findings& findings);
void check_convergence(fuzz::Trial& world, Findings& findings);
void check_liveness(fuzz::Trial& world, Findings& findings);
void check_routing(fuzz::Trial& world, Findings& findings);
void check_server_list(fuzz::Trial& world, Findings& findings);
void check_events(fuzz::Trial& world, Findings& findings);
void check_listing(fuzz::Trial& world, Findings& findings);

// What they share.

/// "put 17 of key 1/3 at 12.345 s", for messages.
std::string describe(const Operation& operation);
std::string describe(const Version& version);
std::string seconds(TimePoint time);
/// Whether entries of the key end by themselves: by a timeout, their cache's or one of their own,
/// or by eviction.
bool ends_by_itself(const fuzz::Plan& plan, const KeyName& name);
/// Whether some change of the key gives it an expire timeout of its own.
bool has_own_timeouts(const fuzz::Plan& plan, const KeyName& name);
const fuzz::PlannedCache& cache_of(const fuzz::Plan& plan, const Operation& operation);
/// Whether a clear of its cache overlaps it: a member that has heard of that need not take what was
/// before.
bool is_cleared_meanwhile(const History& history, const Operation& write);
/// Under which version a clear was done in a group: the lowest that a member came to know
/// meanwhile, or kNoVersion. Where clocks differ, that of an earlier clear may be higher.
Version cleared_as(const History& history, Group group, const Operation& clear);
/// Whether a fault of one of these kinds was active at some time of a span.
bool had_fault(const fuzz::Plan& plan, fuzz::PlannedFault::Kind first,
               fuzz::PlannedFault::Kind last, TimePoint from = TimePoint{}, TimePoint to = kNever);

/// Whether in a span no process was frozen or slow, no link was ill and no clock drifted.
bool is_calm(const fuzz::Plan& plan, TimePoint from = TimePoint{}, TimePoint to = kNever);

/// A span of time in which no member had a version of a key, or a newer one, with its bytes.
struct Gap {
  TimePoint from{};
  TimePoint to = kNever;
};
std::vector<Gap> gaps(const KeyHistory& key, const Version& version, TimePoint from);
/// How often a member's disk was lost up to a time. One that hears nobody after it knows nothing of
/// its terms and generation: it is another one.
std::int64_t disks_lost(const fuzz::Plan& plan, std::uint32_t member, TimePoint before);
/// Whether members may have no m-node any more of a state that one had: it was cleared, or it is
/// below a horizon (R4.2).
bool may_be_forgotten(const History& history, const KeyName& name, const KeyHistory& key,
                      const HeldState& state, TimePoint when);
/// Whether a node's process ended within a span.
bool ended(const History& history, std::uint32_t node, TimePoint from, TimePoint to);
/// Whether a member's process is there at a time.
bool runs(const History& history, std::uint32_t member, TimePoint at);
/// Whether a member runs at the begin of a span and all through it.
bool runs_through(const History& history, std::uint32_t member, TimePoint from, TimePoint to);
/// Whether one of two nodes was cut off from the core at some time of a span, while that was alone
/// in being healed.
bool were_apart(const fuzz::Trial& world, std::uint32_t one, std::uint32_t other, TimePoint from,
                TimePoint to);
/// Whether a stream between members may begin anew for a clear alone, which sends a change for
/// every group (R1.8): then what it held is brought by comparisons, one after another.
inline bool clears_overflow(const fuzz::Plan& plan) {
  return plan.replication_log_max < kGroups;
}
/// Whether a change may be done twice (R0.3).
inline bool is_plain(const Change& change) {
  return change.condition == Condition::kNone && !change.wants_previous &&
         (change.action == Action::kPut || change.action == Action::kRemove);
}
/// Whether two nodes do not hear each other well while a fault lasts.
bool comes_between(const fuzz::PlannedFault& fault, std::uint32_t one, std::uint32_t other);
/// Whether two nodes hear each other well all through a span, as far as faults go.
bool hear_each_other(const fuzz::Trial& world, std::uint32_t one, std::uint32_t other,
                     TimePoint from, TimePoint to);
/// Whether three members run and hear each other all through a span.
bool are_all_well(const fuzz::Trial& world, TimePoint from, TimePoint to);
/// Whether another member acted for a group under a higher view than this one did, some time before
/// `to` and not only before `from`: whoever hears of that goes by it.
bool is_outbid(const History& history, Group group, const ActingSpan& by, TimePoint from,
               TimePoint to);
/// Whether two members acted for a group at the same time within a span.
bool two_acted(const History& history, Group group, TimePoint from, TimePoint to);
/// Whether what a put or a touch made has an expire timeout that it may have: its own, or that of
/// its cache, less what that is spread by.
bool may_have_timeout(const fuzz::PlannedCache& cache, const Change& change, Duration has);
/// The operation that was told that it made a version, or nothing.
const Operation* told_of(const History& history, const KeyName& name, const Version& version);
/// When a version was first seen anywhere; kNever if it was not.
TimePoint born(const KeyHistory& key, const Version& version);
/// Whether there may be no other member that tells one what it has forgotten.
bool may_hear_nobody(const fuzz::Trial& world, std::uint32_t member);
/// Whether links have kept a member from hearing any other one since its process last began.
bool has_heard_nobody(const fuzz::Trial& world, std::uint32_t member, TimePoint at);
/// How often a member may have forgotten what terms it acted in. Where it hears no other, nobody
/// tells it before it acts; with a damaged disk each of its starts may have.
std::int64_t starts_of_memory(const fuzz::Trial& world, std::uint32_t member, TimePoint before);

}  // namespace copal::sim
