#include "sim/theory/probe_rules.h"

#include <algorithm>

#include "core/balance/prequal.h"

namespace copal::sim::theory {

using balance::ServerView;

namespace {

constexpr balance::PrequalConfig kProbing;
/// Weight of the newest sample. A client hears of one server about once a second, so what is older
/// than one sample says little.
constexpr double kNewest = 0.9;

void smooth(double& value, bool& known, double sample) {
  value = known ? value + kNewest * (sample - value) : sample;
  known = true;
}

}  // namespace

void PolledTwoChoices::on_servers(std::span<const ServerView> servers, Now) {
  draw_.rebuild(servers);
  polled_.resize(servers.size(), 0);
}

std::optional<std::size_t> PolledTwoChoices::choose(const balance::Choice& choice,
                                                    std::span<const ServerView>, Now,
                                                    Random& random) {
  balance::WeightedDraw::Taken taken = draw_.without(choice);
  const auto first = draw_.draw(random, taken);
  if (!first) {
    return std::nullopt;
  }
  draw_.take(taken, *first);
  const auto second = draw_.draw(random, taken);
  return second && polled_[*second] < polled_[*first] ? second : first;
}

void PolledTwoChoices::on_report(std::size_t index, balance::ReportKind kind,
                                 std::span<const ServerView> servers, Now) {
  if (kind == balance::ReportKind::kPeriodic) {
    polled_.resize(servers.size(), 0);
    polled_[index] = servers[index].reported.active;
  }
}

void CubicScore::on_servers(std::span<const ServerView> servers, Now) {
  draw_.rebuild(servers);
  seen_.resize(servers.size());
  budget_ = balance::Prequal::reuse_budget(kProbing, std::max<std::size_t>(draw_.count(), 1));
  std::erase_if(pool_, [&](const Probed& probed) { return !servers[probed.server].eligible; });
}

std::optional<std::size_t> CubicScore::choose(const balance::Choice& choice,
                                              std::span<const ServerView> servers, Now now,
                                              Random& random) {
  std::erase_if(pool_,
                [&](const Probed& probed) { return now.mono - probed.at >= kProbing.age_max; });
  auto best = pool_.end();
  std::size_t usable = 0;
  for (auto it = pool_.begin(); it != pool_.end(); ++it) {
    if (!balance::may_choose(choice, servers, it->server)) {
      continue;
    }
    ++usable;
    if (best == pool_.end() ||
        score(it->server, servers[it->server]) < score(best->server, servers[best->server])) {
      best = it;
    }
  }
  if (usable < 2) {
    return draw_.draw(random, draw_.without(choice));
  }
  const std::size_t chosen = best->server;
  // A budget of 1.3 uses: the second use is granted with probability 0.3.
  best->uses_left -= 1;
  if (best->uses_left < 1 && draw_unit(random) >= best->uses_left) {
    pool_.erase(best);
  }
  remove_one(servers);
  return chosen;
}

void CubicScore::on_end(std::size_t index, const balance::Outcome& outcome,
                        std::span<const ServerView>, Now) {
  smooth(seen_[index].response_s, seen_[index].answered, to_seconds(outcome.latency));
}

void CubicScore::on_report(std::size_t index, balance::ReportKind kind,
                           std::span<const ServerView> servers, Now now) {
  if (kind != balance::ReportKind::kProbe || !servers[index].eligible) {
    return;
  }
  Seen& seen = seen_[index];
  bool known = seen.probed;
  smooth(seen.latency_s, known, to_seconds(servers[index].reported.latency));
  smooth(seen.in_flight, seen.probed, servers[index].reported.active);
  std::erase_if(pool_, [&](const Probed& probed) { return probed.server == index; });
  if (pool_.size() == kProbing.pool_max) {
    pool_.erase(pool_.begin());
  }
  pool_.push_back({index, now.mono, budget_});
}

void CubicScore::probe_targets(std::span<const ServerView>, Now, Random& random,
                               std::vector<std::size_t>& targets) {
  balance::WeightedDraw::Taken taken;
  for (int i = 0; i < static_cast<int>(kProbing.probe_rate); ++i) {
    const auto drawn = draw_.draw(random, taken);
    if (!drawn) {
      return;
    }
    targets.push_back(*drawn);
    draw_.take(taken, *drawn);
  }
}

double CubicScore::score(std::size_t index, const ServerView& server) const {
  const Seen& seen = seen_[index];
  const double queue = 1 + static_cast<double>(clients_) * server.active + seen.in_flight;
  return seen.response_s - seen.latency_s + queue * queue * queue * seen.latency_s;
}

void CubicScore::remove_one(std::span<const ServerView> servers) {
  if (pool_.empty()) {
    return;
  }
  auto gone = pool_.begin();
  if (worst_next_) {
    gone = std::max_element(pool_.begin(), pool_.end(), [&](const Probed& a, const Probed& b) {
      return score(a.server, servers[a.server]) < score(b.server, servers[b.server]);
    });
  }
  worst_next_ = !worst_next_;
  pool_.erase(gone);
}

}  // namespace copal::sim::theory
