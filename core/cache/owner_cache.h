#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/cache/answer_window.h"
#include "core/cache/apply_change.h"
#include "core/cache/cache_config.h"
#include "core/cache/listeners.h"
#include "core/cache/replication_log.h"
#include "core/mnode/owner_order.h"
#include "core/mnode/version.h"
#include "core/mnode/view.h"
#include "core/protocol/effect.h"
#include "core/values/replica.h"
#include "core/values/replica_store.h"
#include "core/values/value_fetch.h"

namespace copal {

/// What a member may do for a group at the moment, from ActingOwner; the node keeps it up to date.
struct Duty {
  bool acts = false;
  bool prepared = false;   // for `replicated` caches too (R1.2)
  View view;               // the highest seen
  SlotSet ready_replicas;  // members whose copy counts for `replicated`

  bool operator==(const Duty&) const = default;
};

struct OwnerCacheConfig {
  Incarnation incarnation;
  std::array<NodeId, kSlots> members{kNoNode, kNoNode, kNoNode};  // by slot; this one too
  std::uint64_t values_size_max_bytes = ~std::uint64_t{0};        // beyond: kFull
  std::uint64_t entries_max = ~std::uint64_t{0};                  // tombstones not counted
};

/// The acting owner's side of the cache: decides gets and changes of the groups it acts for, gives
/// versions, and answers changes when as many members have them as the cache's consistency says.
/// Source: paper, section III. Chosen: U3, U5. Rule: R0.3, R0.4, R1.2, R1.7, R1.8, R6.
/// Invariants: 1. every change done has a position in the log; 2. who waits for other members has
/// its m-node and bytes here; 3. no version is given twice.
class OwnerCache {
 public:
  /// All it is given outlives it.
  OwnerCache(const OwnerCacheConfig& config, OwnerId owner, const CacheCatalog& catalog,
             Replica& replica, ReplicationLog& log, HybridClock& clock, ValueFetch& fetch,
             const ReplicaStore& store);

  /// This member has another generation from now on (R5.4).
  void set_owner(OwnerId owner) { owner_ = owner; }
  /// What this member may do for each group, now. Changes that wait for a member that no longer
  /// counts are answered as what they then are.
  void set_duties(const std::array<Duty, kGroups>& duties, Effects& effects);
  const Duty& duty(Group group) const { return duties_[group.value]; }

  // Questions of servers, sent by them or relayed by a member. Each is answered, now or later; what
  // belongs to a group that this member does not act for, by kTryAgain.

  void on_get(NodeId from, const CacheGet& get, Now now, Effects& effects);
  void on_change(NodeId from, const CacheChange& change, Now now, Effects& effects);
  void on_offer(NodeId from, const OfferEntry& offer, Now now, Effects& effects);
  /// Another member acts, to which a change goes on. One that this member has answered is answered.
  /// to_start  of the other member's process
  void pass_on(NodeId from, const CacheChange& change, Slot to, Incarnation to_start,
               Effects& effects);
  void on_clear(NodeId from, const ClearCache& clear, Now now, Effects& effects);
  void on_list(NodeId from, const ListKeys& list, Now now, Effects& effects);

  // What the owner does by itself. The entry is here and its group is acted for, asserted.

  /// Removes an entry past its time, for all members.
  void expire(const MNodeEntry& entry, Now now, Effects& effects);
  bool may_expire(const MNode& mnode, Now now) const;

  /// A member has acknowledged more of the log.
  void on_replicated(Effects& effects);
  /// Bytes have come; gets and changes may have waited for them.
  void on_value(const ValueHash& hash, Now now, Effects& effects);
  /// Gives up what is past its deadline.
  void on_time(Now now, Effects& effects);
  TimePoint next_deadline() const;

  /// Whether nothing of this group is under way: it may be handed over.
  bool is_idle(Group group) const;

  Listeners& listeners() { return listeners_; }

  struct Counts {
    std::uint64_t gets = 0;
    std::uint64_t not_modified = 0;
    std::uint64_t changes = 0;
    std::uint64_t repeated = 0;     // came again and were answered from the window
    std::uint64_t single_copy = 0;  // acknowledged with no other member ready
    std::uint64_t expired = 0;
    std::uint64_t evicted = 0;
    std::uint64_t offers_taken = 0;
  };
  const Counts& counts() const { return counts_; }
  std::size_t waiting_count() const;

  void check_invariants() const;

 private:
  static constexpr std::size_t kHeldMax = 4096;
  static constexpr Duration kValueAtTime = 2s;
  static constexpr Duration kClearFor = 10s;

  /// A change that waits for another member.
  struct Wait {
    NodeId to;
    NodeId server;
    Incarnation incarnation;
    KeyHash key;
    Group group;
    Sync sync = Sync::kInterval;
    bool refuse_degraded = false;
    TimePoint deadline{};
    CacheAnswer answer;
  };
  /// A clear that waits for another member, or was answered not long ago.
  struct Clear {
    NodeId to;
    std::uint64_t sequence = 0;
    CacheId cache;
    GroupSet groups;             // cleared here
    std::uint64_t position = 0;  // of the last of them
    bool waits = true;
    CacheStatus status = CacheStatus::kDone;  // of its answer
    TimePoint deadline{};
  };
  /// A get, or a change, that waits for a value's bytes.
  struct HeldGet {
    NodeId to;
    CacheGet get;
    ValueHash hash;
    TimePoint deadline{};
  };
  struct HeldChange {
    NodeId from;
    CacheChange change;
    ValueHash hash;
    bool pinned = false;  // it is the change's own value, and no m-node's yet
    TimePoint deadline{};
  };

  // owner_cache.cpp: gets, and what all share.
  CacheAnswer answer_to(std::uint64_t sequence, NodeId origin, const KeyHash& key,
                        CacheStatus status) const;
  void answer_get(NodeId to, const CacheGet& get, Now now, Effects& effects);
  CacheStatus readiness(Group group, const CacheConfig* cache) const;
  void hold_get(NodeId to, const CacheGet& get, const ValueHash& hash, Now now, Effects& effects);
  void touch(const MNodeEntry& entry, TimePoint now);
  Version absence(const KeyHash& key, CacheId cache) const;
  void consider_deadline(TimePoint deadline);

  // owner_change.cpp: changes, in the order in which they are looked at.
  CacheStatus refusal(const CacheChange& change, const CacheConfig* cache, Now now);
  bool is_left(const CacheChange& change) const;
  bool make_room(const CacheChange& change, const CacheConfig& cache, Now now);
  static std::uint64_t size_after(const CacheChange& change, const MNodeEntry* entry, Now now);
  std::uint64_t added_bytes(const CacheChange& change, const MNodeEntry* entry, Now now) const;
  bool is_full_for(const CacheChange& change, Now now) const;
  bool hold_for_value(NodeId from, NodeId server, const CacheChange& change, Now now,
                      Effects& effects);
  void release(HeldChange& held);
  AnswerWindow::Seen look_up(NodeId from, NodeId server, const CacheChange& change,
                             Effects& effects);
  void refuse(NodeId to, const CacheChange& change, CacheStatus status, Effects& effects) const;
  bool answered_elsewhere(NodeId to, NodeId server, const CacheChange& change,
                          const CacheConfig& cache, Now now, Effects& effects);
  Blob added_value(const CacheChange& change) const;
  void do_change(NodeId to, NodeId server, const CacheChange& change, const CacheConfig& cache,
                 Now now, Effects& effects);
  static Wait wait_for(NodeId to, NodeId server, const CacheChange& change,
                       const CacheConfig& cache, Now now);
  void answer_when_copied(Wait wait, bool waits, Effects& effects);
  std::uint64_t install(MNode next, const std::string& key_text, const Blob& value, Now now);
  void finish_change(const Wait& wait, Effects& effects);
  std::optional<CacheStatus> settled(const Wait& wait);
  std::optional<bool> is_copied(Group group, std::uint64_t position) const;
  static CacheStatus status_alone(bool refuse_degraded);
  void copy_again();
  void settle_waits(bool all, Effects& effects);

  // owner_clear.cpp
  CacheStatus refusal(const GroupSet& groups, const CacheConfig* cache) const;
  Clear* find_clear(NodeId from, const ClearCache& clear);
  bool has_room_for_clear();
  void settle_clears(Effects& effects);
  void answer_clear(Clear& clear, Effects& effects) const;
  void copy_clears_again();
  bool waits_for(const Clear& clear, std::size_t slot) const;

  // owner_care.cpp: offers, keys, expiry, eviction.
  bool take_missing_value(const MNode& mnode, const ValueHash& hash, const Blob& value);
  OfferAnswer take_offer(const OfferEntry& offer, Now now, Effects& effects);
  const MNodeEntry* coldest(const CacheConfig& cache) const;
  void remove(const MNodeEntry& entry, Now now);

  OwnerCacheConfig config_;
  OwnerId owner_;
  const CacheCatalog& catalog_;
  Replica& replica_;
  ReplicationLog& log_;
  HybridClock& clock_;
  ValueFetch& fetch_;
  const ReplicaStore& store_;
  Listeners listeners_;
  std::array<Duty, kGroups> duties_;
  AnswerWindow window_;
  std::deque<Wait> waits_;     // by position
  std::vector<Clear> clears_;  // in the order in which they came
  std::vector<HeldGet> held_gets_;
  std::vector<HeldChange> held_;
  TimePoint next_deadline_ = kNever;  // of all that waits; may be early
  mutable std::uint64_t evict_from_ = 0;
  Counts counts_;
};

}  // namespace copal
