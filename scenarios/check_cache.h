#pragma once

#include "scenarios/problem.h"
#include "scenarios/scenario.h"
#include "scenarios/tree.h"

namespace copal::scenario {

/// Adds what is wrong with the triad, the caches, what the application does with them, and what is
/// expected of them.
/// tree  what the scenario was built of, for the places.
void check_caches(const Scenario& scenario, const Node& tree, Problems& problems);

/// Adds what is wrong with the faults: hosts that are not there, or that they do not befall; times
/// after the end.
void check_faults(const Scenario& scenario, const Node& tree, Problems& problems);

}  // namespace copal::scenario
