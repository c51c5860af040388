#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/prng.h"
#include "scenarios/scenario.h"
#include "sim/workload/arrival_process.h"

namespace copal::sim {

/// A rate that is a straight line over a while. The last piece of a list lasts for ever and must be
/// level.
struct RatePiece {
  TimePoint from;
  TimePoint to;             // exclusive; kNever for the last
  double rate_per_s = 0;    // at `from`
  double slope_per_s2 = 0;  // change of the rate per second
};

/// One rate from the start on.
std::vector<RatePiece> constant_rate(double rate_per_s);
/// Each rate holds from its time until the next one's; nothing comes before the first.
std::vector<RatePiece> stepwise_rates(const std::vector<scenario::RatePoint>& points);
/// rate until peak_at; then up to peak_rate over rise_time, there for hold_time, and back over
/// fall_time. Rising and falling are straight lines.
std::vector<RatePiece> flash_crowd_rates(const scenario::WorkloadSpec& spec);

/// Poisson arrivals whose rate is made of pieces. Exact: the time to the next arrival is such that
/// the rate's integral grows by an exponentially distributed number with mean 1.
class PoissonProcess final : public ArrivalProcess {
 public:
  /// pieces  in a row without gaps, from time 0 on (asserted).
  PoissonProcess(std::vector<RatePiece> pieces, std::uint64_t seed);

  TimePoint next() override;

 private:
  std::vector<RatePiece> pieces_;
  std::size_t piece_ = 0;
  double offset_s_ = 0;  // of the last arrival, from the piece's start
  Prng random_;
};

/// Poisson arrivals with rate mean * (1 + amplitude * cos(2 pi (t - peak_at)/period)), by thinning:
/// candidates at the highest rate, each kept with the probability rate over highest rate.
/// Source: Lewis and Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", 1979.
class DiurnalProcess final : public ArrivalProcess {
 public:
  DiurnalProcess(const scenario::WorkloadSpec& spec, std::uint64_t seed);

  TimePoint next() override;

  double rate_per_s(TimePoint time) const;

 private:
  double mean_per_s_;
  double amplitude_;
  Duration period_;
  Duration peak_at_;
  TimePoint now_{};
  Prng random_;
};

}  // namespace copal::sim
