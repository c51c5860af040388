#include "scenarios/schema_check.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/assert.h"
#include "scenarios/nearest.h"
#include "scenarios/units.h"

namespace copal::scenario {

namespace {

using Json = nlohmann::ordered_json;

constexpr Place kNowhere{.origin = -1, .line = 0, .column = 0};

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// As it would stand in YAML, on one line.
std::string flow_yaml(const Json& value) {
  std::string result;
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      result += (result.empty() ? "" : ", ") + key + ": " + flow_yaml(item);
    }
    return "{" + result + "}";
  }
  if (value.is_array()) {
    for (const Json& item : value) {
      result += (result.empty() ? "" : ", ") + flow_yaml(item);
    }
    return "[" + result + "]";
  }
  return text_of(value);
}

std::string shown(const Node& node) {
  constexpr std::size_t kShownMax = 40;
  switch (node.kind) {
    case Node::Kind::kNothing:
      return "empty";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
    case Node::Kind::kScalar:
      break;
  }
  const std::string quote = node.quoted ? "\"" : "'";
  std::string text = node.text.substr(0, kShownMax);
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return quote + text + (node.text.size() > kShownMax ? "…" : "") + quote;
}

/// Where a value was written; the place of its key if nothing was.
Place own_place(const Node& node, Place key) {
  const bool written = node.kind != Node::Kind::kNothing && node.place.line > 0;
  return written || node.place.origin > 0 ? node.place : key;
}

std::string join(const std::vector<std::string>& names) {
  std::string result;
  for (const std::string& name : names) {
    result += (result.empty() ? "" : ", ") + name;
  }
  return result;
}

std::vector<std::string> strings_of(const Json& list) {
  std::vector<std::string> result;
  for (const Json& item : list) {
    result.push_back(text_of(item));
  }
  return result;
}

bool has_text(const Json& list, const std::string& text) {
  return std::any_of(list.begin(), list.end(),
                     [&](const Json& item) { return text_of(item) == text; });
}

std::string below(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

/// "cloud.hosts.app", or what the whole is called.
std::string called(const std::string& path) {
  return path.empty() ? "the scenario" : path;
}

Node node_of(const Json& value) {
  Node node;
  node.place = kNowhere;
  if (value.is_object()) {
    node.kind = Node::Kind::kMap;
    for (const auto& [key, item] : value.items()) {
      node.set(key, node_of(item));
    }
  } else if (value.is_array()) {
    node.kind = Node::Kind::kList;
    for (const Json& item : value) {
      node.items.push_back(node_of(item));
    }
  } else {
    node.kind = Node::Kind::kScalar;
    node.text = text_of(value);
  }
  return node;
}

/// Whether a map meets a condition: keys that must be there, keys that must have a value or one of
/// several. Nothing else stands in schema.json's conditions (schema_check_test.cpp).
bool applies(const Json& condition, const Node& map) {
  for (const Json& key : condition.value("required", Json::array())) {
    if (map.find(key.get_ref<const std::string&>()) == nullptr) {
      return false;
    }
  }
  const Json properties = condition.value("properties", Json::object());
  for (const auto& [key, schema] : properties.items()) {
    const Node* value = map.find(key);
    if (value == nullptr) {
      continue;
    }
    const bool fits = schema.contains("const") ? text_of(schema["const"]) == value->text
                                               : has_text(schema["enum"], value->text);
    if (value->kind != Node::Kind::kScalar || !fits) {
      return false;
    }
  }
  return true;
}

/// "kind: poisson": the key that a condition asks about, with the value that the map has.
std::string reason_of(const Json& condition, const Node& map) {
  const Json properties = condition.value("properties", Json::object());
  if (properties.empty()) {
    return {};
  }
  const std::string& key = properties.begin().key();
  const Node* value = map.find(key);
  return value == nullptr ? std::string() : key + ": " + value->text;
}

std::optional<Format> format_of(const Json& schema) {
  return schema.contains("format") ? format_named(text_of(schema["format"])) : std::nullopt;
}

std::string bound_text(const Json& schema, const char* keyword) {
  const double value = schema[keyword].get<double>();
  const std::optional<Format> format = format_of(schema);
  return format ? write(*format, value) : write_number(value);
}

std::string bounds_text(const Json& schema) {
  std::string result;
  const bool exclusive =
      schema.contains("exclusiveMinimum") &&
      schema["exclusiveMinimum"].get<double>() >= schema.value("minimum", -1e300);
  if (exclusive) {
    result = "more than " + bound_text(schema, "exclusiveMinimum");
  } else if (schema.contains("minimum")) {
    result = "at least " + bound_text(schema, "minimum");
  }
  const std::string link = result.empty() ? "" : " and ";
  if (schema.contains("exclusiveMaximum")) {
    result += link + "less than " + bound_text(schema, "exclusiveMaximum");
  } else if (schema.contains("maximum")) {
    result += link + "at most " + bound_text(schema, "maximum");
  }
  return result;
}

bool in_bounds(const Json& schema, double value) {
  return !(schema.contains("minimum") && value < schema["minimum"].get<double>()) &&
         !(schema.contains("maximum") && value > schema["maximum"].get<double>()) &&
         !(schema.contains("exclusiveMinimum") &&
           value <= schema["exclusiveMinimum"].get<double>()) &&
         !(schema.contains("exclusiveMaximum") &&
           value >= schema["exclusiveMaximum"].get<double>());
}

bool scalar_fits(const std::string& type, const Node& node) {
  if (type == "string") {
    return true;
  }
  if (node.quoted) {
    return false;
  }
  if (type == "boolean") {
    return node.text == "true" || node.text == "false";
  }
  return type == "integer" ? is_integer(node.text)
                           : type == "number" && parse_number(node.text).has_value();
}

std::string such_as(const Json& schema) {
  std::string result;
  const Json examples = schema.value("examples", Json::array());
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const char* link = i == 0 ? " such as " : i + 1 == examples.size() ? " or " : ", ";
    result += link + flow_yaml(examples[i]);
  }
  return result;
}

std::string noun_of_type(const std::string& type) {
  if (type == "integer") {
    return "a whole number";
  }
  if (type == "number") {
    return "a number";
  }
  if (type == "boolean") {
    return "true or false";
  }
  if (type == "array") {
    return "a list";
  }
  return type == "object" ? "a map (key: value)" : "a text";
}

}  // namespace

void SchemaCheck::run(Node& tree, Problems& problems) {
  problems_ = &problems;
  check(root_, tree, "", tree.place);
}

const Json& SchemaCheck::resolve(const Json& schema) {
  if (!schema.contains("$ref")) {
    return schema;
  }
  const auto found = merged_.find(&schema);
  if (found != merged_.end()) {
    return found->second;
  }
  constexpr std::string_view kPrefix = "#/definitions/";
  const std::string reference = schema["$ref"].get<std::string>();
  COPAL_ASSERT(reference.starts_with(kPrefix));
  Json result = resolve(root_["definitions"].at(reference.substr(kPrefix.size())));
  for (const auto& [key, value] : schema.items()) {
    if (key != "$ref") {
      result[key] = value;
    }
  }
  return merged_.emplace(&schema, std::move(result)).first->second;
}

void SchemaCheck::check(const Json& raw, Node& node, const std::string& path, Place place) {
  const Json& schema = resolve(raw);
  if (schema.contains("anyOf")) {
    check_any_of(schema, node, path, place);
    return;
  }
  if (!type_fits(schema, node)) {
    const bool lacks_unit = node.kind == Node::Kind::kScalar && parse_number(node.text);
    problems_->add(own_place(node, place),
                   called(path) + " is " + shown(node) +
                       (lacks_unit && format_of(schema) ? ", a number without a unit" : ""),
                   expected(schema));
    return;
  }
  switch (node.kind) {
    case Node::Kind::kScalar:
      check_scalar(schema, node, path, node.place);
      break;
    case Node::Kind::kList:
      check_list(schema, node, path, place);
      break;
    case Node::Kind::kMap:
      check_map(schema, node, path, place);
      break;
    case Node::Kind::kNothing:
      break;
  }
}

/// The branch is chosen by its type alone; schema.json's branches differ in that.
void SchemaCheck::check_any_of(const Json& schema, Node& node, const std::string& path,
                               Place place) {
  for (const Json& raw : schema["anyOf"]) {
    if (type_fits(resolve(raw), node)) {
      check(raw, node, path, place);
      return;
    }
  }
  problems_->add(own_place(node, place), called(path) + " is " + shown(node), expected(schema));
}

void SchemaCheck::check_scalar(const Json& schema, const Node& node, const std::string& path,
                               Place place) {
  const std::string text = path + " is " + shown(node);
  if (schema.contains("enum")) {
    if (!has_text(schema["enum"], node.text)) {
      const auto names = strings_of(schema["enum"]);
      problems_->add(place, text, "one of " + join(names), nearest_name(node.text, names));
    }
    return;
  }
  const std::optional<Format> format = format_of(schema);
  if (!format) {
    if (const auto number = parse_number(node.text); number && !node.quoted) {
      check_bounds(schema, *number, node, path, place);
    }
    return;
  }
  const std::optional<double> value = parse(*format, node.text);
  if (value) {
    check_bounds(schema, *value, node, path, place);
    return;
  }
  const bool lacks_unit = has_unit(*format) && parse_number(node.text);
  problems_->add(place, text + (lacks_unit ? ", a number without a unit" : ""), expected(schema));
}

void SchemaCheck::check_bounds(const Json& schema, double value, const Node& node,
                               const std::string& path, Place place) {
  if (!in_bounds(schema, value)) {
    problems_->add(place, path + " is " + node.text.substr(0, 40), bounds_text(schema));
  }
}

void SchemaCheck::check_list(const Json& schema, Node& node, const std::string& path, Place place) {
  const std::size_t count = node.items.size();
  const std::size_t least = schema.value("minItems", std::size_t{0});
  const std::size_t most = schema.value("maxItems", kNodesMax);
  if (count < least || count > most) {
    const std::string bound = least == most   ? std::to_string(least)
                              : count < least ? "at least " + std::to_string(least)
                                              : "at most " + std::to_string(most);
    problems_->add(place, path + " has " + std::to_string(count) + " items", bound);
    return;
  }
  if (schema.contains("items")) {
    for (std::size_t i = 0; i < count; ++i) {
      check(schema["items"], node.items[i], below(path, std::to_string(i)), node.items[i].place);
    }
  }
}

void SchemaCheck::check_map(const Json& schema, Node& node, const std::string& path, Place place) {
  std::vector<Part> parts;
  collect_parts(schema, node, "", parts);
  if (node.keys.size() < schema.value("minProperties", std::size_t{0})) {
    problems_->add(place, called(path) + " is empty", expected(schema));
  }
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    check_key(parts, node, i, path);
  }
  for (const Part& part : parts) {
    check_required(part, parts, node, path, place);
  }
  if (schema.contains("oneOf")) {
    check_one_of(schema, node, path, place);
  }
  add_defaults(parts, node, path);
}

void SchemaCheck::check_key(const std::vector<Part>& parts, Node& map, std::size_t index,
                            const std::string& path) {
  const Node& key = map.keys[index];
  const std::string key_path = below(path, key.text);
  bool belongs = true;
  check_key_names(parts, key, path, belongs);
  for (const Part& part : parts) {
    if (!belongs) {
      return;
    }
    const Json& schema = *part.schema;
    if (schema.contains("properties") && schema["properties"].contains(key.text)) {
      check(schema["properties"][key.text], map.items[index], key_path, key.place);
    } else if (schema.contains("additionalProperties")) {
      const Json& other = schema["additionalProperties"];
      if (other.is_object()) {
        check(other, map.items[index], key_path, key.place);
      } else {
        add_unknown_key(parts, key, path);
      }
    }
  }
}

/// Whether all parts allow the key.
bool SchemaCheck::may_have(const std::vector<Part>& parts, const std::string& key) {
  return std::all_of(parts.begin(), parts.end(), [&key](const Part& part) {
    if (!part.schema->contains("propertyNames")) {
      return true;
    }
    const Json& names = (*part.schema)["propertyNames"];
    return !names.contains("enum") || has_text(names["enum"], key);
  });
}

void SchemaCheck::add_unknown_key(const std::vector<Part>& parts, const Node& key,
                                  const std::string& path) {
  std::vector<std::string> names;
  for (const Part& part : parts) {
    const Json none = Json::object();
    const Json& properties =
        part.schema->contains("properties") ? (*part.schema)["properties"] : none;
    for (const auto& [name, schema] : properties.items()) {
      const bool known = std::find(names.begin(), names.end(), name) != names.end();
      if (!known && may_have(parts, name)) {
        names.push_back(name);
      }
    }
  }
  problems_->add(key.place, "unknown key " + shown(key) + " in " + called(path),
                 "one of " + join(names), nearest_name(key.text, names));
}

/// Keys that the map's kind does not take, and names that are no names.
void SchemaCheck::check_key_names(const std::vector<Part>& parts, const Node& key,
                                  const std::string& path, bool& belongs) {
  for (const Part& part : parts) {
    if (!part.schema->contains("propertyNames")) {
      continue;
    }
    const Json& names = resolve((*part.schema)["propertyNames"]);
    if (names.contains("enum")) {
      if (property(parts, key.text) != nullptr && !has_text(names["enum"], key.text)) {
        problems_->add(key.place, below(path, key.text) + " does not belong to " + part.reason,
                       "one of " + join(strings_of(names["enum"])));
        belongs = false;
      }
    } else if (const auto format = format_of(names); format && !parse(*format, key.text)) {
      problems_->add(key.place, shown(key) + " in " + called(path) + " is no name",
                     expected(names));
      belongs = false;
    }
  }
}

void SchemaCheck::check_required(const Part& part, const std::vector<Part>& parts, const Node& map,
                                 const std::string& path, Place place) {
  for (const Json& entry : part.schema->value("required", Json::array())) {
    const std::string key = entry.get<std::string>();
    if (map.find(key) != nullptr) {
      continue;
    }
    const Json* schema = property(parts, key);
    const std::string reason = part.reason.empty() ? "" : " (" + part.reason + ")";
    problems_->add(place, called(path) + reason + " needs '" + key + "'",
                   schema == nullptr ? "" : expected(resolve(*schema)));
  }
}

/// Each branch of a oneOf in schema.json says only that a key is required.
void SchemaCheck::check_one_of(const Json& schema, const Node& map, const std::string& path,
                               Place place) {
  std::vector<std::string> names;
  std::size_t count = 0;
  for (const Json& branch : schema["oneOf"]) {
    names.push_back(text_of(branch["required"][0]));
    count += map.find(names.back()) == nullptr ? 0 : 1;
  }
  if (count != 1) {
    problems_->add(place,
                   called(path) + " has " + (count == 0 ? "none" : std::to_string(count)) + " of " +
                       join(names),
                   "exactly one");
  }
}

void SchemaCheck::add_defaults(const std::vector<Part>& parts, Node& map, const std::string& path) {
  for (const Part& part : parts) {
    if (!part.schema->contains("properties")) {
      continue;
    }
    for (const auto& [name, raw] : (*part.schema)["properties"].items()) {
      const Json& schema = resolve(raw);
      if (schema.contains("default") && map.find(name) == nullptr && may_have(parts, name)) {
        check(raw, map.set(name, node_of(schema["default"])), below(path, name), kNowhere);
      }
    }
  }
}

void SchemaCheck::collect_parts(const Json& raw, const Node& map, const std::string& reason,
                                std::vector<Part>& parts) {
  const Json& schema = resolve(raw);
  parts.push_back({&schema, reason});
  if (schema.contains("allOf")) {
    for (const Json& part : schema["allOf"]) {
      collect_parts(part, map, reason, parts);
    }
  }
  if (schema.contains("if")) {
    const bool holds = applies(schema["if"], map);
    const char* branch = holds ? "then" : "else";
    if (schema.contains(branch)) {
      collect_parts(schema[branch], map, holds ? reason_of(schema["if"], map) : "", parts);
    }
  }
}

const Json* SchemaCheck::property(const std::vector<Part>& parts, const std::string& key) {
  for (const Part& part : parts) {
    if (part.schema->contains("properties") && (*part.schema)["properties"].contains(key)) {
      return &(*part.schema)["properties"][key];
    }
  }
  return nullptr;
}

bool SchemaCheck::type_fits(const Json& schema, const Node& node) {
  if (!schema.contains("type")) {
    return node.kind != Node::Kind::kNothing;
  }
  const Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
  for (const Json& type : types) {
    const std::string& name = type.get_ref<const std::string&>();
    const bool fits = name == "object" ? node.kind == Node::Kind::kMap
                      : name == "array"
                          ? node.kind == Node::Kind::kList
                          : node.kind == Node::Kind::kScalar && scalar_fits(name, node);
    if (fits) {
      return true;
    }
  }
  return false;
}

/// What would be right, in words.
std::string SchemaCheck::expected(const Json& schema) {
  if (schema.contains("anyOf")) {
    std::string result;
    for (const Json& branch : schema["anyOf"]) {
      result += (result.empty() ? "" : ", or ") + expected(resolve(branch));
    }
    return result;
  }
  if (schema.contains("enum")) {
    return "one of " + join(strings_of(schema["enum"]));
  }
  if (const std::optional<Format> format = format_of(schema)) {
    return std::string(noun(*format)) + such_as(schema);
  }
  if (!schema.contains("type") || !schema["type"].is_string()) {
    return "a value" + such_as(schema);
  }
  return noun_of_type(text_of(schema["type"])) + such_as(schema);
}

}  // namespace copal::scenario
