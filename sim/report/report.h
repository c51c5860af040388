#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What the program tells the report beside the runs themselves: plain data, filled by main, written
// by write_results.h and html_report.h. The keys of the file are those of docs/results.md.

namespace copal::sim {

/// Everything about a comparison that is not measured. Texts may hold any bytes; what is not UTF-8
/// is replaced when written.
struct ReportContext {
  /// A line of a trace that could not be understood.
  struct BrokenLine {
    std::uint64_t line = 0;  // from 1
    std::string text;
    std::string reason;
  };

  /// What reading the trace found.
  struct Input {
    std::string file;
    std::uint64_t lines_read = 0;
    std::uint64_t lines_broken = 0;
    std::vector<BrokenLine> first_broken;  // at most 5 are written
  };

  struct Engine {
    std::string simgrid_version;
    std::vector<std::string> simgrid_options;  // pinned, as "network/model:CM02"
    std::string cpu;                           // native, simgrid
    std::string fidelity;                      // latency, flow, mixed
  };

  /// How one expectation of the scenario came out for one line.
  struct Expectation {
    std::string text;    // as a person reads it: "latency_ms_p99 of prequal below 100"
    std::string line;    // label of the line it was measured on
    std::string metric;  // a key of the metrics
    double measured = 0;
    bool ok = false;
  };

  std::string copal_version;
  std::string scenario_name;
  std::string scenario_title;
  std::string scenario_claim;
  std::string scenario_file;
  std::string scenario_text;          // the whole file
  std::vector<std::string> settings;  // --set as given
  double duration_s = 0;
  double warm_up_s = 0;
  Engine engine;
  std::optional<Input> input;  // nothing: no trace was read
  std::vector<Expectation> expectations;
};

/// Why a file of a result folder could not be written or read.
struct ReportError {
  std::string path;
  std::string reason;

  /// "path: reason", for people.
  std::string text() const { return path + ": " + reason; }
};

}  // namespace copal::sim
