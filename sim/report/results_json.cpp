#include "sim/report/results_json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace copal::sim {

using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t kBrokenLinesMax = 5;

std::string hash_text(std::uint64_t hash) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[text.size() - 1 - i] = kDigits[(hash >> (4 * i)) & 15U];
  }
  return text;
}

Json scenario_json(const ReportContext& context) {
  return {{"name", context.scenario_name},
          {"title", context.scenario_title},
          {"claim", context.scenario_claim},
          {"file", context.scenario_file},
          {"text", context.scenario_text},
          {"settings", context.settings},
          {"duration_s", number(context.duration_s)},
          {"warm_up_s", number(context.warm_up_s)}};
}

Json input_json(const ReportContext& context) {
  if (!context.input) {
    return nullptr;
  }
  const ReportContext::Input& input = *context.input;
  Json broken = Json::array();
  for (const auto& each : input.first_broken) {
    if (broken.size() < kBrokenLinesMax) {
      broken.push_back({{"line", each.line}, {"text", each.text}, {"reason", each.reason}});
    }
  }
  return {{"file", input.file},
          {"lines_read", input.lines_read},
          {"lines_broken", input.lines_broken},
          {"first_broken", broken}};
}

Json optional_number(const std::optional<double>& value) {
  return value ? number(*value) : Json(nullptr);
}

Json histogram_json(const Histogram& histogram) {
  Json buckets = Json::array();
  for (const Histogram::Bucket& bucket : histogram.buckets()) {
    buckets.push_back(
        Json::array({number(static_cast<double>(bucket.lower) / kMillisecondNs),
                     number(static_cast<double>(bucket.upper) / kMillisecondNs), bucket.count}));
  }
  return buckets;
}

Json servers_json(const RunResult& run) {
  Json servers = Json::array();
  for (const ServerResult& server : run.servers) {
    servers.push_back({{"name", server.name},
                       {"requests", server.requests},
                       {"active_mean", number(server.active_mean)},
                       {"cpu_ratio_mean", number(server.cpu_ratio_mean)},
                       {"awake_s", number(server.awake_s)},
                       {"energy_joules", number(server.energy_joules)}});
  }
  return servers;
}

Json run_json(const RunResult& run, const std::string& path) {
  Json json = run_head_json(run);
  json["latency_histogram"] = histogram_json(run.latency);
  json["servers"] = servers_json(run);
  json["series"] = path;
  return json;
}

/// An array with each element on a line of its own.
std::string array_text(const Json& array) {
  std::string text = "[";
  for (std::size_t i = 0; i < array.size(); ++i) {
    text += (i == 0 ? "\n" : ",\n") + dump(array[i]);
  }
  return text + (array.empty() ? "]" : "\n]");
}

}  // namespace

Json number(double value) {
  constexpr double kWholeMax = 9007199254740992.0;  // 2^53: beyond, not every whole number exists
  if (!std::isfinite(value)) {
    return nullptr;
  }
  if (std::fabs(value) <= kWholeMax && std::trunc(value) == value) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json context_json(const ReportContext& context) {
  return {{"schema", kResultsSchema},
          {"copal_version", context.copal_version},
          {"scenario", scenario_json(context)},
          {"engine",
           {{"simgrid_version", context.engine.simgrid_version},
            {"simgrid_options", context.engine.simgrid_options},
            {"cpu", context.engine.cpu},
            {"fidelity", context.engine.fidelity}}},
          {"input", input_json(context)}};
}

Json expectations_json(const ReportContext& context) {
  Json expectations = Json::array();
  for (const auto& each : context.expectations) {
    expectations.push_back({{"text", each.text},
                            {"line", each.line},
                            {"metric", each.metric},
                            {"measured", number(each.measured)},
                            {"ok", each.ok}});
  }
  return expectations;
}

Json lines_json(std::span<const LineSummary> lines) {
  Json array = Json::array();
  for (const LineSummary& line : lines) {
    Json metrics = Json::object();
    for (const auto& [name, value] : line.metrics) {
      metrics[name] = {{"mean", number(value.mean)},
                       {"low", optional_number(value.low())},
                       {"high", optional_number(value.high())}};
    }
    array.push_back({{"label", line.label},
                     {"algorithm", line.algorithm},
                     {"seeds", line.seeds},
                     {"metrics", metrics},
                     {"tied_note", line.tied_note}});
  }
  return array;
}

Json run_head_json(const RunResult& run) {
  Json metrics = Json::object();
  for (const auto& [name, value] : run.metrics) {
    metrics[name] = number(value);
  }
  return {{"line", run.line},
          {"algorithm", run.algorithm},
          {"seed", run.seed},
          {"event_hash", hash_text(run.event_hash)},
          {"metrics", metrics}};
}

std::string results_text(const ReportContext& context, std::span<const RunResult> runs,
                         std::span<const std::string> paths) {
  std::string text = "{\n";
  const Json head = context_json(context);
  for (const auto& [key, value] : head.items()) {
    text += "\"" + key + "\": " + dump(value) + ",\n";
  }
  Json run_list = Json::array();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    run_list.push_back(run_json(runs[i], paths[i]));
  }
  text += "\"runs\": " + array_text(run_list) + ",\n";
  text += "\"lines\": " + array_text(lines_json(summarize(runs))) + ",\n";
  text += "\"expectations\": " + array_text(expectations_json(context)) + "\n}\n";
  return text;
}

}  // namespace copal::sim
