#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/base/sha256.h"
#include "core/mnode/version.h"
#include "core/values/m_node_entry.h"

namespace copal {

/// What two servers compare to find where their m-nodes of one group and cache differ, without
/// naming each: two levels of 256 sums. A sum is that of a hash of (key hash, version) over its
/// entries, so it is kept as they change, in any order, at the cost of two additions. Equal sums
/// are equal sets but for a chance of 2^-64. Times used and leases are not in it. Rule: R4.
/// Only the first level's sums are kept; those of a bucket's 256 leaves are added up from its
/// entries when asked. Departs from R4's saved leaves: kept, they took more than the entries did
/// below a million of them, and walking ten million takes a second, spread over the comparison.
/// It owns its entries. Invariants: 1. a bucket's sum is that of its entries; 2. the whole sum is
/// that of the buckets.
class HashTree {
 public:
  static constexpr std::size_t kFanout = 256;
  using Sums = std::array<std::uint64_t, kFanout>;

  /// The order of keys in a tree: bucket by bucket, leaf by leaf.
  static bool precedes(const KeyHash& one, const KeyHash& other) {
    const int order = std::memcmp(one.bytes.data() + 8, other.bytes.data() + 8, 24);
    return order < 0 || (order == 0 && one < other);
  }

  /// No key comes after this one in the order; nor, of those in a bucket, after the second.
  static KeyHash last_key() { return last_key(kFanout - 1); }
  static KeyHash last_key(std::size_t bucket) {
    KeyHash key;
    key.bytes.fill(0xff);
    key.bytes[8] = static_cast<std::uint8_t>(bucket);
    return key;
  }

  HashTree() = default;
  ~HashTree();
  HashTree(const HashTree&) = delete;  // entries point here
  HashTree& operator=(const HashTree&) = delete;

  /// Which bucket of the first level a key is in, and which leaf of that bucket. From bytes 8 and 9
  /// of the key hash: those before decide group and slice, which are the same for the whole tree.
  static std::size_t bucket_of(const KeyHash& key) { return key.bytes[8]; }
  static std::size_t leaf_of(const KeyHash& key) { return key.bytes[9]; }

  /// Takes an entry. Returns it: it stays where it is.
  MNodeEntry& add(MNodeEntry::Pointer owned);
  /// Gives back an entry that is in this tree (that it is in one is asserted).
  MNodeEntry::Pointer remove(MNodeEntry& entry);
  /// Gives an entry in this tree (that it is in one is asserted) another state of its m-node.
  /// to  of the same key and cache, asserted.
  void change(MNodeEntry& entry, const MNode& to);

  /// Sets the times of all entries back by so much; they are part of no sum.
  void age_all(Duration by);

  std::uint64_t count() const { return count_; }
  /// Those of its entries that have an idle timeout.
  std::uint64_t idle_count() const { return idle_count_; }
  /// One number for the whole tree.
  std::uint64_t sum() const { return sum_; }
  /// The first level: the sum of each bucket.
  const Sums& buckets() const { return bucket_sums_; }
  /// The leaves of one bucket, added up now. bucket: below kFanout, asserted.
  Sums leaves(std::size_t bucket) const;
  /// The entries of a bucket in the order of precedes(). Allocates.
  std::vector<const MNodeEntry*> entries(std::size_t bucket) const;

  /// The entries of a bucket in no order, one by one; nothing at the end. Valid while the tree does
  /// not change.
  const MNodeEntry* first(std::size_t bucket) const { return first_[bucket]; }
  static const MNodeEntry* next(const MNodeEntry& entry) { return entry.next_; }

  /// Walks everything; for tests and the simulator. Asserts the invariants.
  void check_invariants() const;

 private:
  void add_to_sums(const KeyHash& key, std::uint64_t amount);

  std::array<MNodeEntry*, kFanout> first_{};
  Sums bucket_sums_{};
  std::uint64_t sum_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t idle_count_ = 0;
};

}  // namespace copal
