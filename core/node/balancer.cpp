#include "core/node/balancer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/overloaded.h"
#include "core/elastic/wake_on_load.h"

namespace copal {

using balance::Health;
using balance::HealthState;

Balancer::Balancer(const BalancerConfig& config, Random& random,
                   std::unique_ptr<balance::Policy> policy)
    : config_(config),
      random_(random),
      policy_given_(policy != nullptr),
      policy_(policy ? std::move(policy) : balance::make_policy(config.policy)),
      budget_(config.retry_budget_ratio, config.retry_budget_per_s) {
  COPAL_ASSERT(config.attempts_max >= 1 && config.attempts_max <= kAttemptsMax);
}

void Balancer::step(const Input& input, Now now, Effects& effects) {
  if (!link_) {
    link_.emplace(config_.triad, now);
  }
  std::visit(
      Overloaded{
          [&](const MessageReceived& received) {
            // Kinds that only balancers send are a confused peer's: not believed.
            std::visit(
                Overloaded{
                    [&](const Answer& message) { on_answer(received.from, message, now, effects); },
                    [&](const LoadReport& message) {
                      on_load_report(received.from, message, now, effects);
                    },
                    [&](const ProbeAnswer& message) {
                      on_probe_answer(received.from, message, now);
                    },
                    [&](const MemberHeartbeat& heartbeat) {
                      on_link_news(link_->on_heartbeat(received.from, heartbeat, now), now,
                                   effects);
                    },
                    [&](const ServerList& list) {
                      on_link_news(link_->on_list(received.from, list, now), now, effects);
                    },
                    [](const ServerHeartbeat&) {}, [](const Request&) {}, [](const Cancel&) {},
                    [](const Probe&) {}, [](const CacheQuestion auto&) {},
                    [](const CacheReply auto&) {}, [](const TriadMessage auto&) {}},
                received.message);
          },
          [&](const LinkDown& down) { on_link_down(down.peer, now, effects); },
          [&](const Wake&) { on_wake(now, effects); },
          [&](const ClientRequest& request) { on_client_request(request, now, effects); },
          [&](const StopOrder&) { effects.push_back(StopProcess{}); }, [](const WorkEnded&) {},
          [](const SendRefused&) {}, [](const CpuReading&) {}, [](const ApplicationReady&) {},
          [](const DrainOrder&) {}, [](const CallInput auto&) {}, [](const TriadInput auto&) {}},
      input);
  on_link_news(link_->on_time(ServerPhase::kReady, {}, now, effects), now, effects);
}

TimePoint Balancer::next_deadline() const {
  const TimePoint link = link_ ? link_->next_deadline() : TimePoint{};
  return std::min({pending_.next_deadline(), next_health_change_, link});
}

// ---- the list of servers

void Balancer::on_link_news(const TriadLink::News& news, Now now, Effects& effects) {
  if (!news.list_changed) {
    return;
  }
  std::vector<ListedServer> servers;
  std::ranges::copy_if(link_->list(), std::back_inserter(servers), [](const ListedServer& listed) {
    return listed.role == NodeRole::kDynamic;
  });
  const bool same = std::ranges::equal(servers, servers_, [](const auto& listed, const auto& view) {
    return listed.node == view.node;
  });
  if (!same) {
    on_new_servers(servers, now, effects);
  }
  bool weights_changed = !same;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    listed_[i] = servers[i].phase;
    weights_changed = weights_changed || servers_[i].weight != servers[i].weight.value;
    servers_[i].weight = servers[i].weight.value;
  }
  refresh_all(now);
  if (weights_changed) {
    policy_->on_servers(servers_, now);
  }
}

/// The roster has changed, or this is the first list: a new table in its order, with what is known
/// of those that stay. Requests at one that is gone end as if its connection had broken.
void Balancer::on_new_servers(const std::vector<ListedServer>& listed, Now now, Effects& effects) {
  COPAL_ASSERT(listed.size() <= balance::kServersMax);
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const bool stays = std::ranges::any_of(
        listed, [&](const ListedServer& one) { return one.node == servers_[i].node; });
    if (!stays) {
      listed_[i] = ServerPhase::kAbsent;
      on_link_down(servers_[i].node, now, effects);
    }
  }
  const auto old_servers = std::exchange(servers_, {});
  const auto old_healths = std::exchange(healths_, {});
  const auto old_first_at = std::exchange(first_at_, {});
  std::vector<std::size_t> moved_to(old_servers.size(), 0);
  index_of_.clear();
  for (const ListedServer& one : listed) {
    const auto old = std::ranges::find(old_servers, one.node, &balance::ServerView::node);
    const auto place = static_cast<std::size_t>(old - old_servers.begin());
    const bool known = old != old_servers.end();
    if (known) {
      moved_to[place] = servers_.size();
    }
    servers_.push_back(known ? *old : balance::ServerView{.node = one.node});
    first_at_.push_back(known ? old_first_at[place] : kNoRequest);
    healths_.push_back(known ? old_healths[place] : Health(config_.health));
    if (!known) {
      healths_.back().on_listed(one.phase, now);
    }
    index_of_[one.node.value] = static_cast<std::uint32_t>(servers_.size() - 1);
  }
  listed_.assign(servers_.size(), ServerPhase::kAbsent);
  asleep_.assign(servers_.size(), false);
  asleep_count_ = 0;
  resort_from_ = 0;
  for (const std::uint64_t id : pending_.ids()) {
    Pending& pending = *pending_.find(id);
    for (std::size_t i = 0; i < pending.tried_count; ++i) {
      pending.tried[i] = moved_to[pending.tried[i]];
    }
  }
  start_policy(now);
}

/// The table's indices are others: the policy begins anew, and is told what is under way.
void Balancer::start_policy(Now now) {
  if (policy_used_ && !policy_given_) {
    policy_ = balance::make_policy(config_.policy);
  }
  policy_used_ = true;
  policy_->on_servers(servers_, now);
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    for (std::uint32_t k = 0; k < servers_[i].active; ++k) {
      policy_->on_start(i, servers_, now);
    }
  }
}

bool Balancer::takes_new(std::size_t index) const {
  return listed_[index] == ServerPhase::kReady && healths_[index].takes_new();
}

bool Balancer::takes_sticky(std::size_t index) const {
  return (listed_[index] == ServerPhase::kReady || listed_[index] == ServerPhase::kDraining) &&
         healths_[index].takes_sticky();
}

void Balancer::on_client_request(const ClientRequest& request, Now now, Effects& effects) {
  budget_.on_request(now);
  const std::uint64_t id =
      pending_.insert(Pending{.client = request}, now.mono + config_.request_timeout);
  const auto index = place(request, {}, now);
  if (!index) {
    answer(id, ClientStatus::kRejected, effects);
  } else {
    send(id, *index, now, effects);
    probe(now, effects);
  }
  if (asleep_count_ > 0) {
    wake_a_server(now, effects);
  }
}

void Balancer::on_answer(NodeId from, const Answer& message, Now now, Effects& effects) {
  const auto index = index_of(from);
  if (!index) {
    return;
  }
  servers_[*index].reported = message.load;
  servers_[*index].reported_at = now.mono;
  policy_->on_report(*index, balance::ReportKind::kAnswer, servers_, now);
  Pending* pending = pending_.find(message.id.value);
  if (pending == nullptr || pending->tried[pending->tried_count - 1] != *index) {
    return;  // given up on, or already sent elsewhere
  }
  const TimePoint sent_at = pending->sent_at;
  const HealthState before = healths_[*index].state();
  switch (message.status) {
    case AnswerStatus::kDone:
      healths_[*index].on_success(sent_at);
      take_off(message.id.value, true, now);
      answer(message.id.value, ClientStatus::kDone, effects);
      break;
    case AnswerStatus::kFailed:
      healths_[*index].on_error(sent_at, now);
      take_off(message.id.value, false, now);
      answer(message.id.value, ClientStatus::kFailed, effects);
      break;
    case AnswerStatus::kBusy:
      healths_[*index].on_busy(now);
      take_off(message.id.value, false, now);
      refresh(*index, now);
      retry_or_answer(message.id.value, true, ClientStatus::kRejected, now, effects);
      break;
  }
  if (healths_[*index].state() != before) {
    refresh(*index, now);
  }
}

void Balancer::on_load_report(NodeId from, const LoadReport& report, Now now, Effects&) {
  const auto index = index_of(from);
  if (!index) {
    return;
  }
  servers_[*index].reported = report.load;
  servers_[*index].reported_at = now.mono;
  healths_[*index].on_report(report.phase, report.incarnation, now);
  refresh(*index, now);
  policy_->on_report(*index, balance::ReportKind::kPeriodic, servers_, now);
}

void Balancer::on_probe_answer(NodeId from, const ProbeAnswer& message, Now now) {
  const auto index = index_of(from);
  if (!index) {
    return;
  }
  servers_[*index].reported = message.load;
  servers_[*index].reported_at = now.mono;
  policy_->on_report(*index, balance::ReportKind::kProbe, servers_, now);
}

void Balancer::on_link_down(NodeId peer, Now now, Effects& effects) {
  on_link_news(link_->on_link_down(peer, now.mono), now, effects);
  const auto index = index_of(peer);
  if (!index) {
    return;
  }
  healths_[*index].on_link_down(now);
  refresh(*index, now);
  while (first_at_[*index] != kNoRequest) {
    const std::uint64_t id = first_at_[*index];
    const bool repeatable = pending_.find(id)->client.repeatable;
    take_off(id, false, now);
    retry_or_answer(id, repeatable, ClientStatus::kLost, now, effects);
  }
}

void Balancer::on_wake(Now now, Effects& effects) {
  while (pending_.next_deadline() <= now.mono) {
    const std::uint64_t id = pending_.oldest();
    const Pending& pending = *pending_.find(id);
    const std::size_t index = pending.tried[pending.tried_count - 1];
    const HealthState before = healths_[index].state();
    healths_[index].on_error(pending.sent_at, now);
    effects.push_back(Send{servers_[index].node, Cancel{RequestId{id}}});
    take_off(id, false, now);
    answer(id, ClientStatus::kTimedOut, effects);
    if (healths_[index].state() != before) {
      refresh(index, now);
    }
  }
  if (now.mono >= next_health_change_) {
    refresh_all(now);
  }
}

std::optional<std::size_t> Balancer::place(const ClientRequest& client,
                                           std::span<const std::size_t> tried, Now now) {
  if (config_.sticky && client.stuck_to != kNoNode) {
    const auto home = index_of(client.stuck_to);
    const bool was_tried = home && std::find(tried.begin(), tried.end(), *home) != tried.end();
    const bool draining = home && (healths_[*home].state() == HealthState::kDraining ||
                                   listed_[*home] == ServerPhase::kDraining);
    const bool takes_it = home && !was_tried && takes_sticky(*home);
    if (takes_it && (draining || policy_->keeps(*home, servers_))) {
      return home;
    }
  }
  const balance::Choice choice{client.routing_key, tried};
  auto index = policy_->choose(choice, servers_, now, random_);
  if (!index) {
    index = last_resort(tried);
  }
  if (index && client.stuck_to != kNoNode && servers_[*index].node != client.stuck_to) {
    ++counts_.sessions_moved;
  }
  return index;
}

/// Better a server that failed or was busy a moment ago than none. Source: resin-facts L13.
std::optional<std::size_t> Balancer::last_resort(std::span<const std::size_t> tried) {
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const std::size_t index = (resort_from_ + i) % servers_.size();
    const HealthState state = healths_[index].state();
    const bool possible = listed_[index] == ServerPhase::kReady &&
                          (state == HealthState::kFailed || state == HealthState::kBusy);
    if (possible && std::find(tried.begin(), tried.end(), index) == tried.end()) {
      resort_from_ = index + 1;
      return index;
    }
  }
  return std::nullopt;
}

void Balancer::send(std::uint64_t id, std::size_t index, Now now, Effects& effects) {
  Pending& pending = *pending_.find(id);
  pending.tried[pending.tried_count++] = index;
  pending.sent_at = now.mono;
  pending.previous = kNoRequest;
  pending.next = first_at_[index];
  if (pending.next != kNoRequest) {
    pending_.find(pending.next)->previous = id;
  }
  first_at_[index] = id;
  ++servers_[index].active;
  policy_->on_start(index, servers_, now);
  const ClientRequest& client = pending.client;
  effects.push_back(
      Send{servers_[index].node, Request{.id = RequestId{id},
                                         .session = client.session,
                                         .tag = client.tag,
                                         .time_left = pending_.deadline(id) - now.mono,
                                         .body_size_bytes = client.body_size_bytes,
                                         .answer_size_bytes = client.answer_size_bytes}});
}

void Balancer::probe(Now now, Effects& effects) {
  probe_targets_.clear();
  policy_->probe_targets(servers_, now, random_, probe_targets_);
  for (const std::size_t index : probe_targets_) {
    effects.push_back(Send{servers_[index].node, Probe{ProbeId{next_probe_++}}});
  }
}

void Balancer::wake_a_server(Now now, Effects& effects) {
  const auto index = elastic::server_to_wake(servers_, healths_, listed_, config_.policy.fill_max);
  if (index) {
    healths_[*index].on_called(now);
    refresh(*index, now);
    effects.push_back(PowerOn{servers_[*index].node});
  }
}

void Balancer::take_off(std::uint64_t id, bool succeeded, Now now) {
  Pending& pending = *pending_.find(id);
  const std::size_t index = pending.tried[pending.tried_count - 1];
  (pending.previous == kNoRequest ? first_at_[index] : pending_.find(pending.previous)->next) =
      pending.next;
  if (pending.next != kNoRequest) {
    pending_.find(pending.next)->previous = pending.previous;
  }
  --servers_[index].active;
  policy_->on_end(index, {now.mono - pending.sent_at, succeeded}, servers_, now);
}

void Balancer::retry_or_answer(std::uint64_t id, bool may_repeat, ClientStatus status, Now now,
                               Effects& effects) {
  const Pending& pending = *pending_.find(id);
  const bool attempts_left = pending.tried_count < config_.attempts_max;
  const bool time_left = pending_.deadline(id) > now.mono;
  if (may_repeat && attempts_left && time_left) {
    const auto index = place(pending.client, {pending.tried.data(), pending.tried_count}, now);
    if (index && budget_.try_retry(now)) {
      ++counts_.retries;
      send(id, *index, now, effects);
      return;
    }
  }
  answer(id, status, effects);
}

void Balancer::answer(std::uint64_t id, ClientStatus status, Effects& effects) {
  const Pending& pending = *pending_.find(id);
  const bool served = status == ClientStatus::kDone || status == ClientStatus::kFailed;
  effects.push_back(AnswerClient{
      .client = pending.client.client,
      .status = status,
      .server = served ? servers_[pending.tried[pending.tried_count - 1]].node : kNoNode,
      .attempts = pending.tried_count});
  pending_.erase(id);
}

/// Brings the server's view up to what its health says. Returns whether that matters to the policy.
bool Balancer::update_view(std::size_t index, Now now) {
  Health& health = healths_[index];
  health.on_time(now);
  next_health_change_ = std::min(next_health_change_, health.next_change(now));
  const bool asleep =
      health.state() == HealthState::kStopped && listed_[index] == ServerPhase::kSleeping;
  balance::ServerView& view = servers_[index];
  asleep_count_ += static_cast<std::uint32_t>(asleep) - static_cast<std::uint32_t>(asleep_[index]);
  asleep_[index] = asleep;
  const bool eligible = takes_new(index);
  const double share = health.share(now);
  if (eligible == view.eligible && share == view.share) {
    return false;
  }
  view.eligible = eligible;
  view.share = share;
  return true;
}

void Balancer::refresh(std::size_t index, Now now) {
  if (update_view(index, now)) {
    policy_->on_servers(servers_, now);
  }
}

void Balancer::refresh_all(Now now) {
  next_health_change_ = kNever;
  bool changed = false;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    changed = update_view(i, now) || changed;
  }
  if (changed) {
    policy_->on_servers(servers_, now);
  }
}

std::optional<std::size_t> Balancer::index_of(NodeId node) {
  const std::uint32_t* found = index_of_.find(node.value);
  return found == nullptr ? std::nullopt : std::optional<std::size_t>(*found);
}

void Balancer::check_invariants() {
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    std::uint32_t count = 0;
    for (std::uint64_t id = first_at_[i]; id != kNoRequest; id = pending_.find(id)->next) {
      COPAL_ASSERT(pending_.find(id)->tried[pending_.find(id)->tried_count - 1] == i);
      ++count;
    }
    COPAL_ASSERT(count == servers_[i].active);
  }
}

}  // namespace copal
