#pragma once

#include <string>

#include "scenarios/scenario.h"
#include "scenarios/tree.h"

namespace copal::scenario {

/// Makes a scenario of a tree that the schema check found nothing wrong with (asserted where it
/// matters), defaults filled in.
/// folder  what paths in the file are relative to, with its slash; paths in settings are as given.
/// suffix  of each line's label, see Variant.
/// What the schema can't say is left to check.h: the result may name hosts that do not exist.
Scenario build(const Node& tree, const std::string& folder, const std::string& suffix);

/// The cluster with `balances` (or the one without), nothing if there is none; the first of
/// several.
const Node* cluster(const Node& tree, bool balancers);

}  // namespace copal::scenario
