#include "core/values/replica.h"

#include <algorithm>
#include <map>

#include "core/base/assert.h"

namespace copal {

Replica::Installed Replica::install(const MNode& mnode, std::string_view key_text) {
  MNodeTable& table = table_of(mnode.key);
  const MNodeEntry* entry = table.find(mnode.key);
  if (entry == nullptr) {
    if (mnode.version < horizon(group_of(mnode.key))) {
      return Installed::kBelowHorizon;
    }
    if (mnode.has_stored_value()) {
      values_.add_reference(mnode.value_hash);
    }
    table.put(mnode, key_text);
    return Installed::kInstalled;
  }
  const MNode before = entry->mnode();
  if (mnode.version < before.version) {
    return Installed::kOlder;
  }
  if (mnode.version == before.version) {
    if (mnode.accessed > before.accessed) {
      MNode used = before;
      used.accessed = mnode.accessed;
      table.put(used, key_text);
    }
    return Installed::kKnown;
  }
  // The new reference first: the value may be the same, and must not be lost in between.
  if (mnode.has_stored_value()) {
    values_.add_reference(mnode.value_hash);
  }
  if (before.has_stored_value()) {
    values_.remove_reference(before.value_hash);
  }
  table.put(mnode, key_text);
  return Installed::kInstalled;
}

void Replica::drop(const MNodeEntry& entry) {
  const MNode mnode = entry.mnode();
  table_of(mnode.key).erase(entry);
  if (mnode.has_stored_value()) {
    values_.remove_reference(mnode.value_hash);
  }
}

void Replica::raise_horizon(Group group, const Version& to) {
  horizons_[group.value] = std::max(horizons_[group.value], to);
}

std::size_t Replica::size() const {
  std::size_t count = 0;
  for (const MNodeTable& table : tables_) {
    count += table.size();
  }
  return count;
}

void Replica::check_invariants() const {
  std::map<ValueHash, std::uint64_t> references;
  for (std::size_t group = 0; group < kGroups; ++group) {
    const MNodeTable& table = tables_[group];
    table.check_invariants();
    for (const CacheId cache : table.caches()) {
      for (std::size_t bucket = 0; bucket < HashTree::kFanout; ++bucket) {
        for (const MNodeEntry* entry : table.tree(cache)->entries(bucket)) {
          const MNode& mnode = entry->mnode();
          COPAL_ASSERT(group_of(mnode.key).value == group);
          if (mnode.has_stored_value()) {
            ++references[mnode.value_hash];
          }
        }
      }
    }
  }
  values_.check_invariants();
  COPAL_ASSERT(values_.referred_count() == references.size());
  for (const auto& [hash, count] : references) {
    COPAL_ASSERT(values_.reference_count(hash) == count);
  }
}

}  // namespace copal
