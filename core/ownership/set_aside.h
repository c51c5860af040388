#pragma once

#include <cstdint>
#include <span>

#include "core/base/time.h"
#include "core/protocol/compare_message.h"
#include "core/protocol/effect.h"
#include "core/values/replica.h"

namespace copal {

/// Deletes entries that a comparison found to have been removed long ago, after it: only then does
/// this member's horizon cover them, and what lacks here below it is known to be removed. One that
/// is no tombstone can only be a write that a member alone had which was cut off for longer than
/// tombstones live: it is kept on the disk for a person to look at, and counted. Rule: R4.4.
class SetAside {
 public:
  explicit SetAside(Replica& replica) : replica_(replica) {}

  /// Those that are here in these states and below their group's horizon.
  void drop(std::span<const KeyVersion> removed, Now now, Effects& effects);

  std::uint64_t count() const { return count_; }

 private:
  void drop(const MNodeEntry& entry, Now now, Effects& effects);

  Replica& replica_;
  std::uint64_t count_ = 0;
};

}  // namespace copal
