#pragma once

namespace copal {

/// Who starts a node's process, and starts it again. In the simulator the cloud, in production the
/// system's service manager.
///
/// Contract: the call comes at most once in a process' life; nothing is asked of the node after it.
class Supervisor {
 public:
  virtual ~Supervisor() = default;

  /// failed  it can't go on and wants to be started again; else it has done all it had to do.
  virtual void stop_process(bool failed) = 0;
};

}  // namespace copal
