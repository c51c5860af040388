#include "sim/workload/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "sim/testing/trace_maker.h"

namespace copal::sim {
namespace {

using scenario::Distribution;
using LawKind = Distribution::Kind;

constexpr int kSamples = 200'000;
// A right sampler fails one of these checks with a probability below 1e-5.
constexpr double kSigmas = 4.5;

/// A law, what it should be, and where to look at its distribution function.
struct Law {
  std::string name;
  Distribution law;
  double mean;
  double variance;                      // negative: none, or too heavy a tail to measure it
  double kurtosis;                      // fourth central moment over the squared variance
  std::function<double(double)> below;  // the share not above a value
  std::vector<double> points;
};

std::vector<Law> laws() {
  const double e_quarter = std::exp(0.25);
  const double p = (1 + std::sqrt(3.0 / 5.0)) / 2;  // hyperexponential, cv2 4
  const double q = 1 - p;
  const double lowest = 2 * 1.5 / 2.5;  // pareto, mean 2, shape 2.5
  return {{"exponential",
           {.kind = LawKind::kExponential, .mean = 3},
           3,
           9,
           9,
           [](double x) { return 1 - std::exp(-x / 3); },
           {0.03, 0.5, 2, 3, 7, 14, 20}},
          {"uniform",
           {.kind = LawKind::kUniform, .mean = 5},
           5,
           100.0 / 12,
           1.8,
           [](double x) { return x / 10; },
           {0.01, 1, 5, 8, 9.99}},
          {"lognormal",
           {.kind = LawKind::kLognormal, .mean = 2, .sigma = 0.5},
           2,
           4 * (e_quarter - 1),
           8.898,
           [](double x) { return std::erfc(-(std::log(x / 2) + 0.125) / 0.5 / std::sqrt(2)) / 2; },
           {0.5, 1, 1.765, 2.5, 5, 8}},
          {"pareto",
           {.kind = LawKind::kPareto, .mean = 2, .shape = 2.5},
           2,
           lowest * lowest * 2.5 / (1.5 * 1.5 * 0.5),
           -1,
           [lowest](double x) { return 1 - std::pow(lowest / x, 2.5); },
           {1.21, 1.5, 2, 4, 10, 20}},
          {"hyperexponential",
           {.kind = LawKind::kHyperexponential, .mean = 1, .cv2 = 4},
           1,
           4,
           -1,
           [p, q](double x) { return 1 - p * std::exp(-2 * p * x) - q * std::exp(-2 * q * x); },
           {0.01, 0.3, 1, 3, 10, 20}}};
}

std::vector<double> drawn(const Sampler& sampler, int count = kSamples) {
  Prng random(11, "sampler");
  std::vector<double> values(static_cast<std::size_t>(count));
  for (double& value : values) {
    value = sampler.draw(random);
  }
  return values;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) {
    sum += value;
  }
  return sum / static_cast<double>(values.size());
}

double variance_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) {
    sum += (value - mean) * (value - mean);
  }
  return sum / static_cast<double>(values.size() - 1);
}

TEST(Sampler, MeansOfAllLawsAreTheirs) {
  for (const Law& law : laws()) {
    const Sampler sampler(law.law);
    EXPECT_NEAR(sampler.mean(), law.mean, 1e-12) << law.name;
    EXPECT_NEAR(mean_of(drawn(sampler)), law.mean, kSigmas * std::sqrt(law.variance / kSamples))
        << law.name;
  }
}

TEST(Sampler, VariancesOfAllLawsWithFourMomentsAreTheirs) {
  for (const Law& law : laws()) {
    if (law.kurtosis > 0) {
      const double error = law.variance * std::sqrt((law.kurtosis - 1) / kSamples);
      EXPECT_NEAR(variance_of(drawn(Sampler(law.law))), law.variance, kSigmas * error) << law.name;
    }
  }
  // The hyperexponential law's variance is its reason to be: four times the squared mean.
  const Sampler sampler(Distribution{.kind = LawKind::kHyperexponential, .mean = 1, .cv2 = 4});
  EXPECT_NEAR(variance_of(drawn(sampler)), 4, 0.2);
}

TEST(Sampler, DistributionFunctionsOfAllLawsAreTheirs) {
  for (const Law& law : laws()) {
    const std::vector<double> values = drawn(Sampler(law.law));
    for (const double point : law.points) {
      double count = 0;
      for (const double value : values) {
        count += value <= point ? 1 : 0;
      }
      const double share = law.below(point);
      EXPECT_NEAR(count / kSamples, share, kSigmas * std::sqrt(share * (1 - share) / kSamples))
          << law.name << " at " << point;
    }
  }
}

TEST(Sampler, ConstantIsConstantAndDrawsNothing) {
  Prng random(1, "a");
  Prng same(1, "a");
  const Sampler sampler(Distribution{.mean = 0.02});
  EXPECT_EQ(sampler.draw(random), 0.02);
  EXPECT_EQ(random.next(), same.next());
}

TEST(Sampler, EveryLawWithMeanZeroIsZero) {
  Prng random(1, "a");
  for (const Law& law : laws()) {
    Distribution zero = law.law;
    zero.mean = 0;
    EXPECT_EQ(Sampler(zero).draw(random), 0) << law.name;
  }
}

TEST(Sampler, ParetoIsCutAndItsMeanSaysSo) {
  const Distribution law{.kind = LawKind::kPareto, .mean = 2, .shape = 1.5, .maximum = 10};
  const Sampler sampler(law);
  const std::vector<double> values = drawn(sampler);
  double highest = 0;
  for (const double value : values) {
    highest = std::max(highest, value);
  }
  EXPECT_EQ(highest, 10);
  // Lowest value 2/3: the mean of min(X, 10) is 2/3 * 3 - 2 * 2/3 * sqrt(1/15).
  EXPECT_NEAR(sampler.mean(), 2 - 4.0 / 3 * std::sqrt(1.0 / 15), 1e-12);
  EXPECT_NEAR(mean_of(values), sampler.mean(), kSigmas * std::sqrt(variance_of(values) / kSamples));
}

TEST(Sampler, FileGivesItsNumbersEvenlyTimesTheScale) {
  const TemporaryFile file("times.txt", "# milliseconds\n1\n\n 2.5 \r\n4e0\n");
  Sampler sampler;
  const Distribution law{.kind = LawKind::kFile, .file = file.path(), .scale = 0.001};
  ASSERT_EQ(load_sampler(law, sampler), std::nullopt);
  EXPECT_NEAR(sampler.mean(), 0.0025, 1e-15);
  std::vector<int> counts(3);
  for (const double value : drawn(sampler, 30'000)) {
    const std::size_t which = value == 1 * 0.001 ? 0 : value == 2.5 * 0.001 ? 1 : 2;
    if (which == 2) {
      EXPECT_EQ(value, 4 * 0.001);
    }
    ++counts[which];
  }
  for (const int count : counts) {
    EXPECT_NEAR(count, 10'000, kSigmas * std::sqrt(30'000 * 2.0 / 9));
  }
}

TEST(Sampler, PackedFilesAreRead) {
  for (const std::string& content : {gzip_of("1\n3\n"), xz_of("1\n3\n")}) {
    const TemporaryFile file("times", content);
    Sampler sampler;
    ASSERT_EQ(load_sampler({.kind = LawKind::kFile, .file = file.path()}, sampler), std::nullopt);
    EXPECT_EQ(sampler.mean(), 2);
  }
}

TEST(Sampler, MistakesInItsFileAreNamed) {
  Sampler sampler;
  for (const char* text :
       {"1\nten\n", "1\n-2\n", "1\n3 4\n", "1\nnan\n", "1\ninf\n", "1\n0x10\n"}) {
    const TemporaryFile file("times", text);
    const auto error = load_sampler({.kind = LawKind::kFile, .file = file.path()}, sampler);
    ASSERT_TRUE(error) << text;
    EXPECT_TRUE(error->starts_with(file.path() + ":2: '")) << *error;
    EXPECT_NE(error->find("expected one number a line"), std::string::npos) << *error;
  }
  const TemporaryFile empty("times", "# nothing\n");
  EXPECT_NE(load_sampler({.kind = LawKind::kFile, .file = empty.path()}, sampler)
                .value_or("")
                .find("has no numbers"),
            std::string::npos);
  EXPECT_NE(load_sampler({.kind = LawKind::kFile, .file = "no/such/file"}, sampler)
                .value_or("")
                .find("no/such/file: No such file"),
            std::string::npos);
}

TEST(Sampler, HugeNumbersStayWithinTheirTypes) {
  EXPECT_EQ(work_of(1e300), Duration{100'000'000'000'000'000});
  EXPECT_EQ(work_of(1.5e-9), 2ns);
  EXPECT_EQ(size_of(1e300), 4'294'967'294u);
  EXPECT_EQ(size_of(0.4), 0u);
  EXPECT_EQ(size_of(1.5), 2u);
}

}  // namespace
}  // namespace copal::sim
