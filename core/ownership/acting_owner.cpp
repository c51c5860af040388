#include "core/ownership/acting_owner.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/mutant.h"

namespace copal {

namespace {

using Kind = OwnerEvent::Kind;

// One write to the disk for so many takeovers; 2^32 terms are enough for four million starts.
constexpr std::uint32_t kTermsAhead = 1'024;

Group group_at(std::size_t number) {
  return {static_cast<std::uint8_t>(number)};
}

}  // namespace

ActingOwner::ActingOwner(const ActingOwnerConfig& config, Slot self, SlotSet filled,
                         TermRange terms, TimePoint now)
    : config_(config),
      self_(self),
      others_(filled),
      terms_(terms),
      alone_from_(now + config.start_alone_timeout) {
  COPAL_ASSERT(self.value < kSlots && filled.test(self.value));
  COPAL_ASSERT(terms.first >= 1 && terms.first <= terms.below);
  others_.reset(self.value);
  for (Peer& peer : peers_) {
    peer.behind_since.fill(kNever);
  }
  for (GroupState& group : groups_) {
    group.since = now;
  }
}

// ---- What is known of the peers ----

void ActingOwner::on_filled(SlotSet filled, TimePoint now, OwnerEvents& events) {
  COPAL_ASSERT(filled.test(self_.value));
  others_ = filled;
  others_.reset(self_.value);
  for (const Slot slot : kAllSlots) {
    if (!others_.test(slot.value)) {
      peers_[slot.value] = Peer{};
      peers_[slot.value].behind_since.fill(kNever);
      for (GroupState& group : groups_) {
        group.compared.reset(slot.value);
      }
    }
  }
  refresh_here(now, events);
  settle_all(now, events);
}

void ActingOwner::on_peer_states(const std::array<PeerState, kSlots>& states, TimePoint now,
                                 OwnerEvents& events) {
  for (const Slot slot : kAllSlots) {
    if (others_.test(slot.value)) {
      set_state(slot, states[slot.value], now);
    }
  }
  refresh_here(now, events);
  settle_all(now, events);
}

void ActingOwner::set_state(Slot slot, PeerState state, TimePoint now) {
  Peer& peer = peers_[slot.value];
  if (!is_alive(state) && is_alive(peer.state)) {
    peer.announced = false;
  }
  if (state == PeerState::kSlow) {
    peer.slow_since = std::min(peer.slow_since, now);
  } else if (state != PeerState::kSuspect) {
    peer.slow_since = kNever;
  }
  peer.state = state;
}

void ActingOwner::refresh_here(TimePoint now, OwnerEvents& events) {
  for (const Slot slot : kAllSlots) {
    const Peer& peer = peers_[slot.value];
    const bool here = others_.test(slot.value) && peer.announced && is_alive(peer.state);
    if (here && !here_.test(slot.value)) {
      on_contact(slot, now, events);
    }
    here_.set(slot.value, here);
  }
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (groups_[i].stage != Stage::kIdle) {
      mark_dead_behind(group_at(i), now);
    }
  }
}

// What it was compared with before says nothing of what the peer did while it was away. If nobody
// else was here either, nobody else can tell.
void ActingOwner::on_contact(Slot peer, TimePoint now, OwnerEvents& events) {
  peers_[peer.value].contact = now;
  for (std::size_t i = 0; i < kGroups; ++i) {
    groups_[i].compared.reset(peer.value);
    if (here_.any()) {
      continue;
    }
    if (groups_[i].stage == Stage::kIdle) {
      lose_readiness(group_at(i), now, events);
    } else {
      prepare(group_at(i), now);
    }
  }
}

void ActingOwner::on_heartbeat(Slot from, const Announcement& announcement, TimePoint now,
                               OwnerEvents& events) {
  COPAL_ASSERT(from.value < kSlots && from != self_ && is_well_formed(announcement));
  if (!others_.test(from.value)) {
    return;
  }
  peers_[from.value].said = announcement;
  peers_[from.value].announced = true;
  refresh_here(now, events);
  if (here_.test(from.value)) {
    for (std::size_t i = 0; i < kGroups; ++i) {
      heed(group_at(i), from, now, events);
    }
  }
  settle_all(now, events);
}

void ActingOwner::adopt(Group group, const View& view, TimePoint now, OwnerEvents& events) {
  GroupState& state = at(group);
  if (COPAL_MUTANT(kHigherViewIgnored) && state.stage != Stage::kIdle) {
    return;
  }
  if (view > state.view) {
    state.view = view;
    if (state.stage != Stage::kIdle) {
      stop(group, now, events);
    }
  }
}

void ActingOwner::on_view(Group group, const View& view, TimePoint now, OwnerEvents& events) {
  // Its own, if it has forgotten it: what it said in an earlier start is above what it says now.
  const bool is_member = view.slot == self_ || others_.test(view.slot.value);
  if (view > at(group).view && is_member && view.term < kTermMax) {
    adopt(group, view, now, events);
    settle(group, now, events);
  }
}

void ActingOwner::heed(Group group, Slot from, TimePoint now, OwnerEvents& events) {
  GroupState& state = at(group);
  const GroupAnnouncement& said = peers_[from.value].said[group.value];
  adopt(group, said.view, now, events);
  // Once only: the peer says it until it has seen the comparison, which must not begin again and
  // again. Who acts holds the newest itself.
  if (said.behind && state.stage == Stage::kIdle &&
      (state.ready || state.compared.test(from.value))) {
    lose_readiness(group, now, events);
  }
  if (said.ready && state.preparing) {
    state.said_ready.set(from.value);
  }
}

void ActingOwner::on_frozen(TimePoint now, OwnerEvents& events) {
  const bool was_ready =
      std::any_of(groups_.begin(), groups_.end(), [](const GroupState& g) { return g.ready; });
  // One that had served needs to wait for others only until the detector has given them up; one
  // that was frozen at its start has not looked for them yet.
  alone_from_ = was_ready ? std::min(alone_from_, now) : now + config_.start_alone_timeout;
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (groups_[i].stage != Stage::kIdle) {
      stop(group_at(i), now, events);
    }
    lose_readiness(group_at(i), now, events);
  }
  for (const Slot slot : kAllSlots) {
    set_state(slot, PeerState::kUnknown, now);
  }
  refresh_here(now, events);
  settle_all(now, events);
}

void ActingOwner::on_time(TimePoint now, OwnerEvents& events) {
  settle_all(now, events);
}

// ---- Comparing ----

bool ActingOwner::is_cut_off(Slot peer, TimePoint now) const {
  const TimePoint since = peers_[peer.value].slow_since;
  return since != kNever && now - since >= config_.start_alone_timeout;
}

SlotSet ActingOwner::to_compare(const GroupState& state, TimePoint now) const {
  if (state.ready && !state.preparing) {
    return {};
  }
  SlotSet peers = (state.ready ? here_ & state.said_ready : others_) & ~state.compared;
  for (const Slot slot : kAllSlots) {
    const bool is_given_up = !state.ready && is_dead(peers_[slot.value].state);
    if (peers[slot.value] && (is_given_up || is_cut_off(slot, now))) {
      peers.reset(slot.value);
    }
  }
  return peers;
}

bool ActingOwner::is_compared_enough(const GroupState& state, TimePoint now) const {
  if (COPAL_MUTANT(kReadyAlone)) {
    return true;
  }
  return to_compare(state, now).none() &&
         (state.met_ready || (others_ & ~state.compared).none() || now >= alone_from_);
}

void ActingOwner::on_compared(Group group, Slot peer, bool peer_was_ready, TimePoint began,
                              TimePoint now, OwnerEvents& events) {
  if (!here_.test(peer.value) || began < peers_[peer.value].contact) {
    return;
  }
  TimePoint& behind_since = peers_[peer.value].behind_since[group.value];
  if (began >= behind_since) {
    behind_since = kNever;
  }
  GroupState& state = at(group);
  if (began >= state.since) {
    state.compared.set(peer.value);
    state.met_ready = state.met_ready || peer_was_ready;
  }
  settle(group, now, events);
}

void ActingOwner::on_behind(Group group, Slot peer, TimePoint now) {
  COPAL_ASSERT(others_.test(peer.value));
  peers_[peer.value].behind_since[group.value] = now;
}

void ActingOwner::mark_dead_behind(Group group, TimePoint now) {
  for (const Slot slot : kAllSlots) {
    Peer& peer = peers_[slot.value];
    if (others_.test(slot.value) && is_dead(peer.state)) {
      peer.behind_since[group.value] = now;
    }
  }
}

std::vector<ActingOwner::Comparison> ActingOwner::comparisons_wanted(TimePoint now,
                                                                     std::size_t count_max) const {
  std::vector<Comparison> wanted;
  for (const bool preparing : {true, false}) {
    for (std::size_t i = 0; i < kGroups; ++i) {
      const GroupState& state = groups_[i];
      const SlotSet peers =
          state.preparing == preparing ? to_compare(state, now) & here_ : SlotSet();
      for (const Slot slot : group_at(i).order().slots()) {
        if (peers[slot.value] && wanted.size() < count_max) {
          wanted.push_back({group_at(i), slot});
        }
      }
    }
  }
  return wanted;
}

void ActingOwner::lose_readiness(Group group, TimePoint now, OwnerEvents& events) {
  GroupState& state = at(group);
  if (state.ready) {
    events.push_back({Kind::kNotReady, group, state.view, self_});
  }
  state.ready = false;
  state.met_ready = false;
  state.compared.reset();
  state.since = now;
}

// Rule: R1.2, `replicated`.
void ActingOwner::prepare(Group group, TimePoint now) {
  GroupState& state = at(group);
  state.preparing = true;
  state.since = now;
  state.compared.reset();
  state.said_ready.reset();
  for (const Slot slot : kAllSlots) {
    state.said_ready.set(slot.value,
                         here_.test(slot.value) && peers_[slot.value].said[group.value].ready);
  }
}

// ---- Who acts ----

bool ActingOwner::may_act(Group group) const {
  if ((!at(group).ready && !COPAL_MUTANT(kActsUnready)) || is_leaving_) {
    return false;
  }
  for (const Slot slot : group.order().slots()) {
    if (slot == self_) {
      break;
    }
    const Peer& peer = peers_[slot.value];
    const bool not_ready = here_.test(slot.value) && !peer.said[group.value].ready;
    if (others_.test(slot.value) && !is_dead(peer.state) && !not_ready) {
      return false;
    }
  }
  return true;
}

// A peer that is heard speaks for itself; of another one, whoever hears it speaks.
std::optional<ActingOwner::Seen> ActingOwner::acting_peer(Group group) const {
  std::optional<Seen> seen;
  for (const Slot slot : kAllSlots) {
    const GroupAnnouncement& said = peers_[slot.value].said[group.value];
    if (!here_.test(slot.value) || !said.owner_acts || !others_.test(said.view.slot.value)) {
      continue;
    }
    const bool directly = said.view.slot == slot;
    if (!directly && COPAL_MUTANT(kHeardOwnerReplaced)) {
      continue;
    }
    if ((directly || !here_.test(said.view.slot.value)) && (!seen || said.view > seen->view)) {
      seen = Seen{said.view, directly};
    }
  }
  return seen;
}

bool ActingOwner::precedes(Group group, Slot one, Slot other) {
  for (const Slot slot : group.order().slots()) {
    if (slot == one || slot == other) {
      return slot == one && one != other;
    }
  }
  return false;
}

void ActingOwner::settle_all(TimePoint now, OwnerEvents& events) {
  for (std::size_t i = 0; i < kGroups; ++i) {
    settle(group_at(i), now, events);
  }
}

void ActingOwner::settle(Group group, TimePoint now, OwnerEvents& events) {
  GroupState& state = at(group);
  if (!state.ready && is_compared_enough(state, now)) {
    state.ready = true;
    events.push_back({Kind::kReady, group, state.view, self_});
  }
  if ((state.stage == Stage::kDraining ||
       (state.stage == Stage::kOffered && !COPAL_MUTANT(kHiddenHandOverNotTakenBack))) &&
      now >= state.hand_over_ends) {
    // Two more: the hand-over may have arrived, and its taker act under one more (R1.5).
    start(group, state.view.term + 2, !state.preparing, now, events);
  }
  if (state.stage == Stage::kIdle && may_act(group)) {
    const std::optional<Seen> seen = acting_peer(group);
    if (!seen) {
      start(group, state.view.term + (COPAL_MUTANT(kTermNotRaised) ? 0 : 1), false, now, events);
    } else if (seen->directly && precedes(group, self_, seen->view.slot) &&
               now >= state.ask_after && !COPAL_MUTANT(kPrimaryNeverAsks)) {
      state.ask_after = now + config_.hand_over_timeout;
      events.push_back({Kind::kAskHandOver, group, seen->view, seen->view.slot});
    }
  }
  if (state.stage == Stage::kActing && state.preparing && to_compare(state, now).none()) {
    state.preparing = false;
    events.push_back({Kind::kPrepared, group, state.view, self_});
  }
  if (state.stage == Stage::kActing && is_leaving_) {
    if (const std::optional<Slot> heir = next_heir(group)) {
      begin_hand_over(group, *heir, now, events);
    }
  }
}

bool ActingOwner::reserve(std::uint32_t term, OwnerEvents& events) {
  if (term < terms_.below) {
    return true;
  }
  if (term >= terms_asked_below_) {
    terms_asked_below_ = term + kTermsAhead;
    events.push_back({Kind::kReserveTerms, {}, {terms_asked_below_, self_}, self_});
  }
  return false;
}

void ActingOwner::on_terms_reserved(std::uint32_t below, TimePoint now, OwnerEvents& events) {
  terms_.below = std::max(terms_.below, below);
  settle_all(now, events);
}

// At least as high as asked, and never one of an earlier start. Without a reserved one it cannot
// act, nor resume.
void ActingOwner::start(Group group, std::uint32_t term, bool prepared, TimePoint now,
                        OwnerEvents& events) {
  GroupState& state = at(group);
  term = std::max(term, terms_.first);
  if (!reserve(term, events)) {
    if (state.stage != Stage::kIdle) {
      stop(group, now, events);
    }
    return;
  }
  state.view = {term, self_};
  state.stage = Stage::kActing;
  mark_dead_behind(group, now);
  events.push_back({Kind::kStarted, group, state.view, self_, prepared});
  if (!prepared) {
    prepare(group, now);
  }
}

void ActingOwner::stop(Group group, TimePoint now, OwnerEvents& events) {
  GroupState& state = at(group);
  state.stage = Stage::kIdle;
  events.push_back({Kind::kStopped, group, state.view, state.view.slot});
  if (state.preparing) {
    state.preparing = false;
    lose_readiness(group, now, events);
  }
}

std::optional<Slot> ActingOwner::owner(Group group) const {
  if (at(group).stage != Stage::kIdle) {
    return self_;
  }
  const std::optional<Seen> seen = acting_peer(group);
  return seen ? std::optional(seen->view.slot) : std::nullopt;
}

// ---- Hand-over (R1.5) ----

void ActingOwner::on_hand_over_asked(Group group, Slot by, View view, TimePoint now,
                                     OwnerEvents& events) {
  const GroupState& state = at(group);
  // Who asks is ready as far as it knows; that it is behind it may not know yet.
  const bool is_behind = peers_[by.value].behind_since[group.value] != kNever;
  if (acts(group) && view == state.view && here_.test(by.value) && !is_behind &&
      precedes(group, by, self_)) {
    begin_hand_over(group, by, now, events);
  }
}

std::optional<Slot> ActingOwner::next_heir(Group group) const {
  const std::optional<Slot> last = at(group).heir;
  const SlotSet ready = ready_replicas(group);
  std::optional<Slot> next;
  for (const Slot slot : group.order().slots()) {
    if (ready.test(slot.value) && (!next || next == last)) {
      next = slot;
    }
  }
  return next;
}

void ActingOwner::begin_hand_over(Group group, Slot heir, TimePoint now, OwnerEvents& events) {
  GroupState& state = at(group);
  state.stage = Stage::kDraining;
  state.heir = heir;
  state.hand_over_ends = now + config_.hand_over_timeout;
  events.push_back({Kind::kDrain, group, state.view, heir});
}

void ActingOwner::on_drained(Group group, TimePoint now, OwnerEvents& events) {
  GroupState& state = at(group);
  if (state.stage == Stage::kDraining && now < state.hand_over_ends) {
    state.stage = Stage::kOffered;
    events.push_back(
        {Kind::kHandOver, group, state.view, *state.heir, !state.preparing, behind(group)});
  }
}

void ActingOwner::on_handed_over(Group group, Slot from, View view, bool prepared, SlotSet behind,
                                 TimePoint now, OwnerEvents& events) {
  GroupState& state = at(group);
  if (state.stage != Stage::kIdle || !state.ready || is_leaving_ || view.slot != from ||
      !others_.test(from.value) || view < state.view || view.term >= kTermMax) {
    return;
  }
  for (const Slot slot : kAllSlots) {
    if (behind.test(slot.value) && others_.test(slot.value) && slot != from) {
      on_behind(group, slot, now);
    }
  }
  state.view = view;
  start(group, view.term + 1, prepared, now, events);
  settle(group, now, events);
}

void ActingOwner::on_planned_stop(TimePoint now, OwnerEvents& events) {
  is_leaving_ = true;
  settle_all(now, events);
}

std::size_t ActingOwner::acting_count() const {
  return static_cast<std::size_t>(std::count_if(
      groups_.begin(), groups_.end(), [](const GroupState& g) { return g.stage != Stage::kIdle; }));
}

// ---- What it says ----

SlotSet ActingOwner::behind(Group group) const {
  SlotSet behind;
  for (const Slot slot : kAllSlots) {
    behind[slot.value] = peers_[slot.value].behind_since[group.value] != kNever;
  }
  return behind;
}

SlotSet ActingOwner::say_ready(Group group) const {
  SlotSet ready = here_;
  for (const Slot slot : kAllSlots) {
    ready[slot.value] = ready[slot.value] && peers_[slot.value].said[group.value].ready;
  }
  return ready;
}

SlotSet ActingOwner::ready_replicas(Group group) const {
  return COPAL_MUTANT(kBehindIsReady) ? say_ready(group) : say_ready(group) & ~behind(group);
}

Announcement ActingOwner::announcement(Slot to) const {
  Announcement announcement;
  for (std::size_t i = 0; i < kGroups; ++i) {
    const GroupState& state = groups_[i];
    const Slot named = state.view.slot;
    const GroupAnnouncement& heard = peers_[named.value].said[i];
    announcement[i].view = state.view;
    announcement[i].owner_acts =
        state.stage != Stage::kIdle ||
        (here_.test(named.value) && heard.owner_acts && heard.view == state.view);
    announcement[i].ready = state.ready && !is_leaving_;
    announcement[i].behind = peers_[to.value].behind_since[i] != kNever;
  }
  return announcement;
}

TimePoint ActingOwner::next_deadline(TimePoint now) const {
  TimePoint next = kNever;
  const auto consider = [now, &next](TimePoint at) {
    if (at > now) {
      next = std::min(next, at);
    }
  };
  for (const Peer& peer : peers_) {
    if (peer.slow_since != kNever) {
      consider(peer.slow_since + config_.start_alone_timeout);
    }
  }
  for (const GroupState& state : groups_) {
    if (!state.ready) {
      consider(alone_from_);
    }
    if (state.stage == Stage::kIdle) {
      consider(state.ask_after);
    } else if (state.stage != Stage::kActing) {
      consider(state.hand_over_ends);
    }
  }
  return next;
}

void ActingOwner::check_invariants() const {
  COPAL_ASSERT((here_ & ~others_).none() && !others_.test(self_.value));
  for (const Slot slot : kAllSlots) {
    const Peer& peer = peers_[slot.value];
    COPAL_ASSERT(here_.test(slot.value) ==
                 (others_.test(slot.value) && peer.announced && is_alive(peer.state)));
  }
  for (const GroupState& state : groups_) {
    if (state.stage == Stage::kIdle) {
      COPAL_ASSERT(!state.preparing);
      continue;
    }
    COPAL_ASSERT((state.ready || COPAL_MUTANT(kActsUnready)) && state.view.slot == self_);
    COPAL_ASSERT(state.view.term >= terms_.first && state.view.term < terms_.below);
  }
}

}  // namespace copal
