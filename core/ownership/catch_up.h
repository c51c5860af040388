#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/mnode/owner_order.h"
#include "core/mnode/version.h"
#include "core/ownership/compare_answer.h"
#include "core/ownership/set_aside.h"
#include "core/protocol/effect.h"
#include "core/values/replica.h"

namespace copal {

struct CatchUpConfig {
  std::size_t comparisons_max = 8;  // at a time
  Duration ask_again = 500ms;
  Duration give_up = 10s;  // without an answer to one question
};

/// The asking side of comparisons: makes this member's m-nodes of a group and a peer's the same, by
/// hash trees, in questions that are bounded in bytes, while both serve. One question of each
/// comparison is under way at a time and is asked again until it is answered, so what is lost or
/// comes twice does no harm. Values follow by themselves (ValueFetch). Rule: R4. Chosen: U8.
///
/// In the order in which they happen: open (clocks, horizons, clears) - then for each cache whose
/// sums differ: the buckets' sums - for each bucket that differs: the leaves' sums, answered by the
/// keys and versions in those that differ - an exchange: take, give, delete - then, for each cache
/// whose entries have idle timeouts, when they were used, which no sum shows (R0.7): a member that
/// was away would else let end what was used meanwhile - and at the end close.
/// The walk begins when both clocks have been exchanged: all that either side has issued below that
/// reading is seen by it, or is newer by now.
///
/// Invariants: 1. never more than comparisons_max; 2. each has one question under way; 3. no two
/// are of the same group and peer.
class CatchUp {
 public:
  /// All it is given outlives it.   members  by slot.
  CatchUp(const CatchUpConfig& config, Incarnation incarnation,
          const std::array<NodeId, kSlots>& members, Replica& replica, HybridClock& clock,
          SetAside& set_aside)
      : config_(config),
        incarnation_(incarnation),
        members_(members),
        replica_(replica),
        clock_(clock),
        set_aside_(set_aside),
        next_id_((incarnation.value - 1) << 32U | 1U) {}

  struct Wanted {
    Group group;
    Slot peer;
    bool ready = false;      // this member, for the group
    Duration uses_within{};  // all uses longer ago that the peer knows are known here
  };
  /// These are to be compared: those that are not under way begin, as far as there is room.
  void want(std::span<const Wanted> wanted, Now now, Effects& effects);
  /// The peer began anew or was given up: what is under way with it counts for nothing.
  void forget(Slot peer);

  // Answers. Those that belong to no question under way are ignored.

  void on_opened(const CompareOpened& opened, Now now, Effects& effects);
  void on_differ(const CompareDiffer& differ, Now now, Effects& effects);
  void on_exchanged(const CompareExchanged& exchanged, Now now, Effects& effects);
  /// Returns when the oldest use was that was news here; kNever if none was.
  TimePoint on_used(const CompareUsed& used, Now now, Effects& effects);
  struct Done {
    Slot peer;
    Compared compared;
  };
  /// Returns what is over; nothing if the peer knows nothing of its beginning.
  std::optional<Done> on_closed(const CompareClosed& closed, Now now, Effects& effects);

  void on_time(Now now, Effects& effects);
  TimePoint next_deadline() const;

  std::size_t under_way() const { return comparisons_.size(); }
  struct Counts {
    std::uint64_t begun = 0;
    std::uint64_t done = 0;
    std::uint64_t given_up = 0;
    std::uint64_t taken = 0;  // m-nodes
    std::uint64_t given = 0;
    std::uint64_t dropped = 0;  // here and there: removed long ago
  };
  const Counts& counts() const { return counts_; }

  void check_invariants() const;

 private:
  struct Comparison {
    Group group;
    Slot peer;
    std::uint64_t id = 0;
    bool was_ready = false;       // this member, when it began
    bool peer_was_ready = false;  // the same of the peer
    TimePoint began{};
    std::uint64_t agreed = 0;
    Version peer_horizon;
    std::vector<CacheId> caches;             // still to be compared, the next one last
    std::bitset<HashTree::kFanout> buckets;  // of this cache, still to be compared
    std::size_t bucket = 0;
    std::size_t next_leaf = HashTree::kFanout;  // of this bucket
    KeyHash next_after{};                       // of these leaves, keys up to here are done
    std::deque<KeyHash> take;                   // of these leaves
    std::deque<KeyHash> give;
    std::deque<KeyVersion> drop;      // at the peer
    std::vector<KeyVersion> removed;  // long ago: to be dropped here at the end
    std::size_t taking = 0;           // in the exchange under way
    Duration uses_within{};           // of both sides, when it began
    std::vector<CacheId> use_caches;  // whose uses are still to be exchanged, the next one last
    KeyHash uses_after{};             // of this cache, those up to this key are done

    std::uint32_t step = 0;
    Message question;
    TimePoint first_asked{};
    TimePoint asked{};
  };

  Comparison* find(const CompareStep& at);
  CompareStep next_step(Comparison& comparison);
  void ask(Comparison& comparison, Message question, Now now, Effects& effects);
  void begin(const Wanted& wanted, Now now, Effects& effects);
  void go_on(Comparison& comparison, Now now, Effects& effects);
  void ask_for_leaves(Comparison& comparison, Now now, Effects& effects);
  void exchange(Comparison& comparison, Now now, Effects& effects);
  void exchange_uses(Comparison& comparison, Now now, Effects& effects);
  void decide(Comparison& comparison, const CompareDiffer& differ, const CompareSums& question);
  void decide_mine(Comparison& comparison, const MNodeEntry& mine);
  void decide_theirs(Comparison& comparison, const KeyVersion& theirs);

  CatchUpConfig config_;
  Incarnation incarnation_;
  std::array<NodeId, kSlots> members_;
  Replica& replica_;
  HybridClock& clock_;
  SetAside& set_aside_;
  std::vector<Comparison> comparisons_;
  std::uint64_t next_id_;  // no answer to an earlier start is one to this
  Counts counts_;
};

}  // namespace copal
