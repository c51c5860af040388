#pragma once

#include <cstddef>
#include <deque>

#include "core/protocol/effect.h"

namespace copal {

/// What may leave only when the disk has it (after_sync), of steps whose writes the store has not
/// been given yet: its disk is full, or there was too much for one batch. A driver knows only what
/// was handed over to it. Rule: R0.2.
/// Answers find their questions by number and pass each other; acknowledgements of replication
/// cover all before them, so that one that waits keeps those behind it, and the newest stands for
/// all. Invariant: never more than kHeldMax.
class UnwrittenSends {
 public:
  /// Beyond, the oldest is dropped: its server asks again, or is told that nobody knows.
  static constexpr std::size_t kHeldMax = 4096;

  /// To be called at the end of a step: takes from the effects what must wait, or gives it back.
  /// is_written  whether all that this step and those before it did is handed to the store.
  void end_step(bool is_written, Effects& effects);
  void clear() { held_.clear(); }
  std::size_t size() const { return held_.size(); }

 private:
  bool must_wait(const Send& send) const;

  std::deque<Send> held_;
};

}  // namespace copal
