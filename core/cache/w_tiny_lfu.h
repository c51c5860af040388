#pragma once

#include "core/cache/eviction.h"
#include "core/cache/frequency_sketch.h"

namespace copal {

/// Newcomers pass through a small LRU queue, the window (1 % of the limit). What it pushes out is a
/// candidate for the main part, and if there is no room takes it from that part's own victim only
/// if it was seen more often lately, by a sketch that counts hits and inserted items, so that what
/// is asked for once never displaces what is asked for daily. The main part is LRU in two: a hit in
/// probation is a promotion to protected (80 % of main), whose oldest go back to probation.
///   while the window is beyond its share, or all beyond the limit, its oldest is the candidate:
///   to the end of probation; while all are beyond the limit: the victim is probation's oldest;
///   if that is the candidate, or seen as often as it or more, the candidate goes, else the victim
/// Source: Einziger, Friedman, Manes, "TinyLFU: a highly efficient cache admission policy", ACM
/// TOS 2017, with the shares and the duels of Caffeine 3 (WindowTinyLfuPolicy of its simulator;
/// victims one by one where sizes differ as in its BoundedLocalCache). Departs: the shares are
/// fixed (no hill climbing), and a loser never gets in by chance, which in Caffeine guards against
/// keys made to collide: keys here are SHA-256, and a near cache is its own server's.
class WTinyLfu final : public EvictionPolicy {
 public:
  explicit WTinyLfu(std::uint64_t limit_bytes);

  void hit(EvictionItem& item) override;
  void insert(EvictionItem& item, EvictionQueue& evicted) override;
  void resize(EvictionItem& item, std::uint32_t size_bytes, EvictionQueue& evicted) override;
  void remove(EvictionItem& item) override;
  std::uint64_t size_bytes() const override {
    return window_.size_bytes() + probation_.size_bytes() + protected_.size_bytes();
  }
  void check_invariants() const override;

 private:
  static constexpr std::uint8_t kWindow = 0;  // EvictionItem::queue
  static constexpr std::uint8_t kProbation = 1;
  static constexpr std::uint8_t kProtected = 2;

  EvictionQueue& queue_of(const EvictionItem& item);
  void move(EvictionItem& item, std::uint8_t queue);
  void shrink(EvictionQueue& evicted);
  void admit(EvictionItem& candidate, EvictionQueue& evicted);
  void shrink_protected();
  void evict(EvictionItem& item, EvictionQueue& evicted);

  std::uint64_t limit_bytes_;
  std::uint64_t window_limit_bytes_;
  std::uint64_t protected_limit_bytes_;
  EvictionQueue window_;
  EvictionQueue probation_;
  EvictionQueue protected_;
  FrequencySketch sketch_;
};

}  // namespace copal
