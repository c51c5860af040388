#include "scenarios/read_keys.h"

namespace copal::scenario {

namespace {

constexpr std::string_view kDistributionNames[] = {
    "constant", "exponential", "uniform", "lognormal", "pareto", "hyperexponential", "file"};

}  // namespace

void read(const Node& map, std::string_view key, Duration& field) {
  if (const Node* node = map.find(key)) {
    field = duration_of(node->text);
  }
}

void read(const Node& map, std::string_view key, std::string& field) {
  if (const Node* node = map.find(key)) {
    field = node->text;
  }
}

void read(const Node& map, std::string_view key, bool& field) {
  if (const Node* node = map.find(key)) {
    field = node->text == "true";
  }
}

void read(const Node& map, std::string_view key, double& field) {
  if (const Node* node = map.find(key)) {
    const std::optional<double> number = parse_number(node->text);
    COPAL_ASSERT(number.has_value());
    field = *number;
  }
}

void read(const Node& map, std::string_view key, std::uint32_t& field) {
  double number = field;
  read(map, key, number);
  field = static_cast<std::uint32_t>(number);
}

void read(const Node& map, std::string_view key, Format format, double& field) {
  if (const Node* node = map.find(key)) {
    const std::optional<double> number = parse(format, node->text);
    COPAL_ASSERT(number.has_value());
    field = *number;
  }
}

void read_path(const Node& map, std::string_view key, const std::string& folder,
               std::string& field) {
  const Node* node = map.find(key);
  if (node == nullptr) {
    return;
  }
  const bool as_given = node->place.origin > 0 || node->text.starts_with('/');
  field = as_given ? node->text : folder + node->text;
}

void read_distribution(const Node& map, std::string_view key, Format format,
                       const std::string& folder, Distribution& field) {
  const Node* node = map.find(key);
  if (node == nullptr) {
    return;
  }
  field = Distribution{};
  if (node->kind == Node::Kind::kScalar) {
    read(map, key, format, field.mean);
    return;
  }
  read(*node, "distribution", kDistributionNames, field.kind);
  read(*node, "mean", format, field.mean);
  read(*node, "maximum", format, field.maximum);
  read(*node, "sigma", field.sigma);
  read(*node, "shape", field.shape);
  read(*node, "cv2", field.cv2);
  read(*node, "scale", field.scale);
  read_path(*node, "file", folder, field.file);
}

}  // namespace copal::scenario
