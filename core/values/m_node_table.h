#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/hash_index.h"
#include "core/mnode/mnode.h"
#include "core/values/hash_tree.h"
#include "core/values/m_node_entry.h"

namespace copal {

/// The m-nodes of one group that a triad member holds, all in memory, so that a get is decided in
/// one step; with a hash tree for each cache. Rule: R0.6, R4.
/// Invariants: 1. each entry is in the index and in the tree of its cache; 2. a tree without
/// entries does not exist.
class MNodeTable {
 public:
  /// Returns the entry, or nothing. Valid until it is erased.
  const MNodeEntry* find(const KeyHash& key) const { return index_.find(key.bytes); }

  /// Inserts the m-node, or puts it in the place of the one of this key, whatever their versions.
  /// key_text  used for a new entry only.
  /// Returns the entry. Allocates for a new one.
  const MNodeEntry& put(const MNode& mnode, std::string_view key_text);
  /// The entry is in this table, asserted.
  void erase(const MNodeEntry& entry);
  /// Sets the time of use of an entry in this table (asserted), which is part of no sum.
  void touch(const MNodeEntry& entry, TimePoint accessed);
  /// Sets all times back by so much. Walks everything.
  void age_all(Duration by);

  std::size_t size() const { return index_.size(); }
  /// The caches that have entries here, in the order of their ids.
  std::vector<CacheId> caches() const;
  /// The first cache that has entries here and is not below `from`, with its tree; without at the
  /// end.
  std::pair<CacheId, const HashTree*> first_from(CacheId from) const;
  /// The tree of one cache; nothing if it has no entries.
  const HashTree* tree(CacheId cache) const;
  /// All that it takes in memory, without what the allocator adds.
  std::size_t memory_bytes() const;

  /// Walks everything; for tests and the simulator. Asserts the invariants.
  void check_invariants() const;

 private:
  struct CacheTree {
    CacheId cache;
    std::unique_ptr<HashTree> tree;
  };
  HashTree& tree_of(CacheId cache);

  HashIndex<MNodeEntry> index_;
  std::vector<CacheTree> trees_;  // by cache
  std::size_t entries_bytes_ = 0;
};

}  // namespace copal
