#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/mutant.h"
#include "core/mnode/mnode.h"
#include "core/mnode/owner_order.h"
#include "core/values/m_node_table.h"
#include "core/values/value_store.h"

namespace copal {

/// All that a triad member holds: the m-nodes of the 96 groups with their horizons, and the values
/// they refer to. Whatever changes it, an own write, a peer's, a comparison, goes through
/// install(), so that one order of versions decides. Rule: R4.2, R6.
/// It writes nothing: it remembers what changed since it was last asked (take_changes).
/// Invariants: 1. each m-node with a value that does not stand in it holds one reference to that
/// value; 2. horizons and clears never go back, but for forget_horizons().
class Replica {
 public:
  enum class Installed : std::uint8_t {
    kInstalled,
    kKnown,         // this very version is here
    kOlder,         // a newer one is here
    kBelowHorizon,  // removed and forgotten (R4.2), or cleared
  };

  /// Returns the entry of a key, tombstone or not, or nothing. Valid until it is dropped.
  const MNodeEntry* find(const KeyHash& key) const {
    const Group group = group_of(key);
    const MNodeEntry* entry = tables_[group.value].find(key);
    return entry != nullptr && is_cleared(group, entry->mnode()) && !COPAL_MUTANT(kClearedStillRead)
               ? nullptr
               : entry;
  }

  /// Who this member is, to know its own writes by.
  void set_self(OwnerId self) { self_ = self; }
  /// Own writes that were replaced by one whose writer did not know them: acknowledged in a split,
  /// and lost when it healed. Rule: R6.
  std::uint64_t overwritten() const { return overwritten_; }

  /// Takes an m-node unless a newer one is here. Of one that is known it takes the later time of
  /// use: uses merge as maximum and are not versions (R0.7).
  /// key_text  of the m-node's key; used if it is new. Allocates for a new one.
  Installed install(const MNode& mnode, std::string_view key_text);
  /// An entry was used. It is not a change: nothing is written for it.
  void touch(const MNodeEntry& entry, TimePoint accessed);
  /// A peer knows of this use of an entry with an idle timeout: taken over if it is later, and the
  /// entry here. It is a change only if it is later by kUseGainMin: on its way a use becomes later
  /// by that time, and each of two members would write what it hears of the other again and again.
  /// Returns whether it is.
  bool merge_use(const KeyHash& key, TimePoint accessed);

  /// Takes an m-node that this member's own disk had, and does not count it as a change.
  void load(const MNode& mnode, std::string_view key_text);
  /// All times of what was loaded lie back so much further than the wall clock made believe.
  void age_all(Duration by);

  /// Forgets a key altogether, a tombstone mostly. The entry is here, asserted.
  void drop(const MNodeEntry& entry);

  /// The version below which a key that is not here was removed. Rule: R4.
  const Version& horizon(Group group) const { return horizons_[group.value]; }
  /// A lower one than the group's does nothing.
  void raise_horizon(Group group, const Version& to);
  /// The disk has lost records, nobody knows which. What is not here may be one of them, and was
  /// not removed because of that: no peer may take it for removed. What was, they know themselves.
  void forget_horizons();

  /// A `clear` is a tombstone over all keys of a cache in a group: what is below counts as not
  /// there from now on, and is dropped in bounded steps (drop_cleared).
  /// Departs from R0.6's next incarnation of the cache id: servers need not agree on which one is
  /// current, the acting owner alone orders it among its changes, and it replicates and is compared
  /// like a tombstone.
  struct Cleared {
    CacheId cache;
    Version version;
  };
  /// Returns whether it is news.
  bool clear(Group group, CacheId cache, const Version& version);
  Version cleared(Group group, CacheId cache) const;
  /// By cache.
  const std::vector<Cleared>& cleared(Group group) const { return cleared_[group.value]; }
  bool is_cleared(Group group, const MNode& mnode) const {
    return !cleared_[group.value].empty() && mnode.version < cleared(group, mnode.cache);
  }

  const MNodeTable& table(Group group) const { return tables_[group.value]; }
  ValueStore& values() { return values_; }
  const ValueStore& values() const { return values_; }

  /// Keys whose m-node changed or was dropped, groups whose horizon or clears changed, since the
  /// last call. A key may come twice.
  struct Changes {
    std::vector<KeyHash> keys;
    std::vector<Group> groups;
  };
  /// changes  is overwritten, and its room used again.
  void take_changes(Changes& changes);
  Changes take_changes() {
    Changes changes;
    take_changes(changes);
    return changes;
  }
  bool has_changes() const { return !changed_keys_.empty() || !changed_groups_.empty(); }
  /// They were not written after all.
  void on_not_written(const KeyHash& key) { note_change(key); }
  void on_not_written(Group group) { changed_groups_.push_back(group); }

  /// M-nodes, and those of them that are no tombstones.
  std::size_t size() const { return size_; }
  std::size_t live_count() const { return live_count_; }
  std::uint64_t memory_bytes() const;
  /// No m-node that ever was here had a higher one in its version, and no horizon that is
  /// forgotten.
  std::uint64_t newest_counter() const { return newest_counter_; }

  /// Walks everything; for tests and the simulator. Asserts the invariants.
  void check_invariants() const;

 private:
  static constexpr Duration kUseGainMin = 1s;
  static constexpr std::size_t kCompactAt = 65'536;

  MNodeTable& table_of(const KeyHash& key) { return tables_[group_of(key).value]; }
  void put(const MNode& mnode, std::string_view key_text);
  void refer(const MNode* before, const MNode& mnode);
  void note_change(const KeyHash& key);

  std::array<MNodeTable, kGroups> tables_;
  std::array<Version, kGroups> horizons_{};
  std::array<std::vector<Cleared>, kGroups> cleared_;
  ValueStore values_;
  std::vector<KeyHash> changed_keys_;
  std::vector<Group> changed_groups_;
  std::size_t compact_at_ = kCompactAt;
  std::size_t size_ = 0;
  std::size_t live_count_ = 0;
  std::uint64_t newest_counter_ = 0;
  OwnerId self_;
  std::uint64_t overwritten_ = 0;
};

}  // namespace copal
