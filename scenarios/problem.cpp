#include "scenarios/problem.h"

#include <algorithm>
#include <utility>

namespace copal::scenario {

namespace {

constexpr std::size_t kShownMax = 100;

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

/// The part of a line that a terminal shows well, and how far the caret stands in it.
/// Control characters become blanks; tabs too, so that the caret stays below its place.
std::string with_caret(std::string_view line, int column) {
  std::string shown;
  std::size_t characters = 0;
  for (const char c : line) {
    characters += continues_character(c) ? 0 : 1;
    if (characters > kShownMax) {
      break;
    }
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  const auto offset = static_cast<std::size_t>(std::max(column, 1) - 1);
  if (offset > kShownMax) {
    return "\n  " + shown;
  }
  return "\n  " + shown + "\n  " + std::string(offset, ' ') + "^";
}

/// Line number `line` from 1 on, without its end; empty if there is none.
std::string_view line_of(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      return {};
    }
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (!text.empty() && text.back() == '\r') {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

std::string Problem::message() const {
  std::string result = file + ":";
  if (line > 0) {
    result += std::to_string(line) + ":" + std::to_string(column) + ":";
  }
  result += " " + text;
  if (!nearest.empty()) {
    result += "; did you mean '" + nearest + "'?";
  } else if (!expected.empty()) {
    result += "; expected " + expected;
  }
  // What a file says must not command a terminal.
  std::replace_if(
      result.begin(), result.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return source.empty() ? result : result + with_caret(source, column);
}

Problems::Problems(std::string file, std::string_view text, std::vector<std::string> settings)
    : file_(std::move(file)), text_(text), settings_(std::move(settings)) {}

void Problems::add(Place place, std::string text, std::string expected, std::string nearest) {
  if (full()) {
    return;  // a file may have a great many; finding each one's line would take long
  }
  Problem problem{.file = file_,
                  .line = place.line,
                  .column = place.column,
                  .text = std::move(text),
                  .expected = std::move(expected),
                  .nearest = std::move(nearest),
                  .source = {}};
  if (place.origin > 0 && static_cast<std::size_t>(place.origin) <= settings_.size()) {
    problem.file = settings_[static_cast<std::size_t>(place.origin) - 1];
    problem.line = 0;
  } else if (place.line > 0) {
    problem.source = line_of(text_, place.line);
  }
  add(std::move(problem));
}

void Problems::add(Problem problem) {
  if (!full() && seen_.insert(problem.message()).second) {
    list_.push_back(std::move(problem));
  }
}

void Problems::add_all(Problems& other) {
  for (Problem& problem : other.list_) {
    add(std::move(problem));
  }
  other.list_.clear();
}

std::vector<Problem> Problems::take() {
  std::stable_sort(list_.begin(), list_.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return std::move(list_);
}

}  // namespace copal::scenario
