#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace copal::sim {

/// What the program ends with. Documented in docs/exit-codes of `copal-sim --help`.
enum ExitCode : int {
  kExitGood = 0,
  kExitExpectationFailed = 1,
  kExitBadInput = 2,   // a scenario, a trace or the command line; nothing was run
  kExitRunFailed = 3,  // a run died, or its results could not be written
};

struct RunCommand {
  std::vector<std::string> files;     // empty: the quickstart that is part of the program
  std::vector<std::string> settings;  // --set
  std::string trace;                  // --trace
  std::uint64_t first_seed = 1;
  std::uint32_t seed_count = 1;
  unsigned process_count = 1;
  std::string out;     // empty: no folder is written
  bool quiet = false;  // no progress
};

/// Runs scenarios and prints their tables. Several files: each its own table, and below --out a
/// folder each. Returns the worst exit code of them.
int run_scenarios(const RunCommand& command);

/// Checks scenarios without running them. Prints what is wrong on standard error.
int validate_scenarios(const std::vector<std::string>& files,
                       const std::vector<std::string>& settings, const std::string& trace);

/// Prints name, title and path of the scenarios below a folder.
int list_scenarios_in(const std::string& folder);

int compare_folders(const std::vector<std::string>& folders, const std::string& base);

}  // namespace copal::sim
