#include "core/cache/upkeep.h"

#include <algorithm>
#include <vector>

#include "core/base/mutant.h"

namespace copal {

void Upkeep::on_time(OwnerCache& owner, Now now, Effects& effects) {
  if (now.mono < next_) {
    return;
  }
  next_ = now.mono + config_.interval;
  const std::size_t share = replica_.size() / static_cast<std::size_t>(std::max<std::int64_t>(
                                                  1, config_.sweep_time / config_.interval));
  const std::size_t due = std::max(config_.step_min, share);
  const std::uint64_t sweeps_before = counts_.sweeps;
  // A bucket without entries costs a look as well, or an empty member would never come to an end.
  for (std::size_t looked = 0; looked < due && counts_.sweeps - sweeps_before < 2;) {
    looked += 1 + look_at_bucket(owner, now, effects);
  }
  replica_.values().shed(config_.memory_max_bytes, due);
}

/// Returns how many entries it looked at.
std::size_t Upkeep::look_at_bucket(OwnerCache& owner, Now now, Effects& effects) {
  const Group group{static_cast<std::uint8_t>(group_)};
  const std::vector<CacheId> caches = replica_.table(group).caches();
  const auto cache = std::ranges::lower_bound(caches, cache_);
  if (cache == caches.end()) {
    bucket_ = HashTree::kFanout;
    cache_ = CacheId{~0U};
    go_on();
    return 0;
  }
  if (*cache != cache_) {
    cache_ = *cache;
    bucket_ = 0;
  }
  const std::uint64_t below = horizon_.droppable_below(group);
  const std::vector<const MNodeEntry*> entries =
      replica_.table(group).tree(cache_)->entries(bucket_);
  for (const MNodeEntry* entry : entries) {
    look_at(*entry, group, below, owner, now, effects);
  }
  ++bucket_;
  go_on();
  return entries.size();
}

void Upkeep::go_on() {
  if (bucket_ < HashTree::kFanout) {
    return;
  }
  bucket_ = 0;
  if (cache_.value != ~0U) {
    ++cache_.value;
    return;
  }
  cache_ = CacheId{0};
  if (++group_ == kGroups) {
    group_ = 0;
    ++counts_.sweeps;
  }
}

void Upkeep::look_at(const MNodeEntry& entry, Group group, std::uint64_t droppable_below,
                     OwnerCache& owner, Now now, Effects& effects) {
  const MNode& mnode = entry.mnode();
  if (replica_.is_cleared(group, mnode)) {
    ++counts_.cleared_dropped;
    replica_.drop(entry);
  } else if (mnode.is_tombstone() &&
             (mnode.version.counter < droppable_below || COPAL_MUTANT(kTombstonesDroppedAtOnce))) {
    ++counts_.tombstones_dropped;
    replica_.drop(entry);
    replica_.raise_horizon(group, {droppable_below, 0, {}});
    clock_.observe(droppable_below, now.mono);
  } else if (owner.may_expire(mnode, now)) {
    owner.expire(entry, now, effects);
  }
}

}  // namespace copal
