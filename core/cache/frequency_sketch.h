#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace copal {

/// About how often each key was seen lately, for any number of keys in 8 to 16 bytes for each item
/// that the cache can hold: a count-min sketch of 4-bit counters that are all halved (rounding
/// down) whenever 10 times as many keys were counted as there are items.
/// A key has four counters, all within the 128 of one block (64 bytes), so that counting costs one
/// or two cache lines. With B blocks and hash h of the key: block h mod B; its i-th counter
/// (i = 0 to 3) is the one numbered 32 i + (h >> (32 + 8 i)) mod 32 there. A key's estimate is its
/// lowest counter; counting raises all that are below 15, and counts for the halving if any rose.
/// After halving, the count goes on at half of what it was less a quarter of the odd counters, the
/// halves of them that were lost (four counters a key).
/// Source: Einziger, Friedman, Manes, "TinyLFU: a highly efficient cache admission policy", ACM
/// TOS 2017; blocks and the correction as in Caffeine's FrequencySketch.
/// Departs: the number of items is not known beforehand, as a limit in bytes says little of it. So
/// the sketch doubles when needed, each new block a copy of the one that had its keys before: no
/// estimate falls.
class FrequencySketch {
 public:
  /// Fit for this many items from the start: with fewer, halving would forget too much.
  static constexpr std::size_t kItemsMin = 64;

  FrequencySketch();

  /// Makes the sketch fit for this many items; never shrinks. Allocates when it doubles.
  void ensure(std::size_t item_count);
  /// Counts a key. hash  its bits evenly spread.
  void count(std::uint64_t hash);
  /// Returns how often the key was seen, 0 to 15: rarely more than the truth, and with its past
  /// halved.
  std::uint32_t estimate(std::uint64_t hash) const;

 private:
  static constexpr std::size_t kWordsPerBlock = 8;

  /// Where the i-th counter of a key is.
  struct Place {
    std::size_t word;
    unsigned shift;
  };
  Place place(std::uint64_t hash, unsigned i) const;
  void halve();

  std::vector<std::uint64_t> words_;  // 16 counters each, the lowest bits first
  std::uint64_t block_mask_;
  std::uint64_t counted_ = 0;
  std::uint64_t sample_;  // when to halve
};

}  // namespace copal
