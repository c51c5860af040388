#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "core/base/ids.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "core/protocol/effect.h"
#include "core/values/replica.h"
#include "core/values/value_fetch.h"

namespace copal {

/// The other end of ReplicationLog: what one member receives from the others. M-nodes are installed
/// at once, by version, whatever was lost before them; a position is acknowledged when all up to it
/// is here, bytes included: those that did not come along are fetched from who sent the m-node.
/// What came may be replaced by a newer state at once, by a comparison or by what follows: then the
/// bytes of that are waited for, or nobody would have those that were acknowledged, nor newer ones.
/// Rule: R0.4. Invariants: 1. what is acknowledged never goes back within one start of the sender;
/// 2. positions that wait for bytes ascend.
class ReplicationFeed {
 public:
  /// has_synced_caches  some cache is `sync: always`.
  /// replica and fetch  outlive the feed.
  ReplicationFeed(bool has_synced_caches, Replica& replica, ValueFetch& fetch)
      : has_synced_caches_(has_synced_caches), replica_(replica), fetch_(fetch) {}

  /// Appends the acknowledgement, or asks for bytes that are missing.
  /// after_sync  its cache is always synced: the acknowledgement waits for this member's disk.
  void on_replicate(NodeId from, const Replicate& copy, bool after_sync, TimePoint now,
                    Effects& effects);
  void on_replicate_clear(NodeId from, const ReplicateClear& copy, bool after_sync,
                          Effects& effects);
  /// Bytes were put into the replica's store: acknowledges what waited for them only.
  void on_value(const ValueHash& hash, Effects& effects);
  /// Nobody that can be asked has these bytes, nor who sent their m-node: what has waited for them
  /// for kNowhereAfter would wait for ever, and hold up all that follows.
  void on_nowhere(const ValueHash& hash, TimePoint now, Effects& effects);
  /// The disk was full, and some of what it was to have is not there: so were acknowledgements lost
  /// that waited for it, and the next one must not stand for them before the disk has it all.
  void on_not_written();
  /// Gives up waiting for bytes that nobody needs any more, and waits for those that are needed in
  /// their place. To be called now and then.
  void on_time(Effects& effects);

  /// Up to where all of this sender's changes are here.
  std::uint64_t complete(NodeId from) const;
  void check_invariants() const;

 private:
  // Who has just begun is not heard by all yet, and may have them.
  static constexpr Duration kNowhereAfter = 10s;

  struct Waiting {
    std::uint64_t position = 0;
    // The position that came before it: those in between were left out for the sake of later ones,
    // perhaps of this one.
    std::uint64_t before = 0;
    KeyHash key;
    ValueHash hash;  // of what is held of it, as far as this is known: is_met()
    TimePoint since{};
  };
  struct Source {
    NodeId from;
    Incarnation incarnation;
    std::uint64_t received = 0;
    std::deque<Waiting> waiting;
    bool after_sync = false;  // some of what is not acknowledged must be synced first
  };

  Source* source_of(NodeId from, Incarnation incarnation);
  static bool take(Source& source, std::uint64_t position, std::uint64_t previous_position);
  static std::uint64_t complete(const Source& source);
  static void acknowledge(Source& source, Effects& effects);
  bool is_met(Waiting& waiting) const;
  void settle(const ValueHash& hash, TimePoint gives_up_since, Effects& effects);
  void wait_for_value(Source& source, const Replicate& copy, std::uint64_t before, TimePoint now,
                      Effects& effects);

  bool has_synced_caches_;
  Replica& replica_;
  ValueFetch& fetch_;
  std::vector<Source> sources_;  // by sender; at most two
};

}  // namespace copal
