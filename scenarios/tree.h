#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/problem.h"

// YAML as a plain tree that knows where each part was written, with bounds on everything, so that
// no file can make the loader slow or large. yaml-cpp reads the YAML; its own tree is not used, as
// it takes the second of two equal keys without a word and keeps no account of aliases.

namespace copal::scenario {

/// One value of the file. A map's keys[i] belongs to items[i]; a list has items only.
struct Node {
  enum class Kind { kNothing, kScalar, kList, kMap };
  Kind kind = Kind::kNothing;
  std::string text;     // of a scalar
  bool quoted = false;  // a quoted scalar is text, whatever it looks like
  Place place;
  std::vector<Node> keys;
  std::vector<Node> items;

  /// The value of a key; nothing if this is no map or has no such key.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  /// The place of a key, or of the whole if there is no such key.
  Place place_of(std::string_view key) const;
  /// The place of a key's value; of the key where the value is a default.
  Place value_place(std::string_view key) const;
  /// Adds a key, or gives it another value. Makes an empty value a map.
  Node& set(std::string_view key, Node value);
  void erase(std::string_view key);
  /// How many values there are, this one included.
  std::size_t size() const;
};

constexpr std::size_t kFileSizeMaxBytes = 1'000'000;
constexpr std::size_t kNestingMax = 32;
constexpr std::size_t kNodesMax = 100'000;  // aliases counted as often as they are used
constexpr std::size_t kKeysMax = 1'000;     // of one map; a key is found by looking at each

/// Reads one YAML document. origin  for the places. Returns nothing after adding to problems: the
/// text is no YAML, or beyond a bound. A key that stands twice or is no name is added to problems
/// too, and left out. Throws nothing.
std::optional<Node> read_yaml(std::string_view text, int origin, Problems& problems);

}  // namespace copal::scenario
