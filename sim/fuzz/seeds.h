#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/fuzz/draw_plan.h"
#include "sim/fuzz/run_plan.h"
#include "sim/report/histogram.h"

namespace copal::sim::fuzz {

/// Which seeds to run, and how.
struct SeedsOptions {
  std::uint64_t first = 1;
  std::uint64_t last = 0;  // 0: until the time is over
  double minutes = 0;      // 0: until the last
  unsigned jobs = 1;
  Focus focus;
  std::vector<std::string> without;  // checkers
  std::size_t failures_max = 5;      // seeds; then no new one begins
  // Asked now and then; once true, only what was begun is ended. May be nothing.
  std::function<bool()> is_enough;
};

/// A seed in which something was found.
struct FailedSeed {
  std::uint64_t seed = 0;
  std::vector<Violation> violations;
};

/// All that a campaign has seen.
struct SeedsTotals {
  std::uint64_t seeds = 0;
  std::uint64_t faultless = 0;  // of them
  std::uint64_t operations = 0;
  std::uint64_t events = 0;
  std::uint64_t failovers = 0;
  std::uint64_t two_acted = 0;
  std::uint64_t catch_ups = 0;
  double simulated_s = 0;
  double wall_s = 0;
  std::map<std::string, std::uint64_t> faults;
  std::map<std::string, std::uint64_t> marks;
  std::map<std::string, std::uint64_t> judged_seeds;  // in how many a checker had something
  Histogram recovery_ms;                              // of the seeds that healed
  std::uint64_t twice = 0;                            // seeds that ran in two processes
  std::vector<std::uint64_t> differed;                // of them, with another hash
  std::uint64_t canaries = 0;                         // runs with a defect on purpose
  std::uint64_t canaries_caught = 0;
  std::vector<FailedSeed> failures;  // by number, once all is over
};

/// Runs seeds in processes. Of each hundred about one is run a second time with a defect on
/// purpose, and of each twenty one a second time in another process.
/// show  called now and then with the part that is done (0 to 1) and the totals; may be nothing.
SeedsTotals run_seeds(const SeedsOptions& options,
                      const std::function<void(double, const SeedsTotals&)>& show);

/// Runs plans in processes of their own. Returns their reports; of one whose process died it says
/// so as a violation.
std::vector<RunReport> run_plans(const std::vector<Plan>& plans, unsigned jobs,
                                 const std::vector<std::string>& without);

}  // namespace copal::sim::fuzz
