#pragma once

#include <string>
#include <vector>

#include "sim/fuzz/seeds.h"
#include "sim/fuzz/trace.h"

namespace copal::sim::fuzz {

struct FuzzCommand {
  SeedsOptions seeds;
  std::string range;               // --seeds A..B, or empty
  std::vector<std::string> focus;  // --focus
  std::string out = "out/fuzz";    // folder for capsules
  bool quiet = false;
  std::string mutant;  // --mutant NAME, or empty
};

/// Runs seeds, prints what was found and counted, and leaves a shrunk capsule of each failure.
/// Returns an exit code (sim/commands.h).
int run_fuzz(FuzzCommand command);

struct ReplayCommand {
  std::string what;                // a seed's number, or a capsule's path
  std::vector<std::string> focus;  // of the campaign that the seed is from
  std::string trace_json;          // path, or empty
  TraceOptions trace;
  bool outline = true;  // faults and operations
};

/// Runs one plan again in this process and prints what happens. Returns an exit code.
int run_replay(const ReplayCommand& command);

}  // namespace copal::sim::fuzz
