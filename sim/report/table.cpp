#include "sim/report/table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "sim/report/number_text.h"

namespace copal::sim {

namespace {

constexpr std::size_t kColumnsMax = 100;
constexpr std::size_t kLabelColumnsMin = 8;
constexpr int kDigits = 3;

struct TableColumn {
  std::string heading;
  std::string_view metric;
  double scale = 1;         // shown = value * scale
  bool of_answers = false;  // means nothing if nothing was answered
  bool higher_is_better = false;
};

/// Joules in the unit in which the largest value has at most four digits before the point.
TableColumn energy_column(std::span<const LineSummary> lines) {
  double largest = 0;
  for (const LineSummary& line : lines) {
    largest = std::max(largest, metric(line, "energy_joules").mean);
  }
  if (largest >= 1e7) {
    return {"energy MJ", "energy_joules", 1e-6};
  }
  return largest >= 1e4 ? TableColumn{"energy kJ", "energy_joules", 1e-3}
                        : TableColumn{"energy J", "energy_joules", 1};
}

/// Where there are caches, they are what it is about.
std::vector<TableColumn> cache_columns() {
  return {{"p99 ms", "latency_ms_p99", 1, true},
          {"errors %", "error_ratio", 100},
          {"near %", "cache_near_hit_ratio", 100, false, true},
          {"msg/op", "cache_messages_per_operation", 1},
          {"stale ms", "staleness_ms_p99", 1},
          {"lost", "lost_writes_count", 1},
          {"overwr.", "overwritten_writes_count", 1},
          {"recover s", "recovery_s_max", 1}};
}

std::vector<TableColumn> table_columns(std::span<const LineSummary> lines) {
  if (!lines.empty() && has_caches(lines.front())) {
    return cache_columns();
  }
  return {{"p50 ms", "latency_ms_p50", 1, true}, {"p95 ms", "latency_ms_p95", 1, true},
          {"p99 ms", "latency_ms_p99", 1, true}, {"errors %", "error_ratio", 100},
          {"servers", "servers_active_mean", 1}, energy_column(lines),
          {"server-h", "server_hours", 1}};
}

bool measured(const LineSummary& line, const TableColumn& column) {
  return !std::isnan(metric(line, column.metric).mean) &&
         (!column.of_answers || metric(line, "answered_count").mean > 0);
}

std::string cell(const LineSummary& line, const TableColumn& column) {
  if (!measured(line, column)) {
    return "-";
  }
  const Estimate& value = metric(line, column.metric);
  std::string text = significant(value.mean * column.scale, kDigits);
  if (value.half_width.value_or(0) > 0) {
    text += "±" + significant(*value.half_width * column.scale, 2);
  }
  return text;
}

/// Which lines show the column's best figure, the lowest of most; none if all show the same. What
/// counts is what is shown: of two equal figures neither is better.
std::vector<bool> best_of(std::span<const LineSummary> lines, const TableColumn& column) {
  constexpr double kNone = std::numeric_limits<double>::infinity();
  std::vector<double> shown;
  double low = kNone;
  double high = -kNone;
  for (const LineSummary& line : lines) {
    shown.push_back(kNone);
    if (measured(line, column)) {
      const double scale = column.higher_is_better ? -column.scale : column.scale;
      shown.back() = rounded(metric(line, column.metric).mean * scale, kDigits);
      low = std::min(low, shown.back());
      high = std::max(high, shown.back());
    }
  }
  std::vector<bool> best;
  for (const double value : shown) {
    best.push_back(low < high && value <= low);
  }
  return best;
}

std::string blanks(std::size_t wanted, std::size_t present) {
  return std::string(wanted > present ? wanted - present : 0, ' ');
}

std::string cut(const std::string& label, std::size_t width) {
  if (columns(label) <= width) {
    return label;
  }
  std::string text;
  for (const char byte : label) {
    const bool starts = (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U;
    if (starts && columns(text) + 1 == width) {
      break;
    }
    text += byte;
  }
  return text + "…";
}

/// One column as text: heading first, then a cell a line; all equally wide, best ones starred.
std::vector<std::string> rendered(std::span<const LineSummary> lines, const TableColumn& column) {
  std::vector<std::string> cells = {column.heading};
  for (const LineSummary& line : lines) {
    cells.push_back(cell(line, column));
  }
  std::size_t width = 0;
  for (const std::string& each : cells) {
    width = std::max(width, columns(each));
  }
  const std::vector<bool> best = best_of(lines, column);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const bool starred = i > 0 && best[i - 1];
    cells[i] = blanks(width, columns(cells[i])) + cells[i] + (starred ? "*" : " ");
  }
  return cells;
}

std::string without_trailing_blanks(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

std::string summary_table(std::span<const LineSummary> lines) {
  std::vector<std::vector<std::string>> body;
  std::size_t used = 0;
  for (const TableColumn& column : table_columns(lines)) {
    body.push_back(rendered(lines, column));
    used += 1 + columns(body.back().front());
  }
  std::size_t label_width = columns("line");
  for (const LineSummary& line : lines) {
    label_width = std::max(label_width, columns(line.label));
  }
  const std::size_t room = kColumnsMax > used ? kColumnsMax - used : 0;
  label_width = std::min(label_width, std::max(room, kLabelColumnsMin));
  std::string text;
  for (std::size_t row = 0; row <= lines.size(); ++row) {
    const std::string label = row == 0 ? "line" : cut(lines[row - 1].label, label_width);
    std::string whole = label + blanks(label_width, columns(label));
    for (const std::vector<std::string>& cells : body) {
      whole += " " + cells[row];
    }
    text += without_trailing_blanks(whole) + "\n";
  }
  return text;
}

}  // namespace copal::sim
