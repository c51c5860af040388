#include "core/values/m_node_table.h"

#include <algorithm>

#include "core/base/assert.h"

namespace copal {

HashTree& MNodeTable::tree_of(CacheId cache) {
  auto at = std::lower_bound(trees_.begin(), trees_.end(), cache,
                             [](const CacheTree& of, CacheId id) { return of.cache < id; });
  if (at == trees_.end() || at->cache != cache) {
    at = trees_.insert(at, {cache, std::make_unique<HashTree>()});
  }
  return *at->tree;
}

std::pair<CacheId, const HashTree*> MNodeTable::first_from(CacheId from) const {
  const auto at = std::lower_bound(trees_.begin(), trees_.end(), from,
                                   [](const CacheTree& of, CacheId id) { return of.cache < id; });
  if (at == trees_.end()) {
    return {from, nullptr};
  }
  return {at->cache, at->tree.get()};
}

const HashTree* MNodeTable::tree(CacheId cache) const {
  const auto [first, tree] = first_from(cache);
  return first == cache ? tree : nullptr;
}

std::vector<CacheId> MNodeTable::caches() const {
  std::vector<CacheId> ids;
  for (const CacheTree& of : trees_) {
    ids.push_back(of.cache);
  }
  return ids;
}

const MNodeEntry& MNodeTable::put(const MNode& mnode, std::string_view key_text) {
  if (MNodeEntry* entry = index_.find(mnode.key.bytes)) {
    tree_of(mnode.cache).change(*entry, mnode);
    return *entry;
  }
  MNodeEntry& entry = tree_of(mnode.cache).add(MNodeEntry::make(mnode, key_text));
  index_.insert(entry);
  entries_bytes_ += entry.memory_bytes();
  return entry;
}

void MNodeTable::erase(const MNodeEntry& entry) {
  MNodeEntry* mine = index_.find(entry.hash_bytes());
  COPAL_ASSERT(mine == &entry);
  entries_bytes_ -= entry.memory_bytes();
  index_.erase(entry);
  tree_of(entry.mnode().cache).remove(*mine);
  std::erase_if(trees_, [](const CacheTree& of) { return of.tree->count() == 0; });
}

void MNodeTable::touch(const MNodeEntry& entry, TimePoint accessed) {
  MNodeEntry* mine = index_.find(entry.hash_bytes());
  COPAL_ASSERT(mine == &entry);
  mine->touch(accessed);
}

void MNodeTable::age_all(Duration by) {
  for (const CacheTree& of : trees_) {
    of.tree->age_all(by);
  }
}

std::size_t MNodeTable::memory_bytes() const {
  return entries_bytes_ + index_.memory_bytes() + trees_.size() * sizeof(HashTree);
}

void MNodeTable::check_invariants() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < trees_.size(); ++i) {
    const CacheTree& of = trees_[i];
    COPAL_ASSERT(i == 0 || trees_[i - 1].cache < of.cache);
    COPAL_ASSERT(of.tree->count() > 0);
    of.tree->check_invariants();
    count += of.tree->count();
    for (std::size_t bucket = 0; bucket < HashTree::kFanout; ++bucket) {
      for (const MNodeEntry* entry : of.tree->entries(bucket)) {
        COPAL_ASSERT(entry->mnode().cache == of.cache);
        COPAL_ASSERT(index_.find(entry->hash_bytes()) == entry);
      }
    }
  }
  COPAL_ASSERT(count == index_.size());
}

}  // namespace copal
