#include "sim/report/read_results.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "sim/report/metrics.h"
#include "sim/report/results_json.h"

namespace copal::sim {

namespace {

using Json = nlohmann::ordered_json;

/// What is wrong with the contents; caught in read_results, never leaves this file.
struct Garbled {
  std::string reason;
};

const Json& field(const Json& object, const std::string& where, const char* key) {
  if (!object.is_object() || !object.contains(key)) {
    throw Garbled{where + " has no \"" + key + "\""};
  }
  return object.at(key);
}

std::string string_field(const Json& object, const std::string& where, const char* key) {
  const Json& value = field(object, where, key);
  if (!value.is_string()) {
    throw Garbled{where + ": \"" + key + "\" is not a text"};
  }
  return value.get<std::string>();
}

std::uint64_t hash_field(const Json& object, const std::string& where) {
  const std::string text = string_field(object, where, "event_hash");
  std::uint64_t hash = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hash, 16);
  if (text.size() != 16 || error != std::errc{} || end != text.data() + text.size()) {
    throw Garbled{where + ": \"event_hash\" is not 16 hexadecimal digits"};
  }
  return hash;
}

RunResult run_from(const Json& object, const std::string& where) {
  RunResult run;
  run.line = string_field(object, where, "line");
  run.algorithm = string_field(object, where, "algorithm");
  const Json& seed = field(object, where, "seed");
  if (!seed.is_number_unsigned()) {
    throw Garbled{where + ": \"seed\" is not a whole number"};
  }
  run.seed = seed.get<std::uint64_t>();
  run.event_hash = hash_field(object, where);
  const Json& metrics = field(object, where, "metrics");
  const auto read = [&](const MetricInfo& info) {
    const std::string name(info.name);
    const Json& value = field(metrics, where + ", metrics", name.c_str());
    if (!value.is_number() && !value.is_null()) {
      throw Garbled{where + ": metric \"" + name + "\" is not a number"};
    }
    run.metrics.emplace_back(
        name, value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>());
  };
  std::ranges::for_each(metric_infos(), read);
  if (metrics.contains(cache_metric_infos().front().name)) {
    std::ranges::for_each(cache_metric_infos(), read);
  }
  return run;
}

StoredResults stored_from(const Json& root, const std::string& folder) {
  const std::string schema = string_field(root, "the file", "schema");
  if (schema != kResultsSchema) {
    throw Garbled{"its schema is \"" + schema + "\"; this program reads \"" + kResultsSchema +
                  "\""};
  }
  const Json& scenario = field(root, "the file", "scenario");
  StoredResults results;
  results.folder = folder;
  results.scenario_name = string_field(scenario, "scenario", "name");
  results.scenario_title = string_field(scenario, "scenario", "title");
  results.copal_version = string_field(root, "the file", "copal_version");
  const Json& runs = field(root, "the file", "runs");
  if (!runs.is_array() || runs.empty()) {
    throw Garbled{"\"runs\" is not a list with at least one run"};
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    results.runs.push_back(run_from(runs[i], "run " + std::to_string(i + 1)));
  }
  return results;
}

std::variant<std::string, ReportError> read_text(const std::filesystem::path& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return ReportError{path.string(), std::generic_category().message(errno)};
  }
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::optional<ReportError> folder_error(const std::string& folder,
                                        const std::filesystem::path& path) {
  if (!std::filesystem::exists(folder)) {
    return ReportError{folder, "there is no such folder"};
  }
  if (!std::filesystem::is_directory(folder)) {
    return ReportError{folder, "is not a folder; expected what copal-sim run --out left"};
  }
  if (!std::filesystem::exists(path)) {
    return ReportError{folder, "holds no results.json; expected what copal-sim run --out left"};
  }
  return std::nullopt;
}

}  // namespace

std::variant<StoredResults, ReportError> read_results(const std::string& folder) {
  const std::filesystem::path path = std::filesystem::path(folder) / "results.json";
  if (auto error = folder_error(folder, path)) {
    return *error;
  }
  const auto text = read_text(path);
  if (const auto* error = std::get_if<ReportError>(&text)) {
    return *error;
  }
  try {
    return stored_from(Json::parse(std::get<std::string>(text)), folder);
  } catch (const nlohmann::json::exception& error) {
    return ReportError{path.string(),
                       std::string("is not JSON as written by copal-sim: ") + error.what()};
  } catch (const Garbled& error) {
    return ReportError{path.string(), error.reason};
  }
}

}  // namespace copal::sim
