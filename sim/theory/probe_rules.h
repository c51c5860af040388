#pragma once

#include <cstdint>
#include <vector>

#include "core/balance/policy.h"
#include "core/balance/weighted_draw.h"

// Two comparators of Prequal's rule table that look at what servers say of themselves.

namespace copal::sim::theory {

/// Of two random servers the one that held fewer requests when it was last polled. A poll is a
/// periodic report; what answers say in between is not looked at, nor are requests under way.
/// Source: "YARP-Po2C" in Wydrowski et al., NSDI 2024, after Microsoft's YARP.
class PolledTwoChoices final : public balance::Policy {
 public:
  void on_servers(std::span<const balance::ServerView> servers, Now now) override;
  std::optional<std::size_t> choose(const balance::Choice& choice,
                                    std::span<const balance::ServerView> servers, Now now,
                                    Random& random) override;
  void on_report(std::size_t index, balance::ReportKind kind,
                 std::span<const balance::ServerView> servers, Now now) override;

 private:
  balance::WeightedDraw draw_;
  std::vector<std::uint32_t> polled_;
};

/// C3's cubic score over a pool of probed servers; the lowest is chosen:
///   R - S + q^3 S,   q = 1 + n o + Q
/// R  smoothed response times that this client saw, S  smoothed latency and Q  smoothed requests in
/// flight that the server told, o  requests of this client under way there, n  number of clients.
/// Source: Suresh et al., "C3", NSDI 2015; compared in Wydrowski et al., NSDI 2024.
/// Chosen: as that comparison is about rules, the candidates come as Prequal's do: three probes a
/// request, a pool of 16 for at most 1 s, the worst and the oldest removed in turn, one a request,
/// each used as often as Prequal's reuse formula says. C3 itself hears of servers from answers.
class CubicScore final : public balance::Policy {
 public:
  /// clients  n, >= 1.
  explicit CubicScore(std::uint32_t clients) : clients_(clients) {}

  void on_servers(std::span<const balance::ServerView> servers, Now now) override;
  std::optional<std::size_t> choose(const balance::Choice& choice,
                                    std::span<const balance::ServerView> servers, Now now,
                                    Random& random) override;
  void on_end(std::size_t index, const balance::Outcome& outcome,
              std::span<const balance::ServerView> servers, Now now) override;
  void on_report(std::size_t index, balance::ReportKind kind,
                 std::span<const balance::ServerView> servers, Now now) override;
  void probe_targets(std::span<const balance::ServerView> servers, Now now, Random& random,
                     std::vector<std::size_t>& targets) override;

 private:
  struct Probed {
    std::size_t server = 0;
    TimePoint at{};
    double uses_left = 0;
  };
  struct Seen {
    double response_s = 0;
    double latency_s = 0;
    double in_flight = 0;
    bool answered = false;
    bool probed = false;
  };

  double score(std::size_t index, const balance::ServerView& server) const;
  void remove_one(std::span<const balance::ServerView> servers);

  std::uint32_t clients_;
  balance::WeightedDraw draw_;
  std::vector<Seen> seen_;
  std::vector<Probed> pool_;  // oldest first
  double budget_ = 1;
  bool worst_next_ = true;
};

}  // namespace copal::sim::theory
