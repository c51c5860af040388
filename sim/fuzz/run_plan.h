#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "sim/checkers/checkers.h"
#include "sim/fuzz/plan.h"

namespace copal::sim::fuzz {

/// One judged run.
struct RunReport {
  std::uint64_t seed = 0;
  std::uint64_t hash = 0;
  std::vector<Violation> violations;
  std::map<std::string, std::uint64_t> judged;  // by checker
  std::map<std::string, std::uint64_t> marks;
  std::map<std::string, std::uint64_t> faults;
  std::uint64_t operations = 0;
  std::uint64_t failovers = 0;
  std::uint64_t two_acted = 0;
  std::uint64_t catch_ups = 0;
  std::uint64_t events = 0;
  double simulated_s = 0;
  double recovery_s = 0;  // from the healing until all was the same
};

/// Runs a plan in this process and judges it.
/// without  checkers that are left out.
RunReport run_plan(const Plan& plan, std::span<const std::string> without = {});

std::string to_json(const RunReport& report);
/// text  as to_json() wrote it, asserted.
RunReport report_from_json(const std::string& text);

}  // namespace copal::sim::fuzz
