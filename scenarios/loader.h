#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenarios/problem.h"
#include "scenarios/scenario.h"

// From a scenario file to scenarios that can be run: YAML, settings, schema.json, defaults, what
// varies, and what only makes sense together. No exception leaves it, whatever the file holds.

namespace copal::scenario {

struct LoadOptions {
  std::vector<std::string> settings{};  // key.path=value, in the order in which they take effect
  std::string trace{};                  // --trace FILE: the workload's recording; empty: none
  bool check_files = true;  // whether recordings must be there; false: only the scenario is checked
};

struct LoadResult {
  /// One for each variant, which differ in their values and in the suffixes of their labels; one
  /// alone if only the algorithm varies. Empty if there are problems.
  std::vector<Scenario> scenarios;
  /// All that was found, at most Problems::kProblemsMax, in the order of the file.
  std::vector<Problem> problems;
};

/// Loads a file. path  as the program opens it; empty: the quickstart that is part of the program.
LoadResult load(const std::string& path, const LoadOptions& options = {});

/// The same for a text. shown_as  stands in messages.  folder  with its slash, or empty: what
/// paths in the text are relative to.
LoadResult load_text(std::string_view text, const std::string& shown_as, const std::string& folder,
                     const LoadOptions& options = {});

struct ListedScenario {
  std::string name;
  std::string title;  // empty if the file has none, or is none
  std::string path;
};

/// The scenarios (*.yaml) in a folder and below, in the order of their paths; empty if there is no
/// such folder.
std::vector<ListedScenario> list_scenarios(const std::string& folder);

}  // namespace copal::scenario
