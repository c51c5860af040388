#include "core/membership/triad_link.h"

#include <algorithm>
#include <utility>

#include "core/base/mutant.h"

namespace copal {

namespace {

/// As fine as the clock is: a process that dies at once may start again within a millisecond.
Incarnation first_incarnation(WallTime wall) {
  const std::int64_t time = wall.time_since_epoch().count();
  return Incarnation{static_cast<std::uint64_t>(std::max<std::int64_t>(time, 1))};
}

/// What a balancer makes of it if members say different things: who calls it able to serve wins.
int rank(ServerPhase phase) {
  switch (phase) {
    case ServerPhase::kReady:
      return 4;
    case ServerPhase::kDraining:
      return 3;
    case ServerPhase::kStarting:
      return 2;
    case ServerPhase::kSleeping:
      return 1;
    case ServerPhase::kAbsent:
      return 0;
  }
  return 0;
}

}  // namespace

TriadLink::TriadLink(const TriadLinkConfig& config, Now now)
    : config_(config), detector_(config.detector, now), incarnation_(first_incarnation(now.wall)) {
  for (const NodeId member : config_.members) {
    if (member != kNoNode) {
      detector_.add(member, now.mono);
    }
  }
  unheard_since_.fill(now.mono);
}

std::optional<Slot> TriadLink::slot_of(NodeId node) const {
  for (const Slot slot : kAllSlots) {
    if (node != kNoNode && member(slot) == node) {
      return slot;
    }
  }
  return std::nullopt;
}

bool TriadLink::is_heard(Slot slot, TimePoint now) const {
  return member(slot) != kNoNode && is_alive(detector_.state(member(slot), now));
}

bool TriadLink::hears_any(TimePoint now) const {
  return std::ranges::any_of(kAllSlots, [&](Slot slot) { return is_heard(slot, now); });
}

// ---- heartbeats

TriadLink::News TriadLink::on_heartbeat(NodeId from, const MemberHeartbeat& heartbeat, Now now) {
  News news;
  const std::optional<Slot> slot = slot_of(from);
  if (!slot) {
    return news;
  }
  if (heartbeat.beat.known > incarnation_) {
    incarnation_ = Incarnation{heartbeat.beat.known.value + 1};
    news.restarted = true;
    hasten();
  }
  notice_silence(*slot, now.mono, news);
  const auto heard = detector_.on_heartbeat(
      from, heartbeat.beat.incarnation,
      {heartbeat.beat.sequence, heartbeat.beat.echo, heartbeat.beat.began}, now.mono);
  if (heard == FailureDetector::Heard::kStale) {
    return news;
  }
  news.owners_changed = std::exchange(is_heeded_, false) || news.owners_changed;
  Says& says = says_[slot->value];
  if (says.incarnation != heartbeat.beat.incarnation) {
    news.events_lost = news.events_lost || says.announced;
    news.owners_changed = true;
    unheard_since_[slot->value] = now.mono;
    // Its first list may have overtaken its first heartbeat; an older one is of a moment ago.
    says = Says{.incarnation = heartbeat.beat.incarnation,
                .has_list = says.has_list,
                .list = std::move(says.list)};
  }
  says.replicated_up_to = heartbeat.replicated_up_to;
  news.events_lost = news.events_lost || heartbeat.events_refused > says.events_refused;
  says.events_refused = heartbeat.events_refused;
  says.alone = heartbeat.alone;
  if (heartbeat.announcement.size() == kGroups) {
    says.announced = true;
    for (std::size_t i = 0; i < kGroups; ++i) {
      const GroupAnnouncement& said = heartbeat.announcement[i];
      news.owners_changed = news.owners_changed || said.view > views_[i] ||
                            said.owner_acts != says.announcement[i].owner_acts;
      views_[i] = std::max(views_[i], said.view);
      says.announcement[i] = said;
    }
  }
  std::optional<TimePoint>& unheard = unheard_since_[slot->value];
  if (unheard && now.mono - detector_.contact_age(from, now.mono) > *unheard) {
    unheard.reset();
    news.events_lost = true;
  }
  news.heartbeat_from = slot;
  news.list_changed = !std::exchange(was_heard_[slot->value], true) && merge_lists(now.mono);
  return news;
}

TriadLink::News TriadLink::on_link_down(NodeId peer, TimePoint now) {
  detector_.on_link_down(peer);
  const std::optional<Slot> slot = slot_of(peer);
  if (!slot || COPAL_MUTANT(kHiddenBrokenLinkUntold)) {
    return {};
  }
  unheard_since_[slot->value] = now;
  return {.events_lost = true};
}

void TriadLink::listens_anew(TimePoint now) {
  unheard_since_.fill(now);
  hasten();
}

TriadLink::News TriadLink::on_time(ServerPhase phase, const std::vector<CacheId>& listens, Now now,
                                   Effects& effects) {
  News news;
  detector_.on_step(now.mono);
  if (now.mono < next_heartbeat_) {
    return news;
  }
  next_heartbeat_ = now.mono + config_.heartbeat_interval;
  for (const Slot slot : kAllSlots) {
    if (member(slot) == kNoNode) {
      continue;
    }
    effects.push_back(Send{member(slot), heartbeat_to(slot, phase, listens, now.mono)});
    notice_silence(slot, now.mono, news);
  }
  news.list_changed = news.events_lost && merge_lists(now.mono);
  return news;
}

/// Before anything that a member says is heeded, too: what it says after a silence is not of
/// before.
void TriadLink::notice_silence(Slot slot, TimePoint now, News& news) {
  if (!was_heard_[slot.value] || is_heard(slot, now)) {
    return;
  }
  news.events_lost = true;
  news.owners_changed = true;
  was_heard_[slot.value] = false;
  unheard_since_[slot.value] = now;
  says_[slot.value].has_list = false;  // much may be otherwise when it is heard again
  says_[slot.value].list_number = 0;
}

ServerHeartbeat TriadLink::heartbeat_to(Slot slot, ServerPhase phase,
                                        const std::vector<CacheId>& listens, TimePoint now) {
  const auto numbers = detector_.next_heartbeat(member(slot), now);
  return {.beat = {.incarnation = incarnation_,
                   .began = numbers.began,
                   .known = detector_.incarnation(member(slot)),
                   .known_began = detector_.began(member(slot)),
                   .sequence = numbers.sequence,
                   .echo = numbers.echo},
          .generation = config_.generation,
          .role = config_.role,
          .phase = phase,
          .list_held = says_[slot.value].list_number,
          .listens = listens};
}

void TriadLink::leave(Now now, Effects& effects) {
  for (const Slot slot : kAllSlots) {
    if (member(slot) != kNoNode) {
      ServerHeartbeat last = heartbeat_to(slot, ServerPhase::kDraining, {}, now.mono);
      last.leaving = true;
      effects.push_back(Send{member(slot), std::move(last)});
    }
  }
}

// ---- who acts

void TriadLink::heed(Group group, const View& view) {
  is_heeded_ = is_heeded_ || view > views_[group.value];
  views_[group.value] = std::max(views_[group.value], view);
}

bool TriadLink::acts(Slot slot, Group group, TimePoint now) const {
  const GroupAnnouncement& said = says_[slot.value].announcement[group.value];
  return is_heard(slot, now) && says_[slot.value].announced && said.owner_acts &&
         said.view.slot == slot;
}

Slot TriadLink::in_charge(Group group, TimePoint now) const {
  const Slot highest = view(group).slot;
  if (!is_heard(highest, now)) {
    for (const Slot slot : kAllSlots) {
      if (acts(slot, group, now)) {
        return slot;
      }
    }
  }
  return highest;
}

NodeId TriadLink::ask(Group group, Slot avoid, TimePoint now) const {
  const View& highest = view(group);
  if (highest.term > 0 && highest.slot != avoid && is_heard(highest.slot, now)) {
    const GroupAnnouncement& said = says_[highest.slot.value].announcement[group.value];
    // It said so, or an answer did and it has not said otherwise since.
    if (said.view < highest || said.owner_acts) {
      return member(highest.slot);
    }
  }
  std::optional<Slot> acting;
  std::optional<Slot> relay;
  std::optional<Slot> heard;
  std::optional<Slot> any;
  for (const Slot slot : group.order().slots()) {
    if (member(slot) == kNoNode || slot == avoid) {
      continue;
    }
    const GroupAnnouncement& said = says_[slot.value].announcement[group.value];
    if (!acting && acts(slot, group, now)) {
      acting = slot;
    }
    if (!relay && is_heard(slot, now) && said.owner_acts) {
      relay = slot;
    }
    if (!heard && is_heard(slot, now)) {
      heard = slot;
    }
    if (!any) {
      any = slot;
    }
  }
  for (const std::optional<Slot>& choice : {acting, relay, heard}) {
    if (choice) {
      return member(*choice);
    }
  }
  // Rather one that is there: what another does with the question may never be known.
  if (avoid.value < kSlots && (is_heard(avoid, now) || !any)) {
    return member(avoid);
  }
  return any ? member(*any) : kNoNode;
}

// ---- the list of servers

TriadLink::News TriadLink::on_list(NodeId from, const ServerList& part, Now now) {
  const std::optional<Slot> slot = slot_of(from);
  if (!slot || part.parts == 0) {
    return {};
  }
  News news;
  notice_silence(*slot, now.mono, news);
  Says& says = says_[slot->value];
  if (part.part == 0) {
    says.coming_number = part.number;
    says.coming_next = 0;
    says.coming.clear();
  }
  if (part.number != says.coming_number || part.part != says.coming_next) {
    return news;  // parts of a lost one: it comes again
  }
  ++says.coming_next;
  says.coming.insert(says.coming.end(), part.servers.begin(), part.servers.end());
  if (says.coming_next < part.parts || part.number <= says.list_number) {
    return news;
  }
  says.has_list = true;
  says.list_number = part.number;
  says.list = std::exchange(says.coming, {});
  news.list_changed = merge_lists(now.mono);
  return news;
}

/// Returns whether it is another one than before.
bool TriadLink::merge_lists(TimePoint now) {
  if (!hears_any(now) && COPAL_MUTANT(kListForgotten)) {
    return !std::exchange(list_, {}).empty();
  }
  const auto says = [&](Slot slot) { return is_heard(slot, now) && says_[slot.value].has_list; };
  if (std::ranges::none_of(kAllSlots, says)) {
    return false;  // the last one stays
  }
  std::vector<ListedServer> merged;
  for (const Slot slot : kAllSlots) {
    if (!says(slot) || says_[slot.value].list == merged) {
      continue;
    }
    // All lists are in the triad's order: what is new stands behind what is before it there.
    std::size_t place = 0;
    for (const ListedServer& listed : says_[slot.value].list) {
      const auto at = std::ranges::find(merged, listed.node, &ListedServer::node);
      if (at == merged.end()) {
        merged.insert(merged.begin() + static_cast<std::ptrdiff_t>(place), listed);
        ++place;
        continue;
      }
      if (rank(listed.phase) > rank(at->phase)) {
        *at = listed;
      }
      place = static_cast<std::size_t>(at - merged.begin()) + 1;
    }
    if (COPAL_MUTANT(kListsNotUnited)) {
      break;
    }
  }
  if (merged == list_) {
    return false;
  }
  list_ = std::move(merged);
  return true;
}

}  // namespace copal
