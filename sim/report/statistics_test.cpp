#include "sim/report/statistics.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>

namespace copal::sim {
namespace {

/// The distribution function of Student's t in closed form, independent of the table.
/// Source: Abramowitz and Stegun, 26.7.3 and 26.7.4.
double student_cdf(double t, int degrees) {
  const double angle = std::atan2(t, std::sqrt(degrees));
  const double cosine = std::cos(angle);
  const bool even = degrees % 2 == 0;
  double term = even ? 1 : cosine;
  double sum = degrees == 1 ? 0 : term;
  for (int k = 1; k < degrees / 2; ++k) {
    term *= cosine * cosine * (even ? (2.0 * k - 1) / (2.0 * k) : 2.0 * k / (2.0 * k + 1));
    sum += term;
  }
  const double inside =
      even ? std::sin(angle) * sum : 2 / std::numbers::pi * (angle + std::sin(angle) * sum);
  return 0.5 + inside / 2;
}

TEST(Statistics, StudentQuantilesMatchTheClosedFormAtEveryDegreeOfFreedom) {
  for (int degrees = 1; degrees <= 2000; ++degrees) {
    EXPECT_NEAR(student_cdf(student_t_975(static_cast<std::uint64_t>(degrees)), degrees), 0.975,
                5e-9)
        << "degrees of freedom: " << degrees;
  }
}

TEST(Statistics, StudentQuantilesMatchPublishedOnes) {
  EXPECT_NEAR(student_t_975(1), 12.706, 5e-4);
  EXPECT_NEAR(student_t_975(4), 2.776, 5e-4);
  EXPECT_NEAR(student_t_975(19), 2.093, 5e-4);
  EXPECT_NEAR(student_t_975(120), 1.980, 5e-4);
  EXPECT_NEAR(student_t_975(1'000'000'000), 1.959964, 1e-6);
}

TEST(Statistics, EstimateOfHandMadeNumbers) {
  // Mean 5, sample variance 10, standard error sqrt(2), 4 degrees of freedom.
  const std::array<double, 5> values = {1, 3, 5, 7, 9};
  const Estimate five = estimate(values);
  EXPECT_DOUBLE_EQ(five.mean, 5);
  EXPECT_EQ(five.count, 5U);
  ASSERT_TRUE(five.half_width.has_value());
  EXPECT_NEAR(*five.half_width, 2.7764451052 * std::sqrt(2.0), 1e-9);
  EXPECT_NEAR(*five.low(), 5 - 3.926486, 1e-5);
  EXPECT_NEAR(*five.high(), 5 + 3.926486, 1e-5);
}

TEST(Statistics, OneValueHasNoInterval) {
  const std::array<double, 1> values = {7};
  EXPECT_DOUBLE_EQ(estimate(values).mean, 7);
  EXPECT_FALSE(estimate(values).half_width.has_value());
  EXPECT_FALSE(estimate(values).low().has_value());
  EXPECT_FALSE(estimate(values).may_be_zero());
  EXPECT_EQ(estimate({}).count, 0U);
}

TEST(Statistics, RoundingIsNoSpread) {
  const std::array<double, 3> equal = {6.28, 6.28, 6.28};  // their sum over 3 is not 6.28
  EXPECT_EQ(estimate(equal).half_width, 0);
  const std::array<double, 3> summed = {0.3, 0.1 + 0.2, 0.3};
  EXPECT_EQ(estimate(summed).half_width, 0);
  const std::array<double, 3> measured = {0.3, 0.3 + 1e-9, 0.3};
  EXPECT_GT(*estimate(measured).half_width, 1e-10);
}

TEST(Statistics, PairedDifferenceIsNarrowWhereSeedsDifferMoreThanLines) {
  const std::array<double, 4> base = {10, 20, 30, 40};
  const std::array<double, 4> values = {11, 21.5, 30.5, 41};
  const Estimate difference = paired_difference(values, base);
  EXPECT_DOUBLE_EQ(difference.mean, 1);
  // Differences 1, 1.5, 0.5, 1: sample variance 1/6, standard error sqrt(1/24).
  EXPECT_NEAR(*difference.half_width, 3.1824463053 * std::sqrt(1.0 / 24), 1e-9);
  EXPECT_FALSE(difference.may_be_zero());
  EXPECT_GT(*estimate(values).half_width, 10);
}

TEST(Statistics, DifferenceWhoseIntervalHoldsZeroMayBeZero) {
  const std::array<double, 3> base = {10, 20, 30};
  const std::array<double, 3> values = {12, 19, 30};
  EXPECT_TRUE(paired_difference(values, base).may_be_zero());
}

TEST(Statistics, UnequalLengthsAreAsserted) {
  const std::array<double, 2> base = {1, 2};
  EXPECT_DEATH(paired_difference(std::span(base).first(1), base), "size");
}

}  // namespace
}  // namespace copal::sim
