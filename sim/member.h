#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/node/driver.h"
#include "core/node/node.h"
#include "sim/engine.h"
#include "sim/network.h"
#include "sim/sim_clock.h"
#include "sim/sim_transport.h"

namespace copal::sim {

/// What a node's own work costs its processor: inputs wait for each other. Nothing: no time at all.
struct NodeCosts {
  Duration message = 0ns;   // each one received
  Duration kilobyte = 0ns;  // of its frame and value, 1,024 bytes

  bool any() const { return message > 0ns || kilobyte > 0ns; }
};

/// Told of everything that one node does; for checkers and traces.
class MemberWatcher {
 public:
  virtual ~MemberWatcher() = default;
  /// After each step: what went in, what came out. Called before the effects are performed.
  virtual void on_step(NodeId node, const Input& input, Now now, const Effects& effects) = 0;
};

/// One process of the installation: a node with its driver and ports, and what can become of it.
/// A process that died leaves nothing behind; its successor is another Node at the same place.
class Member final : public Endpoint, public EventTarget, private Driver::Watcher {
 public:
  /// What stands around the node; those that it has no use for are nothing. All outlive it.
  struct World {
    Application* application = nullptr;
    Caller* caller = nullptr;
    Storage* storage = nullptr;
    Supervisor* supervisor = nullptr;
  };
  Member(Engine& engine, Network& network, std::size_t host, const World& world,
         const NodeCosts& costs = {});

  NodeId id() const { return id_; }

  /// Starts a process with this node; there is none, asserted.
  void start(std::unique_ptr<Node> node);
  /// Ends the process, if there is one.  machine_is_on  then its peers hear of it.
  void kill(bool machine_is_on);
  /// Lets the process stand still; its sockets stay open.
  void freeze();
  void thaw();
  /// Watches all processes of this member from now on.
  void watch(MemberWatcher* watcher) { watcher_ = watcher; }
  /// Tells the node; a frozen process hears of it when it goes on. Lost if there is no process.
  void input(const Input& input);

  /// A completion of its storage, likewise.
  void on_storage(const StorageCompletion& completion);

  void set_costs(const NodeCosts& costs) { costs_ = costs; }
  SimClock& clock() { return clock_; }
  /// The node, or nothing while there is no process.
  Node* node() { return node_.get(); }
  /// What its driver could not do; only while there is a process, asserted.
  const Driver::Counts& driver_counts() const;
  bool up() const { return state() == State::kUp; }
  void set_machine_on(bool on) { machine_on_ = on; }

  State state() const override;
  void on_frame(NodeId from, std::span<const std::byte> frame, const Blob& value) override;
  void on_link_down(NodeId peer) override;
  void on_event(std::uint64_t start) override;

 private:
  /// A message that waits for the processor.
  struct Waiting {
    NodeId from;
    Blob frame;
    Blob value;
    bool is_link_down = false;
  };

  void on_step(const Input& input, Now now, const Effects& effects) override;
  void on_wake();
  void later(Waiting waiting);
  void begin_next();

  Engine& engine_;
  Network& network_;
  NodeId id_;
  NodeCosts costs_;
  MemberWatcher* watcher_ = nullptr;
  SimClock clock_;
  SimTransport transport_;
  Driver::Ports ports_;
  std::unique_ptr<Node> node_;
  std::optional<Driver> driver_;
  bool machine_on_ = true;
  bool frozen_ = false;
  bool woken_while_frozen_ = false;
  std::vector<Input> held_;  // inputs that came while frozen
  std::deque<Waiting> waiting_;
  std::uint64_t starts_ = 0;
};

}  // namespace copal::sim
