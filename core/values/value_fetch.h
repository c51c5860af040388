#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "core/mnode/owner_order.h"
#include "core/protocol/effect.h"
#include "core/values/replica_store.h"

namespace copal {

/// Gets the bytes of values that are named by an m-node and not in memory: from the disk, else from
/// another member, in the order that the value's own hash gives, so that the bytes of one owner's
/// keys spread over the triad; and gives them to members that ask. Bytes that are missing are
/// fetched; the key is never deleted for it. What no member has, such as the bytes of a lone one
/// whose disk has damaged them, may still be at the server that wrote it (KeptWrites): so the
/// servers are asked last. Rule: R0.4, R1.7. Chosen: U6. Departs: the product removed the key,
/// everywhere (resin-facts F19). Invariant: 1. never more than kFetchesMax at a time; others wait
/// in ValueStore's missing ones.
class ValueFetch {
 public:
  /// Both outlive it.
  ValueFetch(Replica& replica, ReplicaStore& store) : replica_(replica), store_(store) {}

  /// The other members that can be asked, by slot; kNoNode: none there or not alive.
  void set_members(const std::array<NodeId, kSlots>& members) { members_ = members; }
  /// The servers that are there.
  void set_servers(std::vector<NodeId> servers) { servers_ = std::move(servers); }

  /// Somebody waits for these bytes, which are wanted in the store (a reference or a pin).
  /// hint  a member that has them, asked first; kNoNode: none in particular.
  void want(const ValueHash& hash, NodeId hint, TimePoint now, Effects& effects);

  /// Bytes came to the store in another way: with a change, or left for one.
  void on_here(const ValueHash& hash) { fetches_.erase(hash); }
  /// Somebody answered; the bytes, if it had them, were put into the store before. Returns whether
  /// by now all that can be asked have said that they have not got them.
  bool on_fetched(NodeId from, const FetchedValue& fetched, TimePoint now, Effects& effects);
  /// A read from the disk ended.
  void on_read(const StoreNews::Value& read, TimePoint now, Effects& effects);

  /// A member asks: answered now, or when the bytes are read.
  void on_fetch(NodeId from, const FetchValue& fetch, Effects& effects);

  /// Asks again for what did not come, and for the missing ones that nobody waits for.
  /// Returns those that nobody wants any more: their entries have gone or have other values, and
  /// whoever waits for them is to look at what is there.
  std::vector<ValueHash> on_time(TimePoint now, Effects& effects);
  TimePoint next_deadline() const { return fetches_.empty() ? kNever : next_deadline_; }

  std::size_t under_way() const { return fetches_.size(); }

 private:
  static constexpr std::size_t kFetchesMax = 1024;
  static constexpr std::size_t kBackgroundMax = 16;
  static constexpr std::size_t kAskersMax = 1024;
  static constexpr Duration kAskAgain = 500ms;

  struct Fetch {
    NodeId hint = kNoNode;
    TimePoint asked{};
    std::size_t asked_count = 0;
    std::set<NodeId> lack_it;  // have said so since they were last asked
  };

  std::vector<NodeId> candidates(const ValueHash& hash, const Fetch& fetch) const;
  void ask(const ValueHash& hash, Fetch& fetch, TimePoint now, Effects& effects);
  void start_background(TimePoint now, Effects& effects);
  void answer_askers(const ValueHash& hash, Effects& effects);

  Replica& replica_;
  ReplicaStore& store_;
  std::array<NodeId, kSlots> members_{kNoNode, kNoNode, kNoNode};
  std::vector<NodeId> servers_;
  std::map<ValueHash, Fetch> fetches_;
  std::map<ValueHash, std::vector<NodeId>> askers_;  // of values that are being read
  ValueHash background_from_;
  TimePoint next_deadline_ = kNever;  // may be early
};

}  // namespace copal
