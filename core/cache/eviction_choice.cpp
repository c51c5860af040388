#include "core/cache/eviction_choice.h"

#include <array>

#include "core/base/assert.h"
#include "core/cache/lru.h"
#include "core/cache/s3_fifo.h"
#include "core/cache/w_tiny_lfu.h"

namespace copal {

std::span<const std::string_view> eviction_names() {
  static constexpr std::array<std::string_view, 3> kNames{"lru", "s3_fifo", "w_tiny_lfu"};
  return kNames;
}

std::unique_ptr<EvictionPolicy> make_eviction_policy(Eviction eviction, std::uint64_t limit_bytes) {
  switch (eviction) {
    case Eviction::kLru:
      return std::make_unique<Lru>(limit_bytes);
    case Eviction::kS3Fifo:
      return std::make_unique<S3Fifo>(limit_bytes);
    case Eviction::kWTinyLfu:
      return std::make_unique<WTinyLfu>(limit_bytes);
  }
  COPAL_ASSERT(false);  // a number that is no Eviction
}

}  // namespace copal
