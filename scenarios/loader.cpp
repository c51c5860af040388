#include "scenarios/loader.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "scenarios/build.h"
#include "scenarios/check.h"
#include "scenarios/check_lines.h"
#include "scenarios/embedded.h"
#include "scenarios/schema_check.h"
#include "scenarios/variants.h"

namespace copal::scenario {

namespace {

constexpr std::string_view kQuickstart = "quickstart.yaml";

const nlohmann::ordered_json& schema() {
  static const nlohmann::ordered_json kParsed =
      nlohmann::ordered_json::parse(embedded("schema.json"));
  return kParsed;
}

std::vector<std::string> scenario_keys() {
  std::vector<std::string> keys;
  for (const auto& [key, value] : schema()["properties"].items()) {
    keys.push_back(key);
  }
  return keys;
}

std::vector<Setting> settings_of(const LoadOptions& options) {
  std::vector<Setting> settings;
  for (const std::string& text : options.settings) {
    settings.push_back(setting_of(text));
  }
  if (!options.trace.empty()) {
    settings.push_back({.shown = "--trace " + options.trace,
                        .path = "workload.file",
                        .value = options.trace,
                        .plain = true});
  }
  return settings;
}

std::string name_of(const std::string& path) {
  return std::filesystem::path(path).stem().string();
}

/// Reads at most a little more than a scenario may have, so that an endless file does no harm.
std::optional<std::string> read_file(const std::string& path, Problems& problems) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    problems.add({}, "there is no such file", "a scenario file, or a name that `list` shows");
    return std::nullopt;
  }
  std::ifstream stream(path, std::ios::binary);
  if (status.type() == std::filesystem::file_type::directory || !stream) {
    problems.add({}, "cannot be read", "a scenario file");
    return std::nullopt;
  }
  std::string text(kFileSizeMaxBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

/// Loads one text; the steps share what is known of it.
class Loading {
 public:
  Loading(std::string_view text, std::string shown_as, std::string folder,
          const LoadOptions& options)
      : text_(text),
        shown_as_(std::move(shown_as)),
        folder_(std::move(folder)),
        options_(options),
        settings_(settings_of(options)),
        problems_(shown_as_, text, shown_settings(settings_)) {}

  LoadResult run() {
    std::optional<Node> tree = read_yaml(text_, 0, problems_);
    if (tree && problems_.empty()) {
      apply_settings(*tree, settings_, problems_);
      variants_ = expand(*tree, scenario_keys(), problems_);
    }
    LoadResult result;
    for (Variant& variant : variants_) {
      if (!problems_.full()) {
        add_scenario(variant, result.scenarios);
      }
    }
    if (problems_.empty()) {
      check_lines(result.scenarios);
    }
    result.problems = problems_.take();
    if (!result.problems.empty()) {
      result.scenarios.clear();
    }
    return result;
  }

 private:
  static std::vector<std::string> shown_settings(const std::vector<Setting>& settings) {
    std::vector<std::string> shown;
    for (const Setting& setting : settings) {
      shown.push_back(setting.shown);
    }
    return shown;
  }

  void add_scenario(Variant& variant, std::vector<Scenario>& scenarios) {
    Problems found = problems_.fresh();
    SchemaCheck(schema()).run(variant.tree, found);
    if (found.empty() && check_clusters(variant.tree, found)) {
      Scenario scenario = build(variant.tree, folder_, variant.suffix);
      check_scenario(scenario, variant.tree, options_.check_files, found);
      scenario.name = scenario.name.empty() ? name_of(shown_as_) : scenario.name;
      scenario.file = shown_as_;
      scenario.text = text_;
      scenarios.push_back(std::move(scenario));
    }
    problems_.add_all(found);
  }

  void check_lines(std::vector<Scenario>& scenarios) {
    std::vector<std::string> labels;
    for (const Scenario& scenario : scenarios) {
      for (const Contender& contender : scenario.contenders) {
        labels.push_back(contender.label);
      }
    }
    std::vector<std::string> sorted = labels;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end()) {
      problems_.add(variants_[0].tree.place_of("vary"), "two lines are called '" + *twice + "'",
                    "each value to try only once");
    }
    for (std::size_t i = 0; i < scenarios.size(); ++i) {
      check_expectations(scenarios[i], variants_[i].tree, variants_[i].suffix, labels, problems_);
    }
  }

  std::string_view text_;
  std::string shown_as_;
  std::string folder_;
  const LoadOptions& options_;
  std::vector<Setting> settings_;
  Problems problems_;
  std::vector<Variant> variants_;
};

}  // namespace

LoadResult load(const std::string& path, const LoadOptions& options) {
  if (path.empty()) {
    return load_text(embedded(kQuickstart), "<embedded>/" + std::string(kQuickstart), "", options);
  }
  Problems problems(path, "", {});
  const std::optional<std::string> text = read_file(path, problems);
  if (!text) {
    return {{}, problems.take()};
  }
  const std::size_t slash = path.rfind('/');
  return load_text(*text, path, slash == std::string::npos ? "" : path.substr(0, slash + 1),
                   options);
}

LoadResult load_text(std::string_view text, const std::string& shown_as, const std::string& folder,
                     const LoadOptions& options) {
  return Loading(text, shown_as, folder, options).run();
}

std::vector<ListedScenario> list_scenarios(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<ListedScenario> result;
  std::error_code error;
  for (fs::recursive_directory_iterator file(folder, error), end; !error && file != end;
       file.increment(error)) {
    const std::string path = file->path().string();
    std::error_code ignored;
    if (file->path().extension() != ".yaml" || !file->is_regular_file(ignored)) {
      continue;
    }
    ListedScenario listed{.name = name_of(path), .title = {}, .path = path};
    Problems problems(path, "", {});
    const std::optional<std::string> text = read_file(path, problems);
    const std::optional<Node> tree = text ? read_yaml(*text, 0, problems) : std::nullopt;
    if (const Node* title = tree ? tree->find("title") : nullptr) {
      listed.title = title->text;
    }
    if (const Node* name = tree ? tree->find("name") : nullptr) {
      listed.name = name->text;
    }
    result.push_back(std::move(listed));
  }
  std::sort(result.begin(), result.end(),
            [](const ListedScenario& a, const ListedScenario& b) { return a.path < b.path; });
  return result;
}

}  // namespace copal::scenario
