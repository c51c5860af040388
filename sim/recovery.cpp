#include "sim/recovery.h"

#include <algorithm>
#include <limits>

namespace copal::sim {

void Recovery::on_fault(bool lasts, TimePoint now) {
  close(now);
  lasting_ += lasts ? 1 : 0;
  since_ = lasting_ == 0 ? now : kNever;
}

void Recovery::on_fault_end(TimePoint now) {
  close(now);
  --lasting_;
  since_ = lasting_ == 0 ? now : kNever;
}

void Recovery::on_error(TimePoint now) {
  error_at_ = now;
}

void Recovery::on_look(bool all_alike, TimePoint now) {
  if (looks() && all_alike) {
    alike_at_ = now;
  }
}

void Recovery::close(TimePoint now) {
  if (since_ == kNever) {
    return;
  }
  const TimePoint alike = alike_at_ == kNever ? now : alike_at_;
  longest_ = std::max(longest_, std::max(alike, error_at_) - since_);
  since_ = kNever;
  alike_at_ = kNever;
}

double Recovery::finish() {
  if (looks() || lasting_ > 0) {
    return std::numeric_limits<double>::infinity();
  }
  close(alike_at_);
  return to_seconds(longest_);
}

}  // namespace copal::sim
