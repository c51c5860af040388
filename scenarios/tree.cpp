#include "scenarios/tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <map>
#include <sstream>
#include <utility>

namespace copal::scenario {

namespace {

/// Ends the reading from within yaml-cpp's callbacks, which have no other way.
struct Stop : std::exception {};

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(int origin, Problems& problems) : origin_(origin), problems_(problems) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    begin({}, mark, anchor);
    end();
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node;
    node.kind = Node::Kind::kScalar;
    node.text = value;
    node.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    if (!node.quoted && is_nothing(value)) {
      node.kind = Node::Kind::kNothing;
    }
    check_tag(tag, mark);
    begin(std::move(node), mark, anchor);
    end();
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(tag, mark);
    Node node;
    node.kind = Node::Kind::kList;
    begin(std::move(node), mark, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(tag, mark);
    Node node;
    node.kind = Node::Kind::kMap;
    begin(std::move(node), mark, anchor);
  }
  void OnMapEnd() override { end(); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      problems_.add(place(mark), "an alias stands inside what it names");
      throw Stop();
    }
    count(found->second.second, mark);
    begin(found->second.first, mark, 0);
    end();
  }

  Node& root() { return root_; }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    std::size_t nodes_before = 0;
    std::optional<Node> key;  // of a map: read, its value not yet
  };

  static bool is_nothing(std::string_view text) {
    return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
  }

  Place place(const YAML::Mark& mark) const {
    return {.origin = origin_, .line = mark.line + 1, .column = mark.column + 1};
  }

  void check_tag(const std::string& tag, const YAML::Mark& mark) {
    if (tag.size() > 1 && tag != "tag:yaml.org,2002:str") {
      problems_.add(place(mark), "tags such as " + tag.substr(0, 40) + " mean nothing here");
    }
  }

  void count(std::size_t nodes, const YAML::Mark& mark) {
    nodes_ += nodes;
    if (nodes_ > kNodesMax) {
      problems_.add(place(mark), "more than " + std::to_string(kNodesMax) + " values");
      throw Stop();
    }
  }

  void begin(Node node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    count(1, mark);
    if (open_.size() == kNestingMax) {
      problems_.add(place(mark), "nested deeper than " + std::to_string(kNestingMax) + " levels");
      throw Stop();
    }
    node.place = place(mark);
    open_.push_back({std::move(node), anchor, nodes_ - 1, std::nullopt});
  }

  void end() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (done.anchor != 0) {
      anchors_[done.anchor] = {done.node, nodes_ - done.nodes_before};
    }
    if (open_.empty()) {
      root_ = std::move(done.node);
    } else if (open_.back().node.kind == Node::Kind::kList) {
      open_.back().node.items.push_back(std::move(done.node));
    } else {
      add_to_map(open_.back(), std::move(done.node));
    }
  }

  void add_to_map(Open& map, Node node) {
    if (!map.key) {
      map.key = std::move(node);
      return;
    }
    Node key = std::move(*map.key);
    map.key.reset();
    if (key.kind != Node::Kind::kScalar) {
      problems_.add(key.place, "a key must be a name");
    } else if (map.node.keys.size() == kKeysMax) {
      problems_.add(key.place, "more than " + std::to_string(kKeysMax) + " keys in one map");
      throw Stop();
    } else if (map.node.find(key.text) != nullptr) {
      problems_.add(key.place, "the key '" + key.text.substr(0, 60) +
                                   "' stands here twice, first in line " +
                                   std::to_string(map.node.place_of(key.text).line));
    } else {
      map.node.keys.push_back(std::move(key));
      map.node.items.push_back(std::move(node));
    }
  }

  int origin_;
  Problems& problems_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, std::pair<Node, std::size_t>> anchors_;  // value, its number of nodes
  std::size_t nodes_ = 0;
  Node root_;
};

/// yaml-cpp's messages about what people get wrong most: as it says them, what they mean, and what
/// would be right.
struct YamlMessage {
  std::string_view message;
  std::string_view meaning;
  std::string_view expected;
};
const YamlMessage kYamlMessages[] = {
    {YAML::ErrorMsg::END_OF_MAP_FLOW, "a { before this is not closed", "} or a comma"},
    {YAML::ErrorMsg::END_OF_SEQ_FLOW, "a [ before this is not closed", "] or a comma"},
    {YAML::ErrorMsg::END_OF_MAP, "this does not belong to the map above",
     "a line 'key: value', as far in as its neighbours"},
    {YAML::ErrorMsg::END_OF_SEQ, "this does not belong to the list above",
     "a line '- value', as far in as its neighbours"},
    {YAML::ErrorMsg::MAP_VALUE, "a ':' where no value can stand",
     "one 'key: value' a line, as far in as its neighbours"}};

/// What yaml-cpp found, in words that say what to do about it.
void add_yaml_error(const YAML::Exception& error, std::string_view text, int origin,
                    Problems& problems) {
  const Place place{.origin = origin, .line = error.mark.line + 1, .column = error.mark.column + 1};
  std::size_t start = 0;
  for (int i = 0; i < error.mark.line && start != std::string_view::npos; ++i) {
    start = text.find('\n', start);
    start = start == std::string_view::npos ? start : start + 1;
  }
  const std::string_view line =
      start == std::string_view::npos ? "" : text.substr(start, text.find('\n', start) - start);
  const std::string_view indent = line.substr(0, line.find_first_not_of(" \t"));
  if (indent.find('\t') != std::string_view::npos) {
    problems.add(place, "not YAML: a tab in the indentation", "blanks");
    return;
  }
  for (const auto& [message, meaning, expected] : kYamlMessages) {
    if (error.msg == message) {
      problems.add(place, "not YAML: " + std::string(meaning), std::string(expected));
      return;
    }
  }
  problems.add(place, "not YAML: " + error.msg);
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].text == key) {
      return &items[i];
    }
  }
  return nullptr;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(std::as_const(*this).find(key));  // NOLINT: *this is not const
}

Place Node::place_of(std::string_view key) const {
  for (const Node& candidate : keys) {
    if (candidate.text == key && candidate.place.origin >= 0) {
      return candidate.place;
    }
  }
  return place;
}

Place Node::value_place(std::string_view key) const {
  const Node* value = find(key);
  return value != nullptr && value->place.origin >= 0 ? value->place : place_of(key);
}

Node& Node::set(std::string_view key, Node value) {
  if (Node* found = find(key)) {
    *found = std::move(value);
    return *found;
  }
  if (kind != Kind::kMap) {
    *this = Node{.kind = Kind::kMap, .text = {}, .place = value.place, .keys = {}, .items = {}};
  }
  keys.push_back({.kind = Kind::kScalar,
                  .text = std::string(key),
                  .place = value.place,
                  .keys = {},
                  .items = {}});
  items.push_back(std::move(value));
  return items.back();
}

void Node::erase(std::string_view key) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].text == key) {
      keys.erase(keys.begin() + static_cast<std::ptrdiff_t>(i));
      items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
      return;
    }
  }
}

std::size_t Node::size() const {
  std::size_t count = 1;
  for (const Node& item : items) {
    count += item.size();
  }
  return count;
}

std::optional<Node> read_yaml(std::string_view text, int origin, Problems& problems) {
  const Place whole{.origin = origin, .line = 0, .column = 0};
  if (text.size() > kFileSizeMaxBytes) {
    problems.add(whole, "larger than 1 MB", "a scenario of a few kB");
    return std::nullopt;
  }
  Problems before = problems.fresh();
  TreeBuilder builder(origin, problems);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    const bool has_document = parser.HandleNextDocument(builder);
    TreeBuilder rest(origin, before);
    if (has_document && parser.HandleNextDocument(rest)) {
      problems.add(rest.root().place, "a second YAML document", "one document in a file");
    }
  } catch (const Stop&) {
    if (problems.empty()) {
      // Not the document's own: something behind it that is too deep, or an alias.
      problems.add(whole, "a second YAML document", "one document in a file");
    }
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    add_yaml_error(error, text, origin, problems);
    return std::nullopt;
  } catch (const std::exception& error) {
    problems.add(whole, std::string("not YAML: ") + error.what());
    return std::nullopt;
  }
  return std::move(builder.root());
}

}  // namespace copal::scenario
