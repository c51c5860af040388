#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <variant>
#include <vector>

#include "core/base/flat_map.h"
#include "core/base/ids.h"
#include "core/ports/transport.h"
#include "core/protocol/codec.h"
#include "scenarios/scenario.h"
#include "sim/engine.h"
#include "sim/network_faults.h"
#include "sim/simgrid_cloud.h"

namespace copal::sim {

/// A process as the network sees it.
class Endpoint {
 public:
  enum class State {
    kOff,     // the machine is off: what is sent to it vanishes
    kNoOne,   // the machine is on, the process is not: connections are refused
    kFrozen,  // the process stands still: the machine takes frames in for it
    kUp,
  };
  virtual ~Endpoint() = default;
  virtual State state() const = 0;
  virtual void on_frame(NodeId from, std::span<const std::byte> frame, const Blob& value) = 0;
  virtual void on_link_down(NodeId peer) = 0;
};

/// Carries frames between processes on hosts: Transport's contract in the simulated cloud. In
/// fidelity `latency` a frame takes half the latency of either host's link plus its size over the
/// narrower of the two, first in first out per connection and lane, on the event heap alone; frames
/// do not share bandwidth. In `flow` (either host's link says so) the latency is followed by a
/// SimGrid transfer, which does. (Latency stays on the heap in both: with it, SimGrid would hold
/// every frame under way, and its cost grows with what it holds.) A link that is down swallows
/// frames without a word.
class Network final : public EventTarget, public FlowListener {
 public:
  /// What was sent of one kind of message. Bytes on the wire, headers included: of frames, which
  /// are metadata, and of what goes beside them, which is data.
  struct Count {
    std::uint64_t frames = 0;
    std::uint64_t frame_bytes = 0;
    std::uint64_t body_bytes = 0;
  };
  /// By the message's index in Message.
  using Counts = std::array<Count, std::variant_size_v<MessageKinds>>;

  /// links  one a host.  cloud  nothing unless a link has fidelity flow.
  Network(Engine& engine, std::vector<scenario::Link> links, SimgridCloud* cloud);

  /// Puts a node on a host; nodes are numbered as they are added. endpoint outlives the network.
  NodeId add(std::size_t host, Endpoint& endpoint);

  /// Where all nodes write the frame that they are about to send.
  std::span<std::byte> frame_room() { return frame_room_; }

  Transport::Sent send(NodeId from, NodeId to, Lane lane, std::span<const std::byte> frame,
                       const Body& body);

  /// The process of a node died, or was started anew: what was on the way to it is not for its
  /// successor, and its peers hear that the connection broke if the machine can still say so.
  void on_process_end(NodeId node, bool machine_is_on);
  /// Hands a thawed process the frames that came while it stood still.
  void on_thaw(NodeId node);
  void set_link(std::size_t host, bool up);
  /// Draws with these from now on. They outlive the network; nothing: no faults.
  void set_faults(NetworkFaults* faults) { faults_ = faults; }
  /// The connection between two nodes breaks: what is on it is lost, both hear of it.
  void break_connection(NodeId one, NodeId other);

  /// Told what becomes of each frame; for traces.
  class Watcher {
   public:
    virtual ~Watcher() = default;
    /// flight  names the frame until it has arrived or is lost; names are used again.
    virtual void on_sent(std::uint32_t flight, NodeId from, NodeId to,
                         std::span<const std::byte> frame) = 0;
    virtual void on_arrived(std::uint32_t flight) = 0;
    virtual void on_lost(std::uint32_t flight) = 0;
  };
  void watch(Watcher* watcher) { watcher_ = watcher; }

  const Counts& counts() const { return counts_; }

  void on_event(std::uint64_t argument) override;
  void on_flow_end(std::uint64_t flight, bool arrived) override;

 private:
  enum class Kind : std::uint8_t {
    kFrame,
    kReset,
    kDeparture,  // flow: a frame whose latency is over and whose transfer begins
  };

  // All messages of balancing fit: they need no memory of their own.
  static constexpr std::size_t kSmallFrameMaxBytes = 96;

  /// A frame, or the news of a broken connection, on its way.
  struct Flight {
    NodeId from;
    NodeId to;
    std::uint32_t to_start = 0;  // which start of the receiver it is for
    Kind kind = Kind::kFrame;
    Lane lane = Lane::kControl;
    std::uint32_t connection = 0;  // which one between the two: what is on a broken one is lost
    bool landed = false;           // flow: arrived, waits for those before it
    std::uint64_t size_bytes = 0;  // flow: all that is to be transferred
    bool lost = false;
    std::uint8_t size = 0;
    std::array<std::byte, kSmallFrameMaxBytes> frame;
    Blob large_frame;  // in its place if it is longer
    Blob value;
  };
  /// The nodes that a node has, or had, a connection with.
  class Peers {
   public:
    /// Returns whether it is new.
    bool insert(NodeId peer);
    const std::vector<NodeId>& list() const { return list_; }

   private:
    static constexpr std::size_t kSearched = 8;  // more are looked up in bits
    std::vector<NodeId> list_;
    std::vector<bool> bits_;
  };
  struct Site {
    std::size_t host = 0;
    Endpoint* endpoint = nullptr;
    std::uint32_t starts = 0;
    Peers peers;
    std::vector<std::uint32_t> waiting;  // flights that came while it was frozen
  };

  std::uint32_t take_flight(NodeId from, NodeId to, Lane lane, Kind kind);
  void free_flight(std::uint32_t flight);
  static std::uint64_t lane_key(NodeId from, NodeId to, Lane lane);
  static std::uint64_t lane_key(const Flight& flight) {
    return lane_key(flight.from, flight.to, flight.lane);
  }
  std::deque<std::uint32_t>& flows(const Flight& flight);
  bool shares_bandwidth(NodeId from, NodeId to) const;
  Duration travel_time(std::size_t from_host, std::size_t to_host, std::uint64_t size_bytes) const;
  void launch(std::uint32_t flight, std::uint64_t size_bytes);
  void launch_with_faults(std::uint32_t flight, std::uint64_t size_bytes);
  void flip_bit(std::uint32_t flight);
  void lose(std::uint32_t flight);
  void depart(std::uint32_t flight);
  void land(std::uint32_t flight);
  void deliver(std::uint32_t flight);
  void count(std::span<const std::byte> frame, std::uint64_t size_bytes);
  static void set_frame(Flight& flight, std::span<const std::byte> frame);
  void mix_into_hash(std::span<const std::byte> frame);
  void reset(NodeId from, NodeId to);
  bool severed(NodeId a, NodeId b) const;

  std::array<std::byte, kMessageSizeMaxBytes> frame_room_{};
  Engine& engine_;
  std::vector<scenario::Link> links_;
  std::vector<bool> link_up_;
  SimgridCloud* cloud_;
  NetworkFaults* faults_ = nullptr;
  Watcher* watcher_ = nullptr;
  std::vector<Site> sites_;
  FlatMap<std::uint32_t> connections_;         // lower << 32 | higher -> how often it broke
  FlatMap<TimePoint> last_arrivals_;           // lane_key() -> of the last frame under way
  FlatMap<std::deque<std::uint32_t>*> flows_;  // the same -> flights in order of sending
  std::deque<std::deque<std::uint32_t>> flow_queues_;
  std::vector<Flight> flights_;
  std::vector<std::uint32_t> free_;
  Counts counts_{};
};

}  // namespace copal::sim
