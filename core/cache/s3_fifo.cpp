#include "core/cache/s3_fifo.h"

#include "core/base/assert.h"

namespace copal {

S3Fifo::S3Fifo(std::uint64_t limit_bytes)
    : limit_bytes_(limit_bytes),
      small_limit_bytes_(limit_bytes / 10),
      main_limit_bytes_(limit_bytes - limit_bytes / 10),
      ghosts_(main_limit_bytes_) {}

void S3Fifo::insert(EvictionItem& item, EvictionQueue& evicted) {
  COPAL_ASSERT(item.size_bytes > 0 && item.size_bytes <= limit_bytes_);
  while (size_bytes() + item.size_bytes > limit_bytes_) {
    evict(evicted);
  }
  item.uses = 0;
  item.queue = ghosts_.take(item.hash) ? kMain : kSmall;
  queue_of(item).push_newest(item);
}

void S3Fifo::resize(EvictionItem& item, std::uint32_t size_bytes, EvictionQueue& evicted) {
  COPAL_ASSERT(size_bytes > 0 && size_bytes <= limit_bytes_);
  queue_of(item).resize(item, size_bytes);
  while (this->size_bytes() > limit_bytes_) {
    evict(evicted);
  }
}

void S3Fifo::remove(EvictionItem& item) {
  queue_of(item).remove(item);
}

void S3Fifo::evict(EvictionQueue& evicted) {
  const bool small_is_full = !small_.empty() && small_.size_bytes() >= small_limit_bytes_;
  if (small_is_full || main_.empty()) {
    evict_small(evicted);
  } else {
    evict_main(evicted);
  }
}

void S3Fifo::evict_small(EvictionQueue& evicted) {
  while (!small_.empty()) {
    EvictionItem& item = small_.take_oldest();
    if (item.uses <= 1) {
      ghosts_.add(item.hash, item.size_bytes);
      evicted.push_newest(item);
      return;
    }
    item.uses = 0;
    item.queue = kMain;
    main_.push_newest(item);
    if (main_.size_bytes() > main_limit_bytes_) {
      evict_main(evicted);
    }
  }
}

void S3Fifo::evict_main(EvictionQueue& evicted) {
  // Each round takes a use away, so the number of rounds is paid for by earlier hits.
  while (main_.oldest()->uses > 0) {
    --main_.oldest()->uses;
    main_.move_to_newest(*main_.oldest());
  }
  evicted.push_newest(main_.take_oldest());
}

void S3Fifo::check_invariants() const {
  small_.check_invariants(kSmall);
  main_.check_invariants(kMain);
  ghosts_.check_invariants();
  COPAL_ASSERT(size_bytes() <= limit_bytes_);
}

}  // namespace copal
