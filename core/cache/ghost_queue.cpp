#include "core/cache/ghost_queue.h"

#include "core/base/assert.h"

namespace copal {

void GhostQueue::add(std::uint64_t hash, std::uint32_t size_bytes) {
  COPAL_ASSERT(size_bytes > 0);
  take(hash);
  if (size_bytes > limit_bytes_) {
    return;
  }
  while (size_bytes_ + size_bytes > limit_bytes_) {
    drop(oldest_);
  }
  std::uint32_t place = free_;
  if (place == kNone) {
    place = static_cast<std::uint32_t>(entries_.size());
    COPAL_ASSERT(place != kNone);
    entries_.emplace_back();
  } else {
    free_ = entries_[place].newer;
  }
  entries_[place] = {hash, size_bytes, newest_, kNone};
  (newest_ == kNone ? oldest_ : entries_[newest_].newer) = place;
  newest_ = place;
  places_[hash] = place;
  size_bytes_ += size_bytes;
  ++count_;
}

bool GhostQueue::take(std::uint64_t hash) {
  const std::uint32_t* place = places_.find(hash);
  if (place == nullptr) {
    return false;
  }
  drop(*place);
  return true;
}

void GhostQueue::drop(std::uint32_t place) {
  COPAL_ASSERT(place != kNone);
  Entry& entry = entries_[place];
  (entry.older == kNone ? oldest_ : entries_[entry.older].newer) = entry.newer;
  (entry.newer == kNone ? newest_ : entries_[entry.newer].older) = entry.older;
  places_.erase(entry.hash);
  size_bytes_ -= entry.size_bytes;
  --count_;
  entry.newer = free_;
  free_ = place;
}

void GhostQueue::check_invariants() const {
  std::size_t count = 0;
  std::uint64_t size_bytes = 0;
  std::uint32_t before = kNone;
  for (std::uint32_t place = oldest_; place != kNone; place = entries_[place].newer) {
    COPAL_ASSERT(entries_[place].older == before);
    ++count;
    size_bytes += entries_[place].size_bytes;
    before = place;
  }
  COPAL_ASSERT(newest_ == before && count == count_ && count == places_.size());
  COPAL_ASSERT(size_bytes == size_bytes_ && size_bytes <= limit_bytes_);
}

}  // namespace copal
