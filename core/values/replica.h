#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/mnode/mnode.h"
#include "core/mnode/owner_order.h"
#include "core/values/m_node_table.h"
#include "core/values/value_store.h"

namespace copal {

/// All that a triad member holds: the m-nodes of the 96 groups with their horizons, and the values
/// they refer to. Whatever changes it, an own write, a peer's, a comparison, goes through
/// install(), so that one order of versions decides. Rule: R4.2, R6. Invariants: 1. each m-node
/// with a value that does not stand in it holds one reference to that value; 2. horizons never go
/// back.
class Replica {
 public:
  enum class Installed : std::uint8_t {
    kInstalled,
    kKnown,         // this very version is here
    kOlder,         // a newer one is here
    kBelowHorizon,  // unknown here and below the group's horizon: removed and forgotten (R4.2)
  };

  /// Returns the entry of a key, tombstone or not, or nothing. Valid until it is dropped.
  const MNodeEntry* find(const KeyHash& key) const { return table_of(key).find(key); }

  /// Takes an m-node unless a newer one is here. Of one that is known it takes the later time of
  /// use: uses merge as maximum and are not versions (R0.7).
  /// key_text  of the m-node's key; used if it is new. Allocates for a new one.
  Installed install(const MNode& mnode, std::string_view key_text);

  /// Forgets a key altogether, a tombstone mostly. The entry is here, asserted.
  void drop(const MNodeEntry& entry);

  /// The version below which a key that is not here was removed. Rule: R4.
  const Version& horizon(Group group) const { return horizons_[group.value]; }
  /// A lower one than the group's does nothing.
  void raise_horizon(Group group, const Version& to);

  const MNodeTable& table(Group group) const { return tables_[group.value]; }
  ValueStore& values() { return values_; }
  const ValueStore& values() const { return values_; }

  std::size_t size() const;

  /// Walks everything; for tests and the simulator. Asserts the invariants.
  void check_invariants() const;

 private:
  MNodeTable& table_of(const KeyHash& key) { return tables_[group_of(key).value]; }
  const MNodeTable& table_of(const KeyHash& key) const { return tables_[group_of(key).value]; }

  std::array<MNodeTable, kGroups> tables_;
  std::array<Version, kGroups> horizons_{};
  ValueStore values_;
};

}  // namespace copal
