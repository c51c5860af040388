#pragma once

#include <cstdint>

#include "core/base/ids.h"

namespace copal {

struct AnswerClient;

/// What stands in front of a balancer: the clients, and who can switch machines on. In the
/// simulator a workload and a cloud, in production HTTP connections and a provider's command.
///
/// Contract: each ClientRequest input is answered exactly once, unless the balancer dies first. No
/// call comes back into the driver before it has returned.
class Caller {
 public:
  virtual ~Caller() = default;

  virtual void answer_client(const AnswerClient& answer) = 0;
  /// Asking again while the server is on its way does nothing.
  virtual void power_on(NodeId server) = 0;
};

}  // namespace copal
