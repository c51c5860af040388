#include "sim/workload/access_log_line.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace copal::sim {

namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

/// Takes up to the next blank, which stays.
std::string_view take_token(std::string_view& text) {
  const std::string_view token = text.substr(0, text.find(' '));
  text.remove_prefix(token.size());
  return token;
}

/// Takes a quoted field; its escapes stay as they are. Nothing if the quote does not end.
std::optional<std::string_view> take_quoted(std::string_view& text) {
  if (!text.starts_with('"')) {
    return std::nullopt;
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      const std::string_view field = text.substr(1, i - 1);
      text.remove_prefix(i + 1);
      return field;
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

/// Takes "17/May/2015:10:05:03 +0000]".
std::optional<UtcSeconds> take_time(std::string_view& text) {
  std::string_view rest = text;
  CalendarTime time;
  bool well = true;
  const auto take = [&](std::size_t digits, char after) {
    const auto number = take_digits(rest, digits);
    well = well && number && (after == '\0' || take_char(rest, after));
    return number.value_or(0);
  };
  time.day = take(2, '/');
  const auto* month = std::find(kMonths.begin(), kMonths.end(), rest.substr(0, 3));
  if (!well || month == kMonths.end()) {
    return std::nullopt;
  }
  time.month = static_cast<unsigned>(month - kMonths.begin()) + 1;
  rest.remove_prefix(3);
  well = take_char(rest, '/');
  time.year = static_cast<int>(take(4, ':'));
  time.hour = take(2, ':');
  time.minute = take(2, ':');
  time.second = take(2, ' ');
  const bool west = well && rest.starts_with('-');
  well = well && (take_char(rest, '+') || take_char(rest, '-'));
  const unsigned hours = take(2, '\0');
  const unsigned minutes = take(2, ']');
  time.offset_s = static_cast<int>(hours * 3'600 + minutes * 60) * (west ? -1 : 1);
  if (!well || hours > 14 || minutes > 59) {
    return std::nullopt;
  }
  text = rest;
  return utc_of(time);
}

/// Whether it is a virtual host with its port, "shop.example:443"; an IPv6 address has more colons.
bool is_host_with_port(std::string_view token) {
  const std::size_t colon = token.find(':');
  return colon != std::string_view::npos && colon > 0 && colon + 1 < token.size() &&
         token.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
}

/// Reads "address ident user", the virtual host perhaps before it.
std::string_view parse_client(std::string_view head, AccessLine& result) {
  const auto blanks = std::count(head.begin(), head.end(), ' ');
  result.address = take_token(head);
  if (blanks >= 3 && is_host_with_port(result.address)) {
    skip_blanks(head);
    result.address = take_token(head);
  }
  if (blanks < 2 || result.address.empty()) {
    return "expected address, ident and user before the time";
  }
  return {};
}

/// Finds the time: the first bracket behind a blank that holds one, for the user may hold brackets.
/// Moves `rest` behind it.
std::string_view parse_head(std::string_view& rest, AccessLine& result) {
  const std::string_view line = rest;
  std::size_t bracket = line.find(" [");
  if (bracket == std::string_view::npos) {
    return "expected a time in brackets";
  }
  for (; bracket != std::string_view::npos; bracket = line.find(" [", bracket + 1)) {
    rest = line.substr(bracket + 2);
    if (const auto time = take_time(rest)) {
      result.time = *time;
      return parse_client(line.substr(0, bracket), result);
    }
  }
  return "expected a time such as [17/May/2015:10:05:03 +0000]";
}

/// "GET /path HTTP/1.1": the first word, if it can be a method at all.
std::string_view method_of(std::string_view request) {
  const std::string_view word = request.substr(0, request.find(' '));
  const bool is_method = word.size() < request.size() &&
                         std::all_of(word.begin(), word.end(),
                                     [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; });
  return is_method && word != "-" ? word : std::string_view{};
}

std::string_view parse_request(std::string_view& rest, AccessLine& result) {
  skip_blanks(rest);
  const auto request = take_quoted(rest);
  if (!request) {
    return "expected the request in quotes";
  }
  result.method = method_of(*request);
  skip_blanks(rest);
  const auto status = whole_number(take_token(rest));
  if (!status || *status < 100 || *status > 999) {
    return "expected a status of three digits";
  }
  result.status = static_cast<unsigned>(*status);
  skip_blanks(rest);
  const std::string_view size = take_token(rest);
  const auto bytes = whole_number(size);
  if (!bytes && size != "-") {
    return "expected a number of bytes or -";
  }
  result.bytes = bytes.value_or(0);
  return {};
}

/// Microseconds of "0.123", seconds with a dot; nothing if it is no such number. Digits beyond the
/// microsecond are dropped.
std::optional<std::uint64_t> seconds_with_dot(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot > 9 || dot + 1 == text.size() ||
      text.find_first_not_of("0123456789", dot + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  const auto whole = whole_number(text.substr(0, dot));
  if (!whole) {
    return std::nullopt;
  }
  std::uint64_t fraction = 0;
  for (std::size_t i = 1; i <= 6; ++i) {
    const bool has_digit = dot + i < text.size();
    fraction = fraction * 10 + (has_digit ? static_cast<std::uint64_t>(text[dot + i] - '0') : 0);
  }
  return *whole * 1'000'000 + fraction;
}

std::string_view parse_rest(std::string_view rest, AccessLine& result) {
  std::size_t quoted_count = 0;
  std::size_t whole_count = 0;
  std::optional<std::uint64_t> last_whole;
  for (skip_blanks(rest); !rest.empty(); skip_blanks(rest)) {
    if (rest.front() == '"') {
      const auto field = take_quoted(rest);
      if (!field) {
        return "expected the quote to end";
      }
      if (++quoted_count == 2) {
        result.agent = *field;
      }
      continue;
    }
    const std::string_view token = take_token(rest);
    const auto seconds = seconds_with_dot(token);
    if (seconds && !result.duration_us) {
      result.duration_us = seconds;
      result.time_is_end = true;
    } else if (const auto whole = whole_number(token)) {
      ++whole_count;
      last_whole = whole;
    }
  }
  if (quoted_count == 1) {
    return "expected the agent in quotes behind the referer";
  }
  if (!result.duration_us && whole_count != 2) {
    result.duration_us = last_whole;
  }
  return {};
}

}  // namespace

std::string_view parse_access_line(std::string_view line, AccessLine& result) {
  result = AccessLine{};
  if (const std::string_view reason = parse_head(line, result); !reason.empty()) {
    return reason;
  }
  if (const std::string_view reason = parse_request(line, result); !reason.empty()) {
    return reason;
  }
  return parse_rest(line, result);
}

bool is_repeatable(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE";
}

}  // namespace copal::sim
