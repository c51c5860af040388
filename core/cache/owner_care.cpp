// OwnerCache: offers of servers, pages of keys, and what an owner removes by itself.

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/mutant.h"
#include "core/cache/owner_cache.h"
#include "core/protocol/codec.h"

namespace copal {

// ---- offers (R1.7)

void OwnerCache::on_offer(NodeId from, const OfferEntry& offer, Now now, Effects& effects) {
  effects.push_back(Send{from, take_offer(offer, now, effects)});
}

/// Takes the bytes of an entry that came here without them, and are brought by who wrote them.
/// Returns whether it lacked them.
bool OwnerCache::take_missing_value(const MNode& mnode, const ValueHash& hash, const Blob& value) {
  const bool lacks = mnode.has_stored_value() && mnode.value_hash == hash &&
                     value.size_bytes() > 0 && !replica_.values().has(hash);
  if (lacks) {
    replica_.values().provide(hash, value);
  }
  return lacks;
}

OfferAnswer OwnerCache::take_offer(const OfferEntry& offer, Now now, Effects& effects) {
  const MNode& mnode = offer.entry.mnode;
  const Group group = group_of(mnode.key);
  OfferAnswer answer{.sequence = offer.sequence,
                     .origin = offer.origin,
                     .status = readiness(group, catalog_.find(mnode.cache)),
                     .view = duty(group).view,
                     .incarnation = config_.incarnation};
  if (answer.status != CacheStatus::kDone) {
    return answer;
  }
  const MNodeEntry* entry = replica_.find(mnode.key);
  if (entry != nullptr && entry->mnode().version >= mnode.version) {
    // It may have come here alone, by a comparison: so it goes to the others with the next
    // position.
    const bool lacked = take_missing_value(entry->mnode(), mnode.value_hash, offer.value);
    if (entry->mnode().version == mnode.version && mnode.idle_timeout_ms > 0) {
      replica_.install(dated(offer.entry, now.mono), offer.key_text);  // a later use (R0.7)
    }
    answer.status = CacheStatus::kNotModified;
    answer.position = log_.append(entry->mnode(), lacked);
    return answer;
  }
  const bool has_value = !mnode.has_stored_value() || offer.value.size_bytes() > 0 ||
                         replica_.values().has(mnode.value_hash);
  if (!has_value) {
    answer.status = CacheStatus::kNeedValue;
    return answer;
  }
  const bool brings = mnode.has_stored_value() && !replica_.values().has(mnode.value_hash);
  if (brings) {
    replica_.values().pin(mnode.value_hash);
    replica_.values().provide(mnode.value_hash, offer.value);
  }
  clock_.observe(mnode.version.counter, now.mono);
  const MNode taken = dated(offer.entry, now.mono);
  if (replica_.install(taken, offer.key_text) == Replica::Installed::kBelowHorizon) {
    answer.status = CacheStatus::kAbsent;
  } else {
    ++counts_.offers_taken;
    answer.position = log_.append(taken, brings);
    listeners_.tell(mnode.cache,
                    mnode.is_tombstone() ? EntryEventKind::kRemoved : EntryEventKind::kUpdated,
                    offer.key_text, mnode.version, effects);
  }
  if (brings) {
    replica_.values().unpin(mnode.value_hash);
  }
  return answer;
}

// ---- keys

void OwnerCache::on_list(NodeId from, const ListKeys& list, Now now, Effects& effects) {
  KeyPage page{.sequence = list.sequence,
               .status = readiness(list.group, catalog_.find(list.cache))};
  const HashTree* tree =
      page.status == CacheStatus::kDone ? replica_.table(list.group).tree(list.cache) : nullptr;
  std::size_t size_bytes = 0;
  for (std::size_t bucket = HashTree::bucket_of(list.from);
       tree != nullptr && bucket < HashTree::kFanout && !page.more; ++bucket) {
    for (const MNodeEntry* entry : tree->entries(bucket)) {
      const MNode& mnode = entry->mnode();
      if (HashTree::precedes(mnode.key, list.from) || !is_present(&mnode, now.mono) ||
          replica_.is_cleared(list.group, mnode)) {
        continue;
      }
      size_bytes += entry->key_text().size() + sizeof(std::uint16_t);
      if (size_bytes > kListSizeMaxBytes) {
        page.more = true;
        page.next = mnode.key;
        break;
      }
      page.keys.emplace_back(entry->key_text());
    }
  }
  effects.push_back(Send{from, std::move(page)});
}

// ---- expiry and eviction (R0.7)

bool OwnerCache::may_expire(const MNode& mnode, Now now) const {
  return duty(group_of(mnode.key)).acts && !mnode.is_tombstone() && mnode.is_expired(now.mono) &&
         clock_.may_issue(mnode.version.counter, now.mono);
}

void OwnerCache::expire(const MNodeEntry& entry, Now now, Effects& effects) {
  ++counts_.expired;
  listeners_.tell(entry.mnode().cache, EntryEventKind::kExpired, entry.key_text(),
                  entry.mnode().version, effects);
  remove(entry, now);
}

void OwnerCache::remove(const MNodeEntry& entry, Now now) {
  COPAL_ASSERT(duty(group_of(entry.mnode().key)).acts);
  MNode next;
  next.key = entry.mnode().key;
  next.cache = entry.mnode().cache;
  next.modified = now.mono;
  next.accessed = now.mono;
  install(next, std::string(entry.key_text()), {}, now);
}

/// Gives up entries of the same cache until the change has room. Returns whether it has.
bool OwnerCache::make_room(const CacheChange& change, const CacheConfig& cache, Now now) {
  if (store_.is_full()) {
    return false;
  }
  constexpr int kGivenUpMax = 64;
  for (int i = 0; is_full_for(change, now); ++i) {
    const MNodeEntry* entry = cache.evict && i < kGivenUpMax ? coldest(cache) : nullptr;
    if (entry == nullptr || !clock_.may_issue(entry->mnode().version.counter, now.mono)) {
      return false;
    }
    ++counts_.evicted;
    if (COPAL_MUTANT(kEvictionNotReplicated)) {
      replica_.drop(*entry);
      continue;
    }
    remove(*entry, now);
  }
  return true;
}

/// Of some entries of the cache the one that was not used for the longest time: as good as a list
/// of all in their order for a fraction of the memory. A cache of few entries, which may be large,
/// has most buckets empty or full of tombstones; so it looks on from there until it finds one.
/// Source: Redis, "Key eviction": approximated LRU, ten samples come close to the true one.
const MNodeEntry* OwnerCache::coldest(const CacheConfig& cache) const {
  constexpr int kSamples = 10;
  constexpr int kLooksMax = static_cast<int>(kGroups * HashTree::kFanout);
  const MNodeEntry* coldest = nullptr;
  int found = 0;
  for (int looks = 0; looks < kLooksMax && found < kSamples; ++looks) {
    // Multiples of the golden ratio: all groups come in turn, evenly, in an order that clings to
    // nothing; the bucket from bits further down.
    evict_from_ += 0x9e37'79b9'7f4a'7c15u;
    const Group group{static_cast<std::uint8_t>((evict_from_ >> 32U) * kGroups >> 32U)};
    const HashTree* tree = duty(group).acts ? replica_.table(group).tree(cache.id) : nullptr;
    const int found_before = found;
    for (std::size_t i = 0; tree != nullptr && i < HashTree::kFanout && found == found_before;
         ++i, ++looks) {
      const MNodeEntry* entry = tree->first(((evict_from_ >> 24U) + i) % HashTree::kFanout);
      for (; entry != nullptr && found < kSamples && looks < kLooksMax;
           entry = HashTree::next(*entry), ++looks) {
        if (entry->mnode().is_tombstone() || replica_.is_cleared(group, entry->mnode())) {
          continue;
        }
        ++found;
        if (coldest == nullptr || entry->mnode().accessed < coldest->mnode().accessed) {
          coldest = entry;
        }
      }
    }
  }
  return coldest;
}

}  // namespace copal
