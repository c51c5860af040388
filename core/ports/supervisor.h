#pragma once

#include <cstddef>
#include <cstdint>

namespace copal {

/// What a triad member wants its operators to know while it goes on.
enum class Alarm : std::uint8_t {
  kServesAlone,  // no other member is ready: what it acknowledges has one copy
  kStoreFull,    // changes that need room are refused
  kStoreLost,    // its disk lost what it had said was synced; it is another generation
};
inline constexpr std::size_t kAlarms = 3;

/// Who starts a node's process, and starts it again. In the simulator the cloud, in production the
/// system's service manager.
///
/// Contract: stop_process() comes at most once in a process' life; nothing is asked of the node
/// after it. An alarm is set only when it changes; all are off at the start.
class Supervisor {
 public:
  virtual ~Supervisor() = default;

  /// failed  it can't go on and wants to be started again; else it has done all it had to do.
  virtual void stop_process(bool failed) = 0;
  /// on  it begins, or it is over. A process that ends has no alarms any more.
  virtual void set_alarm(Alarm alarm, bool on) = 0;
};

}  // namespace copal
