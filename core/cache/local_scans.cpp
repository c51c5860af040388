#include "core/cache/local_scans.h"

#include <algorithm>
#include <utility>

#include "core/base/mutant.h"

namespace copal {

// ---- clear

void LocalScans::clear(const ClearEntries& call, Now now, Effects& effects) {
  const bool known = catalog_.find(call.cache) != nullptr;
  if (!known || under_way() >= config_.calls_max) {
    effects.push_back(
        AnswerCall{.call = call.call,
                   .status = known ? CacheStatus::kOverloaded : CacheStatus::kUnknownCache});
    return;
  }
  const std::uint64_t sequence = next_sequence_++;
  Clear& clear = clears_[sequence];
  clear = {.call = call.call, .cache = call.cache, .deadline = now.mono + call.timeout};
  clear.left.set();
  send(sequence, clear, now, effects);
}

/// To each member the groups that it is believed to act for.
void LocalScans::send(std::uint64_t sequence, Clear& clear, Now now, Effects& effects) {
  std::map<NodeId, GroupSet> asked;
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    if (clear.left.test(i)) {
      const Slot avoid = clear.refused.test(i) ? clear.asked[i] : Slot{kSlots};
      const NodeId member = link_.ask(Group{i}, avoid, now.mono);
      clear.asked[i] = link_.slot_of(member).value_or(Slot{kSlots});
      asked[member].set(i);
    }
  }
  asked.erase(kNoNode);
  clear.refused.reset();
  for (const auto& [member, groups] : asked) {
    ++clear.questions;
    effects.push_back(Send{member, ClearCache{sequence, clear.cache, groups}});
  }
  clear.again_at = now.mono + config_.attempt_timeout;
  next_deadline_ = std::min({next_deadline_, clear.again_at, clear.deadline});
}

std::optional<CacheId> LocalScans::on_cleared(NodeId from, const CacheCleared& cleared, Now now,
                                              Effects& effects) {
  const auto at = clears_.find(cleared.sequence);
  if (at == clears_.end()) {
    return std::nullopt;
  }
  Clear& clear = at->second;
  if (cleared.status != CacheStatus::kDone && cleared.status != CacheStatus::kSingleCopy) {
    // Whoever else was asked, or this one before, may have done its part and not said so yet.
    const bool nothing_done = cleared.status == CacheStatus::kUnknownCache || clear.questions == 1;
    effects.push_back(
        AnswerCall{.call = clear.call,
                   .status = nothing_done ? cleared.status : CacheStatus::kOutcomeUnknown});
    clears_.erase(at);
    return std::nullopt;
  }
  clear.left &= ~cleared.groups;
  clear.single_copy = clear.single_copy || cleared.status == CacheStatus::kSingleCopy;
  if (clear.left.any()) {
    for (std::uint8_t i = 0; i < kGroups; ++i) {
      clear.refused.set(i, clear.refused.test(i) ||
                               (clear.left.test(i) && link_.slot_of(from) == clear.asked[i]));
    }
    clear.again_at = std::min(clear.again_at, now.mono + config_.retry_delay);
    next_deadline_ = std::min(next_deadline_, clear.again_at);
    return std::nullopt;
  }
  const CacheId cache = clear.cache;
  effects.push_back(
      AnswerCall{.call = clear.call,
                 .status = clear.single_copy ? CacheStatus::kSingleCopy : CacheStatus::kDone});
  clears_.erase(at);
  return cache;
}

// ---- keys

void LocalScans::list(const ReadKeys& call, Now now, Effects& effects) {
  const bool known = catalog_.find(call.cache) != nullptr;
  if (!known || under_way() >= config_.calls_max || call.from.group.value >= kGroups) {
    effects.push_back(
        AnswerKeys{.call = call.call,
                   .status = known ? CacheStatus::kOverloaded : CacheStatus::kUnknownCache});
    return;
  }
  const std::uint64_t sequence = next_sequence_++;
  List& list = lists_[sequence];
  list = {.call = call.call,
          .cache = call.cache,
          .from = call.from,
          .asked = kNoNode,
          .deadline = now.mono + call.timeout};
  send(sequence, list, now, effects);
}

void LocalScans::send(std::uint64_t sequence, List& list, Now now, Effects& effects) {
  const Slot avoid = link_.slot_of(list.asked).value_or(Slot{kSlots});
  list.asked = link_.ask(list.from.group, avoid, now.mono);
  list.again_at = now.mono + config_.attempt_timeout;
  next_deadline_ = std::min({next_deadline_, list.again_at, list.deadline});
  if (list.asked != kNoNode) {
    effects.push_back(
        Send{list.asked, ListKeys{sequence, list.cache, list.from.group, list.from.from}});
  }
}

void LocalScans::on_page(NodeId from, const KeyPage& page, Now now, Effects& effects) {
  const auto at = lists_.find(page.sequence);
  if (at == lists_.end() || at->second.asked != from) {
    return;
  }
  List list = at->second;
  if (page.status == CacheStatus::kTryAgain) {
    at->second.again_at = now.mono + config_.retry_delay;
    next_deadline_ = std::min(next_deadline_, at->second.again_at);
    return;
  }
  lists_.erase(at);
  if (page.status != CacheStatus::kDone) {
    effects.push_back(AnswerKeys{.call = list.call, .status = page.status});
    return;
  }
  std::optional<KeyCursor> next;
  if (page.more) {
    next = KeyCursor{list.from.group, page.next};
  } else if (list.from.group.value + 1U < kGroups) {
    next = KeyCursor{Group{static_cast<std::uint8_t>(list.from.group.value + 1)}, {}};
  }
  if (page.keys.empty() && next) {
    const std::uint64_t sequence = next_sequence_++;
    list.from = *next;
    if (COPAL_MUTANT(kGroupNotListed) && next->group.value + 1U < kGroups) {
      ++list.from.group.value;
    }
    list.asked = kNoNode;
    send(sequence, lists_[sequence] = list, now, effects);
    return;
  }
  effects.push_back(AnswerKeys{list.call, CacheStatus::kDone, page.keys, next});
}

// ---- listening

void LocalScans::listen(const ListenTo& call, Now now) {
  const auto at = std::ranges::lower_bound(listens_, call.cache);
  const bool there = at != listens_.end() && *at == call.cache;
  if (call.listen && !there) {
    listens_.insert(at, call.cache);
    link_.listens_anew(now.mono);
  } else if (!call.listen && there) {
    listens_.erase(at);
  }
}

bool LocalScans::on_event(const EntryEvent& event, Effects& effects) const {
  if (!std::ranges::binary_search(listens_, event.cache)) {
    return false;
  }
  effects.push_back(TellListener{event});
  return true;
}

void LocalScans::on_events_lost(Effects& effects) const {
  if (!listens_.empty()) {
    effects.push_back(TellListener{});
  }
}

// ---- time

void LocalScans::on_lost(NodeId member, Now now) {
  for (auto& [sequence, list] : lists_) {
    if (list.asked == member) {
      list.again_at = now.mono + config_.retry_delay;
      next_deadline_ = std::min(next_deadline_, list.again_at);
    }
  }
}

void LocalScans::on_time(Now now, Effects& effects) {
  if (now.mono < next_deadline_) {
    return;
  }
  next_deadline_ = kNever;
  std::erase_if(clears_, [&](const auto& one) {
    if (one.second.deadline > now.mono) {
      return false;
    }
    // Some of its groups may be cleared.
    effects.push_back(AnswerCall{.call = one.second.call, .status = CacheStatus::kOutcomeUnknown});
    return true;
  });
  std::erase_if(lists_, [&](const auto& one) {
    if (one.second.deadline > now.mono) {
      return false;
    }
    effects.push_back(AnswerKeys{.call = one.second.call, .status = CacheStatus::kTimedOut});
    return true;
  });
  for (auto& [sequence, clear] : clears_) {
    if (now.mono >= clear.again_at) {
      send(sequence, clear, now, effects);
    }
    next_deadline_ = std::min({next_deadline_, clear.again_at, clear.deadline});
  }
  for (auto& [sequence, list] : lists_) {
    if (now.mono >= list.again_at) {
      send(sequence, list, now, effects);
    }
    next_deadline_ = std::min({next_deadline_, list.again_at, list.deadline});
  }
}

}  // namespace copal
