#pragma once

#include "core/cache/eviction.h"
#include "core/cache/ghost_queue.h"

namespace copal {

/// Three first-in-first-out queues: newcomers pass through a small one (a tenth of the limit), and
/// only those used more than once there get into the main one; a ghost queue remembers what left
/// the small one, and what it knows goes straight to the main one. A hit counts in the item, up to
/// 3, and moves nothing. The main queue gives its oldest item another round for each use counted.
///   to make room       the small queue gives one up if it has its tenth or more, else the main one
///   small gives up     oldest first: used > 1: to main, uses = 0, and main gives one up if it is
///                      then beyond its nine tenths; else its hash to the ghosts, and done
///   main gives up      oldest first: used > 0: back to its end, uses - 1; else done
///   ghosts             as many bytes of items as main may have
/// Source: Yang, Zhang, Qiu, Yue, Rashmi, "FIFO queues are all you need for cache eviction", SOSP
/// 2023, algorithm 1. Chosen, where sizes differ and the paper counts items: a tenth is of bytes;
/// an empty queue gives nothing up, the other one does; an item in the ghosts leaves them when it
/// is inserted, so that they remember only what is gone.
class S3Fifo final : public EvictionPolicy {
 public:
  explicit S3Fifo(std::uint64_t limit_bytes);

  void hit(EvictionItem& item) override {
    if (item.uses < kUsesMax) {
      ++item.uses;
    }
  }
  void insert(EvictionItem& item, EvictionQueue& evicted) override;
  void resize(EvictionItem& item, std::uint32_t size_bytes, EvictionQueue& evicted) override;
  void remove(EvictionItem& item) override;
  std::uint64_t size_bytes() const override { return small_.size_bytes() + main_.size_bytes(); }
  void check_invariants() const override;

 private:
  static constexpr std::uint8_t kUsesMax = 3;
  static constexpr std::uint8_t kSmall = 0;  // EvictionItem::queue
  static constexpr std::uint8_t kMain = 1;

  EvictionQueue& queue_of(const EvictionItem& item) { return item.queue == kMain ? main_ : small_; }
  void evict(EvictionQueue& evicted);
  void evict_small(EvictionQueue& evicted);
  void evict_main(EvictionQueue& evicted);

  std::uint64_t limit_bytes_;
  std::uint64_t small_limit_bytes_;
  std::uint64_t main_limit_bytes_;
  EvictionQueue small_;
  EvictionQueue main_;
  GhostQueue ghosts_;
};

}  // namespace copal
