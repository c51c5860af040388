#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/scenario.h"

namespace copal::sim {

/// One production cache cluster, as statistics describe it.
/// Source: Yang, Yue, Rashmi, "A large scale analysis of hundreds of in-memory cache clusters at
/// Twitter", OSDI 2020; the columns are those of its published table.
struct ClusterStats {
  double miss_ratio = 0;
  double key_bytes = 0;
  double value_bytes = 0;
  double rate_per_s = 0;
  double working_set_bytes = 0;  // 0: not known
  double read_share = 0;
  double remove_share = 0;
  double zipf_exponent = 0;                             // 0: not like Zipf's law
  std::vector<scenario::CacheUse::Lifetime> lifetimes;  // empty: they do not expire
};

/// Reads the row of one cluster; plain, gzip or xz. Returns what is wrong, for people ("path:line:
/// …"); nothing if all is well.
[[nodiscard]] std::optional<std::string> load_cluster_stats(const std::string& path,
                                                            std::uint32_t cluster,
                                                            ClusterStats& stats);

/// Lets a scenario whose workload is kClusterStats do as its cluster did: sets the rate, and of
/// each use of a cache with keys: trace the keys, sizes, operations and lifetimes. How many keys:
/// the workload's key_count, else as many as fill the working set, else 100,000.
/// Returns what is wrong with the file, for people.
[[nodiscard]] std::optional<std::string> follow_cluster(scenario::Scenario& scenario);

}  // namespace copal::sim
