// TriadServer: who is there, who acts, and what follows from it.

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/mutant.h"
#include "core/node/triad_server.h"

namespace copal {

namespace {
constexpr std::uint64_t kAnnounceEach = 4;  // heartbeats
}  // namespace

std::optional<Slot> TriadServer::slot_of(NodeId node) const {
  for (const Slot slot : kAllSlots) {
    if (node != kNoNode && node != config_.self && config_.members[slot.value] == node) {
      return slot;
    }
  }
  return std::nullopt;
}

// ---- heartbeats that come

void TriadServer::on_heartbeat(NodeId from, const MemberHeartbeat& heartbeat, Now now,
                               Effects& effects) {
  const std::optional<Slot> slot = slot_of(from);
  const bool is_nonsense = heartbeat.generation >= OwnerId::kGenerationMax ||
                           heartbeat.generation_known >= OwnerId::kGenerationMax ||
                           heartbeat.beat.incarnation >= kStartsMax;
  if (!slot || is_nonsense || must_begin_again(heartbeat, now, effects)) {
    return;
  }
  Running& r = *running_;
  const auto heard = r.detector.on_heartbeat(
      from, heartbeat.beat.incarnation,
      {heartbeat.beat.sequence, heartbeat.beat.echo, heartbeat.beat.began}, now.mono);
  if (heard == FailureDetector::Heard::kStale) {
    return;
  }
  r.clock.observe(heartbeat.beat.clock, now.mono);
  note_start(*slot, heartbeat, effects);
  on_heard(*slot, heard, now, effects);
  update_peer_states(now, effects);
  if (heartbeat.announcement.size() == kGroups) {
    Announcement announcement;
    std::ranges::copy(heartbeat.announcement, announcement.begin());
    OwnerEvents events;
    r.ownership.on_heartbeat(*slot, announcement, now.mono, events);
    perform(events, now, effects);
  }
  refresh_streams(now, effects);
  refresh_duties(effects);
  want_comparisons(now, effects);
  if (heartbeat.roster_sum != r.roster.sum()) {
    send_orders(from, effects);
  }
}

/// What the peer may have to be told once it has lost it itself. A start that this member has not
/// heard before is written and synced as soon as the disk can; what the peer stores goes along with
/// what is written next.
void TriadServer::note_start(Slot slot, const MemberHeartbeat& heartbeat, Effects& effects) {
  PeerStart& known = self_.peers[slot.value];
  const bool is_replaced = heartbeat.generation > known.generation;
  const bool is_new = is_replaced || heartbeat.beat.incarnation != known.incarnation;
  if (is_replaced) {
    if (known.generation > 0) {
      running_->horizon.on_replaced(slot);
    }
    known.generation = heartbeat.generation;
    known.stored = 0;
  }
  if (heartbeat.generation == known.generation) {
    known.stored = std::max(known.stored, heartbeat.stored);
  }
  known.incarnation = heartbeat.beat.incarnation;
  known.began = heartbeat.beat.began;
  if (is_new) {
    store_.write_self(self_, effects);
  }
}

/// What was under way with an earlier start of the peer counts for nothing; what it has
/// acknowledged it may have lost, and finds again by comparing before it is ready.
void TriadServer::on_heard(Slot slot, FailureDetector::Heard heard, Now, Effects&) {
  Running& r = *running_;
  if (heard == FailureDetector::Heard::kRestarted) {
    r.catch_up.forget(slot);
    r.compare_answer.forget(config_.members[slot.value]);
    r.replication.stop(config_.members[slot.value]);
  }
}

void TriadServer::on_heartbeat(NodeId from, const ServerHeartbeat& heartbeat, Now now,
                               Effects& effects) {
  Running& r = *running_;
  if (!r.presence.admits(from, heartbeat)) {
    return;
  }
  r.detector.add(from, now.mono);
  const auto heard = r.detector.on_heartbeat(
      from, heartbeat.beat.incarnation,
      {heartbeat.beat.sequence, heartbeat.beat.echo, heartbeat.beat.began}, now.mono);
  if (knows_another_start(heartbeat.beat)) {
    // Perhaps no member is there that would tell. More than once, for what a clogged link delivers
    // late is of later starts; but who says so again and again is wrong.
    constexpr int kTellsMax = 4;
    if (heartbeat.beat.known < kStartsMax && told_by_[from]++ < kTellsMax) {
      const bool lost = !std::exchange(began_again_, true);
      begin_again(self_.generation + (lost ? 1 : 0), Incarnation{heartbeat.beat.known.value + 1},
                  now, effects);
    }
    return;
  }
  if (heard == FailureDetector::Heard::kStale) {
    // A new start that began too low hears what is known of it, and goes above that.
    if (heartbeat.beat.incarnation < r.detector.incarnation(from)) {
      effects.push_back(Send{from, heartbeat_to(from, std::nullopt, true, now)});
    }
    return;
  }
  r.owner.listeners().set(from, heartbeat.listens);
  const bool slept = r.presence.sleeps(from);
  bool news = r.presence.on_heartbeat(from, heartbeat, heard, now.mono);
  if (heartbeat.leaving) {
    r.presence.on_leave(from);
    r.owner.listeners().forget(from);
    r.detector.on_leave(from);
    news = true;
  }
  if (slept != r.presence.sleeps(from)) {
    write_roster(effects);
  }
  if (news) {
    r.presence.update(now.mono, r.clock.reading(now.mono), effects);
  }
  if (!heartbeat.leaving && heard != FailureDetector::Heard::kAgain) {
    effects.push_back(Send{from, heartbeat_to(from, std::nullopt, true, now)});
  }
}

void TriadServer::on_link_down(NodeId peer, Now now, Effects& effects) {
  Running& r = *running_;
  r.detector.on_link_down(peer);
  r.owner.listeners().forget(peer);  // until its next heartbeat: it is told that some may be lost
  if (slot_of(peer)) {
    r.replication.on_link_down(peer, now.mono);
    update_peer_states(now, effects);
    refresh_streams(now, effects);
    refresh_duties(effects);
  }
}

/// What else was refused is sent again in time: a stream of changes by its time-out, questions by
/// who asks, heartbeats with the next one.
void TriadServer::on_refused(NodeId peer) {
  if (running_->owner.listeners().on_refused(peer)) {
    hasten();
  }
}

void TriadServer::update_peer_states(Now now, Effects& effects) {
  Running& r = *running_;
  std::array<PeerState, kSlots> states{};
  for (const Slot slot : kAllSlots) {
    states[slot.value] = r.detector.state(config_.members[slot.value], now.mono);
  }
  OwnerEvents events;
  r.ownership.on_peer_states(states, now.mono, events);
  perform(events, now, effects);
}

// ---- what operators order

void TriadServer::on_roster(NodeId, const RosterUpdate& update, Now now, Effects& effects) {
  bool news = false;
  for (const RosterOrder& order : update.orders) {
    running_->clock.observe(order.version.counter, now.mono);
    news = running_->roster.take(order) || news;
  }
  if (news) {
    write_roster(effects);
    running_->presence.update(now.mono, running_->clock.reading(now.mono), effects);
  }
}

void TriadServer::write_roster(Effects& effects) {
  store_.write_roster({running_->roster.orders(), running_->presence.sleeping()}, effects);
}

void TriadServer::send_orders(NodeId to, Effects& effects) const {
  const std::vector<RosterOrder>& orders = running_->roster.orders();
  for (std::size_t first = 0; first < orders.size(); first += RosterUpdate::kOrdersMax) {
    const std::size_t last = std::min(orders.size(), first + RosterUpdate::kOrdersMax);
    RosterUpdate update;
    update.orders.assign(orders.begin() + static_cast<std::ptrdiff_t>(first),
                         orders.begin() + static_cast<std::ptrdiff_t>(last));
    effects.push_back(Send{to, std::move(update)});
  }
}

/// The others are told of this order alone: should it be lost, or they lack others, their next
/// heartbeats show it.
void TriadServer::change_roster(const ChangeRoster& order, Now now, Effects& effects) {
  Running& r = *running_;
  const Version version{r.clock.next_counter(0, now.mono), 0,
                        OwnerId(config_.pod, config_.slot, self_.generation)};
  const RosterOrder given{order.node, order.state, version};
  if (!r.roster.take(given)) {
    return;
  }
  write_roster(effects);
  for (const Slot slot : kAllSlots) {
    if (filled_.test(slot.value) && slot != config_.slot) {
      effects.push_back(Send{config_.members[slot.value], RosterUpdate{{given}}});
    }
  }
  r.presence.update(now.mono, r.clock.reading(now.mono), effects);
}

// ---- comparing

void TriadServer::on_compared(Slot peer, const Compared& compared, Now now, Effects& effects) {
  Running& r = *running_;
  r.horizon.on_agreed(compared.group, peer, compared.agreed);
  r.compared_at[compared.group.value][peer.value] = now.mono;
  if (compared.began >= r.stream_began[peer.value]) {
    r.uncompared[peer.value].reset(compared.group.value);
  }
  UsesKnown& uses_known = r.uses_known[compared.group.value][peer.value];
  // Else what was learnt meanwhile may have come too late for this comparison.
  if (uses_known.learnt < compared.began) {
    uses_known.to = compared.began;
  }
  std::erase(r.due, Due{compared.group, peer});
  OwnerEvents events;
  r.ownership.on_compared(compared.group, peer, compared.peer_was_ready, compared.began, now.mono,
                          events);
  perform(events, now, effects);
  refresh_duties(effects);
}

/// First what readiness asks for, then what a new owner may lack, then what keeps changes from
/// being replicated, then those that have not been compared for long; of a pair the lower slot
/// asks.
void TriadServer::want_comparisons(Now now, Effects& effects) {
  Running& r = *running_;
  std::vector<ActingOwner::Comparison> wanted =
      r.ownership.comparisons_wanted(now.mono, config_.catch_up.comparisons_max);
  for (const Due& due : r.due) {
    if (r.ownership.reachable().test(due.peer.value)) {
      wanted.push_back({due.group, due.peer});
    }
  }
  const auto room = [&] { return wanted.size() < config_.catch_up.comparisons_max; };
  for (const Slot peer : kAllSlots) {
    const GroupSet groups =
        r.ownership.reachable().test(peer.value) ? to_compare(peer) : GroupSet();
    for (std::uint8_t i = 0; i < kGroups && room(); ++i) {
      // Who is not ready for one asks for it anyway; who acts heeds no mark of being behind.
      const bool is_ready = r.ownership.ready_replicas(Group{i}).test(peer.value) ||
                            r.ownership.owner(Group{i}) == peer;
      if (groups.test(i) && is_ready) {
        wanted.push_back({Group{i}, peer});
      }
    }
  }
  const SlotSet higher = r.ownership.reachable() & SlotSet(0b110U << config_.slot.value);
  for (std::uint8_t i = 0; i < kGroups && higher.any() && room(); ++i) {
    for (const Slot peer : kAllSlots) {
      if (higher[peer.value] && room() &&
          now.mono - r.compared_at[i][peer.value] >= config_.compare_interval) {
        wanted.push_back({Group{i}, peer});
      }
    }
  }
  std::vector<CatchUp::Wanted> comparisons;
  for (const ActingOwner::Comparison& one : wanted) {
    comparisons.push_back({one.group, one.peer, r.ownership.is_ready(one.group),
                           uses_unknown_for(one.group, one.peer, now.mono)});
  }
  r.catch_up.want(comparisons, now, effects);
}

/// Uses travel in streams, whose gaps comparisons fill. What this member learns by one, the other
/// peer may not know, for it may not have met who knew it.
void TriadServer::note_uses_learnt(Group group, Slot from, TimePoint oldest, TimePoint now) {
  if (oldest == kNever) {
    return;
  }
  for (const Slot slot : kAllSlots) {
    UsesKnown& known = running_->uses_known[group.value][slot.value];
    if (slot != from) {
      known.learnt = now;
      if (known.to) {
        known.to = std::min(*known.to, oldest);
      }
    }
  }
}

Duration TriadServer::uses_unknown_for(Group group, Slot peer, TimePoint now) const {
  const std::optional<TimePoint>& to = running_->uses_known[group.value][peer.value].to;
  return to ? age(*to, now) : kAgeMax;
}

// ---- what was decided about ownership

void TriadServer::perform(const OwnerEvents& events, Now now, Effects& effects) {
  for (const OwnerEvent& event : events) {
    perform(event, now, effects);
  }
}

void TriadServer::perform(const OwnerEvent& event, Now, Effects& effects) {
  Running& r = *running_;
  const NodeId peer = config_.members[event.peer.value];
  switch (event.kind) {
    case OwnerEvent::Kind::kStarted:
    case OwnerEvent::Kind::kPrepared:
    case OwnerEvent::Kind::kReady:
    case OwnerEvent::Kind::kNotReady:
      hasten();
      break;
    case OwnerEvent::Kind::kStopped: {
      hasten();
      std::erase_if(r.drains, [&](const Drain& drain) { return drain.group == event.group; });
      // The stream goes on; what it has given up is found by comparing.
      const Due due{event.group, event.view.slot};
      if (due.peer != config_.slot && !COPAL_MUTANT(kStoppedOwnerKeepsChanges) &&
          std::ranges::find(r.due, due) == r.due.end()) {
        r.due.push_back(due);
      }
      break;
    }
    case OwnerEvent::Kind::kAskHandOver:
      effects.push_back(Send{peer, AskHandOver{event.group, event.view}});
      break;
    case OwnerEvent::Kind::kDrain:
      std::erase_if(r.drains, [&](const Drain& drain) { return drain.group == event.group; });
      r.drains.push_back({event.group, event.peer, r.replication.last_position(),
                          r.stream_began[event.peer.value]});
      break;
    case OwnerEvent::Kind::kHandOver:
      effects.push_back(
          Send{peer, HandOver{event.group, event.view, event.prepared, event.behind}});
      break;
    case OwnerEvent::Kind::kReserveTerms:
      self_.terms_below = std::max(self_.terms_below, event.view.term);
      store_.write_self(self_, effects);
      break;
  }
}

/// The next heartbeat comes soon, for all that happens in a moment.
void TriadServer::hasten() {
  constexpr Duration kSoonest = 10ms;
  running_->next_heartbeat =
      std::min(running_->next_heartbeat, running_->last_heartbeat + kSoonest);
}

void TriadServer::refresh_duties(Effects& effects) {
  Running& r = *running_;
  std::array<Duty, kGroups> duties;
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    const Group group{i};
    r.acted_for.set(i, r.acted_for.test(i) || r.ownership.acts(group));
    duties[i] = {.acts = r.ownership.acts(group),
                 .prepared = r.ownership.is_prepared(group),
                 .view = r.ownership.view(group),
                 .ready_replicas = r.ownership.ready_replicas(group)};
  }
  r.owner.set_duties(duties, effects);
}

// ---- time

MemberHeartbeat TriadServer::heartbeat_to(NodeId to, std::optional<Slot> slot, bool announce,
                                          Now now) {
  Running& r = *running_;
  const auto numbers = r.detector.next_heartbeat(to, now.mono);
  MemberHeartbeat heartbeat{.beat = {.incarnation = self_.incarnation,
                                     .began = numbers.began,
                                     .known = r.detector.incarnation(to),
                                     .known_began = r.detector.began(to),
                                     .sequence = numbers.sequence,
                                     .echo = numbers.echo,
                                     .clock = r.clock.reading(now.mono)},
                            .generation = self_.generation,
                            .stored = store_.synced(),
                            .replicated_up_to = r.replicated_up_to,
                            .alone = r.alone,
                            .roster_sum = r.roster.sum(),
                            .events_refused = r.owner.listeners().refused(to)};
  if (slot) {
    heartbeat.generation_known = self_.peers[slot->value].generation;
    heartbeat.stored_known = self_.peers[slot->value].stored;
  }
  if (announce) {
    const Announcement announcement = r.ownership.announcement(slot.value_or(config_.slot));
    heartbeat.announcement.assign(announcement.begin(), announcement.end());
  }
  return heartbeat;
}

void TriadServer::send_heartbeats(Now now, Effects& effects) {
  Running& r = *running_;
  r.next_heartbeat = now.mono + config_.heartbeat_interval;
  r.last_heartbeat = now.mono;
  const ReadyMembers ready = ready_members();
  r.alone = ready.is_alone;
  // A split may just have ended: what was changed on this side of it is nobody else's yet.
  if (!r.alone && are_compared(ready.nodes)) {
    r.replicated_up_to =
        std::max(r.replicated_up_to, COPAL_MUTANT(kReplicatedUpToAhead)
                                         ? r.replication.last_position()
                                         : r.replication.acked_by_all(ready.nodes));
  }
  for (const Slot slot : kAllSlots) {
    if (filled_.test(slot.value) && slot != config_.slot) {
      const NodeId member = config_.members[slot.value];
      effects.push_back(Send{member, heartbeat_to(member, slot, true, now)});
    }
  }
  // Who acts changes rarely: servers are told when it does, and now and then in case that was lost.
  Announcement announcement = r.ownership.announcement(config_.slot);
  const bool announce = ++r.heartbeats % kAnnounceEach == 0 || announcement != r.announced;
  r.announced = announcement;
  std::vector<NodeId> servers = r.presence.alive(now.mono);
  for (const NodeId server : servers) {
    effects.push_back(Send{server, heartbeat_to(server, std::nullopt, announce, now)});
  }
  if (replica_.values().missing_count() > 0) {
    std::erase_if(servers, [this](NodeId server) { return !may_ask(server); });
    r.fetch.set_servers(std::move(servers));
  }
}

void TriadServer::on_time(Now now, Effects& effects) {
  Running& r = *running_;
  if (!r.drains.empty()) {
    finish_drains(now, effects);
  }
  if (now.mono >= r.next_heartbeat) {
    update_peer_states(now, effects);
    OwnerEvents events;
    r.ownership.on_time(now.mono, events);
    perform(events, now, effects);
    refresh_streams(now, effects);
    refresh_duties(effects);
    r.horizon.on_time(now.mono, r.clock.reading(now.mono));
    r.feed.on_time(effects);
    reserve_clock(now, effects);
    want_comparisons(now, effects);
    r.presence.update(now.mono, r.clock.reading(now.mono), effects);
    send_heartbeats(now, effects);
    set_alarm(Alarm::kServesAlone, r.alone && r.ownership.acting_count() > 0, effects);
  }
  if (now.mono >= r.presence.next_deadline()) {
    r.presence.update(now.mono, r.clock.reading(now.mono), effects);
  }
  r.owner.on_time(now, effects);
  r.left.on_time(now.mono);
  if (now.mono >= r.fetch.next_deadline() || replica_.values().missing_count() > 0) {
    for (const ValueHash& hash : r.fetch.on_time(now.mono, effects)) {
      on_bytes(hash, now, effects);
    }
  }
  r.catch_up.on_time(now, effects);
  r.upkeep.on_time(r.owner, now, effects);
  std::array<NodeId, kSlots> reachable{kNoNode, kNoNode, kNoNode};
  for (const Slot slot : kAllSlots) {
    if (r.ownership.reachable().test(slot.value)) {
      reachable[slot.value] = config_.members[slot.value];
    }
  }
  r.fetch.set_members(reachable);
}

void TriadServer::set_alarm(Alarm alarm, bool on, Effects& effects) {
  bool& is_on = alarms_[static_cast<std::size_t>(alarm)];
  if (is_on != on) {
    is_on = on;
    effects.push_back(SetAlarm{alarm, on});
  }
}

/// Rule: R1.5: a planned stop hands over first. One that comes while this member starts waits for
/// what the start has written: it may be what was learnt of starts before (R5.5).
void TriadServer::stop_if_done(Now now, Effects& effects) {
  const bool given = running_ == nullptr || running_->ownership.acting_count() == 0 ||
                     running_->ownership.reachable().none();
  const bool is_safe = running_ == nullptr ? !starting_ : store_.is_synced();
  if (now.mono < stop_by_ && !(given && is_safe)) {
    store_.want_sync();
    return;
  }
  stop_by_ = kNever;
  effects.push_back(StopProcess{});
}

}  // namespace copal
