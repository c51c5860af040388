#include "core/balance/peak_ewma.h"

#include <algorithm>

#include "core/balance/weight.h"
#include "core/base/assert.h"
#include "core/base/math.h"

namespace copal::balance {

PeakEwma::PeakEwma(Duration decay, Duration default_latency)
    : decay_s_(to_seconds(decay)), default_latency_s_(to_seconds(default_latency)) {
  COPAL_ASSERT(decay > Duration::zero() && default_latency > Duration::zero());
}

void PeakEwma::on_servers(std::span<const ServerView> servers, Now) {
  latencies_.resize(servers.size());
  draw_.rebuild(servers);
}

std::optional<std::size_t> PeakEwma::choose(const Choice& choice,
                                            std::span<const ServerView> servers, Now now,
                                            Random& random) {
  WeightedDraw::Taken taken = draw_.without(choice);
  const auto first = draw_.draw(random, taken);
  if (!first) {
    return std::nullopt;
  }
  draw_.take(taken, *first);
  const auto second = draw_.draw(random, taken);
  if (!second) {
    return first;
  }
  const bool second_wins =
      load(*second, servers[*second], now) < load(*first, servers[*first], now);
  return second_wins ? second : first;
}

void PeakEwma::on_end(std::size_t index, const Outcome& outcome, std::span<const ServerView>,
                      Now now) {
  Latency& latency = latencies_[index];
  const double before = latency.heard ? latency.cost_s : 0;
  const double kept = decay_to(latency, now);
  double sample = to_seconds(outcome.latency);
  if (!outcome.succeeded) {
    sample = std::max(sample, latency.heard ? before : default_latency_s_);
  }
  latency.cost_s = sample > before ? sample : latency.cost_s + sample * (1 - kept);
  latency.heard = true;
}

std::optional<double> PeakEwma::cost(std::size_t index) const {
  const Latency& latency = latencies_[index];
  return latency.heard ? std::optional<double>(latency.cost_s) : std::nullopt;
}

/// Returns the share that was kept: exp(-dt / decay).
double PeakEwma::decay_to(Latency& latency, Now now) const {
  const double passed_s = to_seconds(std::max(now.mono - latency.at, Duration::zero()));
  const double kept = passed_s > 0 ? math::exp(-passed_s / decay_s_) : 1;
  latency.cost_s *= kept;
  latency.at = std::max(latency.at, now.mono);
  return kept;
}

double PeakEwma::load(std::size_t index, const ServerView& server, Now now) {
  Latency& latency = latencies_[index];
  const double requests = (server.active + 1.0) / effective_weight(server);
  if (!latency.heard) {
    return server.active == 0 ? 0 : default_latency_s_ * requests;
  }
  decay_to(latency, now);
  return latency.cost_s * requests;
}

}  // namespace copal::balance
