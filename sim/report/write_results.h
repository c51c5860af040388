#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/report/report.h"
#include "sim/report/result.h"

// Leaves a result folder (docs/results.md). The same input gives the same bytes on any machine:
// numbers are the shortest that read back as the same, keys stand in a fixed order.

namespace copal::sim {

/// Writes results.json, series/*.csv and report.html below `folder`, which is made if missing.
/// runs  all lines and seeds, in the order in which they shall be listed; every run has the metrics
///       of docs/results.md (asserted).
/// Each file is written under a temporary name and renamed; results.json comes last, so a folder
/// that has one is complete. Returns what went wrong, nothing if all is well. Files of an earlier
/// run that this one does not write are left alone.
[[nodiscard]] std::optional<ReportError> write_results(const std::string& folder,
                                                       const ReportContext& context,
                                                       std::span<const RunResult> runs);

/// The text of results.json.
std::string results_json(const ReportContext& context, std::span<const RunResult> runs);

/// The text of one run's CSV, header included.
std::string series_csv(const RunResult& run);

/// Path of each run's CSV within the folder: series/<line>-seed<N>.csv. A label's characters other
/// than letters, digits, dot, dash and underscore become underscores; labels that are the same
/// then get -2, -3 … behind them.
std::vector<std::string> series_paths(std::span<const RunResult> runs);

}  // namespace copal::sim
