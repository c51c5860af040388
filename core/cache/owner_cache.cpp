#include "core/cache/owner_cache.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/base/assert.h"

namespace copal {

namespace {

/// Uses are told this often: rarely enough to cost nothing, often enough that an entry is kept at
/// most this much too long. Rule: R0.7.
Duration touch_interval(std::uint32_t idle_timeout_ms) {
  return std::clamp<Duration>(std::chrono::milliseconds{idle_timeout_ms} / 16, 1s, 60s);
}

/// Whether doing it twice is what `available` and `replicated` allow (R0.3).
bool is_plain(const Change& change) {
  return change.condition == Condition::kNone && !change.wants_previous &&
         (change.action == Action::kPut || change.action == Action::kRemove);
}

const MNode* mnode_of(const MNodeEntry* entry) {
  return entry == nullptr ? nullptr : &entry->mnode();
}

}  // namespace

OwnerCache::OwnerCache(const OwnerCacheConfig& config, const CacheCatalog& catalog,
                       Replica& replica, ReplicationLog& log, HybridClock& clock)
    : config_(config), catalog_(catalog), replica_(replica), log_(log), clock_(clock) {}

CacheAnswer OwnerCache::answer_to(std::uint64_t sequence, NodeId origin, const KeyHash& key,
                                  CacheStatus status) const {
  return {
      .sequence = sequence, .origin = origin, .status = status, .view = duty(group_of(key)).view};
}

// ---- gets

void OwnerCache::on_get(NodeId from, const CacheGet& get, Now now, Effects& effects) {
  const CacheConfig* cache = catalog_.find(get.cache);
  const Duty& mine = duty(group_of(get.key));
  const bool may_answer =
      mine.acts &&
      (cache == nullptr || cache->consistency == Consistency::kAvailable || mine.prepared);
  if (!may_answer || cache == nullptr) {
    const CacheStatus status = may_answer ? CacheStatus::kUnknownCache : CacheStatus::kTryAgain;
    effects.push_back(Send{from, answer_to(get.sequence, get.origin, get.key, status)});
    return;
  }
  ++counts_.gets;
  answer_get(from, get, now, effects);
}

void OwnerCache::answer_get(NodeId to, const CacheGet& get, Now now, Effects& effects) {
  CacheAnswer answer = answer_to(get.sequence, get.origin, get.key, CacheStatus::kAbsent);
  const MNodeEntry* entry = replica_.find(get.key);
  if (entry != nullptr && entry->mnode().is_tombstone()) {
    answer.entry = aged(entry->mnode(), now.mono);
  } else if (entry != nullptr && is_present(&entry->mnode(), now.mono)) {
    touch(*entry, now.mono);
    if (entry->mnode().version == get.held) {
      ++counts_.not_modified;
      answer.status = CacheStatus::kNotModified;
    } else {
      const MNode& mnode = entry->mnode();
      answer.status = CacheStatus::kDone;
      answer.entry = aged(mnode, now.mono);
      if (get.wants_value && mnode.has_stored_value()) {
        const Blob* value = replica_.values().find(mnode.value_hash);
        if (value == nullptr) {
          wait_for_value(to, get, mnode.value_hash, now, effects);
          return;
        }
        answer.value = *value;
      }
    }
  }
  effects.push_back(Send{to, std::move(answer)});
}

/// A use is no version, but other members must know of it in time: it is replicated as the same
/// version with a later time of use.
void OwnerCache::touch(const MNodeEntry& entry, TimePoint now) {
  const MNode& mnode = entry.mnode();
  if (mnode.idle_timeout_ms == 0 || now - mnode.accessed < touch_interval(mnode.idle_timeout_ms)) {
    return;
  }
  MNode used = mnode;
  used.accessed = now;
  replica_.install(used, entry.key_text());
  log_.append(used, false);
}

/// Bytes that are missing for a known m-node are fetched from a peer; the key is never deleted for
/// it. Departs: the product removed it, everywhere (resin-facts F19).
void OwnerCache::wait_for_value(NodeId to, const CacheGet& get, const ValueHash& hash, Now now,
                                Effects& effects) {
  if (value_waits_.size() >= kValueWaitsMax) {
    effects.push_back(
        Send{to, answer_to(get.sequence, get.origin, get.key, CacheStatus::kTryAgain)});
    return;
  }
  ValueWait& wait = value_waits_.emplace_back(
      ValueWait{.to = to, .get = get, .hash = hash, .deadline = now.mono + get.time_left});
  ask_for_value(wait, now.mono, effects);
}

void OwnerCache::ask_for_value(ValueWait& wait, TimePoint now, Effects& effects) {
  wait.asked = now;
  if (!peers_.empty()) {
    effects.push_back(Send{peers_[wait.asked_count++ % peers_.size()], FetchValue{wait.hash}});
  }
}

void OwnerCache::on_value(const ValueHash& hash, Now now, Effects& effects) {
  std::vector<ValueWait> waited;
  const auto rest =
      std::stable_partition(value_waits_.begin(), value_waits_.end(),
                            [&hash](const ValueWait& wait) { return wait.hash != hash; });
  waited.assign(std::make_move_iterator(rest), std::make_move_iterator(value_waits_.end()));
  value_waits_.erase(rest, value_waits_.end());
  for (const ValueWait& wait : waited) {
    answer_get(wait.to, wait.get, now, effects);
  }
}

// ---- changes, in the order in which they are looked at

void OwnerCache::on_change(NodeId from, const CacheChange& change, Now now, Effects& effects) {
  const NodeId server = change.origin == kNoNode ? from : change.origin;
  const auto answer = [&](CacheStatus status) {
    CacheAnswer told = answer_to(change.sequence, change.origin, change.key, status);
    told.attempt = change.attempt;
    effects.push_back(Send{from, std::move(told)});
  };
  switch (window_.look_up(server, change)) {
    case AnswerWindow::Seen::kObsolete:
      return;
    case AnswerWindow::Seen::kPending:
      ++counts_.repeated;
      return;
    case AnswerWindow::Seen::kAnswered:
      ++counts_.repeated;
      effects.push_back(Send{from, window_.answer(server, change.sequence)});
      return;
    case AnswerWindow::Seen::kTooMany:
      answer(CacheStatus::kTryAgain);
      return;
    case AnswerWindow::Seen::kNew:
      break;
  }
  const CacheConfig* cache = catalog_.find(change.cache);
  const CacheStatus refused = refusal(change, cache);
  if (refused != CacheStatus::kDone) {
    answer(refused);
    return;
  }
  if (!answered_elsewhere(from, server, change, now, effects)) {
    do_change(from, server, change, *cache, now, effects);
  }
}

/// Why it is not even begun; kDone if it is.
CacheStatus OwnerCache::refusal(const CacheChange& change, const CacheConfig* cache) const {
  const Duty& mine = duty(group_of(change.key));
  if (!mine.acts) {
    return CacheStatus::kTryAgain;
  }
  if (cache == nullptr) {
    return CacheStatus::kUnknownCache;
  }
  if (cache->consistency == Consistency::kReplicated) {
    if (!mine.prepared) {
      return CacheStatus::kTryAgain;
    }
    if (cache->refuse_degraded && mine.ready_replicas.empty()) {
      return CacheStatus::kDegraded;
    }
  }
  if (change.change.action != Action::kPut) {
    return CacheStatus::kDone;
  }
  const ValueName& value = change.change.value;
  if (value.size_bytes > cache->value_size_max_bytes) {
    return CacheStatus::kValueTooLarge;
  }
  if (is_full_for(change)) {
    return CacheStatus::kFull;
  }
  const bool here = value.is_inline || change.value.size_bytes() == value.size_bytes ||
                    replica_.values().find(value.hash) != nullptr;
  return here ? CacheStatus::kDone : CacheStatus::kNeedValue;
}

/// Removing always works, and so does writing a value that is here already.
bool OwnerCache::is_full_for(const CacheChange& change) const {
  const ValueName& value = change.change.value;
  const bool new_value = !value.is_inline && replica_.values().find(value.hash) == nullptr;
  const bool new_entry = replica_.find(change.key) == nullptr;
  return (new_value &&
          replica_.values().size_bytes() + value.size_bytes > config_.values_size_max_bytes) ||
         (new_entry && replica_.size() >= config_.entries_max);
}

/// It was sent to another owner, or another start of this one, before: it may have happened there.
/// If the entry's last change is this one, it did; else nobody can tell. Plain ones are done again.
bool OwnerCache::answered_elsewhere(NodeId to, NodeId server, const CacheChange& change, Now now,
                                    Effects& effects) {
  const bool tried_elsewhere =
      change.tried_at != kNoNode &&
      (change.tried_at != config_.self || change.tried_incarnation != config_.incarnation);
  if (!tried_elsewhere) {
    return false;
  }
  const MNodeEntry* entry = replica_.find(change.key);
  const ChangeId id{server, change.incarnation, change.sequence};
  const bool happened = entry != nullptr && entry->mnode().change == id;
  if (!happened && is_plain(change.change)) {
    return false;
  }
  // What was there before it is gone with the other owner.
  const bool known = happened && !change.change.wants_previous;
  CacheAnswer answer = answer_to(change.sequence, change.origin, change.key,
                                 known ? CacheStatus::kDone : CacheStatus::kOutcomeUnknown);
  if (known && is_present(&entry->mnode(), now.mono)) {
    answer.entry = aged(entry->mnode(), now.mono);
  }
  effects.push_back(Send{to, std::move(answer)});
  return true;
}

void OwnerCache::do_change(NodeId to, NodeId server, const CacheChange& change,
                           const CacheConfig& cache, Now now, Effects& effects) {
  ++counts_.changes;
  const MNodeEntry* entry = replica_.find(change.key);
  CacheAnswer answer = answer_to(change.sequence, change.origin, change.key, CacheStatus::kDone);
  if (change.change.wants_previous && entry != nullptr && is_present(&entry->mnode(), now.mono)) {
    answer.previous = aged(entry->mnode(), now.mono);
    if (const Blob* value = replica_.values().find(entry->mnode().value_hash)) {
      answer.value = *value;
    }
  }
  const ChangeOutcome outcome =
      apply_change(change.change, change.key, mnode_of(entry), cache, now.mono);
  answer.status = outcome.status;
  window_.begin(server, change.sequence);
  Wait wait{.to = to,
            .server = server,
            .incarnation = change.incarnation,
            .group = group_of(change.key),
            .refuse_degraded = cache.refuse_degraded,
            .deadline = now.mono + change.time_left};
  if (outcome.next) {
    answer.position = install(change, server, *outcome.next, now);
    answer.entry = aged(replica_.find(change.key)->mnode(), now.mono);
  }
  wait.answer = std::move(answer);
  const bool waits = outcome.next && cache.consistency == Consistency::kReplicated;
  if (waits && !settled(wait)) {
    waits_.push_back(std::move(wait));
  } else {
    finish_change(wait, effects);
  }
}

/// Returns the change's position.
std::uint64_t OwnerCache::install(const CacheChange& change, NodeId server, MNode next, Now now) {
  const MNodeEntry* entry = replica_.find(change.key);
  const Version before = entry == nullptr ? kNoVersion : entry->mnode().version;
  next.version = {clock_.next_counter(before.counter, now.mono),
                  duty(group_of(change.key)).view.term, config_.owner};
  next.base = before.owner == config_.owner && entry != nullptr ? entry->mnode().base : before;
  next.change = {server, change.incarnation, change.sequence};
  const bool stored = next.has_stored_value();
  const bool brings_value = stored && replica_.values().find(next.value_hash) == nullptr;
  if (brings_value) {
    replica_.values().pin(next.value_hash);
    replica_.values().provide(next.value_hash, change.value);
  }
  const auto installed = replica_.install(next, change.key_text);
  COPAL_ASSERT(installed == Replica::Installed::kInstalled);
  if (brings_value) {
    replica_.values().unpin(next.value_hash);
  }
  return log_.append(next, brings_value);
}

/// Whether it can be answered: another ready member has it, or none is left to wait for.
bool OwnerCache::settled(Wait& wait) {
  const std::vector<NodeId>& replicas = duty(wait.group).ready_replicas;
  if (replicas.empty()) {
    // Begun when one was ready: it has happened here, but not as the cache demands.
    wait.answer.status =
        wait.refuse_degraded ? CacheStatus::kOutcomeUnknown : CacheStatus::kSingleCopy;
    ++counts_.single_copy;
    return true;
  }
  return std::any_of(replicas.begin(), replicas.end(), [this, &wait](NodeId member) {
    return log_.acked(member) >= wait.answer.position;
  });
}

void OwnerCache::finish_change(const Wait& wait, Effects& effects) {
  window_.finish(wait.server, wait.incarnation, wait.answer);
  effects.push_back(Send{wait.to, wait.answer});
}

void OwnerCache::settle_waits(Effects& effects) {
  std::erase_if(waits_, [this, &effects](Wait& wait) {
    if (!settled(wait)) {
      return false;
    }
    finish_change(wait, effects);
    return true;
  });
}

void OwnerCache::on_replicated(Effects& effects) {
  settle_waits(effects);
}

void OwnerCache::set_duty(Group group, const Duty& duty, Effects& effects) {
  duties_[group.value] = duty;
  settle_waits(effects);
}

// ---- time

void OwnerCache::on_time(Now now, Effects& effects) {
  // Who asked has given up by now; an answer would be to nobody.
  std::erase_if(waits_, [now](const Wait& wait) { return wait.deadline < now.mono; });
  std::erase_if(value_waits_, [now](const ValueWait& wait) { return wait.deadline < now.mono; });
  for (ValueWait& wait : value_waits_) {
    if (now.mono - wait.asked >= kFetchAgain) {
      ask_for_value(wait, now.mono, effects);
    }
  }
}

TimePoint OwnerCache::next_deadline() const {
  TimePoint next = kNever;
  for (const Wait& wait : waits_) {
    next = std::min(next, wait.deadline + 1ns);
  }
  for (const ValueWait& wait : value_waits_) {
    next = std::min({next, wait.deadline + 1ns, wait.asked + kFetchAgain});
  }
  return next;
}

void OwnerCache::check_invariants() const {
  for (std::size_t i = 0; i < waits_.size(); ++i) {
    COPAL_ASSERT(i == 0 || waits_[i - 1].answer.position < waits_[i].answer.position);
    COPAL_ASSERT(waits_[i].answer.position <= log_.last_position());
  }
}

}  // namespace copal
