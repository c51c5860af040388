#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/detector/failure_detector.h"
#include "core/membership/roster.h"
#include "core/protocol/effect.h"

namespace copal {

/// What a triad member sees of the registered servers, and the list that it makes of it and pushes
/// to all of them whenever it changes: to balancers the whole of it, to servers the balancers, to
/// whom they report; all of it at each of them would grow with the square of their number. Soft:
/// nothing of it is kept on a disk but who sleeps, for those are silent. Rule: R9.
/// Source: paper, "Resin 4.0 Load Balancer": the list is pushed each time a server comes or goes
/// (P89). Chosen: U15.
/// A member that has just started, was frozen or cut off from all hears who is there one after the
/// other, and says nothing until it must have heard them: balancers that hear no other member go on
/// with the list they have.
/// Invariants: 1. only registered nodes of the registered generation and role are known; 2. the
/// list's number grows with each change, across restarts too (it is a reading of the hybrid clock).
class Presence {
 public:
  /// The roster and the detector outlive it.
  /// heard_within  who is there is heard so long after the first one.
  Presence(const Roster& roster, FailureDetector& detector, Duration heard_within)
      : roster_(roster), detector_(detector), heard_within_(heard_within) {}

  /// Whether this node may be heard at all: it is registered as what it says.
  bool admits(NodeId from, const ServerHeartbeat& heartbeat) const;
  /// A heartbeat of an admitted server, and what the detector calls it, other than stale. Returns
  /// whether it says something new.
  bool on_heartbeat(NodeId from, const ServerHeartbeat& heartbeat, FailureDetector::Heard heard,
                    TimePoint now);
  /// It says goodbye: no need to wait until it is silent.
  void on_leave(NodeId node);
  /// It slept when this member was last there, and is silent: whoever asks for it wakes it.
  void remember_sleeping(NodeId node);
  bool sleeps(NodeId node) const;
  /// Those that sleep, in the order of their ids.
  std::vector<NodeId> sleeping() const;

  /// Makes the list anew if something changed; pushes it to all that are alive and lack it. To be
  /// called at news, at next_deadline(), and now and then. After a change the next one waits a
  /// moment: when a whole cluster starts, each list would else go to all for each that comes.
  /// clock  the hybrid clock's reading.
  void update(TimePoint now, std::uint64_t clock, Effects& effects);
  TimePoint next_deadline() const { return due_; }

  const std::vector<ListedServer>& list() const { return list_; }
  std::uint64_t number() const { return number_; }
  /// Registered servers that are heard, in the order of their ids.
  std::vector<NodeId> alive(TimePoint now) const;

 private:
  static constexpr Duration kPushAgain = 500ms;
  static constexpr Duration kUpdateInterval = 50ms;

  struct Present {
    ServerPhase phase = ServerPhase::kStarting;
    TimePoint since{};  // heard from then on, without a silence
    std::uint64_t list_held = 0;
    TimePoint pushed{};
    std::uint64_t pushed_number = 0;
  };

  TimePoint unsure_until(TimePoint now) const;
  ServerPhase phase(const Registered& registered, TimePoint now) const;
  std::vector<ListedServer> make(TimePoint now) const;
  void push(NodeId to, Effects& effects) const;

  const Roster& roster_;
  FailureDetector& detector_;
  Duration heard_within_;
  std::map<NodeId, Present> present_;
  std::vector<ListedServer> list_;
  std::vector<ListedServer> balancers_;  // those of the list
  std::uint64_t number_ = 0;
  TimePoint next_update_{};
  TimePoint due_ = kNever;  // an update that was asked for waits until then
};

}  // namespace copal
