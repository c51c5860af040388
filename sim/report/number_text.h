#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Numbers as text, the same on every machine and in every locale.

namespace copal::sim {

/// The shortest text that reads back as the same number; "nan", "inf" as such.
std::string shortest(double value);

/// For people: so many significant digits, 1 to 15, without an exponent: 0.00123, 12.3, 12345.
/// Digits before the point are never cut.
std::string significant(double value, int digits);

/// value with so many digits after the point.
std::string fixed(double value, int digits);

/// The number that significant() shows, as a number: for files that need not keep every bit.
double rounded(double value, int digits);

/// Energy in J, kJ or MJ, three digits: "812 kJ".
std::string energy_text(double joules);

/// Characters of UTF-8 text, as columns of a terminal (no wide characters are expected).
std::size_t columns(std::string_view text);

}  // namespace copal::sim
