#include "core/values/replica.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/base/assert.h"
#include "core/base/mutant.h"

namespace copal {

Replica::Installed Replica::install(const MNode& mnode, std::string_view key_text) {
  const Group group = group_of(mnode.key);
  MNodeTable& table = tables_[group.value];
  const MNodeEntry* entry = table.find(mnode.key);
  if (is_cleared(group, mnode)) {
    return Installed::kBelowHorizon;
  }
  // What was cleared is not there any more, though upkeep has yet to drop it.
  const bool is_there = entry != nullptr && !is_cleared(group, entry->mnode());
  if (!is_there && mnode.version < horizon(group) && !COPAL_MUTANT(kHorizonNotHeeded)) {
    return Installed::kBelowHorizon;
  }
  if (entry == nullptr) {
    refer(nullptr, mnode);
    put(mnode, key_text);
    return Installed::kInstalled;
  }
  const MNode before = entry->mnode();
  if (mnode.version < before.version) {
    return Installed::kOlder;
  }
  if (mnode.version == before.version) {
    if (mnode.accessed > before.accessed) {
      table.touch(*entry, mnode.accessed);
      note_change(mnode.key);
    }
    return Installed::kKnown;
  }
  // In an earlier generation too: its disk may have lost who it was, and kept what it wrote.
  const bool was_mine =
      before.version.owner.is_same_member(self_) && !mnode.version.owner.is_same_member(self_);
  const bool counts = is_there && !COPAL_MUTANT(kOverwrittenNotCounted);
  overwritten_ += was_mine && mnode.base < before.version && counts ? 1 : 0;
  refer(&before, mnode);
  put(mnode, key_text);
  return Installed::kInstalled;
}

/// The new reference first: the value may be the same, and must not be lost in between.
void Replica::refer(const MNode* before, const MNode& mnode) {
  if (mnode.has_stored_value()) {
    values_.add_reference(mnode.value_hash);
  }
  if (before != nullptr && before->has_stored_value()) {
    values_.remove_reference(before->value_hash);
  }
}

void Replica::put(const MNode& mnode, std::string_view key_text) {
  MNodeTable& table = table_of(mnode.key);
  const MNodeEntry* before = table.find(mnode.key);
  size_ += before == nullptr ? 1 : 0;
  live_count_ -= before == nullptr || before->mnode().is_tombstone() ? 0 : 1;
  live_count_ += mnode.is_tombstone() ? 0 : 1;
  newest_counter_ = std::max(newest_counter_, mnode.version.counter);
  table.put(mnode, key_text);
  note_change(mnode.key);
}

/// While a store is full its changes wait here, in no more room than the keys that they are of.
void Replica::note_change(const KeyHash& key) {
  changed_keys_.push_back(key);
  if (changed_keys_.size() >= compact_at_) {
    std::ranges::sort(changed_keys_);
    changed_keys_.erase(std::unique(changed_keys_.begin(), changed_keys_.end()),
                        changed_keys_.end());
    compact_at_ = std::max(kCompactAt, 2 * changed_keys_.size());
  }
}

void Replica::touch(const MNodeEntry& entry, TimePoint accessed) {
  table_of(entry.mnode().key).touch(entry, accessed);
}

bool Replica::merge_use(const KeyHash& key, TimePoint accessed) {
  const MNodeEntry* entry = find(key);
  if (entry == nullptr || entry->mnode().idle_timeout_ms == 0 ||
      accessed <= entry->mnode().accessed) {
    return false;
  }
  const bool is_change = accessed - entry->mnode().accessed >= kUseGainMin;
  touch(*entry, accessed);
  if (is_change) {
    note_change(key);
  }
  return is_change;
}

void Replica::load(const MNode& mnode, std::string_view key_text) {
  MNodeTable& table = table_of(mnode.key);
  if (table.find(mnode.key) != nullptr) {
    return;
  }
  if (mnode.has_stored_value()) {
    values_.add_stored_reference(mnode.value_hash, mnode.value_size_bytes);
  }
  table.put(mnode, key_text);
  ++size_;
  live_count_ += mnode.is_tombstone() ? 0 : 1;
  newest_counter_ = std::max(newest_counter_, mnode.version.counter);
}

void Replica::age_all(Duration by) {
  for (MNodeTable& table : tables_) {
    table.age_all(by);
  }
}

void Replica::drop(const MNodeEntry& entry) {
  const MNode mnode = entry.mnode();
  table_of(mnode.key).erase(entry);
  --size_;
  live_count_ -= mnode.is_tombstone() ? 0 : 1;
  if (mnode.has_stored_value()) {
    values_.remove_reference(mnode.value_hash);
  }
  note_change(mnode.key);
}

void Replica::raise_horizon(Group group, const Version& to) {
  if (to > horizons_[group.value]) {
    horizons_[group.value] = to;
    changed_groups_.push_back(group);
  }
}

void Replica::forget_horizons() {
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    if (horizons_[i] != kNoVersion) {
      newest_counter_ = std::max(newest_counter_, horizons_[i].counter);
      horizons_[i] = kNoVersion;
      changed_groups_.push_back(Group{i});
    }
  }
}

bool Replica::clear(Group group, CacheId cache, const Version& version) {
  std::vector<Cleared>& list = cleared_[group.value];
  auto at = std::lower_bound(list.begin(), list.end(), cache,
                             [](const Cleared& of, CacheId id) { return of.cache < id; });
  if (at == list.end() || at->cache != cache) {
    at = list.insert(at, {cache, kNoVersion});
  }
  if (version <= at->version) {
    return false;
  }
  at->version = version;
  changed_groups_.push_back(group);
  return true;
}

Version Replica::cleared(Group group, CacheId cache) const {
  const std::vector<Cleared>& list = cleared_[group.value];
  const auto at = std::lower_bound(list.begin(), list.end(), cache,
                                   [](const Cleared& of, CacheId id) { return of.cache < id; });
  return at == list.end() || at->cache != cache ? kNoVersion : at->version;
}

void Replica::take_changes(Changes& changes) {
  std::swap(changes.keys, changed_keys_);
  std::swap(changes.groups, changed_groups_);
  changed_keys_.clear();
  changed_groups_.clear();
}

std::uint64_t Replica::memory_bytes() const {
  std::uint64_t size_bytes = values_.memory_bytes();
  for (const MNodeTable& table : tables_) {
    size_bytes += table.memory_bytes();
  }
  return size_bytes;
}

void Replica::check_invariants() const {
  std::map<ValueHash, std::uint64_t> references;
  std::size_t size = 0;
  std::size_t live = 0;
  for (std::size_t group = 0; group < kGroups; ++group) {
    const MNodeTable& table = tables_[group];
    table.check_invariants();
    size += table.size();
    for (const CacheId cache : table.caches()) {
      for (std::size_t bucket = 0; bucket < HashTree::kFanout; ++bucket) {
        for (const MNodeEntry* entry : table.tree(cache)->entries(bucket)) {
          const MNode& mnode = entry->mnode();
          COPAL_ASSERT(group_of(mnode.key).value == group);
          live += mnode.is_tombstone() ? 0 : 1;
          if (mnode.has_stored_value()) {
            ++references[mnode.value_hash];
          }
        }
      }
    }
  }
  COPAL_ASSERT(size == size_ && live == live_count_);
  values_.check_invariants();
  COPAL_ASSERT(values_.referred_count() == references.size());
  for (const auto& [hash, count] : references) {
    COPAL_ASSERT(values_.reference_count(hash) == count);
  }
}

}  // namespace copal
