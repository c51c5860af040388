#include "sim/workload/bursty.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace copal::sim {
namespace {

scenario::WorkloadSpec bursts() {
  scenario::WorkloadSpec spec;
  spec.rate_per_s = 20;
  spec.peak_rate_per_s = 200;
  spec.calm_time = 4s;
  spec.burst_time = 1s;
  return spec;
}

TEST(BurstyProcess, MeanRateAndDispersionAreThoseOfTheMmpp) {
  BurstyProcess process(bursts(), 1);
  constexpr int kWindows = 4'000;
  constexpr double kWindowS = 20;
  std::vector<double> counts(kWindows);
  for (TimePoint at = process.next(); to_seconds(at) < kWindows * kWindowS; at = process.next()) {
    ++counts[static_cast<std::size_t>(to_seconds(at) / kWindowS)];
  }
  double sum = 0;
  double squares = 0;
  for (const double count : counts) {
    sum += count;
    squares += count * count;
  }
  const double mean = sum / kWindows;
  const double dispersion = (squares / kWindows - mean * mean) / mean;
  // Rates 20 and 200, left at 1/4 and 1 a second. Mean rate: (4*20 + 1*200)/5 = 56. Dispersion of
  // counts over t: 1 + 2 (180^2 * 1/4 * 1)/(1.25^2 * (20*1 + 200/4)) * (1 - (1 - e^-rt)/(rt)), with
  // r = 1.25 (Fischer and Meier-Hellstern). For t = 20 s: 1 + 148.11 * 0.96 = 143.2.
  const double expected = 1 + 2 * (180.0 * 180 / 4) / (1.25 * 1.25 * 70) * (1 - 1 / 25.0);
  EXPECT_NEAR(expected, 143.2, 0.1);
  EXPECT_NEAR(mean, 56 * kWindowS, 4.5 * std::sqrt(expected * mean / kWindows));
  EXPECT_NEAR(dispersion, expected, 0.15 * expected);
}

TEST(BurstyProcess, RatesWithinCalmAndBurstAreTheirs) {
  // States so long that the seconds of each can be told apart by their counts.
  scenario::WorkloadSpec spec = bursts();
  spec.calm_time = 400s;
  spec.burst_time = 100s;
  BurstyProcess process(spec, 2);
  std::vector<double> counts(200'000);
  for (TimePoint at = process.next(); to_seconds(at) < 200'000; at = process.next()) {
    ++counts[static_cast<std::size_t>(to_seconds(at))];
  }
  double calm = 0;
  double calm_seconds = 0;
  double burst = 0;
  for (const double count : counts) {
    const bool is_calm = count < 75;
    (is_calm ? calm : burst) += count;
    calm_seconds += is_calm ? 1 : 0;
  }
  EXPECT_NEAR(calm / calm_seconds, 20, 0.2);
  EXPECT_NEAR(burst / (200'000 - calm_seconds), 200, 2);
  EXPECT_NEAR(calm_seconds / 200'000, 0.8, 0.05);
}

TEST(BurstyProcess, StartsInItsSteadyState) {
  int bursts_at_start = 0;
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    scenario::WorkloadSpec spec = bursts();
    spec.rate_per_s = 0;
    spec.calm_time = 4'000s;
    spec.burst_time = 1'000s;
    bursts_at_start += BurstyProcess(spec, seed).next() < TimePoint{100ms} ? 1 : 0;
  }
  EXPECT_NEAR(bursts_at_start, 400, 4.5 * std::sqrt(2'000 * 0.2 * 0.8));
}

TEST(BurstyProcess, SilentStatesArePassedOver) {
  scenario::WorkloadSpec spec = bursts();
  spec.rate_per_s = 0;
  BurstyProcess process(spec, 3);
  TimePoint last{};
  for (int i = 0; i < 10'000; ++i) {
    const TimePoint at = process.next();
    EXPECT_LE(last, at);
    last = at;
  }
  EXPECT_NEAR(10'000 / to_seconds(last), 40, 10);
  spec.peak_rate_per_s = 0;
  EXPECT_EQ(BurstyProcess(spec, 3).next(), kNever);
}

TEST(BurstyProcess, OtherRatesLeaveTheBurstsWhereTheyAre) {
  // The times of change have a stream of their own: with a calm of silence the first arrivals of
  // bursts stay within the same bursts when the rate grows.
  scenario::WorkloadSpec slow = bursts();
  slow.rate_per_s = 0;
  slow.calm_time = 1'000s;
  slow.burst_time = 10s;
  scenario::WorkloadSpec fast = slow;
  fast.peak_rate_per_s = 2'000;
  const auto starts = [](const scenario::WorkloadSpec& spec) {
    BurstyProcess process(spec, 4);
    std::vector<double> found{to_seconds(process.next())};
    for (double last = found[0]; found.size() < 10;) {
      const double at = to_seconds(process.next());
      if (at - last > 5) {
        found.push_back(at);
      }
      last = at;
    }
    return found;
  };
  const auto of_slow = starts(slow);
  const auto of_fast = starts(fast);
  for (std::size_t i = 0; i < of_slow.size(); ++i) {
    EXPECT_NEAR(of_slow[i], of_fast[i], 0.1);
  }
}

}  // namespace
}  // namespace copal::sim
