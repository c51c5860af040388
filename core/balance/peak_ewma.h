#pragma once

#include <cstdint>
#include <vector>

#include "core/balance/policy.h"
#include "core/balance/weighted_draw.h"

namespace copal::balance {

/// Of two different servers drawn by weight the one with the lower expected work,
///   load = cost * (active + 1) / w,   w = weight * share
/// where cost is a moving average of latency that rises at once and falls slowly. With dt since the
/// cost was last looked at or fed, and k = exp(-dt / ewma_decay):
///   looked at        cost <- cost * k
///   fed a sample s   cost <- s if s > cost, else cost * k + s * (1 - k)
/// A server never heard of has load 0 while it has no request, so that it is tried once, and counts
/// as one of cost ewma_default_latency while it has: it is not flooded before it has answered.
///
/// Source: finagle, PeakEwma (decay in elapsed time, decay on reading, penalty, choice of two);
/// linkerd and tower, peak_ewma (the assumed latency, a second, as the penalty's size).
/// Departs: a failed request raises the cost but never lowers it, so that a server which fails fast
/// does not look fast. Weights are beyond the sources, where a set of servers has one weight.
class PeakEwma final : public Policy {
 public:
  /// decay  mean life of a sample, > 0.   default_latency  > 0. Asserted.
  PeakEwma(Duration decay, Duration default_latency);

  void on_servers(std::span<const ServerView> servers, Now now) override;
  std::optional<std::size_t> choose(const Choice& choice, std::span<const ServerView> servers,
                                    Now now, Random& random) override;
  void on_end(std::size_t index, const Outcome& outcome, std::span<const ServerView> servers,
              Now now) override;

  /// The cost in seconds as of its last change; nothing if the server was never heard of.
  std::optional<double> cost(std::size_t index) const;

 private:
  struct Latency {
    double cost_s = 0;
    TimePoint at{};  // up to when the cost has been decayed
    bool heard = false;
  };

  double decay_to(Latency& latency, Now now) const;
  double load(std::size_t index, const ServerView& server, Now now);

  double decay_s_;
  double default_latency_s_;
  WeightedDraw draw_;
  std::vector<Latency> latencies_;
};

}  // namespace copal::balance
