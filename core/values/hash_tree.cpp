#include "core/values/hash_tree.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/hash.h"

namespace copal {

namespace {

/// Bytes 16 to 31 of the key hash stand for all of it: 128 bits, and not those that the place in
/// the tree already says.
std::uint64_t hash_of(const MNode& mnode) {
  const KeyHash& key = mnode.key;
  const Version& version = mnode.version;
  std::array<std::uint64_t, 2> halves{};
  for (std::size_t i = 0; i < 16; ++i) {
    halves[i / 8] = halves[i / 8] << 8 | key.bytes[16 + i];
  }
  const std::uint64_t issuer = std::uint64_t{version.epoch} << 32 | version.owner.number();
  return mix64(mix64(halves[0], halves[1]), mix64(version.counter, issuer));
}

std::uint64_t idles(const MNode& mnode) {
  return mnode.idle_timeout_ms > 0 ? 1 : 0;
}

}  // namespace

HashTree::~HashTree() {
  for (MNodeEntry* entry : first_) {
    while (entry != nullptr) {
      entry = MNodeEntry::Pointer(entry)->next_;
    }
  }
}

MNodeEntry& HashTree::add(MNodeEntry::Pointer owned) {
  MNodeEntry& entry = *owned.release();
  MNodeEntry*& first = first_[bucket_of(entry.mnode_.key)];
  entry.next_ = first;
  entry.reference_ = &first;
  if (first != nullptr) {
    first->reference_ = &entry.next_;
  }
  first = &entry;
  ++count_;
  idle_count_ += idles(entry.mnode_);
  add_to_sums(entry.mnode_.key, hash_of(entry.mnode_));
  return entry;
}

MNodeEntry::Pointer HashTree::remove(MNodeEntry& entry) {
  COPAL_ASSERT(entry.reference_ != nullptr && count_ > 0);
  *entry.reference_ = entry.next_;
  if (entry.next_ != nullptr) {
    entry.next_->reference_ = entry.reference_;
  }
  entry.next_ = nullptr;
  entry.reference_ = nullptr;
  --count_;
  idle_count_ -= idles(entry.mnode_);
  add_to_sums(entry.mnode_.key, 0 - hash_of(entry.mnode_));
  return MNodeEntry::Pointer(&entry);
}

void HashTree::change(MNodeEntry& entry, const MNode& to) {
  COPAL_ASSERT(entry.reference_ != nullptr);
  COPAL_ASSERT(to.key == entry.mnode_.key && to.cache == entry.mnode_.cache);
  add_to_sums(to.key, hash_of(to) - hash_of(entry.mnode_));
  idle_count_ += idles(to);
  idle_count_ -= idles(entry.mnode_);
  entry.mnode_ = to;
}

void HashTree::add_to_sums(const KeyHash& key, std::uint64_t amount) {
  bucket_sums_[bucket_of(key)] += amount;
  sum_ += amount;
}

void HashTree::age_all(Duration by) {
  for (MNodeEntry* first : first_) {
    for (MNodeEntry* entry = first; entry != nullptr; entry = entry->next_) {
      entry->mnode_.modified -= by;
      entry->mnode_.accessed -= by;
    }
  }
}

HashTree::Sums HashTree::leaves(std::size_t bucket) const {
  COPAL_ASSERT(bucket < kFanout);
  Sums sums{};
  for (const MNodeEntry* entry = first_[bucket]; entry != nullptr; entry = entry->next_) {
    sums[leaf_of(entry->mnode_.key)] += hash_of(entry->mnode_);
  }
  return sums;
}

std::vector<const MNodeEntry*> HashTree::entries(std::size_t bucket) const {
  COPAL_ASSERT(bucket < kFanout);
  std::vector<const MNodeEntry*> all;
  for (const MNodeEntry* entry = first_[bucket]; entry != nullptr; entry = entry->next_) {
    all.push_back(entry);
  }
  std::sort(all.begin(), all.end(), [](const MNodeEntry* one, const MNodeEntry* other) {
    return precedes(one->mnode_.key, other->mnode_.key);
  });
  return all;
}

void HashTree::check_invariants() const {
  std::uint64_t whole = 0;
  std::uint64_t count = 0;
  std::uint64_t idle_count = 0;
  for (std::size_t i = 0; i < kFanout; ++i) {
    std::uint64_t sum = 0;
    for (const MNodeEntry* const* at = &first_[i]; *at != nullptr; at = &(*at)->next_) {
      COPAL_ASSERT((*at)->reference_ == at && bucket_of((*at)->mnode_.key) == i);
      sum += hash_of((*at)->mnode_);
      ++count;
      idle_count += idles((*at)->mnode_);
    }
    COPAL_ASSERT(sum == bucket_sums_[i]);
    whole += sum;
  }
  COPAL_ASSERT(whole == sum_ && count == count_ && idle_count == idle_count_);
}

}  // namespace copal
