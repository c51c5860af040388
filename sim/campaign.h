#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "scenarios/scenario.h"
#include "sim/report/report.h"
#include "sim/report/result.h"

namespace copal::sim {

/// One run of a campaign: a line of a scenario under a seed.
struct Job {
  const scenario::Scenario* scenario = nullptr;
  std::size_t contender = 0;  // index in the scenario's list
  std::uint64_t seed = 1;
};

struct JobOutcome {
  std::optional<RunResult> result;            // nothing: see error
  std::string error;                          // for people; may have several lines
  bool bad_input = false;                     // the error is the trace's, not the run's
  std::optional<ReportContext::Input> input;  // what reading the trace found
};

/// How far a campaign is.
struct CampaignProgress {
  std::size_t jobs_done = 0;
  std::size_t job_count = 0;
  double done_ratio = 0;       // of all simulated time, 0 to 1
  std::uint64_t requests = 0;  // simulated so far
};

/// Runs one job in this process. Only one run of a process may use SimGrid.
/// progress  called now and then with the part of simulated time that is over and the requests so
/// far; may be nothing.
JobOutcome run_job(const Job& job, const std::function<void(double, std::uint64_t)>& progress);

/// Runs all jobs, each in a forked process of its own, at most process_count (>= 1) at a time.
/// Why processes: SimGrid's engine is a singleton, and nothing of one run can leak into another.
/// Returns the outcomes in the order of the jobs, however they came to end.
/// A run whose process dies is an outcome with an error that says how to repeat it.
std::vector<JobOutcome> run_jobs(std::span<const Job> jobs, unsigned process_count,
                                 const std::function<void(const CampaignProgress&)>& progress);

}  // namespace copal::sim
