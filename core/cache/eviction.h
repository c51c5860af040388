#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/assert.h"

namespace copal {

/// What an eviction policy knows of a cached item. The cache derives its own items from this; they
/// stay where they are while a policy has them, so that queues are links and nothing is allocated.
struct EvictionItem {
  EvictionItem* older = nullptr;
  EvictionItem* newer = nullptr;
  std::uint64_t hash = 0;        // of the key, its bits evenly spread; equal hashes are one key
  std::uint32_t size_bytes = 0;  // what it is charged; 1 for each makes the limit a count
  std::uint8_t queue = 0;        // the policy's own: which of its queues this is in
  std::uint8_t uses = 0;         // the policy's own
};

/// A queue of items, from the oldest to the newest. Owns none of them.
/// Invariant: an item is in one queue at a time; the sizes add up.
class EvictionQueue {
 public:
  EvictionItem* oldest() const { return oldest_; }
  bool empty() const { return oldest_ == nullptr; }
  std::size_t count() const { return count_; }
  std::uint64_t size_bytes() const { return size_bytes_; }

  /// item  in no queue.
  void push_newest(EvictionItem& item) {
    item.older = newest_;
    item.newer = nullptr;
    (newest_ == nullptr ? oldest_ : newest_->newer) = &item;
    newest_ = &item;
    ++count_;
    size_bytes_ += item.size_bytes;
  }
  /// item  in this queue.
  void remove(EvictionItem& item) {
    (item.older == nullptr ? oldest_ : item.older->newer) = item.newer;
    (item.newer == nullptr ? newest_ : item.newer->older) = item.older;
    item.older = nullptr;
    item.newer = nullptr;
    --count_;
    size_bytes_ -= item.size_bytes;
  }
  /// item  in this queue.
  void move_to_newest(EvictionItem& item) {
    if (newest_ != &item) {
      remove(item);
      push_newest(item);
    }
  }
  /// item  in this queue.
  void resize(EvictionItem& item, std::uint32_t size_bytes) {
    size_bytes_ = size_bytes_ - item.size_bytes + size_bytes;
    item.size_bytes = size_bytes;
  }
  /// Takes the oldest one out; asserts that there is one.
  EvictionItem& take_oldest() {
    COPAL_ASSERT(oldest_ != nullptr);
    EvictionItem& item = *oldest_;
    remove(item);
    return item;
  }

  /// Walks everything. queue  what the items must say of themselves.
  void check_invariants(std::uint8_t queue) const {
    std::size_t count = 0;
    std::uint64_t size_bytes = 0;
    const EvictionItem* before = nullptr;
    for (const EvictionItem* item = oldest_; item != nullptr; item = item->newer) {
      COPAL_ASSERT(item->queue == queue && item->older == before && item->size_bytes > 0);
      ++count;
      size_bytes += item->size_bytes;
      before = item;
    }
    COPAL_ASSERT(newest_ == before && count == count_ && size_bytes == size_bytes_);
  }

 private:
  EvictionItem* oldest_ = nullptr;
  EvictionItem* newest_ = nullptr;
  std::size_t count_ = 0;
  std::uint64_t size_bytes_ = 0;
};

/// Decides which items a cache gives up when their sizes exceed its limit in bytes (given to each
/// policy's constructor). All of them are deterministic, draw no random numbers, take constant time
/// a call (amortized) and allocate nothing for a hit. What they compute stands in their headers.
/// `evicted` takes the items that were given up, in this order, the new one among them if it was
/// not admitted; the policy has forgotten them, and their owner disposes of them.
class EvictionPolicy {
 public:
  virtual ~EvictionPolicy() = default;

  /// An item was used.
  virtual void hit(EvictionItem& item) = 0;
  /// A new item was asked for and came. item  size_bytes from 1 to the limit, asserted.
  virtual void insert(EvictionItem& item, EvictionQueue& evicted) = 0;
  /// An item has another size from now on: within the same bounds. No use.
  virtual void resize(EvictionItem& item, std::uint32_t size_bytes, EvictionQueue& evicted) = 0;
  /// The owner takes an item back for reasons of its own.
  virtual void remove(EvictionItem& item) = 0;

  /// Sum of the items' sizes; at most the limit between calls.
  virtual std::uint64_t size_bytes() const = 0;

  /// Walks everything; for tests and the simulator.
  virtual void check_invariants() const = 0;
};

}  // namespace copal
