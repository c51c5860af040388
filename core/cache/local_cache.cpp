#include "core/cache/local_cache.h"

#include <algorithm>
#include <span>
#include <string>

namespace copal {

// ---- several operations in one call

/// Otherwise it is answered here: all of it is refused, or there is nothing to do.
bool LocalCache::may_begin(CallId call, CacheId cache, std::size_t count, Effects& effects) const {
  CacheStatus status = CacheStatus::kDone;
  if (catalog_.find(cache) == nullptr) {
    status = CacheStatus::kUnknownCache;
  } else if (count > config_.calls_max || reads_.under_way() + count > config_.calls_max ||
             changes_.under_way() + count > config_.calls_max) {
    status = CacheStatus::kOverloaded;
  }
  if (count > 0 && status == CacheStatus::kDone) {
    return true;
  }
  effects.push_back(AnswerEntries{.call = call, .status = status, .entries = {}});
  return false;
}

void LocalCache::on_call(const ReadEntries& call, Now now, Effects& effects) {
  if (!may_begin(call.call, call.cache, call.keys.size(), effects)) {
    return;
  }
  CallId part = bulk_.begin(call.call, call.keys.size());
  for (const std::string& key : call.keys) {
    reads_.read({part, call.cache, key, call.wants_value, call.timeout}, now, effects);
    part = LocalBulk::next(part);
  }
}

void LocalCache::on_call(const ChangeEntries& call, Now now, Effects& effects) {
  if (!may_begin(call.call, call.cache, call.changes.size(), effects)) {
    return;
  }
  CallId part = bulk_.begin(call.call, call.changes.size());
  for (const EntryChange& one : call.changes) {
    changes_.change({part, call.cache, one.key, one.change, one.value, call.timeout}, now, effects);
    part = LocalBulk::next(part);
  }
}

// ---- the triad's answers

void LocalCache::on_reply(NodeId from, const CacheAnswer& answer, Now now, Effects& effects) {
  if (!reads_.on_answer(from, answer, now, effects)) {
    changes_.on_answer(from, answer, now, effects);
  }
}

void LocalCache::on_reply(NodeId from, const CacheCleared& cleared, Now now, Effects& effects) {
  if (const auto cache = scans_.on_cleared(from, cleared, now, effects)) {
    reads_.on_cleared(*cache, now.mono);
  }
}

/// An event is news of the entry, too.
void LocalCache::on_reply(NodeId, const EntryEvent& event, Now now, Effects& effects) {
  if (scans_.on_event(event, effects) && !event.key_text.empty()) {
    const std::span key(reinterpret_cast<const std::uint8_t*>(event.key_text.data()),
                        event.key_text.size());
    const KeyHash hash = hash_key(event.cache.value, key);
    const NearCopy* copy = near_.peek(hash);
    if (copy != nullptr && copy->mnode.version < event.version) {
      near_.outdate(hash, now.mono);
    }
  }
}

void LocalCache::on_lost(NodeId member, Now now) {
  kept_.on_lost(member, now);
  reads_.on_lost(member, now);
  changes_.on_lost(member, now);
  scans_.on_lost(member, now);
}

void LocalCache::on_link_news(const TriadLink::News& news, Now now, Effects& effects) {
  if (news.restarted) {
    changes_.on_restarted(now, effects);
  }
  if (news.heartbeat_from) {
    kept_.on_heartbeat(*news.heartbeat_from);
  }
  if (news.owners_changed) {
    kept_.on_owners_changed(now, effects);
    reads_.on_owners_changed(now, effects);
    changes_.on_owners_changed(now, effects);
  }
  if (news.events_lost) {
    scans_.on_events_lost(effects);
  }
}

void LocalCache::on_time(Now now, Effects& effects) {
  kept_.on_time(now, effects);
  reads_.on_time(now, effects);
  changes_.on_time(now, effects);
  scans_.on_time(now, effects);
}

TimePoint LocalCache::next_deadline() const {
  return std::min({kept_.next_deadline(), reads_.next_deadline(), changes_.next_deadline(),
                   scans_.next_deadline()});
}

void LocalCache::check_invariants() const {
  near_.check_invariants();
  kept_.check_invariants();
  reads_.check_invariants();
  changes_.check_invariants();
}

}  // namespace copal
