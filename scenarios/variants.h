#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenarios/problem.h"
#include "scenarios/tree.h"

// Changing a tree by key paths: what `--set` and `vary` do, before anything is checked.

namespace copal::scenario {

/// One `--set key.path=value`, or one that an option of its own stands for.
struct Setting {
  std::string shown;   // "--set workload.rate=100/s", "--trace site.log"
  std::string path;    // "workload.rate"; below vary, the rest is one key: "vary.workload.rate"
  std::string value;   // YAML
  bool plain = false;  // the value is a text as it is, no YAML
};

/// Splits "key.path=value"; no '=' or an empty path leaves the path empty.
Setting setting_of(const std::string& text);

/// Puts the settings into the tree, in their order; a number in a path is an index from 0. What is
/// set no longer varies. Adds to problems what cannot be set, such as a key below a number.
void apply_settings(Node& tree, const std::vector<Setting>& settings, Problems& problems);

/// A scenario file with one choice for each path under `vary` but `algorithm`.
struct Variant {
  Node tree;           // without those paths
  std::string suffix;  // " rate=100/s count=4"; empty if nothing varies
};

constexpr std::size_t kVariantsMax = 100;  // fewer where the file is large

/// Multiplies out, the last path fastest. Returns the tree as it is if `vary` is missing or is not
/// what the schema says (which the schema check reports). Adds to problems paths that begin with no
/// key of a scenario, and more variants than kVariantsMax. known  the scenario's keys.
std::vector<Variant> expand(const Node& tree, const std::vector<std::string>& known,
                            Problems& problems);

}  // namespace copal::scenario
