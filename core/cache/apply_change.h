#pragma once

#include <optional>

#include "core/base/time.h"
#include "core/cache/cache_config.h"
#include "core/mnode/mnode.h"
#include "core/protocol/cache_message.h"

namespace copal {

/// What a change makes of an entry.
struct ChangeOutcome {
  CacheStatus status = CacheStatus::kDone;
  // The entry's next state, without version, base and change: these are the owner's to give.
  // Nothing if it stays as it is.
  std::optional<MNode> next;
  Blob value;  // of `next`, unless it stands in it
};

/// Whether there is an entry to be read: an m-node that is no tombstone and not past its time.
bool is_present(const MNode* mnode, TimePoint now);

/// Applies a change to an entry: the whole meaning of all operations that change one.
/// key      the entry's.
/// current  its m-node, tombstone or not; nothing if there is none.
/// cache    the cache that the key belongs to.
/// value, current_value  bytes of the change's value (put, append) and of the entry's (append),
///   unless they stand in the name and the m-node.
/// Returns kDone with the next state; or without one kConditionFailed, kAbsent (nothing to remove
/// or touch), kNotANumber or kNumberTooLarge. That the value fits the cache's limit was checked.
/// Expire timeouts count from the last put or touch: increments and appends do not prolong them, or
/// a counter with a limited life (requests a minute) would never end.
ChangeOutcome apply_change(const Change& change, const KeyHash& key, const MNode* current,
                           const CacheConfig& cache, TimePoint now, const Blob& value = {},
                           const Blob& current_value = {});

}  // namespace copal
