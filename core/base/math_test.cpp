#include "core/base/math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/base/prng.h"

namespace copal {
namespace {

constexpr int kDraws = 200'000;
constexpr long double kTwoPi = 6.283185307179586476925286766559005768L;

double draw_between(Prng& prng, double low, double high) {
  return low + (high - low) * draw_unit(prng);
}

/// Returns the largest relative error of ours against the reference over drawn arguments.
template <class Ours, class Reference, class Draw>
double worst_relative_error(Ours ours, Reference reference, Draw draw) {
  long double worst = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = draw();
    const long double exact = reference(static_cast<long double>(x));
    worst = std::max(worst, std::fabs((static_cast<long double>(ours(x)) - exact) / exact));
  }
  return static_cast<double>(worst);
}

long double reference_log(long double x) {
  return std::log(x);
}
long double reference_exp(long double x) {
  return std::exp(x);
}

TEST(Math, LogKeepsItsErrorOverAllPositiveNumbers) {
  Prng prng(1, "math_test.log");
  const auto wide = [&] { return std::exp2(draw_between(prng, -1074, 1024)); };
  EXPECT_LT(worst_relative_error(math::log, reference_log, wide), 2e-16);
}

TEST(Math, LogKeepsItsRelativeErrorNearOneWhereItVanishes) {
  Prng prng(2, "math_test.log");
  const auto near = [&] { return draw_between(prng, 0.7, 1.42); };
  const auto very_near = [&] { return 1.0 + draw_between(prng, -1e-9, 1e-9); };
  EXPECT_LT(worst_relative_error(math::log, reference_log, near), 2e-16);
  EXPECT_LT(worst_relative_error(math::log, reference_log, very_near), 2e-16);
  EXPECT_EQ(math::log(1.0), 0.0);
}

TEST(Math, LogOfTheEdgesOfItsRange) {
  const double smallest = std::numeric_limits<double>::denorm_min();
  const double largest = std::numeric_limits<double>::max();
  EXPECT_NEAR(math::log(smallest), -744.4400719213812, 1e-12);
  EXPECT_NEAR(math::log(largest), 709.782712893384, 1e-12);
}

TEST(MathDeathTest, LogOfWhatHasNoneIsAsserted) {
  EXPECT_DEATH(math::log(0.0), "assertion failed");
  EXPECT_DEATH(math::log(-1.0), "assertion failed");
  EXPECT_DEATH(math::log(std::numeric_limits<double>::infinity()), "assertion failed");
  EXPECT_DEATH(math::log(std::numeric_limits<double>::quiet_NaN()), "assertion failed");
}

TEST(Math, ExpKeepsItsErrorWhereTheAnswerIsNormal) {
  Prng prng(1, "math_test.exp");
  const auto wide = [&] { return draw_between(prng, -708, 709.78); };
  const auto small = [&] { return draw_between(prng, -1, 1); };
  EXPECT_LT(worst_relative_error(math::exp, reference_exp, wide), 2.3e-16);
  EXPECT_LT(worst_relative_error(math::exp, reference_exp, small), 2.3e-16);
}

TEST(Math, ExpIsWithinTheLastBitWhereTheAnswerIsSubnormal) {
  Prng prng(2, "math_test.exp");
  long double worst = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = draw_between(prng, -745.2, -708.4);
    worst = std::max(worst, std::fabs(static_cast<long double>(math::exp(x)) -
                                      reference_exp(static_cast<long double>(x))));
  }
  EXPECT_LE(worst, static_cast<long double>(std::numeric_limits<double>::denorm_min()));
}

TEST(Math, ExpAtTheEndsOfItsRange) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(math::exp(0.0), 1.0);
  EXPECT_EQ(math::exp(-745.14), 0.0);
  EXPECT_GT(math::exp(-745.13), 0.0);
  EXPECT_EQ(math::exp(-infinity), 0.0);
  EXPECT_EQ(math::exp(709.79), infinity);
  EXPECT_LT(math::exp(709.78), infinity);
  EXPECT_EQ(math::exp(infinity), infinity);
  EXPECT_DEATH(math::exp(std::numeric_limits<double>::quiet_NaN()), "assertion failed");
}

TEST(Math, PowKeepsItsErrorWhichGrowsWithTheLogarithmOfTheAnswer) {
  Prng prng(1, "math_test.pow");
  double worst = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double base = std::exp2(draw_between(prng, -20, 20));
    const double exponent = draw_between(prng, -8, 8);
    const long double exact =
        std::pow(static_cast<long double>(base), static_cast<long double>(exponent));
    const long double error =
        std::fabs(static_cast<long double>(math::pow(base, exponent)) / exact - 1.0L);
    worst =
        std::max(worst, static_cast<double>(error) / (1 + std::fabs(exponent * std::log(base))));
  }
  EXPECT_LT(worst, 2.5e-16);
  EXPECT_EQ(math::pow(17.0, 0.0), 1.0);
  EXPECT_EQ(math::pow(1.0, 1e300), 1.0);
}

TEST(Math, SinKeepsItsErrorOverManyTurns) {
  Prng prng(1, "math_test.sin");
  double worst = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double turns = draw_between(prng, -4, 4);
    const long double exact = std::sin(static_cast<long double>(turns) * kTwoPi);
    worst = std::max(
        worst,
        static_cast<double>(std::fabs(static_cast<long double>(math::sin_turns(turns)) - exact)));
  }
  EXPECT_LT(worst, 2e-16);
}

TEST(Math, SinRepeatsExactlyAfterAWholeTurn) {
  for (const double turns : {0.0, 0.125, 0.25, 0.375, 0.5, 0.75, 0.875}) {
    EXPECT_EQ(math::sin_turns(turns), math::sin_turns(turns + 1024.0)) << turns;
    EXPECT_EQ(math::sin_turns(turns), -math::sin_turns(-turns)) << turns;
  }
  EXPECT_EQ(math::sin_turns(0.5), 0.0);
  EXPECT_EQ(math::sin_turns(0.25), 1.0);
  EXPECT_EQ(math::sin_turns(-0.25), -1.0);
  EXPECT_DEATH(math::sin_turns(0x1p53), "assertion failed");
}

/// One word for the bits of a function's answers at many arguments: another compiler, a fused
/// multiply-add or a reordered sum would change it. Rule: R0.8.
template <class Function, class Draw>
std::uint64_t bits_of(Function function, Draw draw) {
  std::uint64_t bits = 0;
  for (int i = 0; i < kDraws; ++i) {
    bits = mix64(bits, std::bit_cast<std::uint64_t>(function(draw())));
  }
  return bits;
}

TEST(MathGolden, BitsAreTheSameOnEveryMachine) {
  Prng prng(3, "math_test.golden");
  // A multiple of 2^-53, and a power of two made from its bit pattern: exact everywhere.
  const auto unit = [&] { return draw_unit(prng) + 0x1p-53; };
  const auto wide = [&] {
    const std::uint64_t exponent = 1 + draw_below(prng, 2046);
    return (1.0 + draw_unit(prng)) * std::bit_cast<double>(exponent << 52U);
  };
  const auto signed_wide = [&] { return 1400 * (draw_unit(prng) - 0.5); };
  EXPECT_EQ(bits_of(math::log, unit), 0xa26e'bc5a'ec10'5989u);
  EXPECT_EQ(bits_of(math::log, [&] { return wide() * 0.5; }), 0x13c3'f51a'8f8a'128fu);
  EXPECT_EQ(bits_of(math::exp, signed_wide), 0xea9f'9cad'85b6'fb6eu);
  EXPECT_EQ(bits_of(math::sin_turns, signed_wide), 0x6b6c'522d'9e00'def5u);
  EXPECT_EQ(bits_of([](double x) { return math::pow(x, 2.7); }, unit), 0xb8ad'f13c'e844'064bu);
}

TEST(MathGolden, BitsOfSingleAnswers) {
  EXPECT_EQ(std::bit_cast<std::uint64_t>(math::log(2.0)), 0x3fe6'2e42'fefa'39efu);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(math::log(10.0)), 0x4002'6bb1'bbb5'5516u);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(math::exp(1.0)), 0x4005'bf0a'8b14'576au);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(math::sqrt(2.0)), 0x3ff6'a09e'667f'3bcdu);
}

}  // namespace
}  // namespace copal
