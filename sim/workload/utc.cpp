#include "sim/workload/utc.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace copal::sim {

std::optional<UtcSeconds> utc_of(const CalendarTime& time) {
  const std::chrono::year_month_day date{
      std::chrono::year{time.year}, std::chrono::month{time.month}, std::chrono::day{time.day}};
  if (time.year < 1970 || time.year > 2199 || !date.ok() || time.hour > 23 || time.minute > 59 ||
      time.second > 60) {
    return std::nullopt;
  }
  const UtcSeconds days = std::chrono::sys_days{date}.time_since_epoch().count();
  return days * 86'400 + time.hour * 3'600 + time.minute * 60 + time.second - time.offset_s;
}

std::optional<unsigned> take_digits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) {
    return std::nullopt;
  }
  unsigned number = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const auto digit = static_cast<unsigned>(static_cast<unsigned char>(text[i])) - '0';
    if (digit > 9) {
      return std::nullopt;
    }
    number = number * 10 + digit;
  }
  text.remove_prefix(digits);
  return number;
}

bool take_char(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

std::optional<UtcSeconds> parse_utc(std::string_view text) {
  CalendarTime time;
  const auto take = [&text](auto& field, std::size_t digits, char after) {
    const auto number = take_digits(text, digits);
    field = static_cast<std::remove_reference_t<decltype(field)>>(number.value_or(0));
    return number && (after == '\0' || take_char(text, after));
  };
  if (!take(time.year, 4, '-') || !take(time.month, 2, '-') || !take(time.day, 2, 'T') ||
      !take(time.hour, 2, ':') || !take(time.minute, 2, '\0')) {
    return std::nullopt;
  }
  if (take_char(text, ':') && !take(time.second, 2, '\0')) {
    return std::nullopt;
  }
  return text == "Z" ? utc_of(time) : std::nullopt;
}

std::string utc_text(UtcSeconds time) {
  const std::chrono::sys_seconds point{std::chrono::seconds{time}};
  const auto days = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date{days};
  const auto second_of_day = static_cast<unsigned>((point - days).count());
  std::array<char, 40> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02u:%02u",
                                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                 static_cast<unsigned>(date.day()), second_of_day / 3'600,
                                 second_of_day / 60 % 60);
  std::string result(text.data(), static_cast<std::size_t>(size));
  if (second_of_day % 60 != 0) {
    const unsigned second = second_of_day % 60;
    result += ":" + std::string(second < 10 ? "0" : "") + std::to_string(second);
  }
  return result + "Z";
}

}  // namespace copal::sim
