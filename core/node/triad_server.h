#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/cache/cache_config.h"
#include "core/cache/left_values.h"
#include "core/cache/owner_cache.h"
#include "core/cache/replication_feed.h"
#include "core/cache/replication_log.h"
#include "core/cache/upkeep.h"
#include "core/detector/failure_detector.h"
#include "core/membership/presence.h"
#include "core/membership/roster.h"
#include "core/node/unwritten_sends.h"
#include "core/ownership/acting_owner.h"
#include "core/ownership/catch_up.h"
#include "core/ownership/compare_answer.h"
#include "core/ownership/horizon.h"
#include "core/ownership/set_aside.h"
#include "core/protocol/effect.h"
#include "core/protocol/input.h"
#include "core/values/replica.h"
#include "core/values/replica_store.h"
#include "core/values/value_fetch.h"

namespace copal {

struct TriadServerConfig {
  NodeId self;
  Slot slot;
  std::uint32_t pod = 0;
  std::array<NodeId, kSlots> members{kNoNode, kNoNode, kNoNode};  // by slot; self among them
  std::uint32_t generation = 1;  // of this member, if its disk knows of no higher one
  std::vector<Registered> registered;
  std::shared_ptr<const CacheCatalog> caches;

  Duration heartbeat_interval = 250ms;
  FailureDetectorConfig detector;
  ActingOwnerConfig ownership;
  CatchUpConfig catch_up;
  Duration compare_interval = 10min;  // members that differ in nothing compare so often
  HorizonConfig horizon;
  ReplicationConfig replication;
  ReplicaStoreConfig store;
  UpkeepConfig upkeep;
  std::uint64_t values_size_max_bytes = ~std::uint64_t{0};
  std::uint64_t entries_max = ~std::uint64_t{0};
  std::uint64_t left_values_max_bytes = std::uint64_t{256} << 20U;
  Duration stop_timeout = 10s;  // for handing over before a planned stop
};

/// One of the triad's members: keeps m-nodes and values, acts for some groups, copies its changes
/// to the others, catches up with them, and tells servers and balancers who is there. It only
/// composes and hands on; the rules stand with each concept. Source: paper, sections II and III.
///
/// Start: the store is opened and loaded; what must not be used again is reserved and synced; only
/// then it is heard. A member that finds less on its disk than it once said was synced is another
/// generation of itself from then on (R5.4, R5.5). Its peers tell it so, and keep what they know of
/// it on their disks, for they may have been restarted meanwhile.
/// Invariants: 1. nothing is answered or said before the start is over; 2. every step's changes of
/// the replica are in that step's batch.
class TriadServer {
 public:
  /// Each start acts under terms of its own, at first so many, reserved with the start itself.
  static constexpr std::uint32_t kFirstTerms = 1'024;
  /// No honest member has had so many starts, and none tells of as many.
  static constexpr Incarnation kStartsMax{kTermMax / kFirstTerms / 2};

  explicit TriadServer(const TriadServerConfig& config);

  void step(const Input& input, Now now, Effects& effects);
  TimePoint next_deadline() const;
  void check_invariants(TimePoint now) const;

  // For tests, the simulator's checkers and metrics.
  bool is_running() const { return running_ != nullptr; }
  const Replica& replica() const { return replica_; }
  const ReplicaStore& store() const { return store_; }
  const SelfRecord& self() const { return self_; }
  /// Only while running, asserted.
  const ActingOwner& ownership() const;
  const OwnerCache& owner_cache() const;
  const CatchUp& catch_up() const;
  const ReplicationLog& replication() const;
  const Presence& presence() const;
  const Roster& roster() const;
  const HybridClock& clock() const;
  const Horizon& horizon() const;
  const Upkeep::Counts& upkeep() const;
  std::uint64_t set_aside_count() const;
  std::uint64_t times_behind() const { return times_behind_; }

 private:
  /// A group that is being handed over.
  struct Drain {
    Group group;
    Slot heir;
    std::uint64_t position = 0;  // what the heir must have
    TimePoint stream_began{};    // of the heir
  };
  /// A comparison that is due besides those that readiness asks for.
  struct Due {
    Group group;
    Slot peer;
    bool operator==(const Due&) const = default;
  };
  /// Of later uses than `to` this member or a peer may know that the other does not: they have not
  /// been compared since, or this one learnt of them since, from another peer. Nothing: they have
  /// not been compared in this start.
  struct UsesKnown {
    std::optional<TimePoint> to;
    TimePoint learnt{};  // the last time that this one did, from another peer
  };
  /// All that exists only after the start.
  struct Running {
    Running(const TriadServerConfig& config, const SelfRecord& self, Replica& replica,
            ReplicaStore& store, Now now);

    HybridClock clock;
    FailureDetector detector;
    ActingOwner ownership;
    Horizon horizon;
    SetAside set_aside;
    CatchUp catch_up;
    CompareAnswer compare_answer;
    ValueFetch fetch;
    ReplicationLog replication;
    ReplicationFeed feed;
    OwnerCache owner;
    LeftValues left;
    Upkeep upkeep;
    Roster roster;
    Presence presence;

    std::vector<Drain> drains;
    std::vector<Due> due;  // because a new owner may lack what this one has (R1.3)
    std::array<std::array<TimePoint, kSlots>, kGroups> compared_at{};
    std::array<std::array<UsesKnown, kSlots>, kGroups> uses_known{};
    GroupSet acted_for;  // in this start
    std::array<TimePoint, kSlots> stream_began{};
    /// Acted for before a member's stream began, and not compared with it since: on the other side
    /// of a split it knows nothing of what was changed there.
    std::array<GroupSet, kSlots> uncompared;
    std::uint64_t replicated_up_to = 0;
    bool alone = true;
    TimePoint next_heartbeat{};
    TimePoint last_heartbeat{};
    std::uint64_t heartbeats = 0;
    Announcement announced;  // to servers
  };

  // The start, in its order (triad_start.cpp).
  void on_storage(const StorageCompletion& completion, Now now, Effects& effects);
  void on_loaded(Now now, Effects& effects);
  void begin_again(std::uint32_t generation, Incarnation incarnation, Now now, Effects& effects);
  void on_self_synced(Now now, Effects& effects);
  void reserve_clock(Now now, Effects& effects);
  bool knows_another_start(const Beat& beat) const;
  bool must_begin_again(const MemberHeartbeat& heartbeat, Now now, Effects& effects);

  // Questions, answers, and copies (triad_server.cpp).
  void on_message(const MessageReceived& received, Now now, Effects& effects);
  template <class Question>
  void on_question(NodeId from, const Question& question, const KeyHash& key, const View& view,
                   Now now, Effects& effects);
  template <class Reply>
  void on_relayed(NodeId from, const Reply& reply, Effects& effects);
  bool may_ask(NodeId from) const;
  bool is_always_synced(CacheId cache) const;
  void on_replica_message(NodeId from, const Message& message, Now now, Effects& effects);
  void on_compare_message(NodeId from, const Message& message, Now now, Effects& effects);
  void on_bytes(const ValueHash& hash, Now now, Effects& effects);

  // Who is there and who acts (triad_members.cpp).
  void on_heartbeat(NodeId from, const MemberHeartbeat& heartbeat, Now now, Effects& effects);
  void on_heartbeat(NodeId from, const ServerHeartbeat& heartbeat, Now now, Effects& effects);
  void note_start(Slot slot, const MemberHeartbeat& heartbeat, Effects& effects);
  void on_heard(Slot slot, FailureDetector::Heard heard, Now now, Effects& effects);
  void on_roster(NodeId from, const RosterUpdate& update, Now now, Effects& effects);
  void write_roster(Effects& effects);
  void send_orders(NodeId to, Effects& effects) const;
  void change_roster(const ChangeRoster& order, Now now, Effects& effects);
  void on_link_down(NodeId peer, Now now, Effects& effects);
  void on_refused(NodeId peer);
  void update_peer_states(Now now, Effects& effects);
  void on_compared(Slot peer, const Compared& compared, Now now, Effects& effects);
  void note_uses_learnt(Group group, Slot from, TimePoint oldest, TimePoint now);
  Duration uses_unknown_for(Group group, Slot peer, TimePoint now) const;
  void want_comparisons(Now now, Effects& effects);
  void perform(const OwnerEvents& events, Now now, Effects& effects);
  void perform(const OwnerEvent& event, Now now, Effects& effects);
  void hasten();
  void refresh_duties(Effects& effects);
  void refresh_streams(Now now, Effects& effects);
  void finish_drains(Now now, Effects& effects);
  struct ReadyMembers {
    std::vector<NodeId> nodes;
    bool is_alone = true;
  };
  ReadyMembers ready_members() const;
  bool are_compared(const std::vector<NodeId>& members) const;
  GroupSet to_compare(Slot peer) const;
  void send_heartbeats(Now now, Effects& effects);
  MemberHeartbeat heartbeat_to(NodeId to, std::optional<Slot> slot, bool announce, Now now);
  void on_time(Now now, Effects& effects);
  void stop_if_done(Now now, Effects& effects);
  void set_alarm(Alarm alarm, bool on, Effects& effects);
  std::optional<Slot> slot_of(NodeId node) const;

  TriadServerConfig config_;
  SlotSet filled_;
  Replica replica_;
  ReplicaStore store_;
  SelfRecord self_;
  UnwrittenSends unwritten_;
  std::uint64_t times_behind_ = 0;  // streams that were given up (R1.8)
  bool began_again_ = false;        // this start has found that it lost what it had synced
  std::map<NodeId, int> told_by_;   // how often servers told of such a start
  std::unique_ptr<Running> running_;
  TimePoint stop_by_ = kNever;  // a stop was ordered: then at the latest
  std::array<bool, kAlarms> alarms_{};
  bool failed_ = false;    // the store: nothing is done any more, for nothing more is written
  bool starting_ = false;  // loaded, and self_ on its way to the disk
};

}  // namespace copal
