#pragma once

#include <cstdint>
#include <vector>

#include "core/base/flat_map.h"

namespace copal {

/// What was given up lately: hashes without their items, first in, first out. An entry counts with
/// its item's size, so that the limit means as many items as would fit there with their bytes.
/// 24 bytes an entry, and 24 to 96 for its place in the map.
/// Invariant: each hash is in once; the sizes add up to at most the limit.
class GhostQueue {
 public:
  explicit GhostQueue(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  /// Adds an entry as the newest; the oldest ones make room. One larger than the limit is not kept.
  /// size_bytes  > 0.   Allocates beyond the most entries ever held.
  void add(std::uint64_t hash, std::uint32_t size_bytes);
  /// Takes an entry out. Returns whether it was there.
  bool take(std::uint64_t hash);

  std::uint64_t size_bytes() const { return size_bytes_; }
  std::size_t count() const { return count_; }

  /// Walks everything; asserts the invariant.
  void check_invariants() const;

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  struct Entry {
    std::uint64_t hash = 0;
    std::uint32_t size_bytes = 0;
    std::uint32_t older = kNone;
    std::uint32_t newer = kNone;  // of a free entry: the next free one
  };
  void drop(std::uint32_t place);

  std::uint64_t limit_bytes_;
  std::uint64_t size_bytes_ = 0;
  std::size_t count_ = 0;
  FlatMap<std::uint32_t> places_;  // by hash
  std::vector<Entry> entries_;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
  std::uint32_t free_ = kNone;
};

}  // namespace copal
