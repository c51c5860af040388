// OwnerCache: changes, in the order in which they are looked at.

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/mutant.h"
#include "core/cache/owner_cache.h"

namespace copal {

namespace {

/// Whether doing it twice is what `available` and `replicated` allow (R0.3).
bool is_plain(const Change& change) {
  return change.condition == Condition::kNone && !change.wants_previous &&
         (change.action == Action::kPut || change.action == Action::kRemove);
}

bool brings_value(Action action) {
  return action == Action::kPut || is_append(action);
}

}  // namespace

void OwnerCache::refuse(NodeId to, const CacheChange& change, CacheStatus status,
                        Effects& effects) const {
  CacheAnswer answer = answer_to(change.sequence, change.origin, change.key, status);
  answer.attempt = change.attempt;
  effects.push_back(Send{to, std::move(answer)});
}

/// What the window knows of it; answered, if it has the answer or takes no more.
AnswerWindow::Seen OwnerCache::look_up(NodeId from, NodeId server, const CacheChange& change,
                                       Effects& effects) {
  const AnswerWindow::Seen seen = window_.look_up(server, change);
  switch (seen) {
    case AnswerWindow::Seen::kPending:
      ++counts_.repeated;
      for (Wait& wait : waits_) {
        if (wait.server == server && wait.answer.sequence == change.sequence) {
          wait.to = from;  // it may come by another relay now
          wait.answer.origin = change.origin;
        }
      }
      break;
    case AnswerWindow::Seen::kAnswered: {
      ++counts_.repeated;
      CacheAnswer again = window_.answer(server, change.sequence);
      again.origin = change.origin;
      const CacheConfig* cache = catalog_.find(change.cache);
      effects.push_back(
          Send{from, std::move(again), cache != nullptr && cache->sync == Sync::kAlways});
      break;
    }
    case AnswerWindow::Seen::kTooMany:
      refuse(from, change, CacheStatus::kTryAgain, effects);
      break;
    case AnswerWindow::Seen::kObsolete:
    case AnswerWindow::Seen::kNew:
      break;
  }
  return seen;
}

void OwnerCache::pass_on(NodeId from, const CacheChange& change, Slot to, Incarnation to_start,
                         Effects& effects) {
  CacheChange passed_on = change;
  passed_on.origin = from;
  switch (look_up(from, from, change, effects)) {
    case AnswerWindow::Seen::kNew:
      passed_on.tried.remove(owner_.slot(), config_.incarnation);
      passed_on.tried.add(window_.passed_on(from, change.sequence));
      window_.pass_on(from, change.sequence, to, to_start);
      break;
    case AnswerWindow::Seen::kPending:  // the other one may know already what became of it
      passed_on.tried.add(owner_.slot(), config_.incarnation);
      break;
    default:
      return;
  }
  effects.push_back(Send{config_.members[to.value], std::move(passed_on)});
}

void OwnerCache::on_change(NodeId from, const CacheChange& change, Now now, Effects& effects) {
  const NodeId server = change.origin == kNoNode ? from : change.origin;
  if (look_up(from, server, change, effects) != AnswerWindow::Seen::kNew) {
    return;
  }
  const CacheConfig* cache = catalog_.find(change.cache);
  const CacheStatus refused = refusal(change, cache, now);
  if (refused != CacheStatus::kDone) {
    refuse(from, change, refused, effects);
  } else if (!hold_for_value(from, server, change, now, effects) &&
             !answered_elsewhere(from, server, change, *cache, now, effects)) {
    do_change(from, server, change, *cache, now, effects);
  }
}

/// Whether its value's bytes were given to another member. This one was asked for them, and had
/// them, if it is named itself: an earlier start of it.
bool OwnerCache::is_left(const CacheChange& change) const {
  return change.value_at != config_.members[owner_.slot().value] && change.value_at != kNoNode &&
         std::ranges::count(config_.members, change.value_at) > 0;
}

/// Why it is not even begun; kDone if it is.
CacheStatus OwnerCache::refusal(const CacheChange& change, const CacheConfig* cache, Now now) {
  const Group group = group_of(change.key);
  const CacheStatus status = readiness(group, cache);
  if (status != CacheStatus::kDone) {
    return status;
  }
  const Duty& mine = duty(group);
  if (cache->consistency == Consistency::kReplicated && cache->refuse_degraded &&
      mine.ready_replicas.none()) {
    return CacheStatus::kDegraded;
  }
  const MNodeEntry* entry = replica_.find(change.key);
  if (!clock_.may_issue(entry == nullptr ? 0 : entry->mnode().version.counter, now.mono)) {
    return CacheStatus::kTryAgain;  // the next readings are being reserved
  }
  if (change.change.action == Action::kRemove) {
    return CacheStatus::kDone;  // always works
  }
  if (!brings_value(change.change.action)) {
    return make_room(change, *cache, now) ? CacheStatus::kDone : CacheStatus::kFull;
  }
  const ValueName& value = change.change.value;
  if (size_after(change, entry, now) > cache->value_size_max_bytes) {
    return CacheStatus::kValueTooLarge;
  }
  const bool here = value.is_inline || change.value.size_bytes() == value.size_bytes ||
                    replica_.values().has(value.hash) || is_left(change);
  if (!here) {
    return CacheStatus::kNeedValue;
  }
  return make_room(change, *cache, now) ? CacheStatus::kDone : CacheStatus::kFull;
}

/// How large the value is that the change makes.
std::uint64_t OwnerCache::size_after(const CacheChange& change, const MNodeEntry* entry, Now now) {
  std::uint64_t size_bytes = change.change.value.size_bytes;
  if (is_append(change.change.action) && entry != nullptr &&
      is_present(&entry->mnode(), now.mono)) {
    size_bytes += entry->mnode().value_size_bytes;
  }
  return size_bytes;
}

/// How many bytes of values more there are after it. What it replaces makes room; of an append's
/// result nobody knows whether it is here already.
std::uint64_t OwnerCache::added_bytes(const CacheChange& change, const MNodeEntry* entry,
                                      Now now) const {
  const ValueName& value = change.change.value;
  const std::uint64_t size_bytes = size_after(change, entry, now);
  const bool is_known =
      !is_append(change.change.action) && !value.is_inline && replica_.values().has(value.hash);
  if (!brings_value(change.change.action) || size_bytes <= MNode::kInlineMaxBytes || is_known) {
    return 0;
  }
  const bool lets_go = entry != nullptr && entry->mnode().has_stored_value() &&
                       replica_.values().reference_count(entry->mnode().value_hash) == 1;
  const std::uint64_t freed_bytes = lets_go ? entry->mnode().value_size_bytes : 0;
  return size_bytes > freed_bytes ? size_bytes - freed_bytes : 0;
}

/// Writing a value that is here already always works, and so does a change that adds nothing.
bool OwnerCache::is_full_for(const CacheChange& change, Now now) const {
  const MNodeEntry* entry = replica_.find(change.key);
  const std::uint64_t added = added_bytes(change, entry, now);
  const bool new_entry =
      (entry == nullptr || entry->mnode().is_tombstone()) && change.change.action != Action::kTouch;
  return (added > 0 && replica_.values().size_bytes() + added > config_.values_size_max_bytes) ||
         (new_entry && replica_.live_count() >= config_.entries_max);
}

/// Holds a change until the bytes are in memory that it needs: its own value, left with another
/// member; the entry's, to append to, to return, or to have what it acknowledges (R0.4). Returns
/// whether it does.
bool OwnerCache::hold_for_value(NodeId from, NodeId server, const CacheChange& change, Now now,
                                Effects& effects) {
  const ValueName& value = change.change.value;
  const MNodeEntry* entry = replica_.find(change.key);
  const bool keeps_value = change.change.wants_previous || is_append(change.change.action) ||
                           change.change.action == Action::kTouch;
  const bool needs_entry = keeps_value && entry != nullptr &&
                           is_present(&entry->mnode(), now.mono) &&
                           entry->mnode().has_stored_value() &&
                           replica_.values().find(entry->mnode().value_hash) == nullptr;
  const bool needs_value =
      brings_value(change.change.action) && !value.is_inline &&
      change.value.size_bytes() != value.size_bytes &&
      (is_append(change.change.action) ? replica_.values().find(value.hash) == nullptr
                                       : !replica_.values().has(value.hash));
  if (!needs_entry && !needs_value) {
    return false;
  }
  const auto held = std::ranges::find_if(held_, [&](const HeldChange& one) {
    return one.change.sequence == change.sequence && one.change.cache == change.cache &&
           (one.change.origin == kNoNode ? one.from : one.change.origin) == server;
  });
  if (held != held_.end()) {
    if (change.attempt > held->change.attempt) {  // by a way on which answers may come
      held->from = from;
      held->change = change;
    }
    return true;
  }
  if (held_.size() >= kHeldMax) {
    refuse(from, change, CacheStatus::kTryAgain, effects);
    return true;
  }
  const ValueHash& hash = needs_value ? value.hash : entry->mnode().value_hash;
  TimePoint deadline = now.mono + change.time_left;
  if (needs_value) {
    replica_.values().pin(hash);
    deadline = std::min(deadline, now.mono + kValueAtTime);
  }
  held_.push_back({from, change, hash, needs_value, deadline});
  consider_deadline(deadline);
  fetch_.want(hash, needs_value && is_left(change) ? change.value_at : kNoNode, now.mono, effects);
  return true;
}

void OwnerCache::release(HeldChange& held) {
  if (std::exchange(held.pinned, false)) {
    replica_.values().unpin(held.hash);
  }
}

/// It came to another member, or to another start of this one, before: it may have happened there.
/// If the entry's last change is this one, it did; else nobody can tell. Plain ones are done again.
bool OwnerCache::answered_elsewhere(NodeId to, NodeId server, const CacheChange& change,
                                    const CacheConfig& cache, Now now, Effects& effects) {
  TriedMembers tried = change.tried;
  tried.add(window_.passed_on(server, change.sequence));
  if (!tried.elsewhere_than(owner_.slot(), config_.incarnation) || COPAL_MUTANT(kRedoneElsewhere)) {
    return false;
  }
  const MNodeEntry* entry = replica_.find(change.key);
  const ChangeId id{server, change.incarnation, change.sequence};
  const bool happened = entry != nullptr && entry->mnode().change == id;
  if (happened ? COPAL_MUTANT(kLastChangeIgnored) : is_plain(change.change)) {
    return false;
  }
  // What was there before it is gone with the other owner.
  if (!happened || change.change.wants_previous) {
    refuse(to, change, CacheStatus::kOutcomeUnknown, effects);
    return true;
  }
  Wait wait = wait_for(to, server, change, cache, now);
  wait.answer = answer_to(change.sequence, change.origin, change.key, CacheStatus::kDone);
  wait.answer.attempt = change.attempt;
  const bool lacked = take_missing_value(entry->mnode(), change.change.value.hash, change.value);
  // Who has it, and on its disk, is not known here: so it is replicated once more as it is.
  wait.answer.position = log_.append(entry->mnode(), lacked);
  // All that its server needs to keep it (R1.7), as in do_change().
  const MNode& mnode = entry->mnode();
  if (mnode.is_tombstone() || is_present(&mnode, now.mono)) {
    wait.answer.entry = aged(mnode, now.mono);
    wait.answer.absent = mnode.is_tombstone() ? mnode.version : kNoVersion;
  }
  const Blob* value = replica_.values().find(mnode.value_hash);
  if (is_append(change.change.action) && mnode.has_stored_value() && value != nullptr) {
    wait.answer.value = *value;
  }
  window_.begin(server, change.sequence);
  answer_when_copied(std::move(wait), cache.consistency == Consistency::kReplicated, effects);
  return true;
}

OwnerCache::Wait OwnerCache::wait_for(NodeId to, NodeId server, const CacheChange& change,
                                      const CacheConfig& cache, Now now) {
  return {.to = to,
          .server = server,
          .incarnation = change.incarnation,
          .key = change.key,
          .group = group_of(change.key),
          .sync = cache.sync,
          .refuse_degraded = cache.refuse_degraded,
          .deadline = now.mono + change.time_left};
}

/// The bytes of its value, which may have come another way: left with a member, or here before.
Blob OwnerCache::added_value(const CacheChange& change) const {
  const ValueName& value = change.change.value;
  if (value.is_inline || change.value.size_bytes() == value.size_bytes) {
    return change.value;
  }
  const Blob* here = replica_.values().find(value.hash);
  return here == nullptr ? Blob() : *here;
}

void OwnerCache::do_change(NodeId to, NodeId server, const CacheChange& change,
                           const CacheConfig& cache, Now now, Effects& effects) {
  ++counts_.changes;
  const MNodeEntry* entry = replica_.find(change.key);
  const bool present = entry != nullptr && is_present(&entry->mnode(), now.mono);
  CacheAnswer answer = answer_to(change.sequence, change.origin, change.key, CacheStatus::kDone);
  answer.attempt = change.attempt;
  const bool needs_value = change.change.wants_previous || is_append(change.change.action);
  const Blob* current =
      present && needs_value ? replica_.values().find(entry->mnode().value_hash) : nullptr;
  if (change.change.wants_previous && present) {
    answer.previous = aged(entry->mnode(), now.mono);
    answer.value = current == nullptr ? Blob() : *current;
  }
  ChangeOutcome outcome =
      apply_change(change.change, change.key, entry == nullptr ? nullptr : &entry->mnode(), cache,
                   now.mono, added_value(change), current == nullptr ? Blob() : *current);
  answer.status = outcome.status;
  window_.begin(server, change.sequence);
  Wait wait = wait_for(to, server, change, cache, now);
  if (outcome.next) {
    outcome.next->change = {server, change.incarnation, change.sequence};
    const EntryEventKind kind = outcome.next->is_tombstone() ? EntryEventKind::kRemoved
                                : present                    ? EntryEventKind::kUpdated
                                                             : EntryEventKind::kCreated;
    answer.position = install(*outcome.next, change.key_text, outcome.value, now);
    const MNode& installed = replica_.find(change.key)->mnode();
    answer.entry = aged(installed, now.mono);
    answer.absent = installed.is_tombstone() ? installed.version : kNoVersion;
    if (is_append(change.change.action)) {
      answer.value = outcome.value;
    }
    listeners_.tell(cache.id, kind, change.key_text, installed.version, effects);
  }
  wait.answer = std::move(answer);
  answer_when_copied(std::move(wait), outcome.next && cache.consistency == Consistency::kReplicated,
                     effects);
}

/// waits  for another member to have it.
void OwnerCache::answer_when_copied(Wait wait, bool waits, Effects& effects) {
  const auto status = waits ? settled(wait) : std::optional(wait.answer.status);
  if (status) {
    wait.answer.status = *status;
    finish_change(wait, effects);
  } else {
    consider_deadline(wait.deadline);
    waits_.push_back(std::move(wait));
  }
}

/// Gives it its version. Returns its position.
std::uint64_t OwnerCache::install(MNode next, const std::string& key_text, const Blob& value,
                                  Now now) {
  const MNodeEntry* entry = replica_.find(next.key);
  const Version before = entry == nullptr ? absence(next.key, next.cache) : entry->mnode().version;
  next.version = {clock_.next_counter(before.counter, now.mono), duty(group_of(next.key)).view.term,
                  owner_};
  if (COPAL_MUTANT(kWriterVersions) && next.change.server != kNoNode) {
    next.version.counter = next.change.incarnation.value + now.mono.time_since_epoch() / 1ns;
  }
  next.base = entry != nullptr && before.owner == owner_ ? entry->mnode().base : before;
  const bool brings = next.has_stored_value() && !replica_.values().has(next.value_hash);
  COPAL_ASSERT(!brings || value.size_bytes() == next.value_size_bytes);
  if (brings) {
    replica_.values().pin(next.value_hash);
    replica_.values().provide(next.value_hash, value);
  }
  if (COPAL_MUTANT(kBaseNotNoted)) {
    next.base = kNoVersion;
  }
  const auto installed = replica_.install(next, key_text);
  COPAL_ASSERT(installed == Replica::Installed::kInstalled);
  if (brings) {
    replica_.values().unpin(next.value_hash);
  }
  return log_.append(next, brings);
}

/// Whether another ready member has what stands at a position, or false: none is left to wait for.
/// One that no longer acts can't say that nobody else is.
std::optional<bool> OwnerCache::is_copied(Group group, std::uint64_t position) const {
  const Duty& mine = duty(group);
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (mine.ready_replicas.test(slot) && log_.has_acked(config_.members[slot], position)) {
      return true;
    }
  }
  return mine.ready_replicas.any() || !mine.acts ? std::nullopt : std::optional(false);
}

/// Of what has happened here, and not as the cache demands: begun when another one was ready.
CacheStatus OwnerCache::status_alone(bool refuse_degraded) {
  if (COPAL_MUTANT(kSingleCopyNotSaid)) {
    return CacheStatus::kDone;
  }
  return refuse_degraded ? CacheStatus::kOutcomeUnknown : CacheStatus::kSingleCopy;
}

/// Whether it can be answered, and as what.
std::optional<CacheStatus> OwnerCache::settled(const Wait& wait) {
  const std::optional<bool> copied = is_copied(wait.group, wait.answer.position);
  if (!copied || *copied) {
    return copied ? std::optional(CacheStatus::kDone) : std::nullopt;
  }
  ++counts_.single_copy;
  return status_alone(wait.refuse_degraded);
}

/// What waits for a second copy and is from before the stream of a member that is ready now goes
/// to it once more: else it would never say that it has it.
void OwnerCache::copy_again() {
  std::vector<Wait> again;
  std::erase_if(waits_, [&](Wait& wait) {
    const Duty& mine = duty(wait.group);
    bool is_before = false;
    for (std::size_t slot = 0; slot < kSlots && mine.acts; ++slot) {
      is_before = is_before || (mine.ready_replicas.test(slot) &&
                                log_.is_before(config_.members[slot], wait.answer.position));
    }
    const MNodeEntry* entry = is_before ? replica_.find(wait.key) : nullptr;
    if (entry == nullptr) {
      return false;
    }
    wait.answer.position = log_.append(entry->mnode(), false);
    again.push_back(std::move(wait));
    return true;
  });
  for (Wait& wait : again) {
    waits_.push_back(std::move(wait));  // by position
  }
}

void OwnerCache::finish_change(const Wait& wait, Effects& effects) {
  window_.finish(wait.server, wait.incarnation, wait.answer);
  effects.push_back(Send{wait.to, wait.answer, wait.sync == Sync::kAlways});
}

/// all  also those that no member can have acknowledged yet.
void OwnerCache::settle_waits(bool all, Effects& effects) {
  std::uint64_t acked = 0;
  for (const NodeId member : config_.members) {
    acked = std::max(acked, log_.acked(member));
  }
  // They stand in the order of their positions: those behind the highest acknowledged one wait on.
  auto end = waits_.begin();
  while (end != waits_.end() && (all || end->answer.position <= acked)) {
    ++end;
  }
  const auto rest = std::remove_if(waits_.begin(), end, [this, &effects](Wait& wait) {
    const auto status = settled(wait);
    if (!status) {
      return false;
    }
    wait.answer.status = *status;
    finish_change(wait, effects);
    return true;
  });
  waits_.erase(rest, end);
}

}  // namespace copal
