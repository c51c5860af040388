#include "core/balance/server_load.h"

#include "core/balance/weight.h"
#include "core/base/assert.h"

namespace copal::balance {

ServerLoad::ServerLoad(double cpu_weight, double latency_weight)
    : cpu_weight_(cpu_weight), latency_weight_(latency_weight) {
  COPAL_ASSERT(cpu_weight >= 0 && latency_weight >= 0);
}

void ServerLoad::on_servers(std::span<const ServerView> servers, Now now) {
  others_.resize(servers.size(), 0);
  tree_.reset(servers.size());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    tree_.set_cost(i, cost_of(i, servers, now));
  }
  tree_.rebuild();
}

/// Trust fades with time alone, so no event says when a cost has changed. One server a choice is
/// looked at in turn: after as many choices as there are servers all costs are right again, at the
/// price of one division each.
std::optional<std::size_t> ServerLoad::choose(const Choice& choice,
                                              std::span<const ServerView> servers, Now now,
                                              Random&) {
  if (servers.empty()) {
    return std::nullopt;
  }
  aging_next_ = aging_next_ + 1 < servers.size() ? aging_next_ + 1 : 0;
  const double cost = cost_of(aging_next_, servers, now);
  if (cost != tree_.cost(aging_next_)) {
    tree_.update(aging_next_, cost);
  }
  return tree_.lowest(choice.excluded);
}

void ServerLoad::on_start(std::size_t index, std::span<const ServerView> servers, Now now) {
  tree_.update_picked(index, cost_of(index, servers, now));
}

void ServerLoad::on_end(std::size_t index, const Outcome&, std::span<const ServerView> servers,
                        Now now) {
  tree_.update(index, cost_of(index, servers, now));
}

void ServerLoad::on_report(std::size_t index, ReportKind kind, std::span<const ServerView> servers,
                           Now now) {
  // An answer's report no longer holds the request that it answers, `active` still does.
  const std::uint32_t answered = kind == ReportKind::kAnswer && servers[index].active > 0 ? 1 : 0;
  const std::uint32_t ours = servers[index].active - answered;
  const std::uint32_t all = servers[index].reported.active;
  others_[index] = all > ours ? all - ours : 0;
  tree_.update(index, cost_of(index, servers, now));
}

double ServerLoad::cost_of(std::size_t index, std::span<const ServerView> servers, Now now) const {
  const ServerView& server = servers[index];
  if (!server.eligible) {
    return CostTree::kNotChoosable;
  }
  double beyond = 0;
  if (server.reported_at != TimePoint{}) {
    beyond = 100.0 * others_[index] + cpu_weight_ * server.reported.cpu_ratio +
             latency_weight_ * to_seconds(server.reported.latency);
    const Duration age = now.mono - server.reported_at;
    if (age > kTrustedAge) {
      beyond *= to_seconds(kTrustedAge) / to_seconds(age);
    }
  }
  return (100.0 * (server.active + 1.0) + beyond) / effective_weight(server);
}

}  // namespace copal::balance
