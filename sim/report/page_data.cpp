#include "sim/report/page_data.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/report/downsample.h"
#include "sim/report/metrics.h"
#include "sim/report/number_text.h"
#include "sim/report/results_json.h"
#include "sim/report/summary.h"
#include "sim/report/verdict.h"

namespace copal::sim {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kSeriesDigits = 4;  // of series: finer than a pixel
constexpr double kBucketRatio = 1.05;

struct SeriesColumn {
  const char* name;
  double SeriesRow::*value;
};
constexpr std::array kSeriesColumns = {
    SeriesColumn{"arrivals_per_s", &SeriesRow::arrivals_per_s},
    SeriesColumn{"answers_per_s", &SeriesRow::answers_per_s},
    SeriesColumn{"errors_per_s", &SeriesRow::errors_per_s},
    SeriesColumn{"latency_ms_p50", &SeriesRow::latency_ms_p50},
    SeriesColumn{"latency_ms_p95", &SeriesRow::latency_ms_p95},
    SeriesColumn{"latency_ms_p99", &SeriesRow::latency_ms_p99},
    SeriesColumn{"in_flight", &SeriesRow::in_flight},
    SeriesColumn{"servers_active", &SeriesRow::servers_active},
    SeriesColumn{"servers_on", &SeriesRow::servers_on},
    SeriesColumn{"cpu_ratio_mean", &SeriesRow::cpu_ratio_mean},
    SeriesColumn{"cpu_ratio_max", &SeriesRow::cpu_ratio_max},
    SeriesColumn{"power_watts", &SeriesRow::power_watts},
};

/// How many rows a series may have, and of how many seeds series are kept.
struct Budget {
  std::size_t rows = 0;
  std::size_t seeds = 0;
};

Json series_json(std::span<const SeriesRow> rows) {
  Json json = Json::object();
  Json& times = json["time_s"] = Json::array();
  for (const SeriesRow& row : rows) {
    times.push_back(number(rounded(row.time_s, 7)));
  }
  for (const SeriesColumn& column : kSeriesColumns) {
    Json& values = json[column.name] = Json::array();
    for (const SeriesRow& row : rows) {
      // Below 0: no value in this interval.
      const double value = row.*column.value;
      values.push_back(value < 0 ? Json(nullptr) : number(rounded(value, kSeriesDigits)));
    }
  }
  return json;
}

std::set<std::uint64_t> seeds_of(std::span<const RunResult> runs) {
  std::set<std::uint64_t> seeds;
  for (const RunResult& run : runs) {
    seeds.insert(run.seed);
  }
  return seeds;
}

std::size_t rows_of(std::span<const RunResult> runs) {
  std::size_t rows = 0;
  for (const RunResult& run : runs) {
    rows = std::max(rows, run.series.size());
  }
  return rows;
}

/// Many seeds get shorter series first; below a width that still shows peaks, fewer seeds.
Budget budget(std::span<const RunResult> runs) {
  const std::size_t seeds = seeds_of(runs).size();
  const std::size_t lines = std::max<std::size_t>(1, runs.size() / std::max<std::size_t>(1, seeds));
  const std::size_t rows_all = kPageSeriesNumbersMax / (kSeriesColumns.size() + 1) / lines;
  Budget result{.rows = kPageExtremesMax, .seeds = seeds};
  while (result.seeds > 1 && rows_all / result.seeds < 2 * kPageMeansMax) {
    --result.seeds;
  }
  const std::size_t each = rows_all / std::max<std::size_t>(1, result.seeds);
  result.rows = std::clamp(each - std::min(each, kPageMeansMax), kPageMeansMax, kPageExtremesMax);
  return result;
}

Json page_histogram(const Histogram& histogram) {
  Json json = Json::array();
  double lower = 0;
  double upper = 0;
  std::uint64_t count = 0;
  const auto flush = [&] {
    if (count > 0) {
      json.push_back(Json::array({number(rounded(lower / kMillisecondNs, 6)),
                                  number(rounded(upper / kMillisecondNs, 6)), count}));
    }
  };
  for (const Histogram::Bucket& bucket : histogram.buckets()) {
    const double bucket_upper = static_cast<double>(bucket.upper);
    if (count == 0 || bucket_upper > lower * kBucketRatio) {
      flush();
      lower = static_cast<double>(bucket.lower);
      count = 0;
    }
    upper = bucket_upper;
    count += bucket.count;
  }
  flush();
  return json;
}

/// Sums (requests, energy) or means (the rest) of a group of neighbours.
Json page_servers(const RunResult& run) {
  Json json = {{"names", Json::array()},       {"requests", Json::array()},
               {"active_mean", Json::array()}, {"cpu_ratio_mean", Json::array()},
               {"awake_s", Json::array()},     {"energy_joules", Json::array()}};
  const std::size_t length = (run.servers.size() + kPageServersMax - 1) / kPageServersMax;
  for (std::size_t begin = 0; begin < run.servers.size(); begin += length) {
    const std::size_t end = std::min(begin + length, run.servers.size());
    ServerResult sum;
    for (std::size_t i = begin; i < end; ++i) {
      sum.requests += run.servers[i].requests;
      sum.active_mean += run.servers[i].active_mean;
      sum.cpu_ratio_mean += run.servers[i].cpu_ratio_mean;
      sum.awake_s += run.servers[i].awake_s;
      sum.energy_joules += run.servers[i].energy_joules;
    }
    const double servers = static_cast<double>(end - begin);
    const std::string& first = run.servers[begin].name;
    json["names"].push_back(end - begin == 1 ? first : first + " … " + run.servers[end - 1].name);
    json["requests"].push_back(sum.requests);
    json["active_mean"].push_back(number(rounded(sum.active_mean / servers, kSeriesDigits)));
    json["cpu_ratio_mean"].push_back(number(rounded(sum.cpu_ratio_mean / servers, kSeriesDigits)));
    json["awake_s"].push_back(number(rounded(sum.awake_s / servers, kSeriesDigits)));
    json["energy_joules"].push_back(number(rounded(sum.energy_joules, kSeriesDigits)));
  }
  return json;
}

Json run_json(const RunResult& run, const Budget& budget, bool with_series) {
  Json json = run_head_json(run);
  json["histogram"] = page_histogram(run.latency);
  json["servers"] = page_servers(run);
  if (!with_series) {
    json["series"] = nullptr;
    return json;
  }
  const bool is_short = run.series.size() <= kPageMeansMax;
  json["series"]["calm"] = series_json(keep_means(run.series, kPageMeansMax));
  json["series"]["full"] =
      is_short ? Json(nullptr) : series_json(keep_extremes(run.series, budget.rows));
  return json;
}

const char* better_text(MetricInfo::Better better) {
  switch (better) {
    case MetricInfo::Better::kLower:
      return "lower";
    case MetricInfo::Better::kHigher:
      return "higher";
    case MetricInfo::Better::kNeither:
      return "neither";
  }
  return "";
}

Json metrics_json(bool with_caches) {
  Json json = Json::array();
  const auto add = [&json](std::span<const MetricInfo> infos) {
    for (const MetricInfo& info : infos) {
      json.push_back({{"name", info.name},
                      {"title", info.title},
                      {"unit", info.unit},
                      {"better", better_text(info.better)}});
    }
  };
  add(metric_infos());
  if (with_caches) {
    add(cache_metric_infos());
  }
  return json;
}

Json finding_json(const Finding& finding) {
  return {{"question", finding.question}, {"line", finding.line}, {"value", number(finding.value)},
          {"metric", finding.metric},     {"tied", finding.tied}, {"all_tied", finding.all_tied},
          {"text", finding.text}};
}

Json verdict_json(const Verdict& verdict) {
  return {{"latency", finding_json(verdict.latency)},
          {"energy", finding_json(verdict.energy)},
          {"excluded", verdict.excluded},
          {"caveat", verdict.caveat}};
}

}  // namespace

std::string page_data(const ReportContext& context, std::span<const RunResult> runs) {
  const std::vector<LineSummary> lines = summarize(runs);
  const std::set<std::uint64_t> seeds = seeds_of(runs);
  const Budget limits = budget(runs);
  Json json = context_json(context);
  json["metrics"] = metrics_json(!runs.empty() && has_caches(runs.front()));
  json["lines"] = lines_json(lines);
  json["expectations"] = expectations_json(context);
  json["verdict"] = runs.empty() ? Json(nullptr) : verdict_json(find_verdict(runs, lines));
  const std::size_t rows = rows_of(runs);
  json["thinning"] = {{"rows", rows},
                      {"rows_shown", std::min(rows, limits.rows)},
                      {"seeds", seeds.size()},
                      {"seeds_shown", limits.seeds}};
  Json& list = json["runs"] = Json::array();
  for (const RunResult& run : runs) {
    const auto place = std::distance(seeds.begin(), seeds.find(run.seed));
    list.push_back(run_json(run, limits, static_cast<std::size_t>(place) < limits.seeds));
  }
  return dump(json);
}

}  // namespace copal::sim
