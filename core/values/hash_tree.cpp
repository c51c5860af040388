#include "core/values/hash_tree.h"

#include "core/base/assert.h"
#include "core/base/hash.h"

namespace copal {

namespace {

constexpr HashTree::Sums kNoEntries{};

/// Bytes 16 to 31 of the key hash stand for all of it: 128 bits, and not those that the place in
/// the tree already says.
std::uint64_t hash_of(const KeyHash& key, const Version& version) {
  std::array<std::uint64_t, 2> halves{};
  for (std::size_t i = 0; i < 16; ++i) {
    halves[i / 8] = halves[i / 8] << 8 | key.bytes[16 + i];
  }
  const std::uint64_t issuer = std::uint64_t{version.epoch} << 32 | version.owner.number();
  return mix64(mix64(halves[0], halves[1]), mix64(version.counter, issuer));
}

}  // namespace

void HashTree::add(const KeyHash& key, const Version& version) {
  Bucket& bucket = buckets_[bucket_of(key)];
  if (bucket.count == 0) {
    bucket.leaves = std::make_unique<Sums>();
  }
  ++bucket.count;
  ++count_;
  add_to_sums(key, hash_of(key, version));
}

void HashTree::remove(const KeyHash& key, const Version& version) {
  Bucket& bucket = buckets_[bucket_of(key)];
  COPAL_ASSERT(bucket.count > 0);
  add_to_sums(key, 0 - hash_of(key, version));
  --count_;
  if (--bucket.count == 0) {
    bucket.leaves.reset();
  }
}

void HashTree::change(const KeyHash& key, const Version& from, const Version& to) {
  COPAL_ASSERT(buckets_[bucket_of(key)].count > 0);
  add_to_sums(key, hash_of(key, to) - hash_of(key, from));
}

void HashTree::add_to_sums(const KeyHash& key, std::uint64_t amount) {
  const std::size_t bucket = bucket_of(key);
  (*buckets_[bucket].leaves)[leaf_of(key)] += amount;
  bucket_sums_[bucket] += amount;
  sum_ += amount;
}

const HashTree::Sums& HashTree::leaves(std::size_t bucket) const {
  COPAL_ASSERT(bucket < kFanout);
  const auto& leaves = buckets_[bucket].leaves;
  return leaves ? *leaves : kNoEntries;
}

void HashTree::check_invariants() const {
  std::uint64_t whole = 0;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < kFanout; ++i) {
    std::uint64_t sum = 0;
    for (const std::uint64_t leaf : leaves(i)) {
      sum += leaf;
    }
    COPAL_ASSERT(sum == bucket_sums_[i]);
    COPAL_ASSERT((buckets_[i].count == 0) == (buckets_[i].leaves == nullptr));
    whole += sum;
    count += buckets_[i].count;
  }
  COPAL_ASSERT(whole == sum_ && count == count_);
}

}  // namespace copal
