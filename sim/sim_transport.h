#pragma once

#include <span>

#include "core/ports/transport.h"
#include "sim/network.h"

namespace copal::sim {

/// One node's end of the simulated network.
class SimTransport final : public Transport {
 public:
  SimTransport(Network& network, NodeId self) : network_(network), self_(self) {}

  Sent send(NodeId peer, Lane lane, std::span<const std::byte> frame, const Body& body) override {
    return network_.send(self_, peer, lane, frame, body);
  }

 private:
  Network& network_;
  NodeId self_;
};

}  // namespace copal::sim
