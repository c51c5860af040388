#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/assert.h"
#include "scenarios/distribution.h"
#include "scenarios/tree.h"
#include "scenarios/units.h"

namespace copal::scenario {

// Readers of one key, for build.cpp. An absent key leaves the field as it is; the schema has
// checked the rest.

void read(const Node& map, std::string_view key, Duration& field);

void read(const Node& map, std::string_view key, std::string& field);

void read(const Node& map, std::string_view key, bool& field);

void read(const Node& map, std::string_view key, double& field);

void read(const Node& map, std::string_view key, std::uint32_t& field);

void read(const Node& map, std::string_view key, Format format, double& field);

/// names  in the order of the enumerators.
template <class Enum>
void read(const Node& map, std::string_view key, std::span<const std::string_view> names,
          Enum& field) {
  const Node* node = map.find(key);
  for (std::size_t i = 0; node != nullptr && i < names.size(); ++i) {
    if (names[i] == node->text) {
      field = static_cast<Enum>(i);
    }
  }
}

/// The path of a file as the program opens it.
void read_path(const Node& map, std::string_view key, const std::string& folder,
               std::string& field);

/// format  of the mean: a duration or a size.
void read_distribution(const Node& map, std::string_view key, Format format,
                       const std::string& folder, Distribution& field);

}  // namespace copal::scenario
