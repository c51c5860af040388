#include "core/cache/lru.h"

#include "core/base/assert.h"

namespace copal {

void Lru::insert(EvictionItem& item, EvictionQueue& evicted) {
  COPAL_ASSERT(item.size_bytes > 0 && item.size_bytes <= limit_bytes_);
  queue_.push_newest(item);
  shrink(evicted);
}

void Lru::resize(EvictionItem& item, std::uint32_t size_bytes, EvictionQueue& evicted) {
  COPAL_ASSERT(size_bytes > 0 && size_bytes <= limit_bytes_);
  queue_.resize(item, size_bytes);
  shrink(evicted);
}

void Lru::shrink(EvictionQueue& evicted) {
  while (queue_.size_bytes() > limit_bytes_) {
    evicted.push_newest(queue_.take_oldest());
  }
}

void Lru::check_invariants() const {
  queue_.check_invariants(0);
  COPAL_ASSERT(queue_.size_bytes() <= limit_bytes_);
}

}  // namespace copal
