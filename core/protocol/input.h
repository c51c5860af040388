#pragma once

#include <cstdint>
#include <variant>

#include "core/base/ids.h"
#include "core/ports/application.h"
#include "core/protocol/message.h"

// All that a node can be told. Whatever decides about a node's behaviour is one of these or the
// time, so a list of them is a recording.

namespace copal {

/// A client's request at a balancer, until it is answered; given by the world.
using ClientId = detail::Id<struct ClientIdTag, std::uint64_t>;

struct MessageReceived {
  NodeId from;
  Message message;
};

/// The connection to a peer broke, and what was on it may be lost.
struct LinkDown {
  NodeId peer;
};

/// The deadline that the node told has come. One too many does no harm.
struct Wake {};

/// To a balancer: a client asks.
struct ClientRequest {
  ClientId client;
  SessionId session;
  std::uint64_t routing_key = 0;  // hash of the session, else of what the scenario routes by
  NodeId stuck_to = kNoNode;      // the server that the client's cookie names
  std::uint64_t tag = 0;
  std::uint32_t body_size_bytes = 0;
  std::uint32_t answer_size_bytes = 0;
  bool repeatable = false;  // may be sent a second time after it may have been worked on
};

/// To a server: work that it started is over.
struct WorkEnded {
  WorkId work;
  bool succeeded = true;
};

/// To a server: the answer to ReadCpu.
struct CpuReading {
  double busy_ratio = 0;  // 0 to 1
};

/// To a server: its application has started and may be given requests.
struct ApplicationReady {};

/// To a server, from its operator: take no new sessions, or take them again.
struct DrainOrder {
  bool drain = true;
};

using Input = std::variant<MessageReceived, LinkDown, Wake, ClientRequest, WorkEnded, CpuReading,
                           ApplicationReady, DrainOrder>;

}  // namespace copal
