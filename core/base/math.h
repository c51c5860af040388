#pragma once

// Logarithm, exponential, power and sine that give the same bits on every machine: glibc's take
// other paths on processors without FMA. Only + - * / and bit patterns are used. Rule: R0.8.
// The errors stated below are held by math_test.cpp against long double; so are golden bits.

namespace copal::math {

/// x > 0 and finite (asserted). Returns the natural logarithm; relative error below 2e-16.
double log(double x);

/// x  any number but NaN (asserted). Returns e to the x, relative error below 2.3e-16; 0 below
/// -745.14, infinity above 709.78; where the answer is subnormal, within its last bit.
double exp(double x);

/// base > 0 and finite (asserted). Returns base to the exponent; the relative error is below
/// 2.5e-16 times 1 + |exponent * log(base)|.
double pow(double base, double exponent);

/// Returns the square root; IEEE 754 requires one answer, so the hardware's is used.
double sqrt(double x);

/// turns  within +-2^52 (asserted). Returns the sine of 2*pi*turns; one whole turn is 1, so the
/// reduction is exact. Absolute error below 2e-16.
double sin_turns(double turns);

}  // namespace copal::math
