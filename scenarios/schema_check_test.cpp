#include "scenarios/schema_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "core/balance/policy_config.h"
#include "scenarios/embedded.h"
#include "scenarios/units.h"

namespace copal::scenario {
namespace {

using Json = nlohmann::ordered_json;

Json schema() {
  return Json::parse(embedded("schema.json"));
}

/// Calls visit(schema, path) for every schema within a schema.
template <class Visit>
void for_each_schema(const Json& schema, const std::string& path, const Visit& visit) {
  if (!schema.is_object()) {
    return;
  }
  visit(schema, path);
  for (const char* key : {"properties", "definitions"}) {
    const Json parts = schema.value(key, Json::object());
    for (const auto& [name, part] : parts.items()) {
      for_each_schema(part, path + "/" + name, visit);
    }
  }
  for (const char* key : {"items", "additionalProperties", "propertyNames", "if", "then", "else"}) {
    if (schema.contains(key)) {
      for_each_schema(schema[key], path + "/" + key, visit);
    }
  }
  for (const char* key : {"allOf", "anyOf", "oneOf"}) {
    for (const Json& part : schema.value(key, Json::array())) {
      for_each_schema(part, path + "/" + key, visit);
    }
  }
}

TEST(Schema, UsesOnlyKeywordsThatTheCheckUnderstands) {
  const std::set<std::string_view> known(std::begin(kSchemaKeywords), std::end(kSchemaKeywords));
  for_each_schema(schema(), "", [&](const Json& part, const std::string& path) {
    for (const auto& [keyword, value] : part.items()) {
      EXPECT_EQ(known.count(keyword), 1U) << path << ": " << keyword;
    }
    if (part.contains("format")) {
      EXPECT_TRUE(format_named(part["format"].get<std::string>()).has_value()) << path;
    }
  });
}

/// Conditions ask only which keys there are and which value one key has; branches of anyOf differ
/// in type, those of oneOf only require a key. SchemaCheck relies on it.
TEST(Schema, UsesThemOnlyAsTheCheckUnderstandsThem) {
  for_each_schema(schema(), "", [&](const Json& part, const std::string& path) {
    const Json condition = part.value("if", Json::object());
    for (const auto& [keyword, value] : condition.items()) {
      EXPECT_TRUE(keyword == "properties" || keyword == "required") << path << ": " << keyword;
    }
    const Json properties = condition.value("properties", Json::object());
    for (const auto& [name, value] : properties.items()) {
      EXPECT_EQ(value.size(), 1U) << path << "/" << name;
      EXPECT_TRUE(value.contains("const") || value.contains("enum")) << path << "/" << name;
    }
    for (const Json& branch : part.value("oneOf", Json::array())) {
      EXPECT_EQ(branch.size(), 1U) << path;
      EXPECT_EQ(branch["required"].size(), 1U) << path;
    }
    const bool only_text = part.contains("enum") && part.value("type", "string") != "string";
    EXPECT_FALSE(only_text) << path;
  });
}

/// Every key says what it is, and shows a value: a default, an example, or a list of all.
TEST(Schema, EveryKeyIsDescribedWithAnExample) {
  const Json root = schema();
  const auto resolved = [&](Json part) {
    while (part.contains("$ref")) {
      const std::string name = part["$ref"].get<std::string>().substr(14);
      part.erase("$ref");
      Json merged = root["definitions"][name];
      merged.update(part);
      part = merged;
    }
    return part;
  };
  int keys = 0;
  for_each_schema(root, "", [&](const Json& part, const std::string& path) {
    if (path.find("/if") != std::string::npos || path.find("/then") != std::string::npos) {
      return;
    }
    const Json properties = part.value("properties", Json::object());
    for (const auto& [name, raw] : properties.items()) {
      const Json key = resolved(raw);
      ++keys;
      EXPECT_FALSE(key.value("description", "").empty()) << path << "/" << name;
      const bool shows = key.contains("default") || key.contains("examples") ||
                         key.contains("enum") || key.contains("anyOf") ||
                         key.contains("properties");
      EXPECT_TRUE(shows) << path << "/" << name;
    }
  });
  EXPECT_GT(keys, 100);
}

TEST(Schema, NamesTheMetricsOfTheResults) {
  std::ifstream file(COPAL_SOURCE_DIR "/docs/results.md");
  std::vector<std::string> metrics;
  bool in_metrics = false;
  for (std::string line; std::getline(file, line);) {
    in_metrics = line.starts_with("#") ? line.starts_with("### Metrics") : in_metrics;
    if (!in_metrics || !line.starts_with("| `")) {
      continue;
    }
    // The first cell: `a`, `b`, `c`.
    const std::string cell = line.substr(0, line.find('|', 1));
    for (std::size_t start = cell.find('`'); start != std::string::npos;) {
      const std::size_t end = cell.find('`', start + 1);
      metrics.push_back(cell.substr(start + 1, end - start - 1));
      start = cell.find('`', end + 1);
    }
  }
  EXPECT_GT(metrics.size(), 20U);
  EXPECT_EQ(schema()["definitions"]["expectation"]["properties"]["metric"]["enum"], Json(metrics));
}

TEST(Schema, NamesTheAlgorithms) {
  const Json names = schema()["definitions"]["algorithm_name"]["enum"];
  ASSERT_EQ(names.size(), balance::algorithm_names().size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(names[i], balance::algorithm_names()[i]);
  }
  Json with_all = Json::array({"all"});
  with_all.insert(with_all.end(), names.begin(), names.end());
  EXPECT_EQ(schema()["definitions"]["algorithms"]["anyOf"][0]["enum"], with_all);
}

/// Examples are right themselves: each value of its own schema.
TEST(Schema, DefaultsAndExamplesOfUnitsAreReadable) {
  const Json root = schema();
  for_each_schema(root, "", [&](const Json& part, const std::string& path) {
    if (!part.contains("$ref")) {
      return;
    }
    const Json& definition = root["definitions"][part["$ref"].get<std::string>().substr(14)];
    if (!definition.contains("format")) {
      return;
    }
    const auto format = format_named(definition["format"].get<std::string>());
    Json values = part.value("examples", Json::array());
    if (part.contains("default")) {
      values.push_back(part["default"]);
    }
    for (const Json& value : values) {
      const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
      EXPECT_TRUE(parse(*format, text).has_value()) << path << ": " << text;
    }
  });
}

}  // namespace
}  // namespace copal::scenario
