#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/cache/answer_window.h"
#include "core/cache/apply_change.h"
#include "core/cache/cache_config.h"
#include "core/cache/replication_log.h"
#include "core/mnode/owner_order.h"
#include "core/mnode/version.h"
#include "core/mnode/view.h"
#include "core/protocol/effect.h"
#include "core/values/replica.h"

namespace copal {

/// What a member may do for a group at the moment, from ActingOwner; the node keeps it up to date.
struct Duty {
  bool acts = false;
  bool prepared = false;               // for `replicated` caches too (R1.2)
  View view;                           // the highest seen
  std::vector<NodeId> ready_replicas;  // members whose copy counts for `replicated`
};

struct OwnerCacheConfig {
  NodeId self;
  OwnerId owner;
  Incarnation incarnation;
  std::uint64_t values_size_max_bytes = ~std::uint64_t{0};  // beyond: kFull
  std::uint64_t entries_max = ~std::uint64_t{0};
};

/// The acting owner's side of the cache: decides gets and changes of the groups it acts for, gives
/// versions, and answers changes when as many members have them as the cache's consistency says.
/// Source: paper, section III. Chosen: U3, U5. Rule: R0.3, R0.4, R1.2, R1.7, R1.8, R6.
/// Invariants: 1. every change done has a position in the log; 2. who waits for other members has
/// its m-node and bytes here; 3. no version is given twice.
class OwnerCache {
 public:
  /// catalog, replica, log and clock outlive it.
  OwnerCache(const OwnerCacheConfig& config, const CacheCatalog& catalog, Replica& replica,
             ReplicationLog& log, HybridClock& clock);

  /// What this member may do for a group has changed. Changes that wait for a member that no longer
  /// counts are answered as what they then are.
  void set_duty(Group group, const Duty& duty, Effects& effects);
  const Duty& duty(Group group) const { return duties_[group.value]; }

  /// A request came, from a server or relayed by a member. Appends the answer, now or later. One
  /// for a group that this member does not act for is answered kTryAgain.
  void on_get(NodeId from, const CacheGet& get, Now now, Effects& effects);
  void on_change(NodeId from, const CacheChange& change, Now now, Effects& effects);

  /// A member has acknowledged more of the log.
  void on_replicated(Effects& effects);
  /// Bytes were put into the replica's store; gets may have waited for them.
  void on_value(const ValueHash& hash, Now now, Effects& effects);
  /// Gives up what is past its deadline; asks again for bytes that did not come.
  void on_time(Now now, Effects& effects);
  TimePoint next_deadline() const;

  /// Members that can be asked for missing bytes, in order; all but this one that are alive.
  void set_peers(std::vector<NodeId> peers) { peers_ = std::move(peers); }

  struct Counts {
    std::uint64_t gets = 0;
    std::uint64_t not_modified = 0;
    std::uint64_t changes = 0;
    std::uint64_t repeated = 0;     // came again and were answered from the window
    std::uint64_t single_copy = 0;  // acknowledged with no other member ready
  };
  const Counts& counts() const { return counts_; }
  std::size_t waiting_count() const { return waits_.size() + value_waits_.size(); }

  void check_invariants() const;

 private:
  static constexpr Duration kFetchAgain = 500ms;
  static constexpr std::size_t kValueWaitsMax = 4096;

  /// A change that waits for another member.
  struct Wait {
    NodeId to;
    NodeId server;
    Incarnation incarnation;
    Group group;
    bool refuse_degraded = false;
    TimePoint deadline{};
    CacheAnswer answer;
  };
  /// A get that waits for its value's bytes.
  struct ValueWait {
    NodeId to;
    CacheGet get;
    ValueHash hash;
    TimePoint deadline{};
    TimePoint asked{};
    std::size_t asked_count = 0;
  };

  CacheAnswer answer_to(std::uint64_t sequence, NodeId origin, const KeyHash& key,
                        CacheStatus status) const;
  void answer_get(NodeId to, const CacheGet& get, Now now, Effects& effects);
  void wait_for_value(NodeId to, const CacheGet& get, const ValueHash& hash, Now now,
                      Effects& effects);
  void ask_for_value(ValueWait& wait, TimePoint now, Effects& effects);
  void touch(const MNodeEntry& entry, TimePoint now);

  CacheStatus refusal(const CacheChange& change, const CacheConfig* cache) const;
  bool is_full_for(const CacheChange& change) const;
  bool answered_elsewhere(NodeId to, NodeId server, const CacheChange& change, Now now,
                          Effects& effects);
  void do_change(NodeId to, NodeId server, const CacheChange& change, const CacheConfig& cache,
                 Now now, Effects& effects);
  std::uint64_t install(const CacheChange& change, NodeId server, MNode next, Now now);
  void finish_change(const Wait& wait, Effects& effects);
  bool settled(Wait& wait);
  void settle_waits(Effects& effects);

  OwnerCacheConfig config_;
  const CacheCatalog& catalog_;
  Replica& replica_;
  ReplicationLog& log_;
  HybridClock& clock_;
  std::array<Duty, kGroups> duties_;
  std::vector<NodeId> peers_;
  AnswerWindow window_;
  std::deque<Wait> waits_;  // by position
  std::vector<ValueWait> value_waits_;
  Counts counts_;
};

}  // namespace copal
