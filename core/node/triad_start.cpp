// TriadServer: its start, in the order in which it happens, and what is reserved ahead later.

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/mutant.h"
#include "core/node/triad_server.h"

namespace copal {

namespace {

/// The hybrid clock's readings are reserved on the disk so far ahead; half of it is left when the
/// next ones are. A restart may find the clock as much ahead of time: it orders and times out
/// nothing.
constexpr std::uint64_t kClockAheadNs = 10'000'000'000;

SlotSet filled_slots(const std::array<NodeId, kSlots>& members) {
  SlotSet filled;
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    filled.set(slot, members[slot] != kNoNode);
  }
  return filled;
}

/// What earlier starts may have acted under, if each took its first terms only: of some of them the
/// disk may have lost the record, and the peers know their number, but not each term.
/// Returns 0 for a number that no honest peer tells.
std::uint32_t terms_before(Incarnation incarnation) {
  constexpr std::uint32_t kFirst = TriadServer::kFirstTerms;
  return incarnation < TriadServer::kStartsMax
             ? static_cast<std::uint32_t>(incarnation.value * kFirst)
             : 0;
}

}  // namespace

TriadServer::TriadServer(const TriadServerConfig& config)
    : config_(config), filled_(filled_slots(config.members)), store_(config.store, replica_) {
  COPAL_ASSERT(config_.members[config_.slot.value] == config_.self && config_.caches != nullptr);
}

TriadServer::Running::Running(const TriadServerConfig& config, const SelfRecord& self,
                              Replica& replica, ReplicaStore& store, Now now)
    : clock(now, self.clock_reserved - kClockAheadNs),
      detector(config.detector, now),
      ownership(config.ownership, config.slot, filled_slots(config.members),
                {self.terms_below - kFirstTerms, self.terms_below}, now.mono),
      horizon(config.horizon, config.slot, filled_slots(config.members)),
      set_aside(replica),
      catch_up(config.catch_up, self.incarnation, config.members, replica, clock, set_aside),
      compare_answer(replica, clock, set_aside),
      fetch(replica, store),
      replication(config.replication, self.incarnation, replica),
      feed(config.caches->has_synced(), replica, fetch),
      owner({.incarnation = self.incarnation,
             .members = config.members,
             .values_size_max_bytes = config.values_size_max_bytes,
             .entries_max = config.entries_max},
            OwnerId(config.pod, config.slot, self.generation), *config.caches, replica, replication,
            clock, fetch, store),
      left(config.left_values_max_bytes, replica),
      upkeep(config.upkeep, replica, clock, horizon),
      roster(config.registered),
      presence(roster, detector, config.detector.suspect_after) {
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    const NodeId member = config.members[slot];
    if (member == kNoNode || member == config.self) {
      continue;
    }
    detector.add(member, now.mono);
    const PeerStart& known = self.peers[slot];
    if (known.incarnation.value > 0) {
      detector.remember(member, known.incarnation, known.began);
    }
  }
  for (auto& group : compared_at) {
    group.fill(now.mono);
  }
  clock.set_reserved(self.clock_reserved);
  replica.set_self(OwnerId(config.pod, config.slot, self.generation));
}

// ---- storage

void TriadServer::on_storage(const StorageCompletion& completion, Now now, Effects& effects) {
  const StoreNews news = store_.on_completion(completion, now, effects);
  if (news.failed) {
    effects.push_back(StopProcess{.failed = true});
    failed_ = true;
    return;
  }
  if (std::holds_alternative<WriteFailed>(completion) && running_ != nullptr) {
    running_->feed.on_not_written();
  }
  if (news.loaded) {
    on_loaded(now, effects);
  }
  if (news.self_synced) {
    on_self_synced(now, effects);
  }
  if (news.value && running_ != nullptr) {
    running_->fetch.on_read(*news.value, now.mono, effects);
    on_bytes(news.value->hash, now, effects);
  }
}

/// Everything of earlier starts is above what this one uses: terms, clock, incarnation.
void TriadServer::on_loaded(Now now, Effects& effects) {
  const SelfRecord found = store_.found_self().value_or(SelfRecord{});
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    // Another machine in a slot has another past.
    const NodeId member = config_.members[slot];
    self_.peers[slot] = found.peers[slot].node == member ? found.peers[slot] : PeerStart{member};
  }
  const bool repeats = COPAL_MUTANT(kIncarnationRepeated) && found.incarnation.value > 0;
  begin_again(std::max(found.generation, config_.generation),
              Incarnation{found.incarnation.value + (repeats ? 0 : 1)}, now, effects);
}

void TriadServer::begin_again(std::uint32_t generation, Incarnation incarnation, Now now,
                              Effects& effects) {
  const SelfRecord found = store_.found_self().value_or(SelfRecord{});
  const std::uint64_t reserved = std::max(found.clock_reserved, self_.clock_reserved);
  std::uint64_t clock = HybridClock(now, reserved).reading(now.mono);
  // Above everything that is here, too, whatever the clocks say.
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    clock = std::max(clock, replica_.horizon(Group{i}).counter);
    for (const Replica::Cleared& cleared : replica_.cleared(Group{i})) {
      clock = std::max(clock, cleared.version.counter);
    }
  }
  clock = std::max(clock, replica_.newest_counter() + 1);
  if (COPAL_MUTANT(kReservedNotHeeded)) {
    clock = HybridClock(now, 0).reading(now.mono);
  }
  running_.reset();
  unwritten_.clear();
  const std::uint32_t terms_used =
      std::max({found.terms_below, self_.terms_below, terms_before(incarnation)});
  self_ = {.generation = generation,
           .incarnation = incarnation,
           .terms_below = terms_used + kFirstTerms,
           .clock_reserved = clock + kClockAheadNs,
           .peers = self_.peers};
  starting_ = true;
  store_.write_self(self_, effects);
}

void TriadServer::on_self_synced(Now now, Effects& effects) {
  if (starting_) {
    starting_ = false;
    running_ = std::make_unique<Running>(config_, self_, replica_, store_, now);
    for (const RosterOrder& order : store_.roster().orders) {
      running_->clock.observe(order.version.counter, now.mono);  // a new order must be above it
      running_->roster.take(order);
    }
    for (const NodeId node : store_.roster().sleeping) {
      running_->presence.remember_sleeping(node);
    }
    OwnerEvents events;
    if (stop_by_ != kNever) {
      running_->ownership.on_planned_stop(now.mono, events);
    }
    running_->ownership.on_time(now.mono, events);
    perform(events, now, effects);
    refresh_duties(effects);
    return;
  }
  if (running_ != nullptr) {
    running_->clock.set_reserved(self_.clock_reserved);
    OwnerEvents events;
    running_->ownership.on_terms_reserved(self_.terms_below, now.mono, events);
    perform(events, now, effects);
    refresh_duties(effects);
  }
}

/// Versions may only be issued below what is reserved, so the next readings are in good time.
void TriadServer::reserve_clock(Now now, Effects& effects) {
  const std::uint64_t reading = running_->clock.reading(now.mono);
  if (reading + kClockAheadNs / 2 > self_.clock_reserved) {
    self_.clock_reserved = reading + kClockAheadNs;
    store_.write_self(self_, effects);
  }
}

/// Whether somebody has heard a start of this member that is not this one, and not before it: its
/// record is lost.
bool TriadServer::knows_another_start(const Beat& beat) const {
  return beat.known > self_.incarnation ||
         (beat.known == self_.incarnation && beat.known_began != running_->detector.began() &&
          !COPAL_MUTANT(kIncarnationRepeated));
}

/// A peer remembers more of this member than its disk did: an incarnation that is not below, a
/// generation above, or batches that were synced and are gone. Then this start does not count.
/// Rule: R5.4, R5.5, R0.3.
bool TriadServer::must_begin_again(const MemberHeartbeat& heartbeat, Now now, Effects& effects) {
  if (heartbeat.beat.known < self_.incarnation) {
    // What it knows is of an earlier start.
    // Of what this process says only what it has synced counts, once it is another generation.
    const std::uint64_t stored = began_again_ ? store_.synced() : store_.opened_with();
    const bool lost =
        heartbeat.generation_known > self_.generation ||
        (heartbeat.generation_known == self_.generation && heartbeat.stored_known > stored);
    if (!lost) {
      return false;
    }
    began_again_ = true;
    begin_again(std::max(heartbeat.generation_known, self_.generation) + 1,
                Incarnation{self_.incarnation.value + 1}, now, effects);
    return true;
  }
  // An earlier start had this number, too, if its record is lost: another one by its clock, or the
  // peer knows more of it than this one has said.
  const bool mine =
      !knows_another_start(heartbeat.beat) && heartbeat.stored_known <= store_.synced();
  if (mine || heartbeat.beat.known >= kStartsMax) {
    return false;
  }
  // Somebody of this name was heard under this or a higher number, and it was not this start.
  const bool lost = heartbeat.generation_known > 0;
  began_again_ = began_again_ || lost;
  begin_again(std::max(heartbeat.generation_known, self_.generation) + (lost ? 1 : 0),
              Incarnation{heartbeat.beat.known.value + 1}, now, effects);
  return true;
}

}  // namespace copal
