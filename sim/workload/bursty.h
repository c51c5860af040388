#pragma once

#include <cstdint>

#include "core/base/prng.h"
#include "scenarios/scenario.h"
#include "sim/workload/arrival_process.h"

namespace copal::sim {

/// Poisson arrivals whose rate changes between two values, calm and burst, each of which lasts an
/// exponentially distributed time: a Markov-modulated Poisson process. It starts in its steady
/// state, so the first minutes are like all others.
/// Source: Fischer and Meier-Hellstern, "The Markov-modulated Poisson process cookbook", 1993.
class BurstyProcess final : public ArrivalProcess {
 public:
  BurstyProcess(const scenario::WorkloadSpec& spec, std::uint64_t seed);

  TimePoint next() override;

 private:
  void change();

  scenario::WorkloadSpec spec_;
  Prng arrivals_;
  Prng changes_;
  bool burst_ = false;
  TimePoint now_{};
  TimePoint change_at_{};
};

}  // namespace copal::sim
