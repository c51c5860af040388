#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "core/mnode/version.h"
#include "core/protocol/effect.h"
#include "core/values/replica.h"

namespace copal {

struct ReplicationConfig {
  std::size_t log_max = 65'536;   // changes kept for a slow member; then it is behind
  std::size_t window_max = 1024;  // changes under way to one member
  Duration resend_after = 500ms;  // without an answer
  Duration reconnect_after = 100ms;
};

/// The changes that an acting owner has made, on their way to the other members, each in one stream
/// in order of position. It holds keys, not m-nodes: what is sent is the entry as it is then, and a
/// change that a later one of the same key has overtaken is left out. A member that is too slow is
/// given up as `behind` rather than waited for: it catches up by comparing trees. Rule: R1.7, R1.8.
/// Invariants: 1. acked <= sent <= last position, for each stream; 2. the log begins at or before
/// the first change that a stream has not acknowledged, and is never longer than log_max.
class ReplicationLog {
 public:
  /// incarnation  of this start of the member.   replica  outlives the log.
  ReplicationLog(const ReplicationConfig& config, Incarnation incarnation, const Replica& replica)
      : config_(config), incarnation_(incarnation), replica_(replica) {}

  /// Begins a stream to a member with the next change: all before is for the comparison that
  /// follows (R4). One that exists already begins anew.
  void start(NodeId peer);
  /// Ends the stream: the member is dead.
  void stop(NodeId peer);

  /// The owner has installed this m-node.
  /// brings_value  its value was not known here before, so other members may lack it too.
  /// Returns the change's position. Allocates for the log's growth.
  std::uint64_t append(const MNode& mnode, bool brings_value);
  /// The same for a cache that was cleared in a group.
  std::uint64_t append_clear(Group group, CacheId cache, const Version& version);

  /// Appends what is to be sent now to effects: what is new, and again what went unanswered.
  void send(Now now, Effects& effects);

  /// A member has all up to this position. Returns whether that is news.
  bool on_ack(NodeId peer, const ReplicateAck& ack, TimePoint now);
  /// What was under way to this member may be lost: it will be sent again, a moment later, for the
  /// next connection may break at once as well.
  void on_link_down(NodeId peer, TimePoint now);

  std::uint64_t last_position() const { return last_; }
  /// Up to where this member has everything; 0 if it has no stream.
  std::uint64_t acked(NodeId peer) const;
  /// Whether it has said so itself: of what was before its stream it has the m-nodes by a
  /// comparison, perhaps not their bytes, nor on its disk.
  bool has_acked(NodeId peer, std::uint64_t position) const;
  /// Whether a change is from before this member's stream.
  bool is_before(NodeId peer, std::uint64_t position) const;
  /// Up to where all of these members have everything: what a server no longer needs to keep.
  std::uint64_t acked_by_all(std::span<const NodeId> peers) const;
  bool has_stream(NodeId peer) const { return find(peer) != nullptr; }
  /// Its stream was given up.
  bool is_behind(NodeId peer) const;
  /// Those that have a stream that was not given up.
  std::vector<NodeId> streams() const;

  TimePoint next_deadline() const;

  /// For tests and the simulator. Asserts the invariants.
  void check_invariants() const;

 private:
  struct Entry {
    KeyHash key;  // means nothing of a clear
    Version version;
    CacheId cleared;
    Group group;
    bool is_clear = false;
    bool brings_value = false;
  };
  /// Changes that were left out because something newer had come, from the first of them on.
  struct LeftOut {
    std::uint64_t first = 0;
    std::uint64_t needs = 0;  // what is newer stands at this position at the latest
  };
  struct Stream {
    NodeId peer;
    std::uint64_t began = 0;      // all up to this is for the comparison
    std::uint64_t heard = 0;      // what the member's last answer said
    std::uint64_t sent = 0;       // the last position sent or left out
    std::uint64_t last_sent = 0;  // the last position really sent; 0: none in this run
    std::deque<LeftOut> left_out;
    TimePoint answered{};      // the last time something was acked, or sent after all was
    TimePoint paused_until{};  // nothing is sent before
    bool behind = false;
  };

  const Stream* find(NodeId peer) const;
  Stream* find(NodeId peer);
  const Entry& entry(std::uint64_t position) const;
  std::uint64_t append(const Entry& entry);
  void leave_out(Stream& stream, std::uint64_t position) const;
  bool send_one(Stream& stream, const Entry& change, TimePoint now, Effects& effects);
  void send(Stream& stream, TimePoint now, Effects& effects);
  void give_up_the_slow();
  void trim();
  static std::uint64_t acked(const Stream& stream);
  static void heard(Stream& stream, std::uint64_t position);
  static void rewind(Stream& stream);
  static void settle(Stream& stream);

  ReplicationConfig config_;
  Incarnation incarnation_;
  const Replica& replica_;
  std::deque<Entry> log_;  // positions last_ - size + 1 to last_
  std::uint64_t last_ = 0;
  std::vector<Stream> streams_;  // by peer; at most two
};

}  // namespace copal
