#include "sim/theory/weights_by_use.h"

#include <algorithm>

#include "core/base/math.h"

namespace copal::sim::theory {

using balance::ServerView;

void UseWeights::on_answer(std::size_t index) {
  if (index < servers_.size()) {
    ++servers_[index].answered;
  }
}

void UseWeights::on_report(std::size_t index, double cpu_ratio, Now now) {
  if (index >= servers_.size()) {
    servers_.resize(index + 1);
  }
  Server& server = servers_[index];
  const Duration since = now.mono - server.sampled_at;
  if (since < 100ms) {
    return;  // another client has passed it on
  }
  const double keep = server.known ? math::exp(-to_seconds(since) / to_seconds(kSmoothing)) : 0;
  const double goodput_per_s = static_cast<double>(server.answered) / to_seconds(since);
  server.goodput_per_s = keep * server.goodput_per_s + (1 - keep) * goodput_per_s;
  server.used = keep * server.used + (1 - keep) * cpu_ratio * usable_(index, now.mono);
  server.known = server.known || server.sampled_at > TimePoint{};
  server.answered = 0;
  server.sampled_at = now.mono;
  if (now.mono - published_at_ >= kPeriod) {
    published_at_ = now.mono;
    publish();
  }
}

/// A server that nobody has used yet, or that answers nothing, keeps a tenth of the mean: enough to
/// hear of it again.
void UseWeights::publish() {
  std::vector<double> weights(servers_.size(), 0);
  double sum = 0;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    weights[i] = servers_[i].goodput_per_s / std::max(servers_[i].used, 0.01);
    sum += weights[i];
  }
  if (!(sum > 0)) {
    return;
  }
  const double lowest = 0.1 * sum / static_cast<double>(weights.size());
  for (double& weight : weights) {
    weight = std::max(weight, lowest);
  }
  weights_ = std::move(weights);
  ++version_;
}

void WeightedByUse::on_servers(std::span<const ServerView> servers, Now now) {
  apply(servers, now);
}

std::optional<std::size_t> WeightedByUse::choose(const balance::Choice& choice,
                                                 std::span<const ServerView> servers, Now now,
                                                 Random& random) {
  if (weights_->version() != version_) {
    apply(servers, now);
  }
  return round_robin_.choose(choice, weighted_, now, random);
}

void WeightedByUse::on_end(std::size_t index, const balance::Outcome& outcome,
                           std::span<const ServerView>, Now) {
  if (outcome.succeeded) {
    weights_->on_answer(index);
  }
}

void WeightedByUse::on_report(std::size_t index, balance::ReportKind kind,
                              std::span<const ServerView> servers, Now now) {
  if (kind == balance::ReportKind::kPeriodic) {
    weights_->on_report(index, servers[index].reported.cpu_ratio, now);
  }
}

void WeightedByUse::apply(std::span<const ServerView> servers, Now now) {
  version_ = weights_->version();
  weighted_.assign(servers.begin(), servers.end());
  for (std::size_t i = 0; version_ > 0 && i < weighted_.size(); ++i) {
    weighted_[i].weight = weights_->weight(i);
  }
  round_robin_.on_servers(weighted_, now);
}

}  // namespace copal::sim::theory
