#include "sim/workload/poisson.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace copal::sim {
namespace {

/// Counts per second of the arrivals before `end_s`; checks that times do not go back.
std::vector<double> counts_per_second(ArrivalProcess& process, int end_s) {
  std::vector<double> counts(static_cast<std::size_t>(end_s));
  TimePoint last{};
  for (TimePoint at = process.next(); to_seconds(at) < end_s; at = process.next()) {
    EXPECT_LE(last, at);
    last = at;
    ++counts[static_cast<std::size_t>(to_seconds(at))];
  }
  return counts;
}

/// Compares counts with the expected ones, in sums over `width` seconds.
void expect_counts(const std::vector<double>& counts, std::size_t width,
                   const std::function<double(double)>& expected_until) {
  for (std::size_t begin = 0; begin + width <= counts.size(); begin += width) {
    double count = 0;
    for (std::size_t i = begin; i < begin + width; ++i) {
      count += counts[i];
    }
    const double expected = expected_until(static_cast<double>(begin + width)) -
                            expected_until(static_cast<double>(begin));
    EXPECT_NEAR(count, expected, 4.5 * std::sqrt(expected)) << "from second " << begin;
  }
}

TEST(PoissonProcess, ConstantRateHasItsRateAndItsChance) {
  PoissonProcess process(constant_rate(200), 1);
  const std::vector<double> counts = counts_per_second(process, 5'000);
  double sum = 0;
  double squares = 0;
  for (const double count : counts) {
    sum += count;
    squares += count * count;
  }
  const double mean = sum / 5'000;
  EXPECT_NEAR(mean, 200, 4.5 * std::sqrt(200.0 / 5'000));
  // The variance of counts is their mean; the ratio's own standard deviation is sqrt(2/n).
  EXPECT_NEAR((squares / 5'000 - mean * mean) / mean, 1, 4.5 * std::sqrt(2.0 / 5'000));
}

TEST(PoissonProcess, GapsAreExponential) {
  PoissonProcess process(constant_rate(1'000), 2);
  constexpr int kGaps = 100'000;
  std::vector<int> longer(4);  // than 0, 1, 2 and 4 means
  TimePoint last{};
  for (int i = 0; i < kGaps; ++i) {
    const TimePoint at = process.next();
    for (std::size_t k = 0; k < 4; ++k) {
      longer[k] += at - last > std::vector<Duration>{0ms, 1ms, 2ms, 4ms}[k] ? 1 : 0;
    }
    last = at;
  }
  for (const auto& [index, means] : {std::pair{1, 1.0}, std::pair{2, 2.0}, std::pair{3, 4.0}}) {
    const double share = std::exp(-means);
    EXPECT_NEAR(longer[static_cast<std::size_t>(index)], kGaps * share,
                4.5 * std::sqrt(kGaps * share * (1 - share)));
  }
}

TEST(PoissonProcess, StepsHaveTheirRatesAndSilenceIsSilent) {
  PoissonProcess process(stepwise_rates({{10s, 500}, {20s, 0}, {30s, 2'000}, {40s, 100}, {60s, 0}}),
                         3);
  const std::vector<double> counts = counts_per_second(process, 70);
  expect_counts(counts, 5, [](double t) {
    const auto part = [t](double from, double to) { return std::max(0.0, std::min(t, to) - from); };
    return 500 * part(10, 20) + 2'000 * part(30, 40) + 100 * part(40, 60);
  });
  EXPECT_EQ(process.next(), kNever);
  EXPECT_EQ(process.next(), kNever);
}

TEST(PoissonProcess, FlashCrowdRisesHoldsAndFalls) {
  scenario::WorkloadSpec spec;
  spec.rate_per_s = 100;
  spec.peak_rate_per_s = 2'100;
  spec.peak_at = 20s;
  spec.rise_time = 20s;
  spec.hold_time = 30s;
  spec.fall_time = 40s;
  PoissonProcess process(flash_crowd_rates(spec), 4);
  expect_counts(counts_per_second(process, 150), 2, [](double t) {
    const double rise = std::clamp(t - 20, 0.0, 20.0);
    const double hold = std::clamp(t - 40, 0.0, 30.0);
    const double fall = std::clamp(t - 70, 0.0, 40.0);
    return 100 * t + 50 * rise * rise + 2'000 * hold + 2'000 * fall - 25 * fall * fall;
  });
}

TEST(PoissonProcess, FlashCrowdMayRiseAtOnce) {
  scenario::WorkloadSpec spec;
  spec.rate_per_s = 0;
  spec.peak_rate_per_s = 1'000;
  spec.peak_at = 5s;
  spec.hold_time = 5s;
  PoissonProcess process(flash_crowd_rates(spec), 4);
  expect_counts(counts_per_second(process, 20), 5,
                [](double t) { return 1'000 * std::clamp(t - 5, 0.0, 5.0); });
  EXPECT_EQ(process.next(), kNever);
}

TEST(PoissonProcess, RateZeroAndNextToZeroEnd) {
  PoissonProcess none(constant_rate(0), 1);
  EXPECT_EQ(none.next(), kNever);
  PoissonProcess hardly(constant_rate(1e-12), 1);
  EXPECT_EQ(hardly.next(), kNever);
}

TEST(DiurnalProcess, RateFollowsTheSineWithItsPeakWhereItWasPut) {
  scenario::WorkloadSpec spec;
  spec.rate_per_s = 500;
  spec.amplitude = 0.8;
  spec.period = 240s;
  spec.peak_at = 60s;
  DiurnalProcess process(spec, 5);
  EXPECT_NEAR(process.rate_per_s(TimePoint{60s}), 900, 1e-9);
  EXPECT_NEAR(process.rate_per_s(TimePoint{180s}), 100, 1e-9);
  EXPECT_NEAR(process.rate_per_s(TimePoint{300s}), 900, 1e-9);
  const double turn = 2 * std::acos(-1.0) / 240;
  expect_counts(counts_per_second(process, 480), 10, [turn](double t) {
    return 500 * (t + 0.8 / turn * (std::sin(turn * (t - 60)) + std::sin(turn * 60)));
  });
}

TEST(DiurnalProcess, PeakMayLieBeforeTheStartAndAmplitudeMayBeNothing) {
  scenario::WorkloadSpec spec;
  spec.rate_per_s = 500;
  spec.amplitude = 0;
  spec.period = 86'400s;
  spec.peak_at = 93'600s;
  DiurnalProcess process(spec, 6);
  expect_counts(counts_per_second(process, 60), 10, [](double t) { return 500 * t; });
  spec.rate_per_s = 0;
  DiurnalProcess none(spec, 6);
  EXPECT_EQ(none.next(), kNever);
}

TEST(ArrivalProcesses, SameSeedSameTimesOtherSeedOtherTimes) {
  PoissonProcess first(constant_rate(100), 7);
  PoissonProcess again(constant_rate(100), 7);
  PoissonProcess other(constant_rate(100), 8);
  int equal = 0;
  for (int i = 0; i < 1'000; ++i) {
    const TimePoint at = first.next();
    EXPECT_EQ(at, again.next());
    equal += at == other.next() ? 1 : 0;
  }
  EXPECT_EQ(equal, 0);
}

}  // namespace
}  // namespace copal::sim
