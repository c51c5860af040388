#include "sim/native_cpu.h"

#include <algorithm>

#include "core/base/assert.h"

namespace copal::sim {

NativeCpu::NativeCpu(Engine& engine, std::uint32_t trace_id, std::uint32_t cores, double speed,
                     CpuListener& listener)
    : EventTarget(trace_id), engine_(engine), listener_(listener), cores_(cores), speed_(speed) {
  COPAL_ASSERT(cores >= 1 && speed > 0);
}

void NativeCpu::start(std::uint64_t work, Duration amount) {
  advance();
  COPAL_ASSERT(running_.find(work) == nullptr);
  const std::uint64_t sequence = next_sequence_++;
  running_[work] = sequence;
  ++active_;
  jobs_.push_back({service_ + to_seconds(amount), sequence, work});
  std::push_heap(jobs_.begin(), jobs_.end(), later);
  schedule();
}

void NativeCpu::cancel(std::uint64_t work) {
  if (running_.find(work) == nullptr) {
    return;
  }
  advance();
  running_.erase(work);
  --active_;
  schedule();
}

void NativeCpu::clear() {
  advance();
  jobs_.clear();
  running_.clear();
  active_ = 0;
}

void NativeCpu::set_speed_factor(double factor) {
  COPAL_ASSERT(factor >= 0);
  advance();
  factor_ = factor;
  schedule();
}

void NativeCpu::on_event(std::uint64_t) {
  if (engine_.now() < scheduled_) {
    return;  // replaced by an earlier one, which has asked for what comes next
  }
  scheduled_ = kNever;
  advance();
  // What is within half a nanosecond of its end is at its end: events have whole nanoseconds.
  const double slack = rate() * 0.5e-9;
  for (;;) {
    drop_cancelled();
    if (jobs_.empty() || jobs_.front().ends > service_ + slack) {
      break;
    }
    const std::uint64_t work = jobs_.front().work;
    std::pop_heap(jobs_.begin(), jobs_.end(), later);
    jobs_.pop_back();
    running_.erase(work);
    --active_;
    listener_.on_work_done(work);
  }
  schedule();
}

double NativeCpu::rate() const {
  const double shared = active_ > cores_ ? cores_ / active_ : 1.0;
  return shared * speed_ * factor_;
}

void NativeCpu::advance() {
  const TimePoint now = engine_.now();
  if (active_ == 0) {
    service_ = 0;  // keeps the numbers small, and so their steps fine
    jobs_.clear();
  } else {
    service_ += to_seconds(now - advanced_at_) * rate();
  }
  advanced_at_ = now;
}

void NativeCpu::schedule() {
  drop_cancelled();
  if (jobs_.empty() || factor_ == 0) {
    return;
  }
  const double left = std::max(0.0, jobs_.front().ends - service_);
  const TimePoint end = engine_.now() + from_seconds(left / rate());
  // An earlier event that is still to come serves as well: it finds nothing to end and asks again.
  if (end < scheduled_) {
    scheduled_ = end;
    engine_.at(end, *this, 0);
  }
}

void NativeCpu::drop_cancelled() {
  while (!jobs_.empty()) {
    const std::uint64_t* sequence = running_.find(jobs_.front().work);
    if (sequence != nullptr && *sequence == jobs_.front().sequence) {
      return;
    }
    std::pop_heap(jobs_.begin(), jobs_.end(), later);
    jobs_.pop_back();
  }
}

}  // namespace copal::sim
