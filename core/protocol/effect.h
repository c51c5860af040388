#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "core/base/ids.h"
#include "core/ports/application.h"
#include "core/protocol/input.h"
#include "core/protocol/message.h"

// All that a node can ask for. A step appends them; the driver performs them in order after the
// step has returned.

namespace copal {

struct Send {
  NodeId to;
  Message message;
};

/// What a client is told.
enum class ClientStatus : std::uint8_t {
  kDone,
  kFailed,    // the application's own error (HTTP 500)
  kRejected,  // no server takes it (503)
  kTimedOut,  // 504
  kLost,      // the connection to the server broke and a retry was not allowed (502)
};

struct AnswerClient {
  ClientId client;
  ClientStatus status = ClientStatus::kDone;
  NodeId server = kNoNode;     // who answered; the client's cookie names it from now on
  std::uint32_t attempts = 0;  // 0: no server was asked
};

struct StartWork {
  WorkId work;
  std::uint64_t tag = 0;
};

struct CancelWork {
  WorkId work;
};

struct ReadCpu {};

/// A server is idle and may go to low power.
struct PowerDown {};

/// A balancer wants a sleeping server back.
struct PowerOn {
  NodeId server;
};

using Effect = std::variant<Send, AnswerClient, StartWork, CancelWork, ReadCpu, PowerDown, PowerOn>;
using Effects = std::vector<Effect>;

}  // namespace copal
