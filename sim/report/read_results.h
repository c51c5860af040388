#pragma once

#include <string>
#include <variant>
#include <vector>

#include "sim/report/report.h"
#include "sim/report/result.h"

namespace copal::sim {

/// What compare needs of a result folder.
struct StoredResults {
  std::string folder;
  std::string scenario_name;
  std::string scenario_title;
  std::string copal_version;
  std::vector<RunResult> runs;  // line, algorithm, seed, hash and metrics only
};

/// Reads results.json of a folder. Errors name the file and what is wrong with it: missing, no
/// JSON, another schema, or a field that is missing or of the wrong kind.
std::variant<StoredResults, ReportError> read_results(const std::string& folder);

}  // namespace copal::sim
