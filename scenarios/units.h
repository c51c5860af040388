#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.h"

// Quantities as people write them in scenario files, and the numbers that they mean. Each of these
// is a `format` in schema.json; the patterns there must accept the same texts (units_test.cpp).

namespace copal::scenario {

/// What a text with a unit can stand for. The base unit is that of the number.
enum class Format {
  kDuration,   // 20ms, 1.5s, 5min, 2h, 7d, 100us, 10ns: seconds
  kRate,       // 50/s, 3000/min, 10/h: per second
  kSize,       // 500B, 10kB, 4MB, 1GiB: bytes
  kBandwidth,  // 10Gbps (bits), 1GBps (bytes): bytes per second
  kPower,      // 100W, 1.2kW: watts
  kRatio,      // 20%, 0.2: of one
  kUtc,        // 1998-06-30T18:00Z, also with seconds: seconds since 1970
  kName,       // app, big-2: letters, digits, - and _; no number
  kLabel,      // as a name, with more signs and blanks; no number
  kPath,       // any text but none; no number
};

/// The format of that name in schema.json; nothing if there is none.
std::optional<Format> format_named(std::string_view name);

/// What a person would call it, with its article: "a duration".
std::string_view noun(Format format);

/// Whether the format is a number with a unit.
bool has_unit(Format format);

/// Reads a text. Returns the number in the base unit (0 for names, labels and paths); nothing if
/// the text is not of this format. A number of more than 30 digits is of no format.
std::optional<double> parse(Format format, std::string_view text);

/// The same for a whole number of nanoseconds, exact: the largest unit that divides it.
std::string write(Duration duration);

/// A number in the base unit as a person would write it: 0.25 seconds is "250ms".
std::string write(Format format, double value);

/// Reads a plain decimal number as YAML's core schema and JSON both have it: -1, 0.5, 1e-3. No
/// leading zeros or signs beyond that, no infinity.
std::optional<double> parse_number(std::string_view text);

/// Whether the text is a whole number in the same sense.
bool is_integer(std::string_view text);

/// A number as short as it can be written, with an exponent only where it is very large or small.
std::string write_number(double value);

/// The nearest whole nanosecond; text must be a duration (asserted).
Duration duration_of(std::string_view text);

}  // namespace copal::scenario
