// OwnerCache: a cache is cleared. The server that asks keeps nothing of it, as it keeps its writes:
// so in every cache a clear is answered when another ready member has it, if there is one.

#include <algorithm>

#include "core/base/mutant.h"
#include "core/cache/owner_cache.h"

namespace copal {

void OwnerCache::on_clear(NodeId from, const ClearCache& clear, Now now, Effects& effects) {
  const CacheConfig* cache = catalog_.find(clear.cache);
  Clear* known = find_clear(from, clear);
  const CacheStatus refused = known == nullptr ? refusal(clear.groups, cache) : CacheStatus::kDone;
  if (refused != CacheStatus::kDone || (known == nullptr && !has_room_for_clear())) {
    effects.push_back(Send{from, CacheCleared{.sequence = clear.sequence, .status = refused}});
    return;
  }
  if (known == nullptr) {
    known = &clears_.emplace_back();
    *known = {.to = from, .sequence = clear.sequence, .cache = clear.cache};
  }
  known->deadline = now.mono + kClearFor;
  consider_deadline(known->deadline);
  bool is_news = false;
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    const Group group{i};
    // Above all that was issued or seen, in this very nanosecond, too: a clear covers what is
    // below.
    const std::uint64_t before = clock_.reading(now.mono);
    // Asked again, it is not done again: what was written since its answer would go as well.
    if (!clear.groups.test(i) || known->groups.test(i) ||
        readiness(group, cache) != CacheStatus::kDone || !clock_.may_issue(before, now.mono)) {
      continue;
    }
    const Version version{clock_.next_counter(before, now.mono), duty(group).view.term, owner_};
    replica_.clear(group, clear.cache, version);
    known->position = COPAL_MUTANT(kClearNotReplicated)
                          ? log_.last_position()
                          : log_.append_clear(group, clear.cache, version);
    known->groups.set(i);
    known->waits = true;
    is_news = true;
  }
  if (is_news) {
    listeners_.tell(clear.cache, EntryEventKind::kCleared, "", kNoVersion, effects);
  }
  if (known->waits) {
    settle_clears(effects);
  } else {
    answer_clear(*known, effects);
  }
}

OwnerCache::Clear* OwnerCache::find_clear(NodeId from, const ClearCache& clear) {
  const auto at = std::ranges::find_if(clears_, [&](const Clear& known) {
    return known.to == from && known.sequence == clear.sequence && known.cache == clear.cache;
  });
  return at == clears_.end() ? nullptr : &*at;
}

bool OwnerCache::has_room_for_clear() {
  if (clears_.size() >= kHeldMax) {
    const auto oldest =
        std::ranges::find_if(clears_, [](const Clear& known) { return !known.waits; });
    if (oldest != clears_.end()) {
      clears_.erase(oldest);
    }
  }
  return clears_.size() < kHeldMax;
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
  for (Clear& clear : clears_) {
    bool waits = false;
    bool alone = false;
    for (std::uint8_t i = 0; clear.waits && i < kGroups; ++i) {
      clear.groups.set(i, clear.groups.test(i) && duties_[i].acts);
      if (clear.groups.test(i)) {
        const std::optional<bool> copied = is_copied(Group{i}, clear.position);
        waits = waits || !copied;
        alone = alone || copied == false;
      }
    }
    if (clear.waits && !waits) {
      const CacheConfig& cache = *catalog_.find(clear.cache);
      clear.status = alone && cache.consistency == Consistency::kReplicated
                         ? status_alone(cache.refuse_degraded)
                         : CacheStatus::kDone;
      answer_clear(clear, effects);
    }
  }
}

void OwnerCache::answer_clear(Clear& clear, Effects& effects) const {
  clear.waits = false;
  effects.push_back(Send{clear.to, CacheCleared{clear.sequence, clear.status, clear.groups},
                         catalog_.find(clear.cache)->sync == Sync::kAlways});
}

/// As copy_again(): a clear that is from before the stream of a member that is ready now.
void OwnerCache::copy_clears_again() {
  for (Clear& clear : clears_) {
    bool is_before = false;
    for (std::size_t slot = 0; slot < kSlots && clear.waits; ++slot) {
      is_before = is_before ||
                  (log_.is_before(config_.members[slot], clear.position) && waits_for(clear, slot));
    }
    for (std::uint8_t i = 0; i < kGroups && is_before; ++i) {
      const Group group{i};
      if (clear.groups.test(i)) {
        clear.position =
            log_.append_clear(group, clear.cache, replica_.cleared(group, clear.cache));
      }
    }
  }
}

/// Whether a member is ready for a group of a clear, and so must have it.
bool OwnerCache::waits_for(const Clear& clear, std::size_t slot) const {
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (clear.groups.test(i) && duties_[i].acts && duties_[i].ready_replicas.test(slot)) {
      return true;
    }
  }
  return false;
}

}  // namespace copal
