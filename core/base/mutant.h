#pragma once

#include <array>
#include <cstdint>
#include <string_view>

// Defects that are put into the core on purpose, one at a time, to see whether the fuzzer's
// checkers find them: each leaves out one rule of the protocols. They exist in one special build
// only (COPAL_MUTANTS), where a run chooses one by name; everywhere else COPAL_MUTANT() is constant
// and the compiler removes what it guards.
//
// Named by what goes wrong. The second column is the rule; `list` marks those that the issue of the
// cache names itself. The hidden ones were written from the core and the rules alone, by somebody
// who had not seen the checkers: how many of them are caught says what the others can't.

// clang-format off
#define COPAL_MUTANT_LIST(X) \
  X(kAgesIgnored, "R0.1", "an m-node that arrives counts as changed and used now") \
  X(kWallClockStepsAge, "R0.1", "a wall clock that went backwards makes what was loaded younger") \
  X(kAfterSyncIgnored, "R0.2", "messages that must wait for the store leave at once") \
  X(kUnsyncedIsDurable, "list", "what was written counts as synced") \
  X(kBatchesSplit, "R0.2", "a step's writes go to the store without their values now and then") \
  X(kWindowForgotten, "R0.3", "an owner keeps no answers: what comes twice is done twice") \
  X(kRedoneElsewhere, "R0.3", "what may have happened elsewhere is done again, plain or not") \
  X(kLastChangeIgnored, "R0.3", "the m-node's last change is not looked at before doing it again") \
  X(kUnknownToldAsTimedOut, "R0.3", "a change that may still happen is told as one that can't") \
  X(kIncarnationRepeated, "R0.3", "a member's new start has its old incarnation") \
  X(kAckedWithoutBytes, "R0.4", "a replica acknowledges an m-node whose bytes it lacks") \
  X(kBytesNotFetched, "R0.4", "missing bytes are not fetched from a peer") \
  X(kMissingValueDeletesKey, "list", "a get that finds the bytes missing removes the key") \
  X(kClearNotReplicated, "R0.6", "a clear stays at the member that did it") \
  X(kClearedStillRead, "R0.6", "what was cleared is read until it is dropped") \
  X(kUsesNotTold, "R0.7", "a use of an entry with an idle timeout is told to nobody") \
  X(kUsesNotCompared, "R0.7", "a member that was away does not ask what was used meanwhile") \
  X(kExpiredIsRead, "R0.7", "an entry past its time is still read") \
  X(kEvictionNotReplicated, "R0.7", "an evicted entry is dropped here alone") \
  X(kFullStoreForgets, "R0.7", "what a full disk refused is not written again") \
  X(kActsUnready, "R1.1", "a member may act without being ready") \
  X(kReadyAlone, "R1.1", "a member that starts is ready without having compared") \
  X(kTermNotRaised, "R1.2", "who takes over acts under the term of before") \
  X(kReplicatedUnprepared, "R1.2", "`replicated` is answered before the comparison") \
  X(kHigherViewIgnored, "R1.3", "who acts goes on when it sees a higher view") \
  X(kStoppedOwnerKeepsChanges, "R1.3", "who stops passes on nothing, and none takes it") \
  X(kHeardOwnerReplaced, "R1.4", "a member takes over although a peer hears the owner act") \
  X(kNotRelayed, "R1.4", "a member that does not act refuses what it could pass on") \
  X(kHandOverEarly, "R1.5", "a group is handed over before the heir has its changes") \
  X(kPrimaryNeverAsks, "R1.5", "the primary does not ask for its groups back") \
  X(kFrozenGoesOn, "R1.6", "a member that was frozen goes on acting") \
  X(kWritesNotKept, "R1.7", "a writing server keeps nothing") \
  X(kKeptNotOffered, "R1.7", "kept writes are not offered to a new owner") \
  X(kReplicatedUpToAhead, "R1.7", "`replicated_up_to` says what was sent, not what is acked") \
  X(kBehindIsReady, "R1.8", "a replica that missed changes still counts") \
  X(kReplicationSkipped, "list", "a change is not replicated now and then") \
  X(kSingleCopyNotSaid, "list", "a change that is here alone is acknowledged as replicated") \
  X(kTombstonesDroppedAtOnce, "R4.1", "tombstones are dropped whether all know them or not") \
  X(kAgreedAfterDeath, "R4.1", "what was agreed with a replaced member counts for its successor") \
  X(kHorizonNotHeeded, "R4.2", "an unknown m-node below the horizon is installed") \
  X(kDeletedIsCopied, "R4.3", "a comparison copies what was removed long ago") \
  X(kHorizonNotTakenOver, "R4.3", "the higher horizon is not taken over") \
  X(kNotSetAside, "R4.4", "what only a long lost member had is deleted without a trace") \
  X(kBucketSkipped, "list", "a comparison leaves out a bucket of the tree") \
  X(kWriterVersions, "list", "the version comes from the writer's clock") \
  X(kVersionNotAbove, "R6", "a version is the clock's reading, whatever was there before") \
  X(kClockNotObserved, "R6", "the hybrid clock does not follow what others show") \
  X(kClockFollowsWall, "R6", "the hybrid clock's offset is set from the wall clock every time") \
  X(kReservedNotHeeded, "R6", "a new start does not look at the clock reserved on disk") \
  X(kBaseNotNoted, "R6", "an m-node does not say which foreign version it replaced") \
  X(kLocalReadTimeoutIgnored, "list", "a copy is used however old it is") \
  X(kOldAnswerForNewRead, "list", "a read joins a question however long ago that was sent") \
  X(kListNotPushed, "list", "a changed list of servers is not pushed") \
  X(kDisabledIsListed, "R9", "a disabled server stays in the list") \
  X(kGroupNotListed, "list", "a list of keys leaves out the group behind an empty one") \
  X(kRefusedEventsUntold, "list", "a listener with a full queue is not told that it misses some") \
  X(kOverwrittenNotCounted, "R6", "an acknowledged write that a split overwrites is not counted") \
  X(kBalancerMayWrite, "R9", "a member takes changes of a balancer") \
  X(kListsNotUnited, "R9", "a balancer heeds only the first member's list") \
  X(kDrainingIsReady, "R9", "a server that its operator drains is listed as ready") \
  X(kListForgotten, "R9", "with no member heard, a balancer routes to nobody") \
  X(kDeadIsListed, "R9", "a server that is dead stays in the list") \
  X(kListedUnheard, "R9", "who has not been heard since the start is absent at once") \
  X(kHiddenMeanwhileNotSynced, "R0.2", "what is written while a sync runs counts as synced") \
  X(kHiddenRefusalSettlesAll, "R0.3", "one refused attempt settles all others of the change") \
  X(kHiddenIdleGraceForgotten, "R0.7", "an idle entry expires while a use may be unknown") \
  X(kHiddenBrokenLinkUntold, "R1.4", "a listener is not told that a broken link lost events") \
  X(kHiddenHandOverNotTakenBack, "R1.5", "a hand-over that nobody took is never taken back") \
  X(kHiddenBrokenLinkNotResent, "R1.7", "what was under way as a link broke is not sent again") \
  X(kHiddenAgreedWithOne, "R4.1", "what one other member agreed on counts for all") \
  X(kHiddenClearNotCompared, "R4.3", "a comparison does not pass on what was cleared") \
  X(kHiddenFarClockIgnored, "R6", "a clock more than a minute ahead is not followed") \
  X(kHiddenOlderOrderWins, "R9", "an operator's older order replaces the newer one")
// clang-format on

namespace copal {

#ifdef COPAL_MUTANTS

enum class Mutant : std::uint8_t {
  kNone,
#define COPAL_MUTANT_ENUMERATOR(name, rule, what) name,
  COPAL_MUTANT_LIST(COPAL_MUTANT_ENUMERATOR)
#undef COPAL_MUTANT_ENUMERATOR
};

struct MutantInfo {
  Mutant mutant = Mutant::kNone;
  std::string_view name;
  std::string_view rule;
  std::string_view what;
};
inline constexpr std::array kMutants = {
#define COPAL_MUTANT_INFO(name, rule, what) MutantInfo{Mutant::name, #name, rule, what},
    COPAL_MUTANT_LIST(COPAL_MUTANT_INFO)
#undef COPAL_MUTANT_INFO
};

/// The one of this process. Set before any node is made.
inline Mutant active_mutant = Mutant::kNone;
/// For those that do it now and then: true every n-th time.
inline std::uint64_t mutant_uses = 0;
inline bool now_and_then(std::uint64_t n) {
  return ++mutant_uses % n == 0;
}

#define COPAL_MUTANT(name) (::copal::active_mutant == ::copal::Mutant::name)
#define COPAL_MUTANT_SOMETIMES(name, n) (COPAL_MUTANT(name) && ::copal::now_and_then(n))

#else

inline constexpr bool kNoMutant = false;
#define COPAL_MUTANT(name) (::copal::kNoMutant)
#define COPAL_MUTANT_SOMETIMES(name, n) (::copal::kNoMutant)

#endif

}  // namespace copal
