#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sim/report/result.h"

// Series that are longer than a screen is wide, made shorter for the page. The CSV files keep
// everything.

namespace copal::sim {

/// Returns at most `rows_max` rows (>= 2, asserted) that keep every peak and dip: neighbouring rows
/// form a group, and of each column the group leaves its smallest and its largest value, in the
/// order in which they came. Short series come back as they are.
std::vector<SeriesRow> keep_extremes(std::span<const SeriesRow> rows, std::size_t rows_max);

/// The same with the mean of each group: calmer to look at, without peaks. At most rows_max rows,
/// >= 1. Latencies are means over the rows that have one.
std::vector<SeriesRow> keep_means(std::span<const SeriesRow> rows, std::size_t rows_max);

}  // namespace copal::sim
