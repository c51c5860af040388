#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/base/weight.h"
#include "core/mnode/mnode.h"
#include "core/mnode/owner_order.h"
#include "core/mnode/version.h"
#include "core/mnode/view.h"

// Who is there, who acts, and who serves: heartbeats between triad members and everybody, hand-over
// of groups, the roster and the list of servers. Rule: R1, R9, R5.5.

namespace copal {

/// What a node does in its cluster. A certificate carries it in production.
enum class NodeRole : std::uint8_t { kTriad, kDynamic, kBalancer };
constexpr NodeRole wire_last(NodeRole) {
  return NodeRole::kBalancer;
}

/// What a server says of itself.
enum class ServerPhase : std::uint8_t {
  kStarting,
  kReady,
  kDraining,
  kSleeping,
  kAbsent,  // what the list says of it: registered, and not there or disabled
};
constexpr ServerPhase wire_last(ServerPhase) {
  return ServerPhase::kAbsent;
}

/// In every heartbeat.
struct Beat {
  Incarnation incarnation;  // the sender's
  std::uint64_t began = 0;  // the sender's wall clock at its start; see FailureDetector
  // The receiver's highest that the sender has heard: who is told of one above its own knows that
  // it began too low, and goes above it (R0.3).
  Incarnation known;
  std::uint64_t known_began = 0;  // of the start that used it
  std::uint64_t sequence = 0;     // from 1 on
  std::uint64_t echo = 0;         // the receiver's highest received; see FailureDetector
  std::uint64_t clock = 0;        // the sender's hybrid clock (R6)

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.incarnation);
    visit(self.began);
    visit(self.known);
    visit(self.known_began);
    visit(self.sequence);
    visit(self.echo);
    visit(self.clock);
  }
};

/// From a triad member to the other members, and to every server and balancer that it hears.
struct MemberHeartbeat {
  Beat beat;
  std::uint32_t generation = 0;
  std::uint64_t stored = 0;            // the newest batch of the sender's store that is synced
  std::uint32_t generation_known = 0;  // the receiver's highest, if it is a member, …
  std::uint64_t stored_known = 0;      // … and the newest batch that this one told the sender
  std::uint64_t replicated_up_to =
      0;                             // of the sender's changes: every ready member has them (R1.7)
  bool alone = false;                // no other member is ready
  std::uint64_t roster_sum = 0;      // of what operators ordered; differs: send it (RosterUpdate)
  std::uint64_t events_refused = 0;  // to the receiver, which listens: its queue was full
  // One for each group; or none: as it said last.
  std::vector<GroupAnnouncement> announcement;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.beat);
    visit(self.generation);
    visit(self.stored);
    visit(self.generation_known);
    visit(self.stored_known);
    visit(self.replicated_up_to);
    visit(self.alone);
    visit(self.roster_sum);
    visit(self.events_refused);
    visit(self.announcement);
  }
};

/// From a dynamic server or balancer to each triad member: it is there, and wants to hear.
struct ServerHeartbeat {
  Beat beat;
  std::uint32_t generation = 0;
  NodeRole role = NodeRole::kDynamic;
  ServerPhase phase = ServerPhase::kStarting;
  bool leaving = false;          // the last one: it stops
  std::uint64_t list_held = 0;   // number of the last list of this member that it has
  std::vector<CacheId> listens;  // wants the events of these caches

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.beat);
    visit(self.generation);
    visit(self.role);
    visit(self.phase);
    visit(self.leaving);
    visit(self.list_held);
    visit(self.listens);
  }
};

/// One line of the list of servers.
struct ListedServer {
  NodeId node;
  std::uint32_t generation = 0;
  NodeRole role = NodeRole::kDynamic;
  ServerPhase phase = ServerPhase::kReady;
  Weight weight;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.node);
    visit(self.generation);
    visit(self.role);
    visit(self.phase);
    visit(self.weight);
  }
  bool operator==(const ListedServer&) const = default;
};

/// All registered servers and balancers in the triad's order, and what the member sees of each:
/// pushed when it changes, again until the receiver says that it has it. A long one comes in parts.
/// Rule: R9.
/// Source: paper, "Resin 4.0 Load Balancer": a special cache entry, pushed on change.
struct ServerList {
  static constexpr std::size_t kServersMax = 2048;  // in one part

  std::uint64_t number = 0;  // higher is newer, across restarts of the member
  std::uint16_t part = 0;
  std::uint16_t parts = 1;
  std::vector<ListedServer> servers;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.number);
    visit(self.part);
    visit(self.parts);
    visit(self.servers);
  }
};

/// What an operator ordered of a registered server.
enum class RosterState : std::uint8_t {
  kEnabled,
  kDraining,  // keeps its sessions, takes no new ones
  kDisabled,  // nothing is routed to it
};
constexpr RosterState wire_last(RosterState) {
  return RosterState::kDisabled;
}

/// An order, with when it was given by the hybrid clock: the newest wins.
struct RosterOrder {
  NodeId node;
  RosterState state = RosterState::kEnabled;
  Version version;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.node);
    visit(self.state);
    visit(self.version);
  }
  bool operator==(const RosterOrder&) const = default;
};

/// From member to member: orders that the sender knows. All of them may take several of these.
struct RosterUpdate {
  static constexpr std::size_t kOrdersMax = 2048;  // in one

  std::vector<RosterOrder> orders;

  static constexpr void fields(auto& self, auto&& visit) { visit(self.orders); }
};

/// To the member that acts: the sender comes before it in the group's order, and is ready (R1.5).
struct AskHandOver {
  Group group;
  View view;  // under which the receiver acts

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.group);
    visit(self.view);
  }
};

/// The sender has stopped acting for the receiver's sake.
struct HandOver {
  Group group;
  View view;              // under which the sender acted
  bool prepared = false;  // it answered for `replicated` caches too
  SlotSet behind;         // others, which miss changes of the sender's (R1.8)

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.group);
    visit(self.view);
    visit(self.prepared);
    visit(self.behind);
  }
};

}  // namespace copal
