#include "core/cache/owner_cache.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/mutant.h"

namespace copal {

OwnerCache::OwnerCache(const OwnerCacheConfig& config, OwnerId owner, const CacheCatalog& catalog,
                       Replica& replica, ReplicationLog& log, HybridClock& clock, ValueFetch& fetch,
                       const ReplicaStore& store)
    : config_(config),
      owner_(owner),
      catalog_(catalog),
      replica_(replica),
      log_(log),
      clock_(clock),
      fetch_(fetch),
      store_(store) {}

CacheAnswer OwnerCache::answer_to(std::uint64_t sequence, NodeId origin, const KeyHash& key,
                                  CacheStatus status) const {
  return {.sequence = sequence,
          .origin = origin,
          .status = status,
          .view = duty(group_of(key)).view,
          .incarnation = config_.incarnation};
}

/// Whether this member answers for the group and the cache; kDone if it does.
CacheStatus OwnerCache::readiness(Group group, const CacheConfig* cache) const {
  const Duty& mine = duty(group);
  if (!mine.acts) {
    return CacheStatus::kTryAgain;
  }
  if (cache == nullptr) {
    return CacheStatus::kUnknownCache;
  }
  const bool is_prepared = mine.prepared || COPAL_MUTANT(kReplicatedUnprepared);
  return cache->consistency == Consistency::kReplicated && !is_prepared ? CacheStatus::kTryAgain
                                                                        : CacheStatus::kDone;
}

/// Whatever is not above this version is not there: removed and forgotten, or cleared.
Version OwnerCache::absence(const KeyHash& key, CacheId cache) const {
  const Group group = group_of(key);
  return std::max(replica_.horizon(group), replica_.cleared(group, cache));
}

// ---- gets

void OwnerCache::on_get(NodeId from, const CacheGet& get, Now now, Effects& effects) {
  const CacheStatus status = readiness(group_of(get.key), catalog_.find(get.cache));
  if (status != CacheStatus::kDone) {
    effects.push_back(Send{from, answer_to(get.sequence, get.origin, get.key, status)});
    return;
  }
  ++counts_.gets;
  answer_get(from, get, now, effects);
}

void OwnerCache::answer_get(NodeId to, const CacheGet& get, Now now, Effects& effects) {
  CacheAnswer answer = answer_to(get.sequence, get.origin, get.key, CacheStatus::kAbsent);
  const MNodeEntry* entry = replica_.find(get.key);
  if (entry == nullptr || !is_present(&entry->mnode(), now.mono)) {
    answer.absent = entry == nullptr ? absence(get.key, get.cache) : entry->mnode().version;
    effects.push_back(Send{to, std::move(answer)});
    return;
  }
  touch(*entry, now.mono);
  const MNode& mnode = entry->mnode();
  if (mnode.version == get.held) {
    ++counts_.not_modified;
    answer.status = CacheStatus::kNotModified;
  } else {
    answer.status = CacheStatus::kDone;
    answer.entry = aged(mnode, now.mono);
    if (get.wants_value && mnode.has_stored_value() && get.held_value != mnode.value_hash) {
      const Blob* value = replica_.values().find(mnode.value_hash);
      if (value == nullptr && COPAL_MUTANT(kMissingValueDeletesKey)) {
        remove(*entry, now);
        answer_get(to, get, now, effects);
        return;
      }
      if (value == nullptr) {
        hold_get(to, get, mnode.value_hash, now, effects);
        return;
      }
      answer.value = *value;
    }
  }
  effects.push_back(Send{to, std::move(answer)});
}

/// A use is no version, but other members must know of it in time: it is replicated as the same
/// version with a later time of use. Without an idle timeout it is for eviction alone.
void OwnerCache::touch(const MNodeEntry& entry, TimePoint now) {
  const MNode& mnode = entry.mnode();
  if (mnode.idle_timeout_ms == 0 || COPAL_MUTANT(kUsesNotTold)) {
    replica_.touch(entry, now);
  } else if (now - mnode.accessed >= tell_interval(mnode.idle_timeout_ms)) {
    MNode used = mnode;
    used.accessed = now;
    replica_.install(used, entry.key_text());
    log_.append(used, false);
  }
}

void OwnerCache::hold_get(NodeId to, const CacheGet& get, const ValueHash& hash, Now now,
                          Effects& effects) {
  if (held_gets_.size() >= kHeldMax) {
    effects.push_back(
        Send{to, answer_to(get.sequence, get.origin, get.key, CacheStatus::kTryAgain)});
    return;
  }
  held_gets_.push_back({to, get, hash, now.mono + get.time_left});
  consider_deadline(held_gets_.back().deadline);
  fetch_.want(hash, kNoNode, now.mono, effects);
}

void OwnerCache::on_value(const ValueHash& hash, Now now, Effects& effects) {
  std::vector<HeldGet> gets;
  std::erase_if(held_gets_, [&](HeldGet& held) {
    if (held.hash == hash) {
      gets.push_back(std::move(held));
      return true;
    }
    return false;
  });
  for (const HeldGet& held : gets) {
    on_get(held.to, held.get, now, effects);
  }
  std::vector<HeldChange> changes;
  std::erase_if(held_, [&](HeldChange& held) {
    if (held.hash == hash) {
      changes.push_back(std::move(held));
      return true;
    }
    return false;
  });
  for (HeldChange& held : changes) {
    on_change(held.from, held.change, now, effects);
    release(held);
  }
}

// ---- duty and time

void OwnerCache::set_duties(const std::array<Duty, kGroups>& duties, Effects& effects) {
  if (duties != duties_) {
    duties_ = duties;  // all of them first: what waits may be of any group
    copy_again();
    copy_clears_again();
    settle_waits(true, effects);
    settle_clears(effects);
  }
}

std::size_t OwnerCache::waiting_count() const {
  return waits_.size() + static_cast<std::size_t>(std::ranges::count_if(clears_, &Clear::waits)) +
         held_gets_.size() + held_.size();
}

bool OwnerCache::is_idle(Group group) const {
  return std::ranges::none_of(waits_, [group](const Wait& wait) { return wait.group == group; }) &&
         std::ranges::none_of(clears_,
                              [group](const Clear& clear) {
                                return clear.waits && clear.groups.test(group.value);
                              }) &&
         std::ranges::none_of(
             held_, [group](const HeldChange& held) { return group_of(held.change.key) == group; });
}

void OwnerCache::on_replicated(Effects& effects) {
  settle_waits(false, effects);
  settle_clears(effects);
}

void OwnerCache::consider_deadline(TimePoint deadline) {
  next_deadline_ = std::min(next_deadline_, deadline + 1ns);
}

void OwnerCache::on_time(Now now, Effects& effects) {
  if (now.mono < next_deadline_) {
    return;
  }
  // Who asked has given up by now; an answer would be to nobody.
  std::erase_if(waits_, [now](const Wait& wait) { return wait.deadline < now.mono; });
  std::erase_if(clears_, [now](const Clear& clear) { return clear.deadline < now.mono; });
  std::erase_if(held_gets_, [now](const HeldGet& held) { return held.deadline < now.mono; });
  std::erase_if(held_, [&](HeldChange& held) {
    if (held.deadline >= now.mono) {
      return false;
    }
    // The bytes that were left for it are nowhere: they must be brought again.
    if (held.pinned) {
      CacheAnswer answer = answer_to(held.change.sequence, held.change.origin, held.change.key,
                                     CacheStatus::kNeedValue);
      answer.attempt = held.change.attempt;
      effects.push_back(Send{held.from, std::move(answer)});
    }
    release(held);
    return true;
  });
  next_deadline_ = kNever;
  for (const Wait& wait : waits_) {
    consider_deadline(wait.deadline);
  }
  for (const Clear& clear : clears_) {
    consider_deadline(clear.deadline);
  }
  for (const HeldGet& held : held_gets_) {
    consider_deadline(held.deadline);
  }
  for (const HeldChange& held : held_) {
    consider_deadline(held.deadline);
  }
}

TimePoint OwnerCache::next_deadline() const {
  return next_deadline_;
}

void OwnerCache::check_invariants() const {
  for (std::size_t i = 0; i < waits_.size(); ++i) {
    COPAL_ASSERT(i == 0 || waits_[i - 1].answer.position < waits_[i].answer.position);
    COPAL_ASSERT(waits_[i].answer.position <= log_.last_position());
    COPAL_ASSERT(waits_[i].deadline >= next_deadline_ - 1ns);
  }
}

}  // namespace copal
