#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"

namespace copal {

struct FailureDetectorConfig {
  Duration suspect_after = 1s;
  Duration dead_after = 3s;  // T_dead of the rules
};

/// What a node believes of a peer.
enum class PeerState : std::uint8_t {
  kUnknown,  // not heard since this node's start or last freeze, and too early to call it dead
  kAlive,
  kSlow,     // heard, but what it has heard of us is old: overloaded, or cut off in one direction
  kSuspect,  // silent for suspect_after, or its connection broke
  kFrozen,   // silent for dead_after while its connection stands (T11)
  kDead,     // silent for dead_after, its connection broken
};

/// Whether a peer is reckoned with. A slow or suspect one still is: losing it costs more than
/// waiting for it. Rule: R1 (`slow` never loses ownership).
constexpr bool is_alive(PeerState state) {
  return state == PeerState::kAlive || state == PeerState::kSlow || state == PeerState::kSuspect;
}
/// Whether a peer is given up. Neither this nor is_alive() holds of one that is kUnknown.
constexpr bool is_dead(PeerState state) {
  return state == PeerState::kFrozen || state == PeerState::kDead;
}

/// Tells dead, frozen and slow peers apart, by heartbeats. Each heartbeat carries a number and the
/// highest number received from the other side, so both know how old the other's news of them is.
/// A state is a function of what was heard and of the time: nothing has to be advanced. A broken
/// connection alone kills nobody: a successor acts only when dead_after has passed since the last
/// heartbeat, and its versions are above the predecessor's by that (R6). Departs: the product
/// reacted to closed sockets at once and, for years, to nothing else (resin-facts M9, M10).
/// Two starts of a peer may use one incarnation, if its disk lost the record of the first: the wall
/// clock at their start tells them apart. The one heard first counts, and its record tells the
/// other to go above (R0.3).
/// Invariants: 1. peers are sorted by node, each once; 2. nobody is heard from the future.
class FailureDetector {
 public:
  /// now  the node's start.
  FailureDetector(const FailureDetectorConfig& config, Now now);

  /// Watches a peer; it is kUnknown at first. Again does nothing.
  void add(NodeId peer, TimePoint now);
  /// It said that it stops: it is dead at once. Which start of it that was stays known, and what it
  /// is sent is numbered on: its next start may have a clock that went back, and have received what
  /// was sent before this was known.
  void on_leave(NodeId peer);
  /// What this node's earlier start heard last of a watched peer (asserted): what is below it, or
  /// another start of that number, is not heard now either.
  void remember(NodeId node, Incarnation incarnation, std::uint64_t began);

  /// What goes into the heartbeat that is sent now.
  struct Numbers {
    std::uint64_t sequence = 0;  // from 1 on
    std::uint64_t echo = 0;      // highest sequence received from the peer; 0: none
    std::uint64_t began = 0;     // the sender's wall clock at its start, in ns
  };
  /// node  watched, asserted.
  Numbers next_heartbeat(NodeId node, TimePoint now);

  /// What a heartbeat was.
  enum class Heard : std::uint8_t {
    kAgain,      // as ever
    kFirst,      // the peer was unknown, or not watched before its first heartbeat came
    kReturned,   // it had been called dead or frozen
    kRestarted,  // a later start of the process than one that was heard
    kStale,      // of an earlier start, of another of the same number, or older than one received
  };
  /// A heartbeat came from a watched peer (of others it is kStale).
  Heard on_heartbeat(NodeId node, Incarnation incarnation, Numbers numbers, TimePoint now);
  /// The connection to a peer broke.
  void on_link_down(NodeId node);

  /// To be told of every step, before anything else. Returns whether this node was frozen: more
  /// than dead_after since the step before. Then nothing is known of anyone. Rule: R1.6.
  bool on_step(TimePoint now);

  /// kDead for a node that is not watched.
  PeerState state(NodeId node, TimePoint now) const;
  /// How old our newest heartbeat is that this peer is known to have received; dead_after or more
  /// means that it may have given us up. A day if it has received none.
  Duration contact_age(NodeId node, TimePoint now) const;
  /// The start of the peer's process that was heard or remembered last, and its wall clock then; 0
  /// if none was.
  Incarnation incarnation(NodeId node) const;
  std::uint64_t began(NodeId node) const;
  /// This node's own start, as its heartbeats say it.
  std::uint64_t began() const { return began_; }
  /// How long ago anyone was heard, or this node started; for "lost the last peer".
  Duration silence(TimePoint now) const { return now - heard_anyone_; }

  /// When a state changes if nobody is heard; kNever if none will.
  TimePoint next_change(TimePoint now) const;

  void check_invariants(TimePoint now) const;

 private:
  // Enough for the heartbeats of dead_after at any sensible interval: older echoes say "too old".
  static constexpr std::size_t kSentKept = 32;

  struct Peer {
    NodeId node;
    Incarnation incarnation;
    std::uint64_t began = 0;
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    std::uint64_t echoed = 0;
    TimePoint since{};  // watched since; reset by a freeze
    TimePoint heard{};  // only if was_heard
    TimePoint echoed_sent_at{};
    std::array<TimePoint, kSentKept> sent_at{};
    bool is_known = false;  // which start it is: heard, or remembered
    bool was_heard = false;
    bool link_broken = false;
    bool has_left = false;
  };

  Peer* find(NodeId node);
  const Peer* find(NodeId node) const;
  PeerState state(const Peer& peer, TimePoint now) const;

  FailureDetectorConfig config_;
  std::vector<Peer> peers_;
  std::uint64_t began_;
  TimePoint last_step_;
  TimePoint heard_anyone_;
};

}  // namespace copal
