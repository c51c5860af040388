#pragma once

#include <cstdint>

#include "core/base/time.h"

namespace copal::sim {

/// Told when work is done.
class CpuListener {
 public:
  virtual ~CpuListener() = default;
  virtual void on_work_done(std::uint64_t work) = 0;
};

/// The processors of one host: its cores are shared evenly by all work, and no work runs on more
/// than one core. Two implementations that must agree: native_cpu.h and SimGrid's execution.
class Cpu {
 public:
  virtual ~Cpu() = default;

  /// work    a name that is not in use.
  /// amount  time it takes alone on one core at full speed; the listener hears when it is done.
  virtual void start(std::uint64_t work, Duration amount) = 0;
  /// Ends work without a word to the listener. Work that is not there (done already) is let be.
  virtual void cancel(std::uint64_t work) = 0;
  /// Ends all work without a word: the machine lost it.
  virtual void clear() = 0;
  /// From now on all runs at factor times the host's speed; 0: it stands still.
  virtual void set_speed_factor(double factor) = 0;
  /// How many pieces of work are under way.
  virtual std::uint32_t active() const = 0;
};

}  // namespace copal::sim
