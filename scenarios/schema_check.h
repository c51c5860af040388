#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/problem.h"
#include "scenarios/tree.h"

namespace copal::scenario {

/// Checks a tree against a JSON Schema (draft-07) and fills in the schema's defaults, so that what
/// editors show, what the documentation says and what the program does are one text. Only the
/// keywords that schema.json uses are understood, see kSchemaKeywords; a test holds schema.json to
/// them. In one respect it goes beyond the standard: bounds also hold for texts whose `format` has
/// a unit, in the base unit (units.h). `pattern` is for editors; here `format` decides.
class SchemaCheck {
 public:
  /// schema  outlives this.
  explicit SchemaCheck(const nlohmann::ordered_json& schema) : root_(schema) {}

  /// Adds what is wrong in the tree, and sets absent keys to their defaults (place.origin -1).
  void run(Node& tree, Problems& problems);

 private:
  using Json = nlohmann::ordered_json;
  /// A schema that holds for a map, and the reason if it holds only under a condition.
  struct Part {
    const Json* schema = nullptr;
    std::string reason;  // "kind: poisson"
  };

  const Json& resolve(const Json& schema);
  void check(const Json& raw, Node& node, const std::string& path, Place place);
  void check_any_of(const Json& schema, Node& node, const std::string& path, Place place);
  void check_scalar(const Json& schema, const Node& node, const std::string& path, Place place);
  void check_bounds(const Json& schema, double value, const Node& node, const std::string& path,
                    Place place);
  void check_list(const Json& schema, Node& node, const std::string& path, Place place);
  void check_map(const Json& schema, Node& node, const std::string& path, Place place);
  void check_key(const std::vector<Part>& parts, Node& map, std::size_t index,
                 const std::string& path);
  static bool may_have(const std::vector<Part>& parts, const std::string& key);
  void add_unknown_key(const std::vector<Part>& parts, const Node& key, const std::string& path);
  void check_key_names(const std::vector<Part>& parts, const Node& key, const std::string& path,
                       bool& belongs);
  void check_required(const Part& part, const std::vector<Part>& parts, const Node& map,
                      const std::string& path, Place place);
  void check_one_of(const Json& schema, const Node& map, const std::string& path, Place place);
  void add_defaults(const std::vector<Part>& parts, Node& map, const std::string& path);
  void collect_parts(const Json& raw, const Node& map, const std::string& reason,
                     std::vector<Part>& parts);
  const Json* property(const std::vector<Part>& parts, const std::string& key);
  bool type_fits(const Json& schema, const Node& node);
  std::string expected(const Json& schema);

  const Json& root_;
  Problems* problems_ = nullptr;
  std::map<const Json*, Json> merged_;  // schemas with a $ref and more beside it
};

/// The keywords of JSON Schema that SchemaCheck understands, those that only explain included.
inline constexpr std::string_view kSchemaKeywords[] = {"$schema",
                                                       "$comment",
                                                       "$ref",
                                                       "definitions",
                                                       "title",
                                                       "description",
                                                       "default",
                                                       "examples",
                                                       "type",
                                                       "enum",
                                                       "const",
                                                       "format",
                                                       "pattern",
                                                       "minimum",
                                                       "maximum",
                                                       "exclusiveMinimum",
                                                       "exclusiveMaximum",
                                                       "items",
                                                       "minItems",
                                                       "maxItems",
                                                       "properties",
                                                       "required",
                                                       "additionalProperties",
                                                       "propertyNames",
                                                       "minProperties",
                                                       "allOf",
                                                       "anyOf",
                                                       "oneOf",
                                                       "if",
                                                       "then",
                                                       "else"};

}  // namespace copal::scenario
