#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "core/balance/policy.h"
#include "core/balance/round_robin.h"

namespace copal::sim::theory {

/// The controller behind weighted round robin: of every server its goodput (answers a second, all
/// clients') over the CPU it uses, both smoothed, is the weight that all clients get. So all use
/// as much, whatever their neighbours leave them.
/// Source: "WeightedRR" in Wydrowski et al., NSDI 2024.
/// Chosen, as the source gives no constants: smoothing over kSmoothing, new weights every kPeriod.
class UseWeights {
 public:
  static constexpr Duration kSmoothing = 10s;
  static constexpr Duration kPeriod = 5s;
  /// What share of its CPU a server can use; the busy share that it reports is a share of this.
  using Usable = std::function<double(std::size_t index, TimePoint at)>;

  explicit UseWeights(Usable usable) : usable_(std::move(usable)) {}

  void on_answer(std::size_t index);
  /// A server told its CPU's busy share to one of the clients; the first to pass it on counts.
  void on_report(std::size_t index, double cpu_ratio, Now now);

  /// Grows with each new set of weights; 0: none yet.
  std::uint32_t version() const { return version_; }
  double weight(std::size_t index) const { return weights_[index]; }

 private:
  struct Server {
    std::uint64_t answered = 0;  // since sampled_at
    TimePoint sampled_at{};
    double goodput_per_s = 0;
    double used = 0;
    bool known = false;
  };
  void publish();

  Usable usable_;
  std::vector<Server> servers_;
  std::vector<double> weights_;
  TimePoint published_at_{};
  std::uint32_t version_ = 0;
};

/// One client of it: smooth weighted round robin with the controller's weights.
class WeightedByUse final : public balance::Policy {
 public:
  explicit WeightedByUse(std::shared_ptr<UseWeights> weights) : weights_(std::move(weights)) {}

  void on_servers(std::span<const balance::ServerView> servers, Now now) override;
  std::optional<std::size_t> choose(const balance::Choice& choice,
                                    std::span<const balance::ServerView> servers, Now now,
                                    Random& random) override;
  void on_end(std::size_t index, const balance::Outcome& outcome,
              std::span<const balance::ServerView> servers, Now now) override;
  void on_report(std::size_t index, balance::ReportKind kind,
                 std::span<const balance::ServerView> servers, Now now) override;

 private:
  void apply(std::span<const balance::ServerView> servers, Now now);

  std::shared_ptr<UseWeights> weights_;
  balance::RoundRobin round_robin_;
  std::vector<balance::ServerView> weighted_;
  std::uint32_t version_ = 0;
};

}  // namespace copal::sim::theory
