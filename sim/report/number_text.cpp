#include "sim/report/number_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>

#include "core/base/assert.h"

namespace copal::sim {

namespace {

/// Digits of any double in fixed form: 309 before the point, few behind it.
constexpr std::size_t kTextMax = 512;

template <class... Format>
std::string to_text(double value, Format... format) {
  std::array<char, kTextMax> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value, format...);
  COPAL_ASSERT(error == std::errc{});
  return std::string(text.data(), end);
}

double from_text(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::string shortest(double value) {
  return to_text(value);
}

double rounded(double value, int digits) {
  if (!std::isfinite(value)) {
    return value;
  }
  return from_text(to_text(value, std::chars_format::scientific, digits - 1));
}

std::string significant(double value, int digits) {
  COPAL_ASSERT(digits >= 1 && digits <= 15);
  if (!std::isfinite(value) || value == 0) {
    return shortest(value);
  }
  const std::string text = to_text(value, std::chars_format::scientific, digits - 1);
  int exponent = 0;
  const std::size_t at = text.find('e') + 1;
  const std::size_t number_at = at + (text[at] == '+' ? 1 : 0);
  std::from_chars(text.data() + number_at, text.data() + text.size(), exponent);
  const int behind = digits - 1 - exponent;
  return behind > 0 ? fixed(rounded(value, digits), behind) : fixed(value, 0);
}

std::string fixed(double value, int digits) {
  return to_text(value, std::chars_format::fixed, digits);
}

std::string energy_text(double joules) {
  if (joules >= 1e6) {
    return significant(joules / 1e6, 3) + " MJ";
  }
  return joules >= 1e3 ? significant(joules / 1e3, 3) + " kJ" : significant(joules, 3) + " J";
}

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (const char byte : text) {
    // Bytes 10xxxxxx continue a character.
    count += (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U ? 0 : 1;
  }
  return count;
}

}  // namespace copal::sim
