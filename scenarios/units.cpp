#include "scenarios/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <span>

#include "core/base/assert.h"

namespace copal::scenario {

namespace {

constexpr std::size_t kDigitsMax = 30;

/// One of it is factor / divisor base units; two whole numbers, as 1e-9 is not exact.
struct Unit {
  std::string_view name;
  double factor;
  double divisor = 1;

  double to_base(double count) const { return count * factor / divisor; }
  double from_base(double value) const { return value * divisor / factor; }
};

// Ascending, so that write() can take the largest that fits.
constexpr std::array<Unit, 7> kDurations{{{"ns", 1, 1e9},
                                          {"us", 1, 1e6},
                                          {"ms", 1, 1e3},
                                          {"s", 1},
                                          {"min", 60},
                                          {"h", 3600},
                                          {"d", 86400}}};
constexpr std::array<Unit, 3> kRates{{{"/h", 1, 3600}, {"/min", 1, 60}, {"/s", 1}}};
constexpr std::array<Unit, 7> kSizes{{{"B", 1},
                                      {"kB", 1e3},
                                      {"KiB", 1024},
                                      {"MB", 1e6},
                                      {"MiB", 1048576},
                                      {"GB", 1e9},
                                      {"GiB", 1073741824}}};
// Network people's bits, with a small b, and bytes, with a capital one.
constexpr std::array<Unit, 8> kBandwidths{{{"bps", 1, 8},
                                           {"kbps", 1e3, 8},
                                           {"Mbps", 1e6, 8},
                                           {"Gbps", 1e9, 8},
                                           {"Bps", 1},
                                           {"kBps", 1e3},
                                           {"MBps", 1e6},
                                           {"GBps", 1e9}}};
constexpr std::array<Unit, 2> kPowers{{{"W", 1}, {"kW", 1e3}}};
constexpr std::array<Unit, 1> kRatios{{{"%", 1, 100}}};

struct FormatInfo {
  std::string_view name;
  std::string_view noun;
  std::span<const Unit> units;
};

// In the order of Format.
const std::array<FormatInfo, 10> kFormats{
    {{"duration", "a duration", kDurations},
     {"rate", "a rate", kRates},
     {"size", "a size", kSizes},
     {"bandwidth", "a bandwidth", kBandwidths},
     {"power", "a power", kPowers},
     {"ratio", "a share from 0 to 1", kRatios},
     {"utc", "a time in UTC", {}},
     {"name", "a name (a letter, then letters, digits, - and _, 63 at most)", {}},
     {"label", "a label (letters, digits, blanks and _.,=%/+-, 63 at most)", {}},
     {"path", "a path", {}}}};

const FormatInfo& info(Format format) {
  return kFormats[static_cast<std::size_t>(format)];
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::size_t digits(std::string_view text, std::size_t from) {
  std::size_t end = from;
  while (end < text.size() && is_digit(text[end])) {
    ++end;
  }
  return end - from;
}

/// Length of the digits, with or without decimals, that the text begins with; 0 if there are none.
std::size_t decimal_length(std::string_view text) {
  const std::size_t whole = digits(text, 0);
  if (whole == 0 || whole == text.size() || text[whole] != '.') {
    return whole;
  }
  const std::size_t decimals = digits(text, whole + 1);
  return decimals == 0 ? 0 : whole + 1 + decimals;
}

std::optional<double> to_double(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<double> parse_units(std::span<const Unit> units, std::string_view text) {
  const std::size_t length = decimal_length(text);
  if (length == 0 || length > kDigitsMax) {
    return std::nullopt;
  }
  const std::optional<double> number = to_double(text.substr(0, length));
  for (const Unit& unit : units) {
    if (number && unit.name == text.substr(length)) {
      return unit.to_base(*number);
    }
  }
  return std::nullopt;
}

std::int64_t days_before_year(std::int64_t year) {
  const std::int64_t last = year - 1;
  return last * 365 + last / 4 - last / 100 + last / 400;
}

bool is_leap(std::int64_t year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/// Days since 1970-01-01; nothing if there is no such day. Gregorian.
std::optional<std::int64_t> days_since_1970(std::int64_t year, std::int64_t month,
                                            std::int64_t day) {
  constexpr std::array<int, 12> kLengths{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1970 || year > 2199 || month < 1 || month > 12 || day < 1) {
    return std::nullopt;
  }
  std::int64_t days = days_before_year(year) - days_before_year(1970);
  const auto length = [&](std::int64_t m) {
    return kLengths[static_cast<std::size_t>(m - 1)] + (m == 2 && is_leap(year) ? 1 : 0);
  };
  if (day > length(month)) {
    return std::nullopt;
  }
  for (std::int64_t m = 1; m < month; ++m) {
    days += length(m);
  }
  return days + day - 1;
}

/// The digits that stand where the form has 'd', read as numbers; nothing if the text has another
/// form. text: 1998-06-30T18:00Z with or without seconds.
std::optional<double> parse_utc(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:ddZ";
  constexpr std::string_view kFormWithSeconds = "dddd-dd-ddTdd:dd:ddZ";
  const std::string_view form = text.size() == kForm.size() ? kForm : kFormWithSeconds;
  if (text.size() != form.size()) {
    return std::nullopt;
  }
  std::array<std::int64_t, 6> fields{};  // year, month, day, hour, minute, second
  std::size_t field = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (form[i] == 'd' && is_digit(text[i])) {
      fields[field] = fields[field] * 10 + (text[i] - '0');
    } else if (form[i] != 'd' && form[i] == text[i]) {
      ++field;
    } else {
      return std::nullopt;
    }
  }
  const auto days = days_since_1970(fields[0], fields[1], fields[2]);
  if (!days || fields[3] > 23 || fields[4] > 59 || fields[5] > 59) {
    return std::nullopt;
  }
  return static_cast<double>(*days * 86400 + fields[3] * 3600 + fields[4] * 60 + fields[5]);
}

/// Letters, digits and the extra signs; the first a letter, or a digit where that is allowed.
bool is_word(std::string_view text, std::string_view extra, bool digit_first) {
  constexpr std::size_t kLengthMax = 63;
  if (text.empty() || text.size() > kLengthMax ||
      !(is_letter(text[0]) || (digit_first && is_digit(text[0])))) {
    return false;
  }
  for (const char c : text) {
    if (!is_letter(c) && !is_digit(c) && extra.find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

std::optional<double> zero_if(bool condition) {
  return condition ? std::optional<double>(0) : std::nullopt;
}

}  // namespace

std::optional<Format> format_named(std::string_view name) {
  for (std::size_t i = 0; i < kFormats.size(); ++i) {
    if (kFormats[i].name == name) {
      return static_cast<Format>(i);
    }
  }
  return std::nullopt;
}

std::string_view noun(Format format) {
  return info(format).noun;
}

bool has_unit(Format format) {
  return !info(format).units.empty();
}

std::optional<double> parse(Format format, std::string_view text) {
  switch (format) {
    case Format::kDuration:
    case Format::kRate:
    case Format::kSize:
    case Format::kBandwidth:
    case Format::kPower:
      return parse_units(info(format).units, text);
    case Format::kRatio:
      if (const auto number = parse_number(text)) {
        return number;
      }
      return parse_units(kRatios, text);
    case Format::kUtc:
      return parse_utc(text);
    case Format::kName:
      return zero_if(is_word(text, "_-", false));
    case Format::kLabel:
      return zero_if(is_word(text, " _.,=%/+-", true));
    case Format::kPath:
      return zero_if(!text.empty() && text.find('\0') == std::string_view::npos &&
                     text.find('\n') == std::string_view::npos);
  }
  return std::nullopt;
}

std::string write(Format format, double value) {
  if (format == Format::kRatio || !has_unit(format)) {
    return write_number(value);
  }
  if (format == Format::kRate) {
    return write_number(value) + "/s";
  }
  if (format == Format::kBandwidth) {
    return write_number(value) + "Bps";
  }
  const std::span<const Unit> units = info(format).units;
  if (value == 0) {
    return format == Format::kDuration ? "0s" : "0" + std::string(units[0].name);
  }
  const Unit* best = &units[0];
  for (const Unit& unit : units) {
    const double count = unit.from_base(value);
    if (count >= 1 && write_number(count).size() <= write_number(best->from_base(value)).size()) {
      best = &unit;
    }
  }
  return write_number(best->from_base(value)) + std::string(best->name);
}

std::string write(Duration duration) {
  constexpr std::array<std::int64_t, 7> kNanoseconds{
      1, 1'000, 1'000'000, 1'000'000'000, 60'000'000'000, 3'600'000'000'000, 86'400'000'000'000};
  std::size_t best = duration == Duration{} ? 3 : 0;
  for (std::size_t i = best; duration != Duration{} && i < kNanoseconds.size(); ++i) {
    best = duration.count() % kNanoseconds[i] == 0 ? i : best;
  }
  return std::to_string(duration.count() / kNanoseconds[best]) + std::string(kDurations[best].name);
}

std::optional<double> parse_number(std::string_view text) {
  const std::string_view unsigned_text = text.substr(!text.empty() && text[0] == '-' ? 1 : 0);
  const std::size_t length = decimal_length(unsigned_text);
  const bool leading_zero = length > 1 && unsigned_text[0] == '0' && is_digit(unsigned_text[1]);
  if (length == 0 || length > kDigitsMax || leading_zero) {
    return std::nullopt;
  }
  const std::string_view exponent = unsigned_text.substr(length);
  if (!exponent.empty()) {
    const bool has_sign = exponent.size() > 1 && (exponent[1] == '-' || exponent[1] == '+');
    const std::size_t start = has_sign ? 2 : 1;
    const std::size_t count = digits(exponent, start);
    if ((exponent[0] != 'e' && exponent[0] != 'E') || count == 0 || count > 4 ||
        start + count != exponent.size()) {
      return std::nullopt;
    }
  }
  return to_double(text);
}

bool is_integer(std::string_view text) {
  return parse_number(text) && text.find_first_of(".eE") == std::string_view::npos;
}

std::string write_number(double value) {
  std::array<char, 32> buffer{};
  const bool plain = value == 0 || (std::fabs(value) >= 1e-6 && std::fabs(value) < 1e12);
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                    plain ? std::chars_format::fixed : std::chars_format::general);
  COPAL_ASSERT(error == std::errc{});
  return {buffer.data(), end};
}

Duration duration_of(std::string_view text) {
  const std::optional<double> seconds = parse(Format::kDuration, text);
  COPAL_ASSERT(seconds.has_value() && *seconds < 9e9);
  return from_seconds(*seconds);
}

}  // namespace copal::scenario
