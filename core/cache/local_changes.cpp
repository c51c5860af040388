#include "core/cache/local_changes.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/mutant.h"

namespace copal {

namespace {

bool brings_value(const Change& change) {
  return (change.action == Action::kPut || is_append(change.action)) && !change.value.is_inline;
}

/// Whether the owner says that it has not begun this attempt; of others it may not know.
bool is_refusal(CacheStatus status) {
  return status == CacheStatus::kFull || status == CacheStatus::kDegraded ||
         status == CacheStatus::kValueTooLarge;
}

}  // namespace

CacheStatus LocalChanges::refusal(const ChangeEntry& call) const {
  const CacheConfig* cache = catalog_.find(call.cache);
  if (cache == nullptr) {
    return CacheStatus::kUnknownCache;
  }
  if (call.key.size() > kKeySizeMaxBytes) {
    return CacheStatus::kKeyTooLong;
  }
  if (call.change.value.size_bytes > cache->value_size_max_bytes) {
    return CacheStatus::kValueTooLarge;
  }
  return under_way() >= config_.calls_max ? CacheStatus::kOverloaded : CacheStatus::kDone;
}

void LocalChanges::change(const ChangeEntry& call, Now now, Effects& effects) {
  const CacheStatus refused = refusal(call);
  if (refused != CacheStatus::kDone) {
    tell(call, AnswerCall{.call = call.call, .status = refused}, effects);
    return;
  }
  ++counts_.changes;
  const TimePoint deadline = now.mono + call.timeout;
  if (questions_.size() >= config_.changes_max || !kept_.has_room() || !waiting_.empty()) {
    waiting_.push_back({call, deadline});
    next_deadline_ = std::min(next_deadline_, deadline);
    begin_waiting(now, effects);
    return;
  }
  begin(call, deadline, now, effects);
}

/// Every change is answered here.
void LocalChanges::tell(const ChangeEntry& call, AnswerCall answer, Effects& effects) {
  if (answer.status != CacheStatus::kUnknownCache) {
    statistics_.of(call.cache).count_change(answer.status, call.change.action);
  }
  effects.push_back(std::move(answer));
}

void LocalChanges::begin_waiting(Now now, Effects& effects) {
  while (!waiting_.empty() && questions_.size() < config_.changes_max && kept_.has_room()) {
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    if (next.deadline > now.mono) {
      begin(next.call, next.deadline, now, effects);
    } else {
      tell(next.call, AnswerCall{.call = next.call.call, .status = CacheStatus::kTimedOut},
           effects);
    }
  }
}

// ---- sending

void LocalChanges::begin(const ChangeEntry& call, TimePoint deadline, Now now, Effects& effects) {
  const std::uint64_t sequence = next_sequence_++;
  Question& question = questions_[sequence];
  question.call = call;
  question.key =
      hash_key(call.cache.value,
               std::span(reinterpret_cast<const std::uint8_t*>(call.key.data()), call.key.size()));
  question.deadline = deadline;
  question.first_sent = now.mono;
  question.asked = kNoNode;
  question.leaving_at = kNoNode;
  question.left_at = kNoNode;
  // A copy with these bytes came from the triad: nearly always they are still there.
  const NearCopy* copy = near_.peek(question.key);
  const bool is_known = call.change.action == Action::kPut && copy != nullptr &&
                        value_name(copy->mnode) == call.change.value;
  question.sends_value = brings_value(call.change) && !is_known &&
                         call.change.value.size_bytes <= config_.ride_along_max_bytes;
  send(sequence, question, now, effects);
}

/// Of all changes under way, to whomever they were sent: any of them may be sent to any member
/// next, and one that believed it answered would drop it.
std::uint64_t LocalChanges::answered_below() const {
  return questions_.empty() ? next_sequence_ : questions_.begin()->first;
}

void LocalChanges::send(std::uint64_t sequence, Question& question, Now now, Effects& effects) {
  if (now.mono >= question.deadline) {
    return;  // it stood still; on_time() ends it
  }
  const Group group = group_of(question.key);
  question.asked = link_.ask(group, question.avoid, now.mono);
  question.avoid = Slot{kSlots};
  question.again_at = now.mono + config_.attempt_timeout;
  consider(question);
  const std::optional<Slot> slot = link_.slot_of(question.asked);
  if (!slot) {
    return;
  }
  CacheChange message{.sequence = sequence,
                      .answered_below = answered_below(),
                      .incarnation = link_.incarnation(),
                      .attempt = ++question.attempt,
                      .view = link_.view(group),
                      .time_left = question.deadline - now.mono,
                      .cache = question.call.cache,
                      .key = question.key,
                      .key_text = question.call.key,
                      .change = question.call.change,
                      .value_at = question.left_at};
  message.tried = question.tried;
  for (const Attempt& attempt : question.unsettled) {
    message.tried.add(attempt.slot, attempt.incarnation);
  }
  if (question.sends_value) {
    message.value = question.call.value;
    ++counts_.values_sent;
  }
  ++counts_.attempts;
  question.unsettled.push_back({question.attempt, *slot, link_.member_incarnation(*slot)});
  if (question.unsettled.size() > kAttemptsKept) {
    question.tried.add(question.unsettled.front().slot, question.unsettled.front().incarnation);
    question.unsettled.erase(question.unsettled.begin());
  }
  effects.push_back(Send{question.asked, std::move(message)});
}

/// Another owner, or none yet, and the value is large: it goes to the member that its hash chooses.
void LocalChanges::leave_value(std::uint64_t sequence, Question& question, Now now,
                               Effects& effects) {
  const ValueHash& hash = question.call.change.value.hash;
  const auto slots = owner_order(hash).slots();
  for (; question.places_tried < kSlots; ++question.places_tried) {
    const Slot slot = slots[question.places_tried];
    if (!link_.is_heard(slot, now.mono)) {
      continue;
    }
    if (link_.member(slot) == link_.ask(group_of(question.key), now.mono)) {
      break;  // the owner itself: it comes with the change
    }
    question.leaving_at = link_.member(slot);
    question.again_at = now.mono + config_.attempt_timeout;
    consider(question);
    ++counts_.values_sent;
    effects.push_back(Send{question.leaving_at, LeaveValue{sequence, hash, question.call.value}});
    return;
  }
  question.leaving_at = kNoNode;
  question.sends_value = true;
  send(sequence, question, now, effects);
}

void LocalChanges::on_left(NodeId from, const ValueLeft& left, Now now, Effects& effects) {
  const auto at = questions_.find(left.sequence);
  if (at == questions_.end() || at->second.leaving_at != from ||
      left.hash != at->second.call.change.value.hash) {
    return;
  }
  Question& question = at->second;
  question.leaving_at = kNoNode;
  if (left.kept) {
    question.left_at = from;
    question.left_after = question.attempt;
    send(left.sequence, question, now, effects);
  } else {
    ++question.places_tried;
    leave_value(left.sequence, question, now, effects);
  }
}

void LocalChanges::on_lost(NodeId member, Now now) {
  for (auto& [sequence, question] : questions_) {
    if (question.leaving_at == member) {
      question.again_at = now.mono + config_.retry_delay;
    } else if (question.asked == member && question.leaving_at == kNoNode) {
      question.avoid = link_.slot_of(member).value_or(Slot{kSlots});
      question.again_at = now.mono + config_.retry_delay;
    }
    consider(question);
  }
}

void LocalChanges::on_owners_changed(Now now, Effects& effects) {
  for (auto& [sequence, question] : questions_) {
    if (question.leaving_at == kNoNode &&
        link_.ask(group_of(question.key), now.mono) != question.asked) {
      send(sequence, question, now, effects);
    }
  }
}

void LocalChanges::on_restarted(Now now, Effects& effects) {
  next_sequence_ = std::max(next_sequence_, link_.incarnation().value);
  std::vector<std::uint64_t> sequences;
  for (const auto& [sequence, question] : questions_) {
    sequences.push_back(sequence);
  }
  for (const std::uint64_t sequence : sequences) {
    finish(sequence, CacheStatus::kOutcomeUnknown, now, effects);
  }
}

// ---- answers

void LocalChanges::settle(Question& question, std::uint32_t attempt) {
  std::erase_if(question.unsettled, [attempt](const Attempt& one) {
    return one.number == attempt || COPAL_MUTANT(kHiddenRefusalSettlesAll);
  });
}

bool LocalChanges::on_answer(NodeId, const CacheAnswer& answer, Now now, Effects& effects) {
  const auto at = questions_.find(answer.sequence);
  if (at == questions_.end()) {
    return false;
  }
  Question& question = at->second;
  link_.heed(group_of(question.key), answer.view);
  if (answer.status == CacheStatus::kTryAgain || answer.status == CacheStatus::kNeedValue) {
    on_nothing_done(answer.sequence, question, answer, now, effects);
    return true;
  }
  CacheAnswer told = answer;
  if (is_refusal(answer.status)) {
    settle(question, answer.attempt);
    if (question.may_have_happened()) {
      told.status = CacheStatus::kOutcomeUnknown;
    }
  }
  on_outcome(question, told, now, effects);
  questions_.erase(at);
  begin_waiting(now, effects);
  return true;
}

void LocalChanges::on_nothing_done(std::uint64_t sequence, Question& question,
                                   const CacheAnswer& answer, Now now, Effects& effects) {
  settle(question, answer.attempt);
  // An attempt that another has followed says nothing of that one; but where it named a place for
  // the value, the value is not to be had from there.
  const bool lacks_left = answer.status == CacheStatus::kNeedValue && question.left_at != kNoNode &&
                          answer.attempt > question.left_after;
  if ((answer.attempt != question.attempt && !lacks_left) || question.leaving_at != kNoNode) {
    return;
  }
  if (answer.status == CacheStatus::kTryAgain) {
    question.avoid = link_.slot_of(question.asked).value_or(Slot{kSlots});
    question.again_at = now.mono + config_.retry_delay;
    consider(question);
    return;
  }
  if (question.call.change.value.size_bytes <= config_.ride_along_max_bytes) {
    question.sends_value = true;
    send(sequence, question, now, effects);
    return;
  }
  if (question.left_at != kNoNode) {
    ++question.places_tried;  // it was left, and is not found there
    question.left_at = kNoNode;
  }
  leave_value(sequence, question, now, effects);
}

/// The bytes that the entry has now, as far as this server knows them.
Blob LocalChanges::bytes_of(const MNode& mnode, const Question& question, const CacheAnswer& answer,
                            const NearCopy* copy) {
  if (!mnode.has_stored_value()) {
    return {};
  }
  if (is_append(question.call.change.action)) {
    return answer.value;
  }
  if (mnode.value_hash == question.call.change.value.hash) {
    return question.call.value;
  }
  return copy != nullptr && copy->mnode.value_hash == mnode.value_hash ? copy->value : Blob();
}

void LocalChanges::on_outcome(Question& question, const CacheAnswer& answer, Now now,
                              Effects& effects) {
  const ChangeEntry& call = question.call;
  AnswerCall told{.call = call.call, .status = answer.status};
  if (answer.previous) {
    told.previous = dated(*answer.previous, now.mono);
    told.value = answer.value;
  }
  counts_.unknown += answer.status == CacheStatus::kOutcomeUnknown ? 1 : 0;
  if (answer.entry && answer.entry->mnode.key == question.key) {
    const MNode mnode = dated(*answer.entry, now.mono);
    told.version = mnode.version;
    if (!mnode.is_tombstone()) {
      told.entry = mnode;
    }
    const Blob value = bytes_of(mnode, question, answer, near_.peek_readable(question.key));
    const NearCopy* copy = near_.peek(question.key);
    if (copy == nullptr || copy->mnode.version < mnode.version ||
        (copy->mnode.version == mnode.version && !copy->has_bytes())) {
      near_.put(mnode, value, question.first_sent);
    }
    if (answer.position > 0) {
      kept_.keep(mnode, call.key, value, answer.view.slot, answer.incarnation, answer.position, now,
                 effects);
    }
  }
  tell(call, std::move(told), effects);
}

// ---- time

void LocalChanges::finish(std::uint64_t sequence, CacheStatus status, Now now, Effects& effects) {
  counts_.unknown += status == CacheStatus::kOutcomeUnknown ? 1 : 0;
  const ChangeEntry& call = questions_.at(sequence).call;
  tell(call, AnswerCall{.call = call.call, .status = status}, effects);
  questions_.erase(sequence);
  begin_waiting(now, effects);
}

void LocalChanges::consider(const Question& question) {
  next_deadline_ = std::min({next_deadline_, question.again_at, question.deadline});
}

void LocalChanges::on_time(Now now, Effects& effects) {
  begin_waiting(now, effects);
  if (now.mono < next_deadline_) {
    return;
  }
  next_deadline_ = kNever;
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    if (waiting.deadline > now.mono) {
      next_deadline_ = std::min(next_deadline_, waiting.deadline);
      return false;
    }
    tell(waiting.call, AnswerCall{.call = waiting.call.call, .status = CacheStatus::kTimedOut},
         effects);
    return true;
  });
  std::vector<std::uint64_t> over;
  for (auto& [sequence, question] : questions_) {
    if (now.mono >= question.deadline) {
      over.push_back(sequence);
    } else if (now.mono >= question.again_at && question.leaving_at != kNoNode) {
      ++question.places_tried;
      leave_value(sequence, question, now, effects);
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
    const Question& question = questions_.at(sequence);
    finish(sequence,
           question.may_have_happened() && !COPAL_MUTANT(kUnknownToldAsTimedOut)
               ? CacheStatus::kOutcomeUnknown
               : CacheStatus::kTimedOut,
           now, effects);
  }
}

void LocalChanges::check_invariants() const {
  COPAL_ASSERT(questions_.size() <= config_.changes_max);
  for (const auto& [sequence, question] : questions_) {
    COPAL_ASSERT(sequence < next_sequence_ && question.deadline >= next_deadline_);
    COPAL_ASSERT(question.unsettled.size() <= kAttemptsKept);
  }
}

}  // namespace copal
