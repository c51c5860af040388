#include "scenarios/nearest.h"

#include <algorithm>
#include <array>
#include <vector>

namespace copal::scenario {

namespace {

constexpr std::size_t kLengthMax = 64;  // longer words are no slips of a key

std::string folded(std::string_view word) {
  std::string result(word);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    } else if (c == '-' || c == ' ') {
      c = '_';
    }
  }
  return result;
}

/// Optimal string alignment distance (Damerau-Levenshtein without edits of what was swapped).
std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::vector<std::size_t>, 3> rows;  // the row before the last, the last, this one
  rows.fill(std::vector<std::size_t>(b.size() + 1));
  for (std::size_t j = 0; j <= b.size(); ++j) {
    rows[2][j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::rotate(rows.begin(), rows.begin() + 1, rows.end());
    rows[2][0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = rows[1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      rows[2][j] = std::min({changed, rows[1][j] + 1, rows[2][j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        rows[2][j] = std::min(rows[2][j], rows[0][j - 2] + 1);
      }
    }
  }
  return rows[2][b.size()];
}

}  // namespace

std::string nearest_name(std::string_view written, std::span<const std::string> candidates) {
  if (written.empty() || written.size() > kLengthMax) {
    return {};
  }
  std::string best;
  std::size_t best_distance = kLengthMax;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLengthMax || candidate == written) {
      continue;
    }
    const std::size_t allowed =
        std::max<std::size_t>(1, std::max(written.size(), candidate.size()) / 3);
    const std::size_t found = distance(folded(written), folded(candidate));
    if (found <= allowed && found < best_distance) {
      best = candidate;
      best_distance = found;
    }
  }
  return best;
}

std::string listed(std::span<const std::string> names) {
  constexpr std::size_t kListedMax = 20;
  std::string result;
  for (std::size_t i = 0; i < names.size() && i <= kListedMax; ++i) {
    result += (i == 0 ? "" : ", ") + (i == kListedMax ? "…" : names[i]);
  }
  return result;
}

bool contains(std::span<const std::string> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace copal::scenario
