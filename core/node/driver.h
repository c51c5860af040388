#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "core/ports/application.h"
#include "core/ports/caller.h"
#include "core/ports/clock.h"
#include "core/ports/storage.h"
#include "core/ports/supervisor.h"
#include "core/ports/transport.h"
#include "core/protocol/codec.h"
#include "core/protocol/effect.h"
#include "core/protocol/input.h"

namespace copal {

class Node;

/// Feeds a node its inputs and performs its effects through the ports; the same in both worlds.
/// A step's writes to the store are one batch, handed over before any of its effects is performed;
/// while the store takes no more, they grow into the next batch, which is as good: what is there
/// after a crash is then a state between two steps all the same. Rule: R0.2.
/// Thread rule: all calls from the node's one thread, and none from inside a port's call.
/// Invariants: 1. a message that waits for the store is sent when all that its step and those
/// before it wrote is synced, and never if some of it was not written; 2. messages of one kind to
/// one peer are sent in their order.
class Driver {
 public:
  struct Ports {
    Clock* clock = nullptr;
    Transport* transport = nullptr;
    Application* application = nullptr;  // dynamic servers only
    Caller* caller = nullptr;            // balancers only
    Storage* storage = nullptr;          // triad members only
    Supervisor* supervisor = nullptr;    // nothing: a node that stops is left alone
    /// Room for the frame under way, at least kMessageSizeMaxBytes. Drivers of one thread share it,
    /// for none sends from inside another's send: a cloud simulates thousands of them.
    std::span<std::byte> frame;
  };

  /// What could not be done; for metrics.
  struct Counts {
    std::uint64_t malformed_frames = 0;
    std::uint64_t damaged_values = 0;
    std::uint64_t overloaded_sends = 0;  // refused
    std::uint64_t store_waited = 0;      // batches that the store did not take at once
    std::uint64_t unsaid = 0;            // messages whose step was not written after all
  };

  /// node and ports outlive the driver.
  Driver(Node& node, const Ports& ports) : node_(node), ports_(ports) {}

  /// Lets the node do what it does first. Call it once.
  void start() { input(Wake{}); }

  /// A frame came, with a value or an empty one. What does not decode, and a value whose hash is
  /// not the one that the message names, is counted and dropped. Whose fault: the peer's.
  void on_frame(NodeId from, std::span<const std::byte> frame, const Blob& value);
  void on_link_down(NodeId peer) { input(LinkDown{peer}); }
  void on_storage(const StorageCompletion& completion);
  /// The clock's answer to wake_at().
  void wake();
  /// Anything local. A message that the transport refuses is told to the node, as SendRefused, once
  /// for each peer, after the step that sent it.
  void input(const Input& input);

  const Counts& counts() const { return counts_; }

  /// Told of each step before its effects are performed: for recordings, checkers and traces.
  class Watcher {
   public:
    virtual ~Watcher() = default;
    virtual void on_step(const Input& input, Now now, const Effects& effects) = 0;
  };
  void watch(Watcher* watcher) { watcher_ = watcher; }

 private:
  /// A message that waits for the store, or for one before it.
  struct Held {
    Send send;
    std::uint64_t batch = 0;  // all up to this one must be synced
  };

  void hand_over();
  void perform(const Effect& effect);
  void step(const Input& input);
  void perform(const Send& send);
  bool must_wait(const Send& send) const;
  static bool follows_one_of(const std::deque<Held>& some, const Send& send);
  void send_now(const Send& send);
  void release();

  Node& node_;
  Ports ports_;
  Watcher* watcher_ = nullptr;
  Effects effects_;               // reused
  TimePoint wake_asked_{kNever};  // the earliest wake-up that is still to come

  StorageBatch waiting_;           // what the store has not taken yet
  bool sync_waits_ = false;        // for that
  std::uint64_t handed_over_ = 0;  // the newest batch's number
  std::uint64_t synced_ = 0;
  std::deque<Held> held_;
  std::vector<NodeId> refused_;  // peers whose queue was full, to be told to the node
  Counts counts_;
};

}  // namespace copal
