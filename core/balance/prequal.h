#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/balance/policy.h"
#include "core/balance/weighted_draw.h"

namespace copal::balance {

struct PrequalConfig {
  std::uint32_t pool_max = 16;  // m: probes kept; 2 to 64
  Duration age_max = 1s;        // a probe is dropped when it is this old
  double probe_rate = 3;        // r_probe: probes issued a request, 0 to 32
  double remove_rate = 1;       // r_remove: probes removed a request, >= 0
  double hot_quantile = 0.84;   // Q_RIF, 0 to 1
  double reuse_delta = 1;       // delta in the reuse formula, > -1
};

/// Chooses among servers that were asked a moment ago how they are. Each request sends r_probe
/// probes to random servers; the answers (requests in flight, RIF, and latency) go to a pool of at
/// most m, one a server, which a later request chooses from:
///   hot      RIF above the Q_RIF quantile of the last kSeen answers' RIF
///   choice   of the cold probes the one of lowest latency; with none, the hot one of lowest RIF;
///            with fewer than 2 usable probes in the pool a random server
///   use      counts one more RIF for the chosen probe; after b uses it goes,
///              b = max(1, (1 + delta) / ((1 - m / n) r_probe - r_remove)),   n servers
///   removal  r_remove probes a request, in turn the worst (the choice's rule turned around: of the
///            hot ones the highest RIF, else the highest latency) and the oldest;
///            and every probe at age_max, and the oldest when the pool is full
/// Source: Wydrowski, Kleinberg, Rumble, Archer, "Load is not what you should balance: introducing
/// Prequal", NSDI 2024, sections 4 and 5; defaults as there.
/// Departs: a b that is no whole number is rounded down and up in turn so that its mean is right
/// (there: at random), as on_report() draws nothing. Probes go to servers by weight * share; the
/// source knows no weights. Chosen: where n is small, (1 - m / n) r_probe <= r_remove, the
/// formula's denominator says that no amount of reuse keeps the pool full; then probes are reused
/// until they are too old.
class Prequal final : public Policy {
 public:
  /// Ranges as PrequalConfig says (asserted).
  explicit Prequal(const PrequalConfig& config);

  void on_servers(std::span<const ServerView> servers, Now now) override;
  std::optional<std::size_t> choose(const Choice& choice, std::span<const ServerView> servers,
                                    Now now, Random& random) override;
  void on_report(std::size_t index, ReportKind kind, std::span<const ServerView> servers,
                 Now now) override;
  void probe_targets(std::span<const ServerView> servers, Now now, Random& random,
                     std::vector<std::size_t>& targets) override;

  /// b of the formula above for this many servers; infinity where the denominator is not positive.
  static double reuse_budget(const PrequalConfig& config, std::size_t server_count);
  /// Probes in the pool, for tests and metrics.
  std::size_t pool_count() const { return pool_count_; }

 private:
  static constexpr std::size_t kPoolMax = 64;
  static constexpr std::size_t kSeen = 128;  // answers the RIF quantile is taken over

  struct Probed {
    std::uint32_t server = 0;
    std::uint32_t rif = 0;
    std::int64_t latency_ns = 0;
    TimePoint at{};
    std::uint32_t uses_left = 0;
  };

  bool is_hot(const Probed& probed) const { return probed.rif >= hot_from_; }
  /// Whether a request is better sent to `a` than to `b`.
  bool is_better(const Probed& a, const Probed& b) const;
  void remove(std::size_t position);
  void remove_server(std::size_t index);
  void remove_old(Now now);
  void remove_worst();
  void remove_due();
  void see(std::uint32_t rif);
  std::uint32_t next_uses();

  PrequalConfig config_;
  WeightedDraw draw_;
  std::array<Probed, kPoolMax> pool_;  // oldest first
  std::size_t pool_count_ = 0;
  std::array<std::uint32_t, kSeen> seen_{};    // RIF of the last answers, a ring
  std::array<std::uint32_t, kSeen> sorted_{};  // the same in ascending order
  std::size_t seen_count_ = 0;                 // ever
  std::uint64_t hot_from_ = 0;                 // the lowest RIF that is hot
  double budget_ = 1;
  double uses_due_ = 0;    // fractions of a use, of a removal and of a probe
  double remove_due_ = 0;  // that are carried over
  double probe_due_ = 0;
  bool worst_next_ = true;
};

}  // namespace copal::balance
