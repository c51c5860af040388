#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace copal::sim {

/// Seconds since 1970-01-01T00:00Z. Recorded times lie between 1970 and 2199, so that their
/// nanoseconds fit into 64 bits too.
using UtcSeconds = std::int64_t;

/// A point in the calendar, as written: month and day from 1; second up to 60, a leap second, which
/// counts as the one after. offset_s  what the writer's clock is ahead of UTC.
struct CalendarTime {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  int offset_s = 0;
};

/// Nothing if there is no such time, or not within 1970 to 2199.
std::optional<UtcSeconds> utc_of(const CalendarTime& time);

/// Reads 1998-06-30T18:00Z and 1998-06-30T18:00:30Z; nothing if the text is neither.
std::optional<UtcSeconds> parse_utc(std::string_view text);

/// Writes 1998-06-30T18:00:30Z, without seconds where they are 0.
std::string utc_text(UtcSeconds time);

/// Takes a whole number of exactly `digits` decimal digits (at most 9) from the front of the text.
/// Nothing, and the text unchanged, if it does not begin with so many digits.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t digits);

/// Takes the character from the front of the text. Returns whether it was there.
bool take_char(std::string_view& text, char expected);

}  // namespace copal::sim
