#include "scenarios/variants.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "scenarios/nearest.h"

namespace copal::scenario {

namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    parts.emplace_back(path.substr(0, dot));
    path.remove_prefix(dot + 1);
  }
  parts.emplace_back(path);
  return parts;
}

/// The keys of a setting's path: what follows `vary` is itself a path and stays whole.
std::vector<std::string> keys_of(const std::string& path) {
  constexpr std::string_view kVary = "vary.";
  if (path.starts_with(kVary)) {
    return {"vary", path.substr(kVary.size())};
  }
  return split(path);
}

std::optional<std::size_t> index_of(const std::string& text) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return index;
}

/// Steps down one key; adds an empty value where there is none. Returns nothing after adding to
/// problems.
Node* step_down(Node& node, const std::string& key, Place place, const std::string& path,
                Problems& problems) {
  if (node.kind == Node::Kind::kList) {
    const std::optional<std::size_t> index = index_of(key);
    if (index && *index < node.items.size()) {
      return &node.items[*index];
    }
    problems.add(place, path + ": the list has " + std::to_string(node.items.size()) + " items",
                 "a number below that instead of '" + key + "'");
    return nullptr;
  }
  if (node.kind == Node::Kind::kScalar) {
    problems.add(place, path + ": there is no '" + key + "' below the value '" +
                            node.text.substr(0, 40) + "'");
    return nullptr;
  }
  if (Node* found = node.find(key)) {
    return found;
  }
  if (node.keys.size() == kKeysMax) {
    problems.add(place, path + ": more than " + std::to_string(kKeysMax) + " keys in one map");
    return nullptr;
  }
  Node value;
  value.place = place;
  return &node.set(key, std::move(value));
}

void set_path(Node& tree, const std::vector<std::string>& keys, const std::string& path,
              const Node& value, Problems& problems) {
  Node* node = &tree;
  for (std::size_t i = 0; i < keys.size() && node != nullptr; ++i) {
    if (keys[i].empty() || i == kNestingMax) {
      problems.add(value.place, "the key path '" + path + "' is none", "keys with dots between");
      return;
    }
    node = step_down(*node, keys[i], value.place, path, problems);
  }
  if (node != nullptr) {
    *node = value;
  }
}

/// Every part of a value that came from the command line has no line.
void place_all(Node& node, Place place) {
  node.place = place;
  for (Node& key : node.keys) {
    key.place = place;
  }
  for (Node& item : node.items) {
    place_all(item, place);
  }
}

std::optional<Node> written_value(const Setting& setting, Place place, Problems& problems) {
  if (setting.plain) {
    return Node{.kind = Node::Kind::kScalar,
                .text = setting.value,
                .quoted = true,
                .place = place,
                .keys = {},
                .items = {}};
  }
  std::optional<Node> value = read_yaml(setting.value, place.origin, problems);
  if (value) {
    place_all(*value, place);
  }
  return value;
}

std::string short_value(const Node& value, std::size_t index) {
  constexpr std::size_t kShownMax = 24;
  if (value.kind != Node::Kind::kScalar || value.text.empty() || value.text.size() > kShownMax) {
    return "#" + std::to_string(index + 1);
  }
  return value.text;
}

struct Axis {
  std::string path;
  std::string name;  // the path's last key, or the whole path where two axes end alike
  std::vector<Node> values;
};

/// What varies besides the algorithm; nothing if `vary` is not what the schema says.
std::optional<std::vector<Axis>> axes_of(const Node* vary) {
  std::vector<Axis> axes;
  if (vary == nullptr || vary->kind != Node::Kind::kMap) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < vary->keys.size(); ++i) {
    if (vary->keys[i].text == "algorithm") {
      continue;
    }
    if (vary->items[i].kind != Node::Kind::kList || vary->items[i].items.empty()) {
      return std::nullopt;
    }
    const std::string& path = vary->keys[i].text;
    axes.push_back({path, split(path).back(), vary->items[i].items});
  }
  const std::vector<Axis> all = axes;
  for (Axis& axis : axes) {
    const auto alike = std::count_if(all.begin(), all.end(),
                                     [&](const Axis& other) { return other.name == axis.name; });
    axis.name = alike > 1 ? axis.path : axis.name;
  }
  return axes;
}

bool paths_known(const Node& vary, const std::vector<std::string>& known, Problems& problems) {
  bool all_known = true;
  for (const Node& key : vary.keys) {
    const std::string first = split(key.text).front();
    const bool is_path = first != "vary" && std::count(known.begin(), known.end(), first) > 0;
    if (key.text == "algorithm" || is_path) {
      continue;
    }
    std::vector<std::string> names = known;
    if (first == key.text) {
      names.insert(names.begin(), "algorithm");
    }
    std::string nearest = nearest_name(first, names);
    nearest += nearest.empty() ? "" : key.text.substr(first.size());
    problems.add(key.place, "unknown key '" + key.text.substr(0, 60) + "' in vary",
                 "algorithm, or a path such as workload.rate", nearest);
    all_known = false;
  }
  return all_known;
}

}  // namespace

Setting setting_of(const std::string& text) {
  const std::size_t equals = text.find('=');
  Setting setting{.shown = "--set " + text, .path = {}, .value = {}};
  if (equals != std::string::npos) {
    setting.path = text.substr(0, equals);
    setting.value = text.substr(equals + 1);
  }
  return setting;
}

void apply_settings(Node& tree, const std::vector<Setting>& settings, Problems& problems) {
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const Setting& setting = settings[i];
    const Place place{.origin = static_cast<int>(i) + 1, .line = 0, .column = 0};
    if (setting.path.empty()) {
      problems.add(place, "no setting", "key.path=value such as workload.rate=100/s");
      continue;
    }
    if (const std::optional<Node> value = written_value(setting, place, problems)) {
      set_path(tree, keys_of(setting.path), setting.path, *value, problems);
      if (Node* vary = tree.find("vary"); vary != nullptr && setting.path != "vary") {
        vary->erase(setting.path);
      }
    }
  }
}

std::vector<Variant> expand(const Node& tree, const std::vector<std::string>& known,
                            Problems& problems) {
  const Node* vary = tree.find("vary");
  const std::optional<std::vector<Axis>> axes = axes_of(vary);
  const bool known_paths = vary == nullptr || paths_known(*vary, known, problems);
  if (!known_paths || !axes || axes->empty()) {
    return {{tree, ""}};
  }
  std::vector<Variant> variants{{tree, ""}};
  const std::size_t variants_max = std::min(kVariantsMax, 10 * kNodesMax / tree.size());
  for (const Axis& axis : *axes) {
    variants[0].tree.find("vary")->erase(axis.path);
  }
  for (const Axis& axis : *axes) {
    if (variants.size() * axis.values.size() > variants_max) {
      problems.add(vary->place_of(axis.path),
                   "more than " + std::to_string(variants_max) + " variants",
                   "fewer values to try");
      return {{tree, ""}};
    }
    std::vector<Variant> next;
    for (const Variant& variant : variants) {
      for (std::size_t i = 0; i < axis.values.size(); ++i) {
        next.push_back(variant);
        set_path(next.back().tree, split(axis.path), axis.path, axis.values[i], problems);
        next.back().suffix += " " + axis.name + "=" + short_value(axis.values[i], i);
      }
    }
    variants = std::move(next);
  }
  return variants;
}

}  // namespace copal::scenario
