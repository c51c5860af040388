#include "core/node/triad_server.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/mutant.h"
#include "core/base/overloaded.h"

namespace copal {

// ---- dispatch

void TriadServer::step(const Input& input, Now now, Effects& effects) {
  if (failed_) {
    return;
  }
  if (const auto* completion = std::get_if<StorageCompletion>(&input)) {
    on_storage(*completion, now, effects);
    if (failed_) {
      return;
    }
  }
  if (COPAL_MUTANT(kClockFollowsWall) && running_ != nullptr) {
    const std::uint64_t reserved = running_->clock.reserved_below();
    running_->clock = HybridClock(now, 0);
    running_->clock.set_reserved(reserved);
  }
  if (std::holds_alternative<StopOrder>(input)) {
    stop_by_ = std::min(stop_by_, now.mono + config_.stop_timeout);
  }
  if (running_ != nullptr) {
    if (running_->detector.on_step(now.mono) && !COPAL_MUTANT(kFrozenGoesOn)) {
      OwnerEvents events;
      running_->ownership.on_frozen(now.mono, events);
      perform(events, now, effects);
      refresh_streams(now, effects);
      refresh_duties(effects);
    }
    std::visit(
        Overloaded{[&](const MessageReceived& received) { on_message(received, now, effects); },
                   [&](const LinkDown& down) { on_link_down(down.peer, now, effects); },
                   [](const Wake&) {}, [](const StorageCompletion&) {},
                   [&](const SendRefused& refused) { on_refused(refused.peer); },
                   [&](const ChangeRoster& order) { change_roster(order, now, effects); },
                   [&](const StopOrder&) {
                     OwnerEvents events;
                     running_->ownership.on_planned_stop(now.mono, events);
                     perform(events, now, effects);
                     refresh_duties(effects);
                   },
                   [](const ClientRequest&) {}, [](const WorkEnded&) {}, [](const CpuReading&) {},
                   [](const ApplicationReady&) {}, [](const DrainOrder&) {},
                   [](const CallInput auto&) {}},
        input);
  }
  if (running_ != nullptr) {  // a message may have shown that it must begin again
    on_time(now, effects);
    running_->replication.send(now, effects);
  }
  if (stop_by_ != kNever) {
    stop_if_done(now, effects);
  }
  set_alarm(Alarm::kStoreFull, store_.is_full(), effects);
  set_alarm(Alarm::kStoreLost, began_again_, effects);
  store_.on_time(now, effects);
  store_.write_changes(now, effects);
  unwritten_.end_step(store_.is_written(), effects);
  const bool waits_for_sync = std::ranges::any_of(effects, [](const Effect& effect) {
    const auto* send = std::get_if<Send>(&effect);
    return send != nullptr && send->after_sync;
  });
  if (waits_for_sync) {
    store_.want_sync();
  }
  store_.sync_if_due(now, effects);
}

TimePoint TriadServer::next_deadline() const {
  if (failed_) {
    return kNever;
  }
  TimePoint next = std::min(store_.next_deadline(), stop_by_);
  if (running_ != nullptr) {
    const Running& r = *running_;
    next = std::min({next, r.next_heartbeat, r.owner.next_deadline(), r.fetch.next_deadline(),
                     r.catch_up.next_deadline(), r.replication.next_deadline(),
                     r.left.next_deadline(), r.upkeep.next_deadline(), r.presence.next_deadline()});
  }
  return next;
}

void TriadServer::on_message(const MessageReceived& received, Now now, Effects& effects) {
  const NodeId from = received.from;
  std::visit(
      Overloaded{
          [&](const MemberHeartbeat& heartbeat) { on_heartbeat(from, heartbeat, now, effects); },
          [&](const ServerHeartbeat& heartbeat) { on_heartbeat(from, heartbeat, now, effects); },
          [](const ServerList&) {},
          [&](const CacheGet& get) { on_question(from, get, get.key, get.view, now, effects); },
          [&](const CacheChange& change) {
            on_question(from, change, change.key, change.view, now, effects);
          },
          [&](const OfferEntry& offer) {
            on_question(from, offer, offer.entry.mnode.key, View{}, now, effects);
          },
          [&](const ClearCache& clear) {
            if (may_ask(from)) {
              running_->owner.on_clear(from, clear, now, effects);
            }
          },
          [&](const ListKeys& list) {
            if (may_ask(from)) {
              running_->owner.on_list(from, list, now, effects);
            }
          },
          [&](const LeaveValue& leave) {
            if (may_ask(from)) {
              running_->left.on_leave(from, leave, now.mono, effects);
              on_bytes(leave.hash, now, effects);
            }
          },
          [&](const CacheAnswer& answer) { on_relayed(from, answer, effects); },
          [&](const OfferAnswer& answer) { on_relayed(from, answer, effects); },
          [](const ValueLeft&) {}, [](const CacheCleared&) {}, [](const KeyPage&) {},
          [](const EntryEvent&) {},
          [&](const FetchedValue&) {
            if (slot_of(from) || may_ask(from)) {
              on_replica_message(from, received.message, now, effects);
            }
          },
          [&](const TriadMessage auto&) {
            if (slot_of(from)) {
              on_replica_message(from, received.message, now, effects);
            }
          },
          [](const BalancingMessage auto&) {}},
      received.message);
}

// ---- questions of servers

bool TriadServer::may_ask(NodeId from) const {
  const Registered* registered = running_->roster.find(from);
  return registered != nullptr &&
         (registered->role == NodeRole::kDynamic || COPAL_MUTANT(kBalancerMayWrite));
}

namespace {

void refuse(NodeId to, const CacheGet& get, Effects& effects) {
  effects.push_back(
      Send{to, CacheAnswer{.sequence = get.sequence, .status = CacheStatus::kNotAllowed}});
}
void refuse(NodeId to, const CacheChange& change, Effects& effects) {
  effects.push_back(Send{to, CacheAnswer{.sequence = change.sequence,
                                         .attempt = change.attempt,
                                         .status = CacheStatus::kNotAllowed}});
}
void refuse(NodeId to, const OfferEntry& offer, Effects& effects) {
  effects.push_back(
      Send{to, OfferAnswer{.sequence = offer.sequence, .status = CacheStatus::kNotAllowed}});
}

}  // namespace

/// Answered by this member if it acts; else passed on, once, to who is heard to act, so that a
/// broken link between a server and the owner makes no second owner. Rule: R1.4.
template <class Question>
void TriadServer::on_question(NodeId from, const Question& question, const KeyHash& key,
                              const View& view, Now now, Effects& effects) {
  const bool relayed = question.origin != kNoNode;
  if (relayed ? !slot_of(from) : !may_ask(from)) {
    if (running_->roster.find(from) != nullptr) {
      refuse(from, question, effects);
    }
    return;  // of a stranger: nothing at all
  }
  const Group group = group_of(key);
  OwnerEvents events;
  running_->ownership.on_view(group, view, now.mono, events);
  if (!events.empty()) {
    perform(events, now, effects);
    refresh_duties(effects);
  }
  const std::optional<Slot> owner = running_->ownership.owner(group);
  const bool elsewhere =
      owner && *owner != config_.slot && running_->ownership.reachable().test(owner->value);
  if (elsewhere && !relayed && !COPAL_MUTANT(kNotRelayed)) {
    const NodeId to = config_.members[owner->value];
    if constexpr (std::is_same_v<Question, CacheChange>) {
      running_->owner.pass_on(from, question, *owner, running_->detector.incarnation(to), effects);
    } else {
      Question passed_on = question;
      passed_on.origin = from;
      effects.push_back(Send{to, std::move(passed_on)});
    }
    return;
  }
  if constexpr (std::is_same_v<Question, CacheGet>) {
    running_->owner.on_get(from, question, now, effects);
  } else if constexpr (std::is_same_v<Question, CacheChange>) {
    running_->owner.on_change(from, question, now, effects);
  } else {
    running_->owner.on_offer(from, question, now, effects);
  }
  if constexpr (!std::is_same_v<Question, CacheGet>) {
    if (question.value.size_bytes() > 0) {
      on_bytes(question.value_hash(), now, effects);
    }
  }
}

/// The owner's answer to what this member has passed on.
template <class Reply>
void TriadServer::on_relayed(NodeId from, const Reply& reply, Effects& effects) {
  if (slot_of(from) && reply.origin != kNoNode && may_ask(reply.origin)) {
    Reply passed_on = reply;
    passed_on.origin = kNoNode;
    effects.push_back(Send{reply.origin, std::move(passed_on)});
  }
}

// ---- copies and bytes

bool TriadServer::is_always_synced(CacheId cache) const {
  const CacheConfig* config = config_.caches->find(cache);
  return config != nullptr && config->sync == Sync::kAlways;
}

void TriadServer::on_replica_message(NodeId from, const Message& message, Now now,
                                     Effects& effects) {
  Running& r = *running_;
  std::visit(
      Overloaded{[&](const Replicate& copy) {
                   r.clock.observe(copy.entry.mnode.version.counter, now.mono);
                   r.feed.on_replicate(from, copy, is_always_synced(copy.entry.mnode.cache),
                                       now.mono, effects);
                   if (copy.value.size_bytes() > 0) {
                     on_bytes(copy.value_hash(), now, effects);
                   }
                 },
                 [&](const ReplicateClear& copy) {
                   r.clock.observe(copy.cleared.counter, now.mono);
                   r.feed.on_replicate_clear(from, copy, is_always_synced(copy.cache), effects);
                 },
                 [&](const ReplicateAck& ack) {
                   if (r.replication.on_ack(from, ack, now.mono)) {
                     r.owner.on_replicated(effects);
                   }
                 },
                 [&](const FetchValue& fetch) { r.fetch.on_fetch(from, fetch, effects); },
                 [&](const FetchedValue& fetched) {
                   if (fetched.found && fetched.value.size_bytes() > 0) {
                     replica_.values().provide(fetched.hash, fetched.value);
                   }
                   if (r.fetch.on_fetched(from, fetched, now.mono, effects)) {
                     r.feed.on_nowhere(fetched.hash, now.mono, effects);
                   }
                   on_bytes(fetched.hash, now, effects);
                 },
                 [&](const RosterUpdate& update) { on_roster(from, update, now, effects); },
                 [&](const AskHandOver& ask) {
                   OwnerEvents events;
                   r.ownership.on_hand_over_asked(ask.group, *slot_of(from), ask.view, now.mono,
                                                  events);
                   perform(events, now, effects);
                   refresh_duties(effects);
                 },
                 [&](const HandOver& given) {
                   OwnerEvents events;
                   r.ownership.on_handed_over(given.group, *slot_of(from), given.view,
                                              given.prepared, given.behind, now.mono, events);
                   perform(events, now, effects);
                   refresh_duties(effects);
                 },
                 [&](const auto&) { on_compare_message(from, message, now, effects); }},
      message);
}

void TriadServer::on_compare_message(NodeId from, const Message& message, Now now,
                                     Effects& effects) {
  Running& r = *running_;
  if (const auto* open = std::get_if<CompareOpen>(&message)) {
    // What an earlier start has sent would be taken for this one's.
    if (open->incarnation != r.detector.incarnation(from)) {
      return;
    }
    r.compare_answer.on_open(from, *open, r.ownership.is_ready(open->at.group),
                             uses_unknown_for(open->at.group, *slot_of(from), now.mono), now,
                             effects);
  } else if (const auto* opened = std::get_if<CompareOpened>(&message)) {
    r.catch_up.on_opened(*opened, now, effects);
  } else if (const auto* sums = std::get_if<CompareSums>(&message)) {
    r.compare_answer.on_sums(from, *sums, effects);
  } else if (const auto* differ = std::get_if<CompareDiffer>(&message)) {
    r.catch_up.on_differ(*differ, now, effects);
  } else if (const auto* exchange = std::get_if<CompareExchange>(&message)) {
    r.compare_answer.on_exchange(from, *exchange, now, effects);
  } else if (const auto* exchanged = std::get_if<CompareExchanged>(&message)) {
    r.catch_up.on_exchanged(*exchanged, now, effects);
  } else if (const auto* uses = std::get_if<CompareUses>(&message)) {
    note_uses_learnt(uses->at.group, *slot_of(from),
                     r.compare_answer.on_uses(from, *uses, now, effects), now.mono);
  } else if (const auto* used = std::get_if<CompareUsed>(&message)) {
    note_uses_learnt(used->at.group, *slot_of(from), r.catch_up.on_used(*used, now, effects),
                     now.mono);
  } else if (const auto* close = std::get_if<CompareClose>(&message)) {
    if (const auto compared = r.compare_answer.on_close(from, *close, now, effects)) {
      on_compared(*slot_of(from), *compared, now, effects);
    }
  } else if (const auto* closed = std::get_if<CompareClosed>(&message)) {
    if (const auto done = r.catch_up.on_closed(*closed, now, effects)) {
      on_compared(done->peer, done->compared, now, effects);
    }
    want_comparisons(now, effects);
  }
}

/// Bytes may be in memory now that were not, or their entries may have gone: whoever waits for them
/// goes on.
void TriadServer::on_bytes(const ValueHash& hash, Now now, Effects& effects) {
  if (replica_.values().find(hash) != nullptr || !replica_.values().is_wanted(hash)) {
    running_->fetch.on_here(hash);
    running_->feed.on_value(hash, effects);
    running_->owner.on_value(hash, now, effects);
  }
}

// ---- for tests, checkers and metrics

const ActingOwner& TriadServer::ownership() const {
  COPAL_ASSERT(running_ != nullptr);
  return running_->ownership;
}
const OwnerCache& TriadServer::owner_cache() const {
  COPAL_ASSERT(running_ != nullptr);
  return running_->owner;
}
const CatchUp& TriadServer::catch_up() const {
  COPAL_ASSERT(running_ != nullptr);
  return running_->catch_up;
}
const ReplicationLog& TriadServer::replication() const {
  COPAL_ASSERT(running_ != nullptr);
  return running_->replication;
}
const Presence& TriadServer::presence() const {
  COPAL_ASSERT(running_ != nullptr);
  return running_->presence;
}
const Roster& TriadServer::roster() const {
  COPAL_ASSERT(running_ != nullptr);
  return running_->roster;
}
const HybridClock& TriadServer::clock() const {
  COPAL_ASSERT(running_ != nullptr);
  return running_->clock;
}
const Horizon& TriadServer::horizon() const {
  COPAL_ASSERT(running_ != nullptr);
  return running_->horizon;
}
const Upkeep::Counts& TriadServer::upkeep() const {
  COPAL_ASSERT(running_ != nullptr);
  return running_->upkeep.counts();
}
std::uint64_t TriadServer::set_aside_count() const {
  return running_ == nullptr ? 0 : running_->set_aside.count();
}

void TriadServer::check_invariants(TimePoint now) const {
  replica_.check_invariants();
  if (running_ != nullptr) {
    running_->detector.check_invariants(now);
    running_->ownership.check_invariants();
    running_->catch_up.check_invariants();
    running_->replication.check_invariants();
    running_->feed.check_invariants();
    running_->owner.check_invariants();
  }
}

}  // namespace copal
