#pragma once

#include <span>
#include <string>

#include "sim/report/summary.h"

namespace copal::sim {

/// The terminal's table: one row a line; p50, p95 and p99 in ms, errors in %, servers with work,
/// energy in a unit that suits, server-hours. The best of a column carries a *; with several seeds
/// each figure has half its 95 % interval behind ±, unless it is the same in all. At most 100
/// columns; long labels are cut. Returns text with a newline at the end of each row; UTF-8.
std::string summary_table(std::span<const LineSummary> lines);

}  // namespace copal::sim
