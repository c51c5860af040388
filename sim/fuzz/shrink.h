#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/fuzz/plan.h"

namespace copal::sim::fuzz {

/// Tells which of some plans still fail, in their order; they may be tried at the same time.
using TryPlans = std::function<std::vector<bool>(const std::vector<Plan>&)>;

/// Makes a failing plan smaller as long as it still fails: faults, operations, nodes, durations.
/// Source: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE TSE
/// 2002: parts are left out, large ones first.
/// runs_max  how many plans are tried at most.
/// together  how many are tried at a time, at least 1.
Plan shrink(const Plan& failing, const TryPlans& try_plans, std::size_t runs_max,
            std::size_t together);

}  // namespace copal::sim::fuzz
