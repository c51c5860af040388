#include "sim/report/downsample.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "core/base/assert.h"

namespace copal::sim {

namespace {

/// All columns but the time. The latencies are those where a value below 0 means none.
constexpr std::array kColumns = {
    &SeriesRow::arrivals_per_s, &SeriesRow::answers_per_s,  &SeriesRow::errors_per_s,
    &SeriesRow::latency_ms_p50, &SeriesRow::latency_ms_p95, &SeriesRow::latency_ms_p99,
    &SeriesRow::in_flight,      &SeriesRow::servers_active, &SeriesRow::servers_on,
    &SeriesRow::cpu_ratio_mean, &SeriesRow::cpu_ratio_max,  &SeriesRow::power_watts,
};

using Column = double SeriesRow::*;

/// The group's extremes of one column, first come first; both -1 if no row has a value.
std::pair<double, double> extremes(std::span<const SeriesRow> group, Column column) {
  const SeriesRow* low = nullptr;
  const SeriesRow* high = nullptr;
  for (const SeriesRow& row : group) {
    if (row.*column < 0) {
      continue;
    }
    low = low == nullptr || row.*column < low->*column ? &row : low;
    high = high == nullptr || row.*column > high->*column ? &row : high;
  }
  if (low == nullptr) {
    return {-1, -1};
  }
  return {std::min(low, high)->*column, std::max(low, high)->*column};
}

double mean(std::span<const SeriesRow> group, Column column) {
  double sum = 0;
  double count = 0;
  for (const SeriesRow& row : group) {
    if (row.*column >= 0) {
      sum += row.*column;
      count += 1;
    }
  }
  return count > 0 ? sum / count : -1;
}

/// Cuts rows into at most `groups` runs of neighbours, each but the last equally long, and hands
/// each to `use`.
template <class Use>
void for_each_group(std::span<const SeriesRow> rows, std::size_t groups, Use use) {
  const std::size_t length = (rows.size() + groups - 1) / groups;
  for (std::size_t begin = 0; begin < rows.size(); begin += length) {
    use(rows.subspan(begin, std::min(length, rows.size() - begin)));
  }
}

}  // namespace

std::vector<SeriesRow> keep_extremes(std::span<const SeriesRow> rows, std::size_t rows_max) {
  COPAL_ASSERT(rows_max >= 2);
  if (rows.size() <= rows_max) {
    return {rows.begin(), rows.end()};
  }
  std::vector<SeriesRow> kept;
  for_each_group(rows, rows_max / 2, [&](std::span<const SeriesRow> group) {
    SeriesRow first;
    SeriesRow second;
    first.time_s = group.front().time_s;
    second.time_s = group[group.size() / 2].time_s;
    for (const Column column : kColumns) {
      std::tie(first.*column, second.*column) = extremes(group, column);
    }
    kept.push_back(first);
    if (group.size() > 1) {  // a last group of one row has but one time
      kept.push_back(second);
    }
  });
  return kept;
}

std::vector<SeriesRow> keep_means(std::span<const SeriesRow> rows, std::size_t rows_max) {
  COPAL_ASSERT(rows_max >= 1);
  if (rows.size() <= rows_max) {
    return {rows.begin(), rows.end()};
  }
  std::vector<SeriesRow> kept;
  for_each_group(rows, rows_max, [&](std::span<const SeriesRow> group) {
    SeriesRow row;
    row.time_s = (group.front().time_s + group.back().time_s) / 2;
    for (const Column column : kColumns) {
      row.*column = mean(group, column);
    }
    kept.push_back(row);
  });
  return kept;
}

}  // namespace copal::sim
