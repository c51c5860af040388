#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/node/node.h"
#include "core/ports/application.h"
#include "core/ports/caller.h"
#include "core/ports/clock.h"
#include "core/ports/transport.h"

namespace copal {

/// Feeds a node its inputs and performs its effects through the ports; the same in both worlds.
/// Thread rule: all calls from the node's one thread, and none from inside a port's call.
class Driver {
 public:
  struct Ports {
    Clock* clock = nullptr;
    Transport* transport = nullptr;
    Application* application = nullptr;  // dynamic servers only
    Caller* caller = nullptr;            // balancers only
  };

  /// What could not be done; for metrics.
  struct Counts {
    std::uint64_t malformed_frames = 0;
    std::uint64_t damaged_values = 0;
    std::uint64_t overloaded_sends = 0;
  };

  /// node and ports outlive the driver.
  Driver(Node& node, const Ports& ports) : node_(node), ports_(ports) {}

  /// Lets the node do what it does first. Call it once.
  void start() { input(Wake{}); }

  /// A frame came, with a value or an empty one. What does not decode, and a value whose hash is
  /// not the one that the message names, is counted and dropped. Whose fault: the peer's.
  void on_frame(NodeId from, std::span<const std::byte> frame, const Blob& value);
  void on_link_down(NodeId peer) { input(LinkDown{peer}); }
  /// The clock's answer to wake_at().
  void wake();
  /// Anything local.
  void input(const Input& input);

  const Counts& counts() const { return counts_; }

 private:
  void perform(const Effect& effect);

  Node& node_;
  Ports ports_;
  Effects effects_;               // reused
  TimePoint wake_asked_{kNever};  // the earliest wake-up that is still to come
  Counts counts_;
};

}  // namespace copal
