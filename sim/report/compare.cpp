#include "sim/report/compare.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "sim/report/number_text.h"
#include "sim/report/summary.h"
#include "sim/report/table.h"
#include "sim/report/verdict.h"

namespace copal::sim {

namespace {

struct Compared {
  StoredResults results;
  std::vector<LineSummary> lines;
};

/// What differences are shown of.
struct Shown {
  std::string_view metric;
  std::string_view heading;
  double scale;
};
constexpr std::array kShown = {
    Shown{"latency_ms_p50", "p50 ms", 1},      Shown{"latency_ms_p95", "p95 ms", 1},
    Shown{"latency_ms_p99", "p99 ms", 1},      Shown{"error_ratio", "errors %", 100},
    Shown{"energy_joules", "energy kJ", 1e-3}, Shown{"server_hours", "server-h", 1},
};

constexpr std::size_t kCellColumns = 13;

std::string padded_left(const std::string& text, std::size_t width) {
  const std::size_t present = columns(text);
  return std::string(width > present ? width - present : 0, ' ') + text;
}

std::string padded_right(const std::string& text, std::size_t width) {
  const std::size_t present = columns(text);
  return text + std::string(width > present ? width - present : 0, ' ');
}

/// Differences below this share of the base's mean are shown as "=": nobody would choose by them,
/// and below 1e-10 they come from the rounding of long sums.
constexpr double kNoDifference = 1e-4;

/// "+1.2±0.3", a ~ behind it where chance may have made it, "=" where both are as good as the same.
/// base_mean: of the metric in the base.
std::string difference_cell(const Estimate& difference, double base_mean, double scale) {
  const double reach = difference.half_width.value_or(0);
  if (std::fabs(difference.mean) + reach <= kNoDifference * std::fabs(base_mean)) {
    return "=";
  }
  std::string text = difference.mean > 0 ? "+" : "";
  text += significant(difference.mean * scale, 3);
  if (difference.half_width) {
    text += "±" + significant(reach * scale, 2);
    text += difference.may_be_zero() ? "~" : "";
  }
  return text;
}

/// Mean of a metric over a line's runs.
double mean_of(std::span<const RunResult> runs, const std::string& line, std::string_view name) {
  std::vector<double> values;
  for (const RunResult& run : runs) {
    if (run.line == line) {
      values.push_back(metric(run, name));
    }
  }
  return estimate(values).mean;
}

std::size_t label_width(std::span<const LineSummary> lines) {
  std::size_t width = 0;
  for (const LineSummary& line : lines) {
    width = std::max(width, columns(line.label));
  }
  return width;
}

void print_heading(std::ostream& out, std::size_t width) {
  out << padded_right("line", width) << "  seeds";
  for (const Shown& shown : kShown) {
    out << padded_left(std::string(shown.heading), kCellColumns);
  }
  out << "\n";
}

/// One row: metrics of `line` in `runs` minus those of the base. runs: both sides, under different
/// labels.
void print_difference(std::ostream& out, std::span<const RunResult> runs, const std::string& line,
                      const std::string& base, const std::string& shown_label, std::size_t width) {
  const Estimate first = line_difference(runs, line, base, kShown.front().metric);
  out << padded_right(shown_label, width) << padded_left(std::to_string(first.count), 7);
  for (const Shown& shown : kShown) {
    std::string cell = "-";
    if (first.count > 0) {
      cell = difference_cell(line_difference(runs, line, base, shown.metric),
                             mean_of(runs, base, shown.metric), shown.scale);
    }
    out << " " << padded_left(cell, kCellColumns - 1);
  }
  out << "\n";
}

void print_within(std::ostream& out, const Compared& only, const std::string& base) {
  out << "\nDifferences from " << base << ", seed by seed:\n";
  const std::size_t width = std::max<std::size_t>(4, label_width(only.lines));
  print_heading(out, width);
  for (const LineSummary& line : only.lines) {
    if (line.label != base) {
      print_difference(out, only.results.runs, line.label, base, line.label, width);
    }
  }
}

/// The runs of one line of both folders, the base's under the label "base".
std::vector<RunResult> joined(const Compared& folder, const Compared& base,
                              const std::string& label) {
  std::vector<RunResult> runs;
  for (const RunResult& run : folder.results.runs) {
    if (run.line == label) {
      runs.push_back(run);
      runs.back().line = "new";
    }
  }
  for (const RunResult& run : base.results.runs) {
    if (run.line == label) {
      runs.push_back(run);
      runs.back().line = "base";
    }
  }
  return runs;
}

void print_between(std::ostream& out, const Compared& folder, const Compared& base) {
  out << "\nDifferences of " << folder.results.folder << " from " << base.results.folder
      << ", same line and seed:\n";
  const std::size_t width = std::max<std::size_t>(4, label_width(folder.lines));
  print_heading(out, width);
  for (const LineSummary& line : folder.lines) {
    print_difference(out, joined(folder, base, line.label), "new", "base", line.label, width);
  }
  if (folder.results.scenario_name != base.results.scenario_name) {
    out << "Note: these are different scenarios (" << folder.results.scenario_name << ", "
        << base.results.scenario_name << ").\n";
  }
}

void print_folder(std::ostream& out, const Compared& folder) {
  const std::uint32_t seeds = folder.lines.front().seeds;
  out << folder.results.folder << ": " << folder.results.scenario_title << ", " << seeds
      << (seeds == 1 ? " seed\n" : " seeds\n") << summary_table(folder.lines)
      << find_verdict(folder.results.runs, folder.lines).text() << "\n";
}

bool has_line(const Compared& folder, const std::string& label) {
  return std::any_of(folder.lines.begin(), folder.lines.end(),
                     [&](const LineSummary& line) { return line.label == label; });
}

ReportError no_such_base(const Compared& folder, const std::string& label) {
  std::string known;
  for (const LineSummary& line : folder.lines) {
    known += (known.empty() ? "" : ", ") + line.label;
  }
  return {folder.results.folder, "has no line \"" + label + "\"; it has " + known};
}

void print_all(std::ostream& out, std::span<const Compared> all, const std::string& base) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    out << (i == 0 ? "" : "\n");
    print_folder(out, all[i]);
  }
  if (all.size() == 1 && all.front().lines.size() > 1) {
    print_within(out, all.front(), base);
  }
  for (const Compared& folder : all.subspan(1)) {
    print_between(out, folder, all.front());
  }
  out << "\n* best of its column   ± half the 95 % confidence interval over seeds"
         "   ~ may be chance\n= less than 0.01 % apart   - no seed in common\n";
}

}  // namespace

std::optional<ReportError> compare(std::span<const std::string> folders,
                                   const CompareOptions& options, std::ostream& out) {
  std::vector<Compared> all;
  for (const std::string& folder : folders) {
    auto read = read_results(folder);
    if (const auto* error = std::get_if<ReportError>(&read)) {
      return *error;
    }
    Compared compared{std::move(std::get<StoredResults>(read)), {}};
    compared.lines = summarize(compared.results.runs);
    all.push_back(std::move(compared));
  }
  if (all.empty()) {
    return ReportError{"compare", "needs at least one result folder"};
  }
  const std::string base = options.base.empty() ? all.front().lines.front().label : options.base;
  if (!has_line(all.front(), base)) {
    return no_such_base(all.front(), base);
  }
  print_all(out, all, base);
  return std::nullopt;
}

}  // namespace copal::sim
