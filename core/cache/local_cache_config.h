#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/time.h"
#include "core/cache/near_cache.h"

namespace copal {

/// Limits and times of a server's side of the cache.
struct LocalCacheConfig {
  NearCacheConfig near;
  std::size_t calls_max = 8192;   // operations under way; beyond: kOverloaded
  std::size_t changes_max = 512;  // sent and not answered; others wait. Far below what an owner
                                  // keeps answers for (AnswerWindow)
  std::uint64_t kept_max_bytes = std::uint64_t{64} << 20U;  // acknowledged, not replicated (R1.7)
  std::uint32_t ride_along_max_bytes = 4096;  // larger values are sent only if they are needed
  Duration attempt_timeout = 1s;              // then another member is asked
  Duration retry_delay = 25ms;                // after "try again"
};

}  // namespace copal
