#include "sim/workload/key_loop.h"

#include "core/base/assert.h"
#include "core/base/hash.h"

namespace copal::sim {

Arrival KeyLoop::take() {
  COPAL_ASSERT(next_ < keys_.size());
  Arrival arrival = requests_->take();
  // 0 means none, and keys of recordings begin with it.
  arrival.cache_key = std::uint64_t{keys_[next_++]} + 1;
  if (arrival.session == kNoSession) {
    arrival.routing_key = mix64(arrival.cache_key);
  }
  return arrival;
}

}  // namespace copal::sim
