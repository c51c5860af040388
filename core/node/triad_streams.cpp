// TriadServer: streams of changes to the other members, and when changes count as replicated.

#include "core/base/mutant.h"
#include "core/node/triad_server.h"

namespace copal {

/// A stream to each member that is heard; one that is too slow is behind, and begins anew with what
/// comes next: the comparison finds the rest. Rule: R1.8.
void TriadServer::refresh_streams(Now now, Effects&) {
  Running& r = *running_;
  for (const Slot slot : kAllSlots) {
    const NodeId member = config_.members[slot.value];
    if (slot == config_.slot || member == kNoNode) {
      continue;
    }
    const bool here = r.ownership.reachable().test(slot.value);
    if (!here && is_dead(r.detector.state(member, now.mono))) {
      r.replication.stop(member);
      r.catch_up.forget(slot);  // it would hold up what a new owner has to compare with others
    } else if (here && (!r.replication.has_stream(member) || r.replication.is_behind(member))) {
      // One that restarted and thinks that it is not heard is ready without a comparison (R1.1).
      for (std::uint8_t i = 0; i < kGroups; ++i) {
        if (r.ownership.owner(Group{i}) == config_.slot) {
          r.ownership.on_behind(Group{i}, slot, now.mono);
        }
      }
      times_behind_ += r.replication.is_behind(member) ? 1 : 0;
      r.replication.start(member);
      r.stream_began[slot.value] = now.mono;
      r.uncompared[slot.value] = r.acted_for;
    }
  }
}

void TriadServer::finish_drains(Now now, Effects& effects) {
  Running& r = *running_;
  const std::vector<Drain> drains = r.drains;
  for (const Drain& drain : drains) {
    const NodeId heir = config_.members[drain.heir.value];
    // A stream that has begun anew meanwhile says nothing of what came before.
    const bool is_same_stream = r.stream_began[drain.heir.value] == drain.stream_began;
    const bool has_all = r.owner.is_idle(drain.group) && is_same_stream &&
                         r.replication.acked(heir) >= drain.position;
    if (has_all || COPAL_MUTANT(kHandOverEarly)) {
      std::erase_if(r.drains, [&](const Drain& one) { return one.group == drain.group; });
      OwnerEvents events;
      r.ownership.on_drained(drain.group, now.mono, events);
      perform(events, now, effects);
    }
  }
}

// ---- what is replicated

/// What a member's stream says nothing of and its readiness doesn't either, for this member acts
/// for it no more.
GroupSet TriadServer::to_compare(Slot peer) const {
  GroupSet groups = running_->uncompared[peer.value];
  for (std::uint8_t i = 0; i < kGroups && groups.any(); ++i) {
    groups.set(i, groups.test(i) && !running_->ownership.acts(Group{i}));
  }
  return groups;
}

/// Whether all that this member has acted for is compared with those of these that are ready for
/// it; else no change counts as replicated. Who is not ready for it compares it before it can take
/// it over; only where none is, it may be that nobody else has it.
bool TriadServer::are_compared(const std::vector<NodeId>& members) const {
  std::array<GroupSet, kSlots> lacking;
  GroupSet any;
  SlotSet slots;
  for (const NodeId member : members) {
    const Slot slot = *slot_of(member);
    slots.set(slot.value);
    lacking[slot.value] = to_compare(slot);
    any |= lacking[slot.value];
  }
  for (std::uint8_t i = 0; i < kGroups && any.any(); ++i) {
    const SlotSet ready = slots & running_->ownership.say_ready(Group{i});
    for (const Slot slot : kAllSlots) {
      if (lacking[slot.value].test(i) && (ready.none() || ready.test(slot.value))) {
        return false;
      }
    }
  }
  return true;
}

/// Members with a stream of changes that are ready for any group that this one acts for, so that
/// they may take it over and must have its changes; and whether one is ready for all. What it acted
/// for earlier is compared: are_compared(). Rule: R1.7.
TriadServer::ReadyMembers TriadServer::ready_members() const {
  const Running& r = *running_;
  SlotSet for_some;
  SlotSet for_all = SlotSet(0b111);
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    if (r.ownership.acts(Group{i})) {
      const SlotSet ready = r.ownership.ready_replicas(Group{i});
      for_some |= ready;
      for_all &= ready;
    }
  }
  ReadyMembers members;
  for (const NodeId member : r.replication.streams()) {
    const std::uint8_t slot = slot_of(member)->value;
    members.is_alone = members.is_alone && !for_all.test(slot);
    if (for_all.test(slot) || for_some.test(slot)) {
      members.nodes.push_back(member);
    }
  }
  return members;
}

}  // namespace copal
