#pragma once

#include <string>

#include "scenarios/scenario.h"
#include "scenarios/tree.h"

namespace copal::scenario {

/// Reads what an application cluster says of its triad and its caches.
void read_caches(const Node& cluster, AppCluster& app);

/// Reads what an application does with them. folder  as for build().
void read_cache_use(const Node& node, const std::string& folder, Application& application);

}  // namespace copal::scenario
