#include "core/cache/left_values.h"

namespace copal {

void LeftValues::on_leave(NodeId from, const LeaveValue& leave, TimePoint now, Effects& effects) {
  const std::uint64_t size_bytes = leave.value.size_bytes();
  const bool kept =
      size_bytes > 0 && (left_.empty() || size_bytes_ + size_bytes <= size_max_bytes_);
  if (kept) {
    replica_.values().pin(leave.hash);
    replica_.values().provide(leave.hash, leave.value);
    left_.push_back({leave.hash, size_bytes, now + kLeftValueTime});
    size_bytes_ += size_bytes;
  }
  effects.push_back(Send{from, ValueLeft{leave.sequence, leave.hash, kept}});
}

void LeftValues::on_time(TimePoint now) {
  while (!left_.empty() && left_.front().until <= now) {
    replica_.values().unpin(left_.front().hash);
    size_bytes_ -= left_.front().size_bytes;
    left_.pop_front();
  }
}

}  // namespace copal
