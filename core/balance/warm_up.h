#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/time.h"

// A started server has cold caches: its share of new requests ramps up in equal steps. Steps and
// not a line, so that a policy's tables are rebuilt 16 times and not at every choice. Source: the
// paper, "Resin 4.0 Load Balancer"; resin-facts L9 (16 chunks of the warm-up time). Departs: the
// product capped connections (1, 1, 1, 1, 2, … 128), which starves a warming server in a large
// cluster and does not limit it in a small one; a share of the weight does neither.

namespace copal::balance {

inline constexpr std::int64_t kWarmUpStepCount = 16;

/// since  time in service.  total  warm-up time; 0: none. Returns 1/16, 2/16, … 1.
constexpr double warm_up_share(Duration since, Duration total) {
  if (total <= Duration::zero() || since >= total) {
    return 1;
  }
  const std::int64_t step = since.count() * kWarmUpStepCount / total.count();
  return static_cast<double>(step + 1) / static_cast<double>(kWarmUpStepCount);
}

/// Returns the time in service at which the next step begins; `total` after the last.
constexpr Duration next_warm_up_step(Duration since, Duration total) {
  if (total <= Duration::zero() || since >= total) {
    return total;
  }
  const std::int64_t step = since.count() * kWarmUpStepCount / total.count();
  const Duration next{(total.count() * (step + 1) + kWarmUpStepCount - 1) / kWarmUpStepCount};
  return std::min(next, total);
}

}  // namespace copal::balance
