#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/mnode/version.h"
#include "core/ownership/set_aside.h"
#include "core/protocol/effect.h"
#include "core/values/replica.h"

namespace copal {

/// A comparison that is over, at either side.
struct Compared {
  Group group;
  bool peer_was_ready = false;  // when it began
  std::uint64_t agreed = 0;     // reading of both sides' hybrid clocks
  TimePoint began{};
};

/// The answering side of comparisons (R4): each question is answered from what the replica holds at
/// the moment, so one that comes twice is answered twice. Only when each began is remembered.
/// Invariant: 1. never more than kOpenMax are remembered; the oldest is forgotten, and its asker
/// must begin again.
class CompareAnswer {
 public:
  /// replica, clock and set_aside  outlive it.
  CompareAnswer(Replica& replica, HybridClock& clock, SetAside& set_aside)
      : replica_(replica), clock_(clock), set_aside_(set_aside) {}

  /// ready        this member, for the group.
  /// uses_within  all uses longer ago that the peer knows are known here.
  void on_open(NodeId from, const CompareOpen& open, bool ready, Duration uses_within, Now now,
               Effects& effects);
  void on_sums(NodeId from, const CompareSums& asked, Effects& effects);
  void on_exchange(NodeId from, const CompareExchange& exchange, Now now, Effects& effects);
  /// Returns when the oldest use was that was news here; kNever if none was.
  TimePoint on_uses(NodeId from, const CompareUses& uses, Now now, Effects& effects);
  /// Returns what is over, if its beginning is known.
  std::optional<Compared> on_close(NodeId from, const CompareClose& close, Now now,
                                   Effects& effects);
  /// The peer began anew.
  void forget(NodeId peer);

 private:
  static constexpr std::size_t kOpenMax = 2 * kGroups;

  struct Open {
    NodeId peer;
    std::uint64_t comparison = 0;
    TimePoint began{};
    std::vector<KeyVersion> removed;  // long ago: to be dropped at the close
  };

  Open* find(NodeId peer, std::uint64_t comparison);

  Replica& replica_;
  HybridClock& clock_;
  SetAside& set_aside_;
  std::deque<Open> open_;
};

/// What a replica holds of each cache in a group.
std::vector<CacheSum> cache_sums(const Replica& replica, Group group);
/// Takes over what a peer knows to be cleared.
void heed_cleared(Replica& replica, HybridClock& clock, Group group,
                  const std::vector<CacheSum>& caches, TimePoint now);

/// Lists the uses of a cache's entries that have an idle timeout, not longer ago than `within`, of
/// keys after `after` up to `last` in the tree's order: as many as one message takes, and after
/// looking at a bounded number of entries (but at whole buckets).
/// uses  overwritten. Returns up to which key they are listed: `last`, or one before it.
KeyHash list_uses(const Replica& replica, Group group, CacheId cache, Duration within,
                  const KeyHash& after, const KeyHash& last, TimePoint now,
                  std::vector<KeyUse>& uses);
/// Takes over those of the group. Returns when the oldest was that was news; kNever if none was.
TimePoint heed_uses(Replica& replica, Group group, const std::vector<KeyUse>& uses, TimePoint now);

}  // namespace copal
