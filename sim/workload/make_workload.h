#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "scenarios/scenario.h"
#include "sim/workload/input_report.h"
#include "sim/workload/workload.h"

namespace copal::sim {

/// A workload, or why there is none.
struct MadeWorkload {
  std::unique_ptr<Workload> workload;  // nothing: see error
  std::string error;                   // for people: file, line, the text, what was expected
  InputReport input;                   // what reading a trace found; its file is empty without one
};

/// Makes what a scenario says about its workload; reads the files that it names.
/// scenario  checked by its loader.   seed  of all randomness of the workload.
///
/// Time 0 of a recording is the window's begin where the scenario gives one, else the recording's
/// first minute or second that has a request. A recording ends with its last request; everything
/// else never ends.
MadeWorkload make_workload(const scenario::Scenario& scenario, std::uint64_t seed);

}  // namespace copal::sim
