#include "sim/workload/bursty.h"

#include "core/base/assert.h"
#include "sim/workload/sampler.h"

namespace copal::sim {

BurstyProcess::BurstyProcess(const scenario::WorkloadSpec& spec, std::uint64_t seed)
    : spec_(spec), arrivals_(seed, "arrivals"), changes_(seed, "bursts") {
  COPAL_ASSERT(spec_.calm_time > 0s && spec_.burst_time > 0s);
  const double calm_s = to_seconds(spec_.calm_time);
  const double burst_s = to_seconds(spec_.burst_time);
  // change() flips the state: begin with the other one.
  burst_ = draw_unit(changes_) * (calm_s + burst_s) < calm_s;
  change();
}

void BurstyProcess::change() {
  burst_ = !burst_;
  const Duration mean = burst_ ? spec_.burst_time : spec_.calm_time;
  change_at_ += from_seconds(draw_exponential(changes_) * to_seconds(mean)) + 1ns;
}

TimePoint BurstyProcess::next() {
  if (spec_.rate_per_s <= 0 && spec_.peak_rate_per_s <= 0) {
    return kNever;
  }
  for (;;) {
    const double rate = burst_ ? spec_.peak_rate_per_s : spec_.rate_per_s;
    // What is drawn beyond the change is drawn again: an exponential time has no memory.
    if (rate > 0) {
      const double gap_s = draw_exponential(arrivals_) / rate;
      if (gap_s < to_seconds(change_at_ - now_)) {
        now_ += from_seconds(gap_s);
        return now_;
      }
    }
    now_ = change_at_;
    change();
  }
}

}  // namespace copal::sim
