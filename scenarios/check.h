#pragma once

#include <string>
#include <vector>

#include "scenarios/problem.h"
#include "scenarios/scenario.h"
#include "scenarios/tree.h"

namespace copal::scenario {

/// Adds what is wrong with the clusters of a tree that fits the schema: exactly one of each sort,
/// the one balancing the other. Only then may a scenario be built. Returns whether all is well.
bool check_clusters(const Node& tree, Problems& problems);

/// Adds what is wrong between the parts of a scenario: hosts that do not exist, times after the
/// end, windows that are empty, numbers that do not fit one another.
/// tree  what the scenario was built of, for the places.
/// check_files  whether files must be there, and a recorded workload must have one.
void check_scenario(const Scenario& scenario, const Node& tree, bool check_files,
                    Problems& problems);

}  // namespace copal::scenario
