#pragma once

#include <cstdint>

#include "core/base/time.h"

namespace copal::sim {

/// Measures the time to recover: from the end of a fault (from its begin, if it never ends) until
/// all members that run hold the same and no operation fails any more. While several faults last,
/// the last end counts; a fault that begins before that is over cuts it off, and the time so far
/// counts. Any clock, as long as it is one.
class Recovery {
 public:
  /// lasts  whether it will end.
  void on_fault(bool lasts, TimePoint now);
  void on_fault_end(TimePoint now);
  /// An operation or a request failed.
  void on_error(TimePoint now);

  /// Whether it is of interest whether members hold the same: then on_look() says so.
  bool looks() const { return since_ != kNever && alike_at_ == kNever; }
  void on_look(bool all_alike, TimePoint now);

  /// The longest of all, in seconds; infinity if the last is not over; 0 without faults. Ends the
  /// measurement.
  double finish();

 private:
  void close(TimePoint now);

  std::uint32_t lasting_ = 0;
  TimePoint since_ = kNever;     // the end of the last fault, while no other is under way
  TimePoint alike_at_ = kNever;  // of that
  TimePoint error_at_{};
  Duration longest_{};
};

}  // namespace copal::sim
