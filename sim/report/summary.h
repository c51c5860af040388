#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sim/report/result.h"
#include "sim/report/statistics.h"

// Runs brought together: one entry a line, over its seeds.

namespace copal::sim {

struct LineSummary {
  std::string label;
  std::string algorithm;
  std::uint32_t seeds = 0;
  std::vector<std::pair<std::string, Estimate>> metrics;  // in the order of the first run's
  std::string tied_note;  // why the line's p99 cannot be told from the best one's; else empty
};

/// One summary a line, in the order in which lines first appear. Lines with the same label are one.
std::vector<LineSummary> summarize(std::span<const RunResult> runs);

/// Whether the line has the metrics of caches.
bool has_caches(const LineSummary& line);

/// The estimate of a metric. Asserts that it exists.
const Estimate& metric(const LineSummary& line, std::string_view name);

/// metric of `line` minus that of `base`, over the seeds that both ran (in order of seeds).
Estimate line_difference(std::span<const RunResult> runs, std::string_view line,
                         std::string_view base, std::string_view name);

}  // namespace copal::sim
