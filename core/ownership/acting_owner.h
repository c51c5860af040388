#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/time.h"
#include "core/detector/failure_detector.h"
#include "core/mnode/owner_order.h"
#include "core/mnode/view.h"

namespace copal {

struct ActingOwnerConfig {
  /// A member that starts and finds no other waits this long before it serves alone; so long, too,
  /// it waits for a comparison with a peer that it hears but that does not hear it.
  Duration start_alone_timeout = 30s;
  /// A hand-over not answered within this is taken back; also the interval between two questions
  /// for one. Well above a round trip and what is pending in a step, well below dead_after.
  Duration hand_over_timeout = 1s;
};

/// Terms that this start of the member may use: first <= term < below. No earlier start used one of
/// first or above; that all below `below` are taken is on disk, synced.
struct TermRange {
  std::uint32_t first = 1;
  std::uint32_t below = 1;
};

/// What was decided; the node turns it into effects, in this order.
struct OwnerEvent {
  enum class Kind : std::uint8_t {
    kStarted,       // acts under `view`; announce it at once
    kPrepared,      // may answer for `replicated` from now on
    kStopped,       // acts no longer: pass queued requests and the group's m-nodes to view.slot,
                    // unless that is this member: then nobody is known
    kReady,         // compared with all it must; announce it
    kNotReady,      // must be compared again; announce it
    kAskHandOver,   // send the question for `view` to `peer`
    kDrain,         // take no new request, finish those under way, send `peer` what it may lack,
                    // then call on_drained
    kHandOver,      // send `peer` the hand-over of `view`, with `prepared` and `behind`
    kReserveTerms,  // put view.term on disk as the new `below`, then call on_terms_reserved
  };
  Kind kind{};
  Group group;
  View view;
  Slot peer;
  bool prepared = false;
  SlotSet behind;
};
using OwnerEvents = std::vector<OwnerEvent>;

/// Who acts for each group of keys of `available` and `replicated` caches, as one triad member sees
/// it. No consensus: whoever may act and sees nobody act does so under a higher view, and the
/// lower view gives way when they meet. So nothing blocks; two act only in a split, after a freeze
/// or for one heartbeat. It sends nothing: it is told of events and says what it decided. One
/// thread. Source: paper, section III; resin-facts M6 to M8. Chosen: U1, U14. Rule: R1.
///
/// Ready (R1.1): compared, since its start, its last freeze or its first contact after a time
/// without any peer, with every peer not given up, one of which was ready; or with all filled
/// slots; or the start is start_alone_timeout ago. A peer is not given up before the detector calls
/// it dead, so R1.6's "T_dead without a word: ready again" follows and has no rule of its own.
///
/// Departs from R1, each for a reason:
/// - owner_acts is said of others too. A member that has lost sight of the owner does not take over
///   while a peer hears it act: a broken link between two members makes no second owner, and in
///   a bridge (A - C - B) ownership does not swing to and fro. Price: one heartbeat at a failover.
/// - Who acts does not lose readiness by a first contact: it would leave nobody to act. It goes on
///   for `available`, and is compared again before it answers for `replicated`. If a higher view
///   then stops it, it is not ready.
/// - The peers to compare with before answering for `replicated` are those that have said ready
///   once: this member's own word that they are behind must not excuse it from looking at them.
/// - A peer that was dead to the acting owner is behind: it missed changes without knowing.
/// - Not each view is saved but one number, the terms reserved: no start uses a term of an earlier
///   one, and a takeover waits for no disk. So a pair (term, slot) names one start's act for good.
/// - A peer that has heard nothing of this member for start_alone_timeout cannot be compared with
///   and is not waited for: else a link broken one way would refuse `replicated` for ever.
///
/// From the moment that all members are up and all links heal, one acts per group and it is the
/// first filled slot, after at most T = dead_after + 2 rounds of comparing + 2 hand_over_timeout +
/// 3 heartbeats: states settle; marks of `behind` and restarts cost each group a comparison with
/// each peer, a lost announcement of ready a second; a question lost or taken back costs two
/// time-outs; each word takes up to a heartbeat.
///
/// Invariants: 1. who acts is ready, and its view names it; 2. a view never goes back; 3. a term
/// under which it acts lies in its range; 4. nothing is kept of a peer that is not here.
class ActingOwner {
 public:
  /// self    this member's slot, one of `filled`, asserted.   now  the process's start.
  /// terms   may be empty (first == below): terms are then reserved when needed.
  ActingOwner(const ActingOwnerConfig& config, Slot self, SlotSet filled, TermRange terms,
              TimePoint now);

  /// Each handler appends what it decided to `events`. now: the step's time.

  /// Slots were filled or emptied (R5). self stays, asserted. A replaced member needs no call: it
  /// is heard as a peer that restarted.
  void on_filled(SlotSet filled, TimePoint now, OwnerEvents& events);
  /// What the detector says of the peers, by slot (self's and empty slots' are ignored). To be told
  /// whenever one changes, before the heartbeat that changed it.
  void on_peer_states(const std::array<PeerState, kSlots>& states, TimePoint now,
                      OwnerEvents& events);
  /// A heartbeat that the detector did not call stale, from a filled slot other than self.
  /// announcement  well formed, asserted: the codec's duty.
  void on_heartbeat(Slot from, const Announcement& announcement, TimePoint now,
                    OwnerEvents& events);
  /// A request showed this view, which its sender has from a member. Rule: R1.3.
  void on_view(Group group, const View& view, TimePoint now, OwnerEvents& events);
  /// This node was frozen: it stops acting, before it answers anything. Rule: R1.6.
  void on_frozen(TimePoint now, OwnerEvents& events);
  /// Time passed; to be called at next_deadline().
  void on_time(TimePoint now, OwnerEvents& events);

  /// The group's trees were compared with a peer's, and this member has all of its m-nodes. Told at
  /// both sides. A comparison with an earlier start of the peer must not be told.
  /// peer_was_ready  it said so when the comparison began.
  /// began           older ones than what made the comparison necessary count for nothing.
  void on_compared(Group group, Slot peer, bool peer_was_ready, TimePoint began, TimePoint now,
                   OwnerEvents& events);
  /// A peer misses changes of this group that this member made: its queue overflowed, or its
  /// connection broke with changes under way. Rule: R1.8.
  void on_behind(Group group, Slot peer, TimePoint now);

  /// Hand-over (R1.5), at the side that gives: a peer asks; then what was pending is done.
  /// view  the act that the peer asks for; of another one, nothing happens.
  void on_hand_over_asked(Group group, Slot by, View view, TimePoint now, OwnerEvents& events);
  void on_drained(Group group, TimePoint now, OwnerEvents& events);
  /// At the side that takes: `from` gave up acting under `view` for this member. Ignored if this
  /// one is not ready or knows a higher view; the giver takes it back by itself.
  /// behind  what the giver knows of the third: it is behind this member as well.
  void on_handed_over(Group group, Slot from, View view, bool prepared, SlotSet behind,
                      TimePoint now, OwnerEvents& events);
  /// This member is going to stop: it hands all groups over, each to the next ready one in order,
  /// and takes none again. Where none is ready it acts on. The node ends when acting_count() is 0,
  /// or it has no more time. Rule: R1.5.
  void on_planned_stop(TimePoint now, OwnerEvents& events);
  /// below  on disk and synced; as asked for, or more.
  void on_terms_reserved(std::uint32_t below, TimePoint now, OwnerEvents& events);

  /// Whether this member answers requests of the group: of `available` caches, and, once prepared,
  /// of `replicated` ones. False during a hand-over: requests wait or are told try_again.
  bool acts(Group group) const { return at(group).stage == Stage::kActing; }
  bool is_prepared(Group group) const { return acts(group) && !at(group).preparing; }
  bool is_ready(Group group) const { return at(group).ready; }
  /// The highest (term, slot) seen.
  View view(Group group) const { return at(group).view; }
  /// Who acts, as far as this member hears, itself included; nothing if nobody does. Requests are
  /// relayed to it (R1.4) if it is in reachable().
  std::optional<Slot> owner(Group group) const;
  /// Peers that are heard.
  SlotSet reachable() const { return here_; }
  /// Those of them that say that they are ready.
  SlotSet say_ready(Group group) const;
  /// Those of them that miss nothing of this member's, too: whose copy counts for `replicated`.
  SlotSet ready_replicas(Group group) const;
  /// Groups that this member answers for, or hands over at the moment.
  std::size_t acting_count() const;

  /// What the next heartbeat says to a peer. Servers get that of `self`.
  Announcement announcement(Slot to) const;

  struct Comparison {
    Group group;
    Slot peer;
    bool operator==(const Comparison&) const = default;
  };
  /// What should be under comparison: at most count_max, those first for which requests wait. The
  /// same ones until they are completed or needless, so count_max is the number at a time.
  std::vector<Comparison> comparisons_wanted(TimePoint now, std::size_t count_max) const;

  /// When on_time() has something to do if nothing else happens; kNever if nothing.
  TimePoint next_deadline(TimePoint now) const;

  void check_invariants() const;

 private:
  enum class Stage : std::uint8_t {
    kIdle,
    kActing,
    kDraining,  // asked for it: finishes what is pending
    kOffered,   // handed over, and not yet seen to be taken
  };
  struct GroupState {
    View view;
    Stage stage = Stage::kIdle;
    bool preparing = false;  // acts, but must be compared before it answers for `replicated`
    bool ready = false;
    bool met_ready = false;    // one that it was compared with was ready
    SlotSet compared;          // since `since`, and within the peer's present contact
    SlotSet said_ready;        // since it prepares
    TimePoint since{};         // when not ready or preparing: from when on comparisons count
    std::optional<Slot> heir;  // the last one
    TimePoint hand_over_ends{};
    TimePoint ask_after{};
  };
  struct Peer {
    PeerState state = PeerState::kUnknown;
    bool announced = false;  // since it was last given up
    TimePoint contact{};     // here since
    TimePoint slow_since = kNever;
    Announcement said;  // only if announced
    std::array<TimePoint, kGroups> behind_since;
  };
  struct Seen {
    View view;
    bool directly = false;
  };

  GroupState& at(Group group) { return groups_[group.value]; }
  const GroupState& at(Group group) const { return groups_[group.value]; }
  bool is_cut_off(Slot peer, TimePoint now) const;
  SlotSet behind(Group group) const;
  static bool precedes(Group group, Slot one, Slot other);
  bool may_act(Group group) const;
  bool is_compared_enough(const GroupState& state, TimePoint now) const;
  SlotSet to_compare(const GroupState& state, TimePoint now) const;
  std::optional<Seen> acting_peer(Group group) const;

  void refresh_here(TimePoint now, OwnerEvents& events);
  void on_contact(Slot peer, TimePoint now, OwnerEvents& events);
  void set_state(Slot slot, PeerState state, TimePoint now);
  void heed(Group group, Slot from, TimePoint now, OwnerEvents& events);
  void adopt(Group group, const View& view, TimePoint now, OwnerEvents& events);
  void settle_all(TimePoint now, OwnerEvents& events);
  void settle(Group group, TimePoint now, OwnerEvents& events);
  void start(Group group, std::uint32_t term, bool prepared, TimePoint now, OwnerEvents& events);
  void stop(Group group, TimePoint now, OwnerEvents& events);
  void lose_readiness(Group group, TimePoint now, OwnerEvents& events);
  void prepare(Group group, TimePoint now);
  void mark_dead_behind(Group group, TimePoint now);
  void begin_hand_over(Group group, Slot heir, TimePoint now, OwnerEvents& events);
  bool reserve(std::uint32_t term, OwnerEvents& events);
  std::optional<Slot> next_heir(Group group) const;

  ActingOwnerConfig config_;
  Slot self_;
  SlotSet others_;  // filled ones but self
  SlotSet here_;    // heard, and what they announced is known
  TermRange terms_;
  std::uint32_t terms_asked_below_ = 0;
  TimePoint alone_from_;  // from when on it does with those it has
  bool is_leaving_ = false;
  std::array<Peer, kSlots> peers_;
  std::array<GroupState, kGroups> groups_;
};

}  // namespace copal
