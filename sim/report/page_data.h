#pragma once

#include <span>
#include <string>

#include "sim/report/report.h"
#include "sim/report/result.h"

namespace copal::sim {

/// Numbers of all series together that a page may hold; about 5 bytes each.
inline constexpr std::size_t kPageSeriesNumbersMax = 700'000;

/// Rows of one series with all its peaks, and of the calm one; more than a screen has columns.
inline constexpr std::size_t kPageExtremesMax = 1440;
inline constexpr std::size_t kPageMeansMax = 180;

/// Servers of the heat table; more are put together with their neighbours.
inline constexpr std::size_t kPageServersMax = 40;

/// The JSON text that the page shows, compact. On top of the keys of results.json (without
/// latency_histogram, servers and series of the runs):
/// metrics   [{name, title, unit, better}]
/// verdict   {latency, energy: {question, line, value, metric, tied, all_tied, text}, excluded,
/// caveat} thinning  {rows, rows_shown, seeds, seeds_shown}: how much of the series the page holds
/// runs[i].histogram  [[lower_ms, upper_ms, count]], buckets of 5 %
/// runs[i].servers    {names, requests, active_mean, cpu_ratio_mean, awake_s, energy_joules}: lists
/// runs[i].series     {calm, full}: each {column: list}; nothing for seeds beyond the limit;
///                    full is null where the series is short enough to be shown as it is
std::string page_data(const ReportContext& context, std::span<const RunResult> runs);

}  // namespace copal::sim
