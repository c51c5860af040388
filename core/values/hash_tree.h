#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "core/base/sha256.h"
#include "core/mnode/version.h"

namespace copal {

/// What two servers compare to find where their m-nodes of one group and cache differ, without
/// naming each: two levels of 256 sums. A leaf is the sum of a hash of (key hash, version) over its
/// entries, so it is kept as entries change, in any order, at the cost of two additions. Equal sums
/// are equal sets but for a chance of 2^-64. Times used and leases are not in it. Rule: R4.
/// Invariants: 1. a bucket's sum is the sum of its leaves; 2. a bucket without entries has no
/// leaves in memory.
class HashTree {
 public:
  static constexpr std::size_t kFanout = 256;
  using Sums = std::array<std::uint64_t, kFanout>;

  /// Which bucket of the first level a key is in, and which leaf of that bucket. From bytes 8 and 9
  /// of the key hash: those before decide group and slice, which are the same for the whole tree.
  static std::size_t bucket_of(const KeyHash& key) { return key.bytes[8]; }
  static std::size_t leaf_of(const KeyHash& key) { return key.bytes[9]; }

  /// An entry came. It is not in the tree yet: the caller's duty. Allocates for a bucket's first.
  void add(const KeyHash& key, const Version& version);
  /// An entry went, which is in the tree with this version: the caller's duty; that the bucket has
  /// entries at all is asserted.
  void remove(const KeyHash& key, const Version& version);
  /// An entry's version changed. As remove() and add(), without allocating.
  void change(const KeyHash& key, const Version& from, const Version& to);

  std::uint64_t count() const { return count_; }
  /// One number for the whole tree.
  std::uint64_t sum() const { return sum_; }
  /// The first level: the sum of each bucket.
  const Sums& buckets() const { return bucket_sums_; }
  /// The leaves of one bucket; all zero if it has no entries. bucket: below kFanout, asserted.
  const Sums& leaves(std::size_t bucket) const;

  /// Walks everything; for tests and the simulator. Asserts the invariants.
  void check_invariants() const;

 private:
  struct Bucket {
    std::unique_ptr<Sums> leaves;
    std::uint64_t count = 0;
  };
  void add_to_sums(const KeyHash& key, std::uint64_t amount);

  std::array<Bucket, kFanout> buckets_;
  Sums bucket_sums_{};
  std::uint64_t sum_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace copal
