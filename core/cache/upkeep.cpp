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
    looked += look_at_bucket(due - looked, owner, now, effects);
  }
  replica_.values().shed(config_.memory_max_bytes, due);
}

/// The next one that has entries; looks_max counts those without, and this one begins below it.
/// Returns how many looks it took.
std::size_t Upkeep::look_at_bucket(std::size_t looks_max, OwnerCache& owner, Now now,
                                   Effects& effects) {
  const Group group{static_cast<std::uint8_t>(group_)};
  const auto [cache, tree] = replica_.table(group).first_from(cache_);
  if (tree == nullptr) {
    bucket_ = HashTree::kFanout;
    cache_ = CacheId{~0U};
    go_on();
    return 1;
  }
  if (cache != cache_) {
    cache_ = cache;
    bucket_ = 0;
  }
  std::size_t looks = 0;
  while (bucket_ < HashTree::kFanout && looks < looks_max && tree->first(bucket_) == nullptr) {
    ++bucket_;
    ++looks;
  }
  if (bucket_ < HashTree::kFanout && looks < looks_max) {
    const std::uint64_t below = horizon_.droppable_below(group);
    const std::vector<const MNodeEntry*> entries = tree->entries(bucket_);
    for (const MNodeEntry* entry : entries) {
      look_at(*entry, group, below, owner, now, effects);
    }
    looks += 1 + entries.size();
    ++bucket_;
  }
  go_on();
  return looks;
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
