#include "core/base/math.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/base/assert.h"

namespace copal::math {

namespace {

constexpr double kLn2High = 0x1.62e42fefa3800p-1;  // the upper bits: exact when times an exponent
constexpr double kLn2Low = 0x1.ef35793c76730p-45;
constexpr double kTwoPi = 6.283185307179586476925286766559;

/// 2 to the n for -1022 <= n <= 1023, made from its bit pattern.
double two_to(int n) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52U);
}

}  // namespace

double log(double x) {
  COPAL_ASSERT(x > 0 && x <= std::numeric_limits<double>::max());
  int exponent = 0;
  if (x < 0x1p-1022) {  // subnormal: shift it up first
    x *= 0x1p54;
    exponent -= 54;
  }
  auto bits = std::bit_cast<std::uint64_t>(x);
  exponent += static_cast<int>(bits >> 52U) - 1023;
  bits = (bits & 0x000f'ffff'ffff'ffffU) | 0x3ff0'0000'0000'0000U;
  double m = std::bit_cast<double>(bits);
  if (m > 1.4142135623730951) {  // keep m within [sqrt(1/2), sqrt(2)]
    m *= 0.5;
    ++exponent;
  }
  // log(1+f) = 2 atanh(s) with s = f/(2+f), |s| < 0.1716: eleven odd terms are below 2^-56. Written
  // as f - (f*f/2 - s*(f*f/2 + R)), so that the leading f is exact where m is near 1.
  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  double r = 2.0 / 23.0;
  for (int k = 21; k >= 3; k -= 2) {
    r = r * z + 2.0 / k;
  }
  r *= z;
  const double half = 0.5 * f * f;
  const double e = exponent;
  return e * kLn2High - ((half - (s * (half + r) + e * kLn2Low)) - f);
}

double exp(double x) {
  COPAL_ASSERT(x == x);
  if (x > 709.782712893384) {
    return std::numeric_limits<double>::infinity();
  }
  if (x < -745.2) {
    return 0;
  }
  const double scaled = x * 1.4426950408889634074;
  const int n = static_cast<int>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  const double r = (x - n * kLn2High) - n * kLn2Low;  // |r| <= ln(2)/2
  double sum = 1.0;  // Taylor by Horner; 15 terms leave less than 2^-56
  for (int k = 15; k >= 1; --k) {
    sum = 1.0 + r * sum / k;
  }
  if (n < -1021) {
    return sum * two_to(n + 100) * 0x1p-100;
  }
  if (n > 1023) {
    return sum * two_to(n - 1) * 2.0;
  }
  return sum * two_to(n);
}

double pow(double base, double exponent) {
  return exp(exponent * log(base));
}

double sqrt(double x) {
  return std::sqrt(x);
}

double sin_turns(double turns) {
  COPAL_ASSERT(turns >= -0x1p52 && turns <= 0x1p52);
  // Reduce to a quarter turn; subtracting whole and half turns is exact.
  double t = turns - static_cast<double>(static_cast<std::int64_t>(turns));
  if (t < 0) {
    t += 1.0;
  }
  const bool negative = t >= 0.5;
  if (negative) {
    t -= 0.5;
  }
  if (t > 0.25) {
    t = 0.5 - t;
  }
  // Above an eighth of a turn the cosine of the rest: its series is short too, and exact at its
  // top.
  const bool from_top = t > 0.125;
  const double angle = (from_top ? 0.25 - t : t) * kTwoPi;
  const double z = angle * angle;
  const int first = from_top ? 1 : 2;
  double sum = 1.0;  // Taylor by Horner; the first term left out is below 2^-56
  for (int k = first + 14; k >= first; k -= 2) {
    sum = 1.0 - z * sum / (k * (k + 1));
  }
  const double value = from_top ? sum : angle * sum;
  return negative ? -value : value;
}

}  // namespace copal::math
