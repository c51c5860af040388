#pragma once

#include <span>
#include <vector>

#include "scenarios/scenario.h"
#include "sim/report/report.h"
#include "sim/report/summary.h"

namespace copal::sim {

/// Holds a scenario's expectations against its lines' means over seeds: one entry for each line
/// that an expectation is about. A line that an expectation names is there: the loader has looked.
/// lines  may hold those of other variants of the file, too.
std::vector<ReportContext::Expectation> check_expectations(const scenario::Scenario& scenario,
                                                           std::span<const LineSummary> lines);

}  // namespace copal::sim
