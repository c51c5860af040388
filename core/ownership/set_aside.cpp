#include "core/ownership/set_aside.h"

#include <array>
#include <string>

#include "core/base/mutant.h"
#include "core/protocol/record.h"

namespace copal {

void SetAside::drop(std::span<const KeyVersion> removed, Now now, Effects& effects) {
  for (const KeyVersion& one : removed) {
    const MNodeEntry* entry = replica_.find(one.key);
    if (entry != nullptr && entry->mnode().version == one.version &&
        one.version < replica_.horizon(group_of(one.key))) {
      drop(*entry, now, effects);
    }
  }
}

void SetAside::drop(const MNodeEntry& entry, Now now, Effects& effects) {
  const MNode& mnode = entry.mnode();
  if (!mnode.is_tombstone() && !COPAL_MUTANT(kNotSetAside)) {
    ++count_;
    std::array<std::uint8_t, kKeySizeMaxBytes + 512> record;
    const MNodeRecord aside{now.wall, aged(mnode, now.mono), std::string(entry.key_text())};
    effects.store().put(Family::kSetAside, mnode.key.bytes, encode_record(aside, record));
    if (mnode.has_stored_value()) {
      if (const Blob* value = replica_.values().find(mnode.value_hash)) {
        // Beside its m-node: the family of values loses it with its last reference.
        effects.store().put(Family::kSetAside, mnode.value_hash.bytes, value->bytes());
      }
    }
  }
  replica_.drop(entry);
}

}  // namespace copal
