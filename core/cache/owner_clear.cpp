// OwnerCache: a cache is cleared. The server that asks keeps nothing of it, as it keeps its writes:
// so in every cache a clear is answered when another ready member has it, if there is one.

#include <algorithm>

#include "core/base/mutant.h"
#include "core/cache/owner_cache.h"

namespace copal {

void OwnerCache::on_clear(NodeId from, const ClearCache& clear, Now now, Effects& effects) {
  const CacheConfig* cache = catalog_.find(clear.cache);
  const auto asked_before = std::ranges::find_if(clears_, [&](const ClearWait& wait) {
    return wait.to == from && wait.sequence == clear.sequence;
  });
  if (asked_before != clears_.end()) {
    asked_before->deadline = now.mono + kClearFor;
    consider_deadline(asked_before->deadline);
    return;  // what it waits for may take longer than who asked waits before asking again
  }
  const CacheStatus refused = refusal(clear.groups, cache);
  if (refused != CacheStatus::kDone || clears_.size() >= kHeldMax) {
    effects.push_back(Send{from, CacheCleared{.sequence = clear.sequence, .status = refused}});
    return;
  }
  ClearWait wait{.to = from,
                 .sequence = clear.sequence,
                 .cache = clear.cache,
                 .deadline = now.mono + kClearFor};
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    const Group group{i};
    // Above all that was issued or seen, in this very nanosecond, too: a clear covers what is
    // below.
    const std::uint64_t before = clock_.reading(now.mono);
    if (!clear.groups.test(i) || readiness(group, cache) != CacheStatus::kDone ||
        !clock_.may_issue(before, now.mono)) {
      continue;
    }
    const Version version{clock_.next_counter(before, now.mono), duty(group).view.term, owner_};
    replica_.clear(group, clear.cache, version);
    wait.position = COPAL_MUTANT(kClearNotReplicated)
                        ? log_.last_position()
                        : log_.append_clear(group, clear.cache, version);
    wait.groups.set(i);
  }
  if (wait.groups.any()) {
    listeners_.tell(clear.cache, EntryEventKind::kCleared, "", kNoVersion, effects);
  }
  clears_.push_back(wait);
  consider_deadline(wait.deadline);
  settle_clears(effects);
}

/// Whether this member clears none of these groups, and why; kDone if it may clear some.
CacheStatus OwnerCache::refusal(const GroupSet& groups, const CacheConfig* cache) const {
  if (cache == nullptr) {
    return CacheStatus::kUnknownCache;
  }
  const bool needs_other = cache->consistency == Consistency::kReplicated && cache->refuse_degraded;
  for (std::uint8_t i = 0; i < kGroups && needs_other; ++i) {
    if (groups.test(i) && duties_[i].acts && duties_[i].ready_replicas.none()) {
      return CacheStatus::kDegraded;
    }
  }
  return CacheStatus::kDone;
}

/// Answers the clears that are at another ready member, each group of them, or have none to wait
/// for. A group that is another's by now is left to it.
void OwnerCache::settle_clears(Effects& effects) {
  std::erase_if(clears_, [&](ClearWait& wait) {
    bool alone = false;
    for (std::uint8_t i = 0; i < kGroups; ++i) {
      wait.groups.set(i, wait.groups.test(i) && duties_[i].acts);
      const auto copied = wait.groups.test(i) ? is_copied(Group{i}, wait.position) : true;
      if (!copied) {
        return false;
      }
      alone = alone || !*copied;
    }
    const CacheConfig& cache = *catalog_.find(wait.cache);
    const CacheStatus status = alone && cache.consistency == Consistency::kReplicated
                                   ? status_alone(cache.refuse_degraded)
                                   : CacheStatus::kDone;
    effects.push_back(Send{wait.to, CacheCleared{wait.sequence, status, wait.groups},
                           cache.sync == Sync::kAlways});
    return true;
  });
}

/// As copy_again(): a clear that is from before the stream of a member that is ready now.
void OwnerCache::copy_clears_again() {
  for (ClearWait& wait : clears_) {
    const auto waits_for = [&](std::size_t slot) {
      for (std::size_t i = 0; i < kGroups; ++i) {
        if (wait.groups.test(i) && duties_[i].acts && duties_[i].ready_replicas.test(slot)) {
          return true;
        }
      }
      return false;
    };
    bool is_before = false;
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
      is_before =
          is_before || (log_.is_before(config_.members[slot], wait.position) && waits_for(slot));
    }
    for (std::uint8_t i = 0; i < kGroups && is_before; ++i) {
      const Group group{i};
      if (wait.groups.test(i)) {
        wait.position = log_.append_clear(group, wait.cache, replica_.cleared(group, wait.cache));
      }
    }
  }
}

}  // namespace copal
