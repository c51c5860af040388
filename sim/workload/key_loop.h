#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sim/workload/workload.h"

namespace copal::sim {

/// A recording of the keys that were asked of a cache, one a request: when requests come and what
/// else they are is another workload's business. Ends with its last key.
class KeyLoop final : public Workload {
 public:
  /// requests  open: answers don't move it.
  KeyLoop(std::unique_ptr<Workload> requests, std::vector<std::uint32_t> keys)
      : requests_(std::move(requests)), keys_(std::move(keys)) {}

  TimePoint next_at() override { return next_ < keys_.size() ? requests_->next_at() : kNever; }
  Arrival take() override;
  void on_answer(std::uint64_t user, TimePoint now) override { requests_->on_answer(user, now); }

 private:
  std::unique_ptr<Workload> requests_;
  std::vector<std::uint32_t> keys_;
  std::size_t next_ = 0;
};

}  // namespace copal::sim
