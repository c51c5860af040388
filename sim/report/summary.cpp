#include "sim/report/summary.h"

#include <algorithm>

#include "core/base/assert.h"
#include "sim/report/metrics.h"
#include "sim/report/number_text.h"

namespace copal::sim {

namespace {

constexpr std::string_view kRanked = "latency_ms_p99";

LineSummary summarize_line(std::span<const RunResult> runs, const RunResult& first) {
  LineSummary line{
      .label = first.line, .algorithm = first.algorithm, .metrics = {}, .tied_note = {}};
  std::vector<double> values;
  for (const auto& [name, unused] : first.metrics) {
    values.clear();
    for (const RunResult& run : runs) {
      if (run.line == first.line) {
        values.push_back(metric(run, name));
      }
    }
    line.metrics.emplace_back(name, estimate(values));
  }
  line.seeds = static_cast<std::uint32_t>(std::count_if(
      runs.begin(), runs.end(), [&](const RunResult& run) { return run.line == first.line; }));
  return line;
}

/// The line with the lowest mean p99; null where it is not measured.
const LineSummary* best_line(std::span<const LineSummary> lines) {
  const LineSummary* best = nullptr;
  for (const LineSummary& line : lines) {
    if (metric(line, "answered_count").mean <= 0) {
      continue;
    }
    if (best == nullptr || metric(line, kRanked).mean < metric(*best, kRanked).mean) {
      best = &line;
    }
  }
  return best;
}

std::string tied_note(std::span<const RunResult> runs, const LineSummary& line,
                      const LineSummary& best) {
  const Estimate difference = line_difference(runs, line.label, best.label, kRanked);
  if (!difference.half_width || !difference.may_be_zero()) {
    return {};
  }
  return "p99 cannot be told from that of " + best.label + ": " + significant(difference.mean, 3) +
         " ms apart, ±" + significant(*difference.half_width, 3) + " over " +
         std::to_string(difference.count) + " seeds";
}

}  // namespace

std::vector<LineSummary> summarize(std::span<const RunResult> runs) {
  std::vector<LineSummary> lines;
  for (const RunResult& run : runs) {
    const bool known = std::any_of(lines.begin(), lines.end(),
                                   [&](const LineSummary& line) { return line.label == run.line; });
    if (!known) {
      lines.push_back(summarize_line(runs, run));
    }
  }
  if (const LineSummary* best = best_line(lines)) {
    for (LineSummary& line : lines) {
      if (&line != best && metric(line, "answered_count").mean > 0) {
        line.tied_note = tied_note(runs, line, *best);
      }
    }
  }
  return lines;
}

bool has_caches(const LineSummary& line) {
  return line.metrics.size() > metric_infos().size();
}

const Estimate& metric(const LineSummary& line, std::string_view name) {
  const auto found = std::find_if(line.metrics.begin(), line.metrics.end(),
                                  [&](const auto& entry) { return entry.first == name; });
  COPAL_ASSERT(found != line.metrics.end());
  return found->second;
}

Estimate line_difference(std::span<const RunResult> runs, std::string_view line,
                         std::string_view base, std::string_view name) {
  std::vector<double> values;
  std::vector<double> base_values;
  for (const RunResult& run : runs) {
    if (run.line != line) {
      continue;
    }
    for (const RunResult& other : runs) {
      if (other.line == base && other.seed == run.seed) {
        values.push_back(metric(run, name));
        base_values.push_back(metric(other, name));
        break;
      }
    }
  }
  return paired_difference(values, base_values);
}

}  // namespace copal::sim
