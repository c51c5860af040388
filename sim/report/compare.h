#pragma once

#include <optional>
#include <ostream>
#include <span>
#include <string>

#include "sim/report/read_results.h"

// `copal-sim compare DIR…`: result folders side by side.

namespace copal::sim {

struct CompareOptions {
  std::string
      base;  // label of the line that one folder's lines are compared with; empty: its first
};

/// Prints to `out`, for each folder, its lines with confidence intervals over seeds; then paired
/// differences over the seeds that both sides ran: with one folder, of each line against the base
/// line; with several, of each folder's lines against the line of the same label in the first.
/// Returns what went wrong: a folder that cannot be read, or no such base line.
[[nodiscard]] std::optional<ReportError> compare(std::span<const std::string> folders,
                                                 const CompareOptions& options, std::ostream& out);

}  // namespace copal::sim
