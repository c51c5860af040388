#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/report/report.h"
#include "sim/report/result.h"

// Results that look like a comparison's, without one being run: for tests of what reads them. Drawn
// from a fixed stream, so the same on every machine.

namespace copal::sim {

struct FixtureOptions {
  std::vector<std::string> lines = {"round_robin", "prequal", "green"};
  std::uint32_t seeds = 1;
  std::uint32_t seconds = 300;
  std::uint32_t servers = 8;
};

/// One run with every metric of docs/results.md, all of them `value`.
RunResult flat_run(const std::string& line, std::uint64_t seed, double value);

/// Sets one metric (asserted to exist).
void set_metric(RunResult& run, std::string_view name, double value);

/// A flash crowd over some servers; each line a bit different, "green" with fewer active servers.
std::vector<RunResult> fixture_runs(const FixtureOptions& options);

/// Context with hostile text in every field, a trace with broken lines, expectations that passed
/// and failed.
ReportContext hostile_context();

/// Context as an honest scenario has it.
ReportContext plain_context();

}  // namespace copal::sim
