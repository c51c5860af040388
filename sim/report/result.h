#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/report/histogram.h"

// What one run leaves, as plain data. The file format is docs/results.md; write_results.h makes it.

namespace copal::sim {

struct ServerResult {
  std::string name;
  std::uint64_t requests = 0;
  double active_mean = 0;
  double cpu_ratio_mean = 0;
  double awake_s = 0;
  double energy_joules = 0;
};

/// One interval of the time series; the columns of docs/results.md.
struct SeriesRow {
  double time_s = 0;
  double arrivals_per_s = 0;
  double answers_per_s = 0;
  double errors_per_s = 0;
  double latency_ms_p50 = -1;  // -1: nothing was answered
  double latency_ms_p95 = -1;
  double latency_ms_p99 = -1;
  double in_flight = 0;
  double servers_active = 0;
  double servers_on = 0;
  double cpu_ratio_mean = 0;
  double cpu_ratio_max = 0;
  double power_watts = 0;
};

struct RunResult {
  std::string line;
  std::string algorithm;
  std::uint64_t seed = 0;
  std::uint64_t event_hash = 0;
  std::vector<std::pair<std::string, double>> metrics;  // in the order of docs/results.md
  Histogram latency;                                    // nanoseconds, answered requests
  std::vector<ServerResult> servers;
  std::vector<SeriesRow> series;
};

/// Whether the run has the metrics of caches.
bool has_caches(const RunResult& run);

/// The metric's value. Asserts that it exists.
double metric(const RunResult& run, std::string_view name);

}  // namespace copal::sim
