#include "core/cache/near_cache.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/assert.h"

namespace copal {

namespace {

/// Other bytes of the key's hash than those that choose its group, its slice and its place in the
/// index.
std::uint64_t policy_hash(const KeyHash& key) {
  std::uint64_t hash = 0;
  for (std::size_t i = 8; i < 16; ++i) {
    hash = hash << 8U | key.bytes[i];
  }
  return hash;
}

}  // namespace

NearCache::NearCache(const NearCacheConfig& config)
    : config_(config),
      charge_max_bytes_(std::min<std::uint64_t>(config.limit_bytes / 10,
                                                std::numeric_limits<std::uint32_t>::max())),
      policy_(make_eviction_policy(config.eviction, config.limit_bytes)) {}

const NearCopy* NearCache::find(const KeyHash& key) {
  Item* item = index_.find(key.bytes);
  if (item == nullptr) {
    ++counts_.misses;
    return nullptr;
  }
  ++counts_.hits;
  policy_->hit(*item);
  return &item->copy;
}

const NearCopy* NearCache::peek(const KeyHash& key) const {
  const Item* item = index_.find(key.bytes);
  return item == nullptr ? nullptr : &item->copy;
}

const NearCopy* NearCache::peek_readable(const KeyHash& key) const {
  const Item* item = index_.find(key.bytes);
  if (item == nullptr) {
    return nullptr;
  }
  return item->copy.has_bytes() ? &item->copy : item->older.get();
}

std::uint64_t NearCache::charge_of(const NearCopy* older, const Blob& value) {
  return kOverheadBytes + value.size_bytes() +
         (older == nullptr ? 0 : sizeof(NearCopy) + older->value.size_bytes());
}

bool NearCache::put(const MNode& mnode, const Blob& value, TimePoint checked) {
  Item* item = index_.find(mnode.key.bytes);
  NearCopy copy{value, checked, mnode};
  std::unique_ptr<NearCopy> older;
  if (item != nullptr && !copy.has_bytes()) {
    older = item->copy.has_bytes() ? std::make_unique<NearCopy>(std::move(item->copy))
                                   : std::move(item->older);
  }
  const std::uint64_t charge = charge_of(older.get(), value);
  if (charge > charge_max_bytes_) {
    erase(mnode.key);
    ++counts_.too_large;
    return false;
  }
  const auto size_bytes = static_cast<std::uint32_t>(charge);
  EvictionQueue evicted;
  if (item != nullptr) {
    item->copy = std::move(copy);
    item->older = std::move(older);
    policy_->resize(*item, size_bytes, evicted);
  } else {
    item = &add(mnode);
    item->copy = std::move(copy);
    item->size_bytes = size_bytes;
    policy_->insert(*item, evicted);
  }
  bool kept = true;
  while (!evicted.empty()) {
    Item& gone = static_cast<Item&>(evicted.take_oldest());
    kept = kept && &gone != item;
    ++counts_.evictions;
    drop(gone);
  }
  return kept;
}

bool NearCache::confirm(const KeyHash& key, const Version& version, TimePoint checked) {
  Item* item = index_.find(key.bytes);
  if (item == nullptr) {
    return false;
  }
  if (item->older != nullptr && item->older->mnode.version == version) {
    if (checked < item->copy.asked_from()) {
      return true;  // it was newer already when this was asked
    }
    const NearCopy older = *item->older;
    if (!put(older.mnode, older.value, older.checked)) {
      return false;
    }
  } else if (item->copy.mnode.version != version) {
    return false;
  }
  if (checked >= item->copy.asked_from()) {
    item->copy.checked = checked;
  }
  item->copy.mnode.accessed = std::max(item->copy.mnode.accessed, checked);
  return true;
}

void NearCache::outdate(const KeyHash& key, TimePoint now) {
  Item* item = index_.find(key.bytes);
  if (item != nullptr) {
    item->copy.checked = NearCopy::outdated_at(now);
  }
}

bool NearCache::erase(const KeyHash& key) {
  Item* item = index_.find(key.bytes);
  if (item == nullptr) {
    return false;
  }
  policy_->remove(*item);
  drop(*item);
  return true;
}

void NearCache::clear() {
  policy_ = make_eviction_policy(config_.eviction, config_.limit_bytes);
  index_ = {};
  items_.clear();
}

NearCache::Item& NearCache::add(const MNode& mnode) {
  auto added = std::make_unique<Item>();
  added->hash = policy_hash(mnode.key);
  added->copy.mnode.key = mnode.key;
  added->place = items_.size();
  index_.insert(*added);
  return *items_.emplace_back(std::move(added));
}

void NearCache::drop(Item& item) {
  index_.erase(item);
  const std::size_t place = item.place;
  std::swap(items_[place], items_.back());
  items_[place]->place = place;
  items_.pop_back();
}

void NearCache::check_invariants() const {
  std::uint64_t size_bytes = 0;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const Item& item = *items_[i];
    COPAL_ASSERT(item.place == i && index_.find(item.hash_bytes()) == &item);
    COPAL_ASSERT(item.size_bytes == charge_of(item.older.get(), item.copy.value));
    COPAL_ASSERT(item.older == nullptr || (!item.copy.has_bytes() && item.older->has_bytes()));
    COPAL_ASSERT(item.hash == policy_hash(item.copy.mnode.key));
    size_bytes += item.size_bytes;
  }
  COPAL_ASSERT(index_.size() == items_.size());
  COPAL_ASSERT(size_bytes == policy_->size_bytes() && size_bytes <= config_.limit_bytes);
  policy_->check_invariants();
}

}  // namespace copal
