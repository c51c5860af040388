#include "core/cache/w_tiny_lfu.h"

#include "core/base/assert.h"

namespace copal {

namespace {

/// A share of a limit, rounded down, without overflow.
constexpr std::uint64_t percent_of(std::uint64_t bytes, std::uint64_t percent) {
  return bytes / 100 * percent + bytes % 100 * percent / 100;
}

}  // namespace

WTinyLfu::WTinyLfu(std::uint64_t limit_bytes)
    : limit_bytes_(limit_bytes),
      window_limit_bytes_(limit_bytes - percent_of(limit_bytes, 99)),
      protected_limit_bytes_(percent_of(percent_of(limit_bytes, 99), 80)) {}

EvictionQueue& WTinyLfu::queue_of(const EvictionItem& item) {
  return item.queue == kWindow ? window_ : item.queue == kProbation ? probation_ : protected_;
}

void WTinyLfu::move(EvictionItem& item, std::uint8_t queue) {
  queue_of(item).remove(item);
  item.queue = queue;
  queue_of(item).push_newest(item);
}

void WTinyLfu::hit(EvictionItem& item) {
  sketch_.count(item.hash);
  if (item.queue == kProbation) {
    move(item, kProtected);
    shrink_protected();
  } else {
    queue_of(item).move_to_newest(item);
  }
}

void WTinyLfu::insert(EvictionItem& item, EvictionQueue& evicted) {
  COPAL_ASSERT(item.size_bytes > 0 && item.size_bytes <= limit_bytes_);
  item.queue = kWindow;
  window_.push_newest(item);
  sketch_.ensure(window_.count() + probation_.count() + protected_.count());
  sketch_.count(item.hash);
  shrink(evicted);
}

void WTinyLfu::resize(EvictionItem& item, std::uint32_t size_bytes, EvictionQueue& evicted) {
  COPAL_ASSERT(size_bytes > 0 && size_bytes <= limit_bytes_);
  queue_of(item).resize(item, size_bytes);
  shrink_protected();
  shrink(evicted);
}

void WTinyLfu::remove(EvictionItem& item) {
  queue_of(item).remove(item);
}

void WTinyLfu::shrink(EvictionQueue& evicted) {
  while (!window_.empty() &&
         (window_.size_bytes() > window_limit_bytes_ || size_bytes() > limit_bytes_)) {
    EvictionItem& candidate = *window_.oldest();
    move(candidate, kProbation);
    admit(candidate, evicted);
  }
  // Only an item of the main part that grew gets here.
  while (size_bytes() > limit_bytes_) {
    evict(*(probation_.empty() ? protected_ : probation_).oldest(), evicted);
  }
}

void WTinyLfu::admit(EvictionItem& candidate, EvictionQueue& evicted) {
  while (size_bytes() > limit_bytes_) {
    EvictionItem& victim = *probation_.oldest();
    if (&victim == &candidate ||
        sketch_.estimate(candidate.hash) <= sketch_.estimate(victim.hash)) {
      evict(candidate, evicted);
      return;
    }
    evict(victim, evicted);
  }
}

void WTinyLfu::shrink_protected() {
  while (protected_.size_bytes() > protected_limit_bytes_) {
    move(*protected_.oldest(), kProbation);
  }
}

void WTinyLfu::evict(EvictionItem& item, EvictionQueue& evicted) {
  queue_of(item).remove(item);
  evicted.push_newest(item);
}

void WTinyLfu::check_invariants() const {
  window_.check_invariants(kWindow);
  probation_.check_invariants(kProbation);
  protected_.check_invariants(kProtected);
  COPAL_ASSERT(window_.size_bytes() <= window_limit_bytes_);
  COPAL_ASSERT(protected_.size_bytes() <= protected_limit_bytes_);
  COPAL_ASSERT(size_bytes() <= limit_bytes_);
}

}  // namespace copal
