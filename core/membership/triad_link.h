#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/detector/failure_detector.h"
#include "core/mnode/owner_order.h"
#include "core/mnode/view.h"
#include "core/protocol/effect.h"

namespace copal {

struct TriadLinkConfig {
  std::array<NodeId, kSlots> members{kNoNode, kNoNode, kNoNode};  // by slot
  NodeRole role = NodeRole::kDynamic;
  std::uint32_t generation = 1;
  Duration heartbeat_interval = 250ms;
  FailureDetectorConfig detector;
};

/// A server's or balancer's ties to the triad: heartbeats to each member, who of them is there, who
/// acts for which keys, and the list of servers. It decides nothing for others. Source: paper,
/// sections II and V.i. Rule: R0.3 (incarnation), R1.4, R9.
/// The list: the union of what the members say that are heard, since they are; the last one as long
/// as none of them has said anything.
/// Invariants: 1. the incarnation is above all that a member has known of this node.
class TriadLink {
 public:
  /// now  the start. Without a disk the incarnation begins as the wall clock's seconds.
  TriadLink(const TriadLinkConfig& config, Now now);

  struct News {
    bool restarted = false;  // it has a new incarnation: whatever was under its old one is void
    bool list_changed = false;
    bool owners_changed = false;  // who acts for some group, or a member's process is another
    // A member was lost or began anew, or has heard of this node since; or an event was refused.
    bool events_lost = false;
    std::optional<Slot> heartbeat_from;  // one that counts
  };
  News on_heartbeat(NodeId from, const MemberHeartbeat& heartbeat, Now now);
  News on_list(NodeId from, const ServerList& part, Now now);
  News on_link_down(NodeId peer, TimePoint now);
  /// Sends heartbeats when it is time; notices who is silent. phase and listens  what to say.
  News on_time(ServerPhase phase, const std::vector<CacheId>& listens, Now now, Effects& effects);
  /// It listens to more than before: there is news of events_lost when each member has heard so.
  void listens_anew(TimePoint now);
  /// What the next heartbeat says is said at once.
  void hasten() { next_heartbeat_ = TimePoint{}; }
  bool is_due(TimePoint now) const { return now >= next_heartbeat_; }
  /// The last one: it stops.
  void leave(Now now, Effects& effects);
  TimePoint next_deadline() const { return next_heartbeat_; }

  Incarnation incarnation() const { return incarnation_; }
  NodeId member(Slot slot) const { return config_.members[slot.value]; }
  std::optional<Slot> slot_of(NodeId node) const;
  bool is_heard(Slot slot, TimePoint now) const;
  bool hears_any(TimePoint now) const;

  /// Who acts for a group, as far as the members say; the highest view wins.
  View view(Group group) const { return views_[group.value]; }
  /// Who acts for a group as far as the heard members say, under the highest view or, where that
  /// one's member is silent, under a lower one: a split may have ended with its death. With nobody
  /// heard to act, the highest.
  Slot in_charge(Group group, TimePoint now) const;
  /// A member answered under this view.
  void heed(Group group, const View& view);
  /// The member to ask: who acts, else one that hears it act and relays, else the first in order
  /// that is heard, else the first that is there. avoid  not this one if another is heard.
  NodeId ask(Group group, Slot avoid, TimePoint now) const;
  NodeId ask(Group group, TimePoint now) const { return ask(group, Slot{kSlots}, now); }

  /// The start of a member's process, and up to where all ready members have what it changed
  /// (R1.7).
  Incarnation member_incarnation(Slot slot) const { return says_[slot.value].incarnation; }
  std::uint64_t replicated_up_to(Slot slot) const { return says_[slot.value].replicated_up_to; }
  bool is_alone(Slot slot) const { return says_[slot.value].alone; }

  const std::vector<ListedServer>& list() const { return list_; }

 private:
  struct Says {
    Incarnation incarnation;
    std::uint64_t replicated_up_to = 0;
    std::uint64_t events_refused = 0;
    bool alone = false;
    bool announced = false;
    Announcement announcement;
    bool has_list = false;  // it has said one since it is heard
    std::uint64_t list_number = 0;
    std::vector<ListedServer> list;
    std::uint64_t coming_number = 0;  // of a list of which not all parts are here
    std::uint16_t coming_next = 0;    // the next part of it
    std::vector<ListedServer> coming;
  };

  bool acts(Slot slot, Group group, TimePoint now) const;
  bool merge_lists(TimePoint now);
  void notice_silence(Slot slot, TimePoint now, News& news);
  ServerHeartbeat heartbeat_to(Slot slot, ServerPhase phase, const std::vector<CacheId>& listens,
                               TimePoint now);

  TriadLinkConfig config_;
  FailureDetector detector_;
  Incarnation incarnation_;
  std::array<Says, kSlots> says_;
  std::array<View, kGroups> views_{};
  bool is_heeded_ = false;  // a view of an answer, and no heartbeat since has said that it is news
  std::array<bool, kSlots> was_heard_{};
  /// Until a member has heard a heartbeat sent after this, it may not tell this node of events, and
  /// who has looked again before would miss them. Nothing: it has.
  std::array<std::optional<TimePoint>, kSlots> unheard_since_;
  std::vector<ListedServer> list_;
  TimePoint next_heartbeat_{};
};

}  // namespace copal
