#pragma once

#include <cstddef>
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

/// One process of the installation: a node with its driver and ports, and what can become of it.
/// A process that died leaves nothing behind; its successor is another Node at the same place.
class Member final : public Endpoint {
 public:
  /// application and caller outlive the member; one of them is nothing.
  Member(Engine& engine, Network& network, std::size_t host, Application* application,
         Caller* caller);

  NodeId id() const { return id_; }

  /// Starts a process with this node; there is none, asserted.
  void start(std::unique_ptr<Node> node);
  /// Ends the process, if there is one.  machine_is_on  then its peers hear of it.
  void kill(bool machine_is_on);
  /// Lets the process stand still; its sockets stay open.
  void freeze();
  void thaw();
  /// Tells the node; a frozen process hears of it when it goes on. Lost if there is no process.
  void input(const Input& input);

  /// The node, or nothing while there is no process.
  Node* node() { return node_.get(); }
  bool up() const { return state() == State::kUp; }
  void set_machine_on(bool on) { machine_on_ = on; }

  State state() const override;
  void on_frame(NodeId from, std::span<const std::byte> frame, const Blob& value) override;
  void on_link_down(NodeId peer) override;

 private:
  void on_wake();

  Network& network_;
  NodeId id_;
  SimClock clock_;
  SimTransport transport_;
  Driver::Ports ports_;
  std::unique_ptr<Node> node_;
  std::optional<Driver> driver_;
  bool machine_on_ = true;
  bool frozen_ = false;
  bool woken_while_frozen_ = false;
  std::vector<Input> held_;  // inputs that came while frozen
};

}  // namespace copal::sim
