#pragma once

#include <cstdint>
#include <optional>
#include <span>

// Means over seeds and what chance leaves open about them. Only + - * / and sqrt, so that every
// machine prints the same digits (R0.8).

namespace copal::sim {

/// A mean with its 95 % confidence interval.
struct Estimate {
  double mean = 0;
  std::uint32_t count = 0;           // values behind it
  std::optional<double> half_width;  // of the interval; nothing with fewer than two values

  std::optional<double> low() const;
  std::optional<double> high() const;
  /// Whether the interval leaves zero open: for a difference, that there may be none. False
  /// without an interval, unless the mean is zero itself.
  bool may_be_zero() const;
};

/// The 97.5 % quantile of Student's t distribution: half a 95 % interval in standard errors.
/// degrees_of_freedom  > 0 (asserted). Up to 30 from a table, beyond by the Cornish-Fisher
/// expansion in 1/degrees; both exact to 1e-7.
/// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
double student_t_975(std::uint64_t degrees_of_freedom);

/// Mean and interval of independent values; of none, zero. A spread below 1e-12 of the mean is
/// taken for rounding: half_width is 0.
Estimate estimate(std::span<const double> values);

/// Mean and interval of values[i] - base[i]: with common random numbers far narrower than the
/// difference of two intervals. Same lengths (asserted), same seed at the same index.
Estimate paired_difference(std::span<const double> values, std::span<const double> base);

}  // namespace copal::sim
