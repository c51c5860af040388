#pragma once

#include "core/cache/eviction.h"

namespace copal {

/// Gives up what was used longest ago. One queue by the last use; a hit moves to its end.
/// Source: Denning, "The working set model for program behavior", 1968, for why it works; the
/// yardstick for the others, and the one whose hit ratio is known (Che's approximation).
class Lru final : public EvictionPolicy {
 public:
  explicit Lru(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  void hit(EvictionItem& item) override { queue_.move_to_newest(item); }
  void insert(EvictionItem& item, EvictionQueue& evicted) override;
  void resize(EvictionItem& item, std::uint32_t size_bytes, EvictionQueue& evicted) override;
  void remove(EvictionItem& item) override { queue_.remove(item); }
  std::uint64_t size_bytes() const override { return queue_.size_bytes(); }
  void check_invariants() const override;

 private:
  void shrink(EvictionQueue& evicted);

  std::uint64_t limit_bytes_;
  EvictionQueue queue_;
};

}  // namespace copal
