#include "sim/report/statistics.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/base/assert.h"
#include "core/base/math.h"

namespace copal::sim {

namespace {

// Quantiles for 1 to 30 degrees of freedom. Even ones have an algebraic closed form, odd ones one
// with an arctangent; the test holds every entry against these.
constexpr std::array<double, 30> kQuantiles = {
    12.7062047362, 4.3026527297, 3.1824463053, 2.7764451052, 2.5705818356, 2.4469118511,
    2.3646242516,  2.3060041352, 2.2621571628, 2.2281388520, 2.2009851601, 2.1788128297,
    2.1603686565,  2.1447866879, 2.1314495456, 2.1199052992, 2.1098155778, 2.1009220402,
    2.0930240544,  2.0859634473, 2.0796138447, 2.0738730679, 2.0686576104, 2.0638985616,
    2.0595385528,  2.0555294386, 2.0518305165, 2.0484071418, 2.0452296421, 2.0422724563};

// The 97.5 % quantile of the normal distribution.
constexpr double kNormal = 1.959963984540054;

// A spread this small beside the mean comes from the rounding of sums, not from what was measured.
constexpr double kRounding = 1e-12;

}  // namespace

double student_t_975(std::uint64_t degrees_of_freedom) {
  COPAL_ASSERT(degrees_of_freedom > 0);
  if (degrees_of_freedom <= kQuantiles.size()) {
    return kQuantiles[degrees_of_freedom - 1];
  }
  const double z = kNormal;
  const double z2 = z * z;
  const double n = static_cast<double>(degrees_of_freedom);
  const double g1 = z * (z2 + 1) / 4;
  const double g2 = z * ((5 * z2 + 16) * z2 + 3) / 96;
  const double g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
  const double g4 = z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
  return z + (g1 + (g2 + (g3 + g4 / n) / n) / n) / n;
}

std::optional<double> Estimate::low() const {
  return half_width ? std::optional(mean - *half_width) : std::nullopt;
}

std::optional<double> Estimate::high() const {
  return half_width ? std::optional(mean + *half_width) : std::nullopt;
}

bool Estimate::may_be_zero() const {
  const double reach = half_width.value_or(0);
  return mean - reach <= 0 && mean + reach >= 0;
}

Estimate estimate(std::span<const double> values) {
  Estimate result;
  result.count = static_cast<std::uint32_t>(values.size());
  if (values.empty()) {
    return result;
  }
  const double count = static_cast<double>(values.size());
  for (const double value : values) {
    result.mean += value;
  }
  result.mean /= count;
  if (values.size() < 2) {
    return result;
  }
  double squares = 0;
  for (const double value : values) {
    squares += (value - result.mean) * (value - result.mean);
  }
  const double standard_error = math::sqrt(squares / (count - 1) / count);
  const double half_width = student_t_975(values.size() - 1) * standard_error;
  const bool is_rounding = half_width <= kRounding * std::max(result.mean, -result.mean);
  result.half_width = is_rounding ? 0 : half_width;
  return result;
}

Estimate paired_difference(std::span<const double> values, std::span<const double> base) {
  COPAL_ASSERT(values.size() == base.size());
  std::vector<double> differences;
  differences.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    differences.push_back(values[i] - base[i]);
  }
  return estimate(differences);
}

}  // namespace copal::sim
