#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "sim/report/report.h"
#include "sim/report/result.h"
#include "sim/report/summary.h"

// Parts of results.json that the page needs as well. Whole numbers have no point; what is not
// finite is null. Key order is that of docs/results.md.

namespace copal::sim {

inline constexpr const char* kResultsSchema = "copal-results/1";

/// schema, copal_version, scenario, engine, input.
nlohmann::ordered_json context_json(const ReportContext& context);
nlohmann::ordered_json expectations_json(const ReportContext& context);
nlohmann::ordered_json lines_json(std::span<const LineSummary> lines);

/// line, algorithm, seed, event_hash, metrics.
nlohmann::ordered_json run_head_json(const RunResult& run);

inline constexpr double kMillisecondNs = 1e6;

/// A number as written everywhere: 12 rather than 12.0, null if not finite.
nlohmann::ordered_json number(double value);

/// The whole file: a key a line, each run, line and expectation on a line of its own. paths: the
/// CSV of each run.
std::string results_text(const ReportContext& context, std::span<const RunResult> runs,
                         std::span<const std::string> paths);

/// Compact text; bytes that are not UTF-8 become U+FFFD.
std::string dump(const nlohmann::ordered_json& value);

}  // namespace copal::sim
