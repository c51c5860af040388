#pragma once

#include <string>
#include <vector>

#include "scenarios/problem.h"
#include "scenarios/scenario.h"
#include "scenarios/tree.h"

// What scenarios expect of their lines. It needs all variants of a file: their labels are different
// and one may be compared with another.

namespace copal::scenario {

/// Adds expectations about lines that do not exist or that make no sense, and gives the others the
/// lines' whole labels. In a file with variants `green` means that line of this variant and
/// `green count=8` one line of all; an expectation about a line of another variant is removed here
/// (it stands there). Where there are variants, and where lines are compared, an expectation about
/// every line becomes one for each, so that all variants' expectations may be held against all
/// variants' lines.
/// tree  what the scenario was built of.   suffix  of this variant.   all_labels  of all variants.
void check_expectations(Scenario& scenario, const Node& tree, const std::string& suffix,
                        const std::vector<std::string>& all_labels, Problems& problems);

}  // namespace copal::scenario
