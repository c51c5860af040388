#include "core/membership/presence.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/mutant.h"

namespace copal {

bool Presence::admits(NodeId from, const ServerHeartbeat& heartbeat) const {
  const Registered* registered = roster_.find(from);
  return registered != nullptr && registered->generation == heartbeat.generation &&
         registered->role == heartbeat.role;
}

bool Presence::on_heartbeat(NodeId from, const ServerHeartbeat& heartbeat,
                            FailureDetector::Heard heard, TimePoint now) {
  const auto [at, is_new] = present_.try_emplace(from);
  const bool news = is_new || at->second.phase != heartbeat.phase;
  if (is_new || heard != FailureDetector::Heard::kAgain) {
    at->second.since = now;
  }
  at->second.phase = heartbeat.phase;
  at->second.list_held = heartbeat.list_held;
  return news;
}

void Presence::on_leave(NodeId node) {
  present_.erase(node);
}

void Presence::remember_sleeping(NodeId node) {
  if (roster_.find(node) != nullptr) {
    present_[node].phase = ServerPhase::kSleeping;
  }
}

bool Presence::sleeps(NodeId node) const {
  const auto at = present_.find(node);
  return at != present_.end() && at->second.phase == ServerPhase::kSleeping;
}

std::vector<NodeId> Presence::sleeping() const {
  std::vector<NodeId> nodes;
  for (const auto& [node, present] : present_) {
    if (present.phase == ServerPhase::kSleeping) {
      nodes.push_back(node);
    }
  }
  return nodes;
}

/// A time in the past if all that may be there are heard, or somebody has been for long enough;
/// kNever if nobody is.
TimePoint Presence::unsure_until(TimePoint now) const {
  TimePoint first = kNever;
  bool is_complete = true;
  for (const Registered& registered : roster_.registered()) {
    const auto at = present_.find(registered.node);
    const bool is_there = at != present_.end();
    const bool is_heard = is_there && is_alive(detector_.state(registered.node, now));
    const bool is_silent = roster_.state(registered.node) == RosterState::kDisabled ||
                           (is_there && at->second.phase == ServerPhase::kSleeping);
    if (is_heard && now - at->second.since >= heard_within_) {
      return TimePoint{};  // mostly the first of all
    }
    first = is_heard ? std::min(first, at->second.since) : first;
    is_complete = is_complete && (is_heard || is_silent);
  }
  if (is_complete || COPAL_MUTANT(kListedUnheard)) {
    return TimePoint{};
  }
  return first == kNever ? kNever : first + heard_within_;
}

ServerPhase Presence::phase(const Registered& registered, TimePoint now) const {
  const auto at = present_.find(registered.node);
  const RosterState ordered = roster_.state(registered.node);
  if (at == present_.end() ||
      (ordered == RosterState::kDisabled && !COPAL_MUTANT(kDisabledIsListed))) {
    return ServerPhase::kAbsent;
  }
  // One that sleeps is silent, and is woken by whoever finds it here.
  if (at->second.phase == ServerPhase::kSleeping) {
    return ServerPhase::kSleeping;
  }
  if (!is_alive(detector_.state(registered.node, now)) && !COPAL_MUTANT(kDeadIsListed)) {
    return ServerPhase::kAbsent;
  }
  const bool drains = ordered == RosterState::kDraining && !COPAL_MUTANT(kDrainingIsReady);
  return drains ? ServerPhase::kDraining : at->second.phase;
}

std::vector<ListedServer> Presence::make(TimePoint now) const {
  std::vector<ListedServer> list;
  list.reserve(roster_.registered().size());
  for (const Registered& registered : roster_.registered()) {
    list.push_back({registered.node, registered.generation, registered.role, phase(registered, now),
                    registered.weight});
  }
  return list;
}

void Presence::update(TimePoint now, std::uint64_t clock, Effects& effects) {
  if (now < next_update_) {
    due_ = next_update_;
    return;
  }
  due_ = unsure_until(now);
  if (now < due_) {
    return;
  }
  due_ = kNever;
  std::vector<ListedServer> list = make(now);
  if (list != list_ || number_ == 0) {
    list_ = std::move(list);
    balancers_.clear();
    std::ranges::copy_if(list_, std::back_inserter(balancers_), [](const ListedServer& listed) {
      return listed.role == NodeRole::kBalancer;
    });
    number_ = std::max(clock, number_ + 1);
    next_update_ = now + kUpdateInterval;
  }
  for (auto& [node, present] : present_) {
    const bool pushed_lately =
        present.pushed_number == number_ && now - present.pushed < kPushAgain;
    if (present.list_held != number_ && !pushed_lately && !COPAL_MUTANT(kListNotPushed) &&
        is_alive(detector_.state(node, now))) {
      present.pushed = now;
      present.pushed_number = number_;
      push(node, effects);
    }
  }
}

void Presence::push(NodeId to, Effects& effects) const {
  const Registered* registered = roster_.find(to);
  const bool is_balancer = registered != nullptr && registered->role == NodeRole::kBalancer;
  const std::vector<ListedServer>& list = is_balancer ? list_ : balancers_;
  const std::size_t parts = std::max<std::size_t>(
      1, (list.size() + ServerList::kServersMax - 1) / ServerList::kServersMax);
  for (std::size_t part = 0; part < parts; ++part) {
    ServerList message{.number = number_,
                       .part = static_cast<std::uint16_t>(part),
                       .parts = static_cast<std::uint16_t>(parts)};
    const std::size_t first = part * ServerList::kServersMax;
    const std::size_t last = std::min(list.size(), first + ServerList::kServersMax);
    message.servers.assign(list.begin() + static_cast<std::ptrdiff_t>(first),
                           list.begin() + static_cast<std::ptrdiff_t>(last));
    effects.push_back(Send{to, std::move(message)});
  }
}

std::vector<NodeId> Presence::alive(TimePoint now) const {
  std::vector<NodeId> nodes;
  for (const auto& [node, present] : present_) {
    if (is_alive(detector_.state(node, now))) {
      nodes.push_back(node);
    }
  }
  return nodes;
}

}  // namespace copal
