#pragma once

#include <span>
#include <string_view>

namespace copal::sim {

/// One metric of docs/results.md as tables and the page show it.
struct MetricInfo {
  std::string_view name;   // key
  std::string_view title;  // heading of a column, short
  std::string_view unit;   // "" for counts and ratios
  enum class Better { kLower, kHigher, kNeither } better = Better::kNeither;
};

/// The metrics of every run, in the order of docs/results.md.
std::span<const MetricInfo> metric_infos();
/// Those that follow where the scenario has caches.
std::span<const MetricInfo> cache_metric_infos();

/// The metric of this name; null if there is none.
const MetricInfo* find_metric(std::string_view name);

}  // namespace copal::sim
