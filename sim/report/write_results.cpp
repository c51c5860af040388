#include "sim/report/write_results.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>

#include "sim/report/html_report.h"
#include "sim/report/number_text.h"
#include "sim/report/results_json.h"

namespace copal::sim {

namespace {

constexpr std::string_view kSeriesHeader =
    "time_s,arrivals_per_s,answers_per_s,errors_per_s,latency_ms_p50,latency_ms_p95,"
    "latency_ms_p99,in_flight,servers_active,servers_on,cpu_ratio_mean,cpu_ratio_max,power_watts\n";

std::string file_label(const std::string& label) {
  std::string name;
  for (const char byte : label) {
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || byte == '.' || byte == '-' || byte == '_';
    name += plain ? byte : '_';
  }
  if (name.empty() || name.front() == '.') {
    name.insert(name.begin(), '_');  // neither hidden nor a step up
  }
  return name;
}

ReportError system_error(const std::string& path, int code) {
  return {path, std::generic_category().message(code)};
}

/// Writes under a temporary name beside the target and renames, so that nobody sees half a file.
std::optional<ReportError> write_file(const std::filesystem::path& path, std::string_view text) {
  const std::string temporary = path.string() + ".tmp";
  errno = 0;
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) {
    const ReportError error = system_error(path.string(), errno != 0 ? errno : EIO);
    std::remove(temporary.c_str());
    return error;
  }
  std::error_code code;
  std::filesystem::rename(temporary, path, code);
  if (code) {
    std::remove(temporary.c_str());
    return ReportError{path.string(), code.message()};
  }
  return std::nullopt;
}

/// The number with a comma before it; nothing but the comma where it is missing.
void append_cell(std::string& text, double value, bool may_miss) {
  text += ',';
  if (!may_miss || value >= 0) {
    text += shortest(value);
  }
}

}  // namespace

std::string results_json(const ReportContext& context, std::span<const RunResult> runs) {
  return results_text(context, runs, series_paths(runs));
}

std::string series_csv(const RunResult& run) {
  std::string text(kSeriesHeader);
  for (const SeriesRow& row : run.series) {
    text += shortest(row.time_s);
    append_cell(text, row.arrivals_per_s, false);
    append_cell(text, row.answers_per_s, false);
    append_cell(text, row.errors_per_s, false);
    append_cell(text, row.latency_ms_p50, true);
    append_cell(text, row.latency_ms_p95, true);
    append_cell(text, row.latency_ms_p99, true);
    append_cell(text, row.in_flight, false);
    append_cell(text, row.servers_active, false);
    append_cell(text, row.servers_on, false);
    append_cell(text, row.cpu_ratio_mean, false);
    append_cell(text, row.cpu_ratio_max, false);
    append_cell(text, row.power_watts, false);
    text += '\n';
  }
  return text;
}

std::vector<std::string> series_paths(std::span<const RunResult> runs) {
  std::vector<std::string> paths;
  std::set<std::string> taken;
  for (const RunResult& run : runs) {
    const std::string stem = "series/" + file_label(run.line) + "-seed" + std::to_string(run.seed);
    std::string path = stem + ".csv";
    for (int copy = 2; !taken.insert(path).second; ++copy) {
      path = stem + "-" + std::to_string(copy) + ".csv";
    }
    paths.push_back(path);
  }
  return paths;
}

std::optional<ReportError> write_results(const std::string& folder, const ReportContext& context,
                                         std::span<const RunResult> runs) {
  const std::filesystem::path root(folder);
  std::error_code code;
  std::filesystem::create_directories(root / "series", code);
  if (code) {
    return ReportError{(root / "series").string(), code.message()};
  }
  const std::vector<std::string> paths = series_paths(runs);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (auto error = write_file(root / paths[i], series_csv(runs[i]))) {
      return error;
    }
  }
  if (auto error = write_file(root / "report.html", html_report(context, runs))) {
    return error;
  }
  return write_file(root / "results.json", results_json(context, runs));
}

}  // namespace copal::sim
