#include "core/cache/local_reads.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/mutant.h"

namespace copal {

namespace {

/// Fills the answer where it stands: this is the path of every read.
void answer(CallId call, const MNode* mnode, const Blob& value, TimePoint now,
            CacheStatistics& statistics, Effects& effects) {
  AnswerCall& answer = effects.add<AnswerCall>();
  answer.call = call;
  answer.status = CacheStatus::kAbsent;
  if (mnode != nullptr && !mnode->is_tombstone() &&
      (COPAL_MUTANT(kExpiredIsRead) || !mnode->is_expired(now))) {
    answer.status = CacheStatus::kDone;
    answer.entry = *mnode;
    answer.value = value;
  }
  statistics.count_read(answer.status);
}

}  // namespace

/// Uses of an entry with an idle timeout are told to its owner: a copy serves no longer than they
/// may be kept back.
bool LocalReads::may_use(const NearCopy& copy, const CacheConfig& cache, Now now) const {
  Duration timeout = cache.local_read_timeout;
  if (copy.mnode.idle_timeout_ms > 0) {
    timeout = std::min(timeout, tell_interval(copy.mnode.idle_timeout_ms));
  }
  const bool is_old = now.mono - copy.checked > timeout && !COPAL_MUTANT(kLocalReadTimeoutIgnored);
  if (timeout <= 0ns || is_old) {
    return false;
  }
  const auto cleared = cleared_at_.find(cache.id);
  return cleared == cleared_at_.end() || copy.checked > cleared->second;
}

void LocalReads::read(const ReadEntry& call, Now now, Effects& effects) {
  const CacheConfig* cache = catalog_.find(call.cache);
  const auto refuse = [&](CacheStatus status) {
    if (cache != nullptr) {
      statistics_.of(*cache).count_read(status);
    }
    effects.push_back(AnswerCall{.call = call.call, .status = status});
  };
  if (cache == nullptr) {
    refuse(CacheStatus::kUnknownCache);
    return;
  }
  if (call.key.size() > kKeySizeMaxBytes) {
    refuse(CacheStatus::kKeyTooLong);
    return;
  }
  ++counts_.reads;
  const KeyHash key =
      hash_key(cache->id.value,
               std::span(reinterpret_cast<const std::uint8_t*>(call.key.data()), call.key.size()));
  const NearCopy* copy = near_.find(key);
  if (copy != nullptr && may_use(*copy, *cache, now) && (!call.wants_value || copy->has_bytes())) {
    ++counts_.local;
    CacheStatistics& statistics = statistics_.of(*cache);
    ++statistics.local;
    answer(call.call, &copy->mnode, copy->value, now.mono, statistics, effects);
    return;
  }
  const Waiter waiter{call.call, call.wants_value, now.mono + call.timeout};
  const auto at = by_key_.find(key);
  if (at != by_key_.end()) {
    Question& question = questions_.at(at->second);
    const bool fresh = (now.mono - question.first_sent <= cache->local_read_timeout &&
                        cache->local_read_timeout > 0ns) ||
                       COPAL_MUTANT(kOldAnswerForNewRead);
    const bool suits = question.wants_value || !call.wants_value;
    counts_.joined += fresh && suits ? 1 : 0;
    (fresh && suits ? question.waiters : question.next).push_back(waiter);
    consider(question);
    return;
  }
  if (questions_.size() >= config_.calls_max) {
    refuse(CacheStatus::kOverloaded);
    return;
  }
  begin(cache->id, key, call.key, {waiter}, now, effects);
}

// ---- asking

void LocalReads::begin(CacheId cache, const KeyHash& key, const std::string& key_text,
                       std::vector<Waiter> waiters, Now now, Effects& effects) {
  const std::uint64_t sequence = next_sequence_++;
  Question& question = questions_[sequence];
  by_key_[key] = sequence;
  question.cache = cache;
  question.key = key;
  question.key_text = key_text;
  question.waiters = std::move(waiters);
  question.wants_value = std::ranges::any_of(question.waiters, &Waiter::wants_value);
  question.first_sent = now.mono;
  const NearCopy* copy = question.wants_value ? near_.peek_readable(key) : near_.peek(key);
  question.has_held = copy != nullptr;
  if (question.has_held) {
    question.held = *copy;
  }
  ++counts_.questions;
  send(sequence, question, now, effects);
}

void LocalReads::send(std::uint64_t sequence, Question& question, Now now, Effects& effects) {
  const Group group = group_of(question.key);
  TimePoint deadline = now.mono;
  for (const Waiter& waiter : question.waiters) {
    deadline = std::max(deadline, waiter.deadline);
  }
  if (now.mono >= deadline) {
    return;  // it stood still; on_time() ends it
  }
  question.asked = link_.ask(group, question.avoid, now.mono);
  question.avoid = Slot{kSlots};
  question.again_at = now.mono + config_.attempt_timeout;
  std::optional<ValueHash> held_value;
  if (question.wants_value && question.has_held && question.held.mnode.has_stored_value()) {
    held_value = question.held.mnode.value_hash;
  }
  if (question.asked != kNoNode) {
    effects.push_back(
        Send{question.asked,
             CacheGet{.sequence = sequence,
                      .view = link_.view(group),
                      .time_left = deadline - now.mono,
                      .cache = question.cache,
                      .key = question.key,
                      .held = question.has_held ? question.held.mnode.version : kNoVersion,
                      .wants_value = question.wants_value,
                      .held_value = held_value}});
  }
  consider(question);
}

void LocalReads::on_lost(NodeId member, Now now) {
  for (auto& [sequence, question] : questions_) {
    if (question.asked == member) {
      try_again(question, now);
    }
  }
}

void LocalReads::on_owners_changed(Now now, Effects& effects) {
  for (auto& [sequence, question] : questions_) {
    if (link_.ask(group_of(question.key), now.mono) != question.asked) {
      send(sequence, question, now, effects);
    }
  }
}

void LocalReads::try_again(Question& question, Now now) {
  question.avoid = link_.slot_of(question.asked).value_or(Slot{kSlots});
  question.again_at = now.mono + config_.retry_delay;
  consider(question);
}

// ---- answers

/// What came, or what was held: bytes that this server has are not sent again.
const Blob& LocalReads::bytes_of(const Question& question, const CacheAnswer& answer) const {
  const auto has_it = [&answer](const NearCopy& copy) {
    return copy.mnode.has_stored_value() && copy.mnode.value_hash == answer.entry->mnode.value_hash;
  };
  if (!answer.value.empty()) {
    return answer.value;
  }
  if (question.has_held && has_it(question.held)) {
    return question.held.value;
  }
  const NearCopy* copy = near_.peek_readable(question.key);
  return copy != nullptr && has_it(*copy) ? copy->value : answer.value;
}

bool LocalReads::on_answer(NodeId from, const CacheAnswer& answer, Now now, Effects& effects) {
  const auto at = questions_.find(answer.sequence);
  if (at == questions_.end()) {
    return false;
  }
  Question& question = at->second;
  link_.heed(group_of(question.key), answer.view);
  switch (answer.status) {
    case CacheStatus::kDone:
      if (!answer.entry || answer.entry->mnode.key != question.key ||
          (question.wants_value && answer.entry->mnode.has_stored_value() &&
           bytes_of(question, answer).empty())) {
        return true;  // no answer to this; it is asked again in time
      }
      on_entry(question, answer, now, effects);
      break;
    case CacheStatus::kNotModified:
      if (!question.has_held) {
        return true;
      }
      ++counts_.not_modified;
      on_not_modified(question, now, effects);
      break;
    case CacheStatus::kAbsent:
      on_absent(question, answer, now, effects);
      break;
    case CacheStatus::kTryAgain:
      if (from == question.asked) {
        try_again(question, now);
      }
      return true;
    default:
      fail_all(question, answer.status, effects);
      break;
  }
  finish(answer.sequence, now, effects);
  return true;
}

/// A write of this server may have come in between: reads do not go back behind it.
void LocalReads::on_not_modified(Question& question, Now now, Effects& effects) {
  const NearCopy* copy = near_.peek_readable(question.key);
  if (copy != nullptr && copy->mnode.version > question.held.mnode.version) {
    question.held = *copy;
  } else {
    near_.confirm(question.key, question.held.mnode.version, question.first_sent);
    question.held.mnode.accessed = now.mono;  // by this read, which the owner knows of
  }
  answer_all(question, &question.held.mnode, question.held.value, now, effects);
}

/// Whether a newer version than the answer's is held: then that is what was read. If it was held
/// when the question was sent, the owner is behind and is offered it.
bool LocalReads::keep_newer(const Question& question, const Version& version, Now now,
                            Effects& effects) {
  const NearCopy* copy = near_.peek_readable(question.key);
  if (copy == nullptr || copy->mnode.version <= version) {
    return false;
  }
  const bool was_held = question.has_held && question.held.mnode.version == copy->mnode.version;
  const bool made_here = copy->mnode.is_tombstone() && copy->mnode.change.server == kNoNode;
  if (was_held && !made_here) {
    ++counts_.went_back;
    MNode offered = copy->mnode;
    if (!copy->mnode.is_expired(now.mono)) {
      offered.accessed = now.mono;  // by this read, of which the owner knows nothing either
    }
    kept_.offer(offered, question.key_text, copy->value, now, effects);
  }
  return true;
}

void LocalReads::on_entry(Question& question, const CacheAnswer& answer, Now now,
                          Effects& effects) {
  const MNode mnode = dated(*answer.entry, now.mono);
  if (keep_newer(question, mnode.version, now, effects)) {
    const NearCopy newer = *near_.peek_readable(question.key);
    if (!newer.mnode.is_expired(now.mono)) {
      near_.confirm(question.key, newer.mnode.version, question.first_sent);
    }
    answer_all(question, &newer.mnode, newer.value, now, effects);
    return;
  }
  const Blob value = bytes_of(question, answer);
  near_.put(mnode, value, question.first_sent);
  answer_all(question, &mnode, value, now, effects);
}

/// That there is nothing is kept as well, as a tombstone of the version that is known to be gone:
/// to use it, or lest reads go back behind what is remembered of the key.
void LocalReads::on_absent(Question& question, const CacheAnswer& answer, Now now,
                           Effects& effects) {
  if (keep_newer(question, answer.absent, now, effects)) {
    const NearCopy newer = *near_.peek_readable(question.key);
    answer_all(question, &newer.mnode, newer.value, now, effects);
    return;
  }
  const CacheConfig* cache = catalog_.find(question.cache);
  const bool is_useful = cache != nullptr && cache->local_read_timeout > 0ns;
  if (is_useful || near_.peek(question.key) != nullptr) {
    MNode nothing;
    nothing.key = question.key;
    nothing.cache = question.cache;
    nothing.version = answer.absent;
    near_.put(nothing, {}, question.first_sent);
  }
  answer_all(question, nullptr, {}, now, effects);
}

void LocalReads::answer_all(Question& question, const MNode* mnode, const Blob& value, Now now,
                            Effects& effects) {
  CacheStatistics& statistics = statistics_.of(question.cache);
  for (const Waiter& waiter : std::exchange(question.waiters, {})) {
    answer(waiter.call, mnode, value, now.mono, statistics, effects);
  }
}

void LocalReads::fail_all(Question& question, CacheStatus status, Effects& effects) {
  for (const Waiter& waiter : std::exchange(question.waiters, {})) {
    statistics_.of(question.cache).count_read(status);
    effects.push_back(AnswerCall{.call = waiter.call, .status = status});
  }
}

/// Those that could not join become the next question.
void LocalReads::finish(std::uint64_t sequence, Now now, Effects& effects) {
  Question over = std::move(questions_.at(sequence));
  questions_.erase(sequence);
  by_key_.erase(over.key);
  if (!over.next.empty()) {
    begin(over.cache, over.key, over.key_text, std::move(over.next), now, effects);
  }
}

// ---- time

void LocalReads::give_up(CacheId cache, std::vector<Waiter>& waiters, Now now, Effects& effects) {
  std::erase_if(waiters, [&](const Waiter& waiter) {
    if (waiter.deadline > now.mono) {
      return false;
    }
    statistics_.of(cache).count_read(CacheStatus::kTimedOut);
    effects.push_back(AnswerCall{.call = waiter.call, .status = CacheStatus::kTimedOut});
    return true;
  });
}

void LocalReads::consider(const Question& question) {
  next_deadline_ = std::min(next_deadline_, question.again_at);
  for (const auto* waiters : {&question.waiters, &question.next}) {
    for (const Waiter& waiter : *waiters) {
      next_deadline_ = std::min(next_deadline_, waiter.deadline);
    }
  }
}

void LocalReads::on_time(Now now, Effects& effects) {
  if (now.mono < next_deadline_) {
    return;
  }
  next_deadline_ = kNever;
  std::vector<std::uint64_t> over;
  for (auto& [sequence, question] : questions_) {
    give_up(question.cache, question.waiters, now, effects);
    give_up(question.cache, question.next, now, effects);
    if (question.waiters.empty()) {
      over.push_back(sequence);
    } else if (now.mono >= question.again_at) {
      if (question.avoid.value == kSlots) {  // it did not answer
        question.avoid = link_.slot_of(question.asked).value_or(Slot{kSlots});
      }
      send(sequence, question, now, effects);
    } else {
      consider(question);
    }
  }
  for (const std::uint64_t sequence : over) {
    finish(sequence, now, effects);
  }
}

void LocalReads::check_invariants() const {
  COPAL_ASSERT(by_key_.size() == questions_.size());
  for (const auto& [key, sequence] : by_key_) {
    COPAL_ASSERT(questions_.contains(sequence) && questions_.at(sequence).key == key);
    COPAL_ASSERT(!questions_.at(sequence).waiters.empty());
  }
}

}  // namespace copal
