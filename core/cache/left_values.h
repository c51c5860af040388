#pragma once

#include <cstdint>
#include <deque>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/protocol/effect.h"
#include "core/values/replica.h"

namespace copal {

/// Large values that servers have left with this member, because the values' hashes chose it, until
/// the change that names them has come: pinned for kLeftValueTime, within a limit.
/// Source: paper, section III: the data goes to its own owner. Rule: R0.4.
/// Invariant: 1. each one here holds one pin.
class LeftValues {
 public:
  LeftValues(std::uint64_t size_max_bytes, Replica& replica)
      : size_max_bytes_(size_max_bytes), replica_(replica) {}

  void on_leave(NodeId from, const LeaveValue& leave, TimePoint now, Effects& effects);
  void on_time(TimePoint now);
  TimePoint next_deadline() const { return left_.empty() ? kNever : left_.front().until; }

  std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  struct Left {
    ValueHash hash;
    std::uint64_t size_bytes = 0;
    TimePoint until{};
  };

  std::uint64_t size_max_bytes_;
  Replica& replica_;
  std::deque<Left> left_;  // all for the same time, so in the order of their ends
  std::uint64_t size_bytes_ = 0;
};

}  // namespace copal
