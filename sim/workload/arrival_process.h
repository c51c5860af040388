#pragma once

#include "core/base/time.h"

namespace copal::sim {

/// When requests come, and nothing else about them. Draws from streams of its own, so that the laws
/// of what is asked for do not shift the times.
class ArrivalProcess {
 public:
  virtual ~ArrivalProcess() = default;

  /// Returns the next time, never before the last one; kNever, from then on always, if there are no
  /// more.
  virtual TimePoint next() = 0;

  /// Factor on the size of the answer to the request whose time next() returned last.
  virtual double answer_factor() const { return 1; }
};

}  // namespace copal::sim
