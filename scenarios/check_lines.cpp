#include "scenarios/check_lines.h"

#include <string_view>
#include <utility>

#include "scenarios/nearest.h"

namespace copal::scenario {

namespace {

class LineCheck {
 public:
  LineCheck(const Scenario& scenario, const std::string& suffix,
            const std::vector<std::string>& all_labels, Problems& problems)
      : suffix_(suffix), all_labels_(all_labels), problems_(problems) {
    for (const Contender& contender : scenario.contenders) {
      labels_.push_back(contender.label);
      names_.push_back(contender.label.substr(0, contender.label.size() - suffix.size()));
    }
  }

  /// Appends what becomes of one expectation. node  where it stands.
  void add(Expectation expectation, const Node& node, const std::string& path,
           std::vector<Expectation>& kept) {
    check_numbers(expectation, node, path);
    const bool compares = !expectation.other_line.empty();
    if (compares) {
      const char* key = node.find("below_line") != nullptr ? "below_line" : "above_line";
      expectation.other_line = resolve(expectation.other_line, node.value_place(key));
    }
    if (!expectation.line.empty()) {
      expectation.line = resolve(expectation.line, node.value_place("line"));
      if (expectation.line == expectation.other_line) {
        problems_.add(node.place, path + " compares '" + expectation.line + "' with itself",
                      "two lines");
      }
      if (contains(labels_, expectation.line)) {
        kept.push_back(std::move(expectation));
      }
    } else if (suffix_.empty() && !compares) {
      kept.push_back(std::move(expectation));
    } else {
      add_for_each_line(expectation, kept);
    }
  }

 private:
  void check_numbers(const Expectation& expectation, const Node& node, const std::string& path) {
    if (node.find("ratio") != nullptr && expectation.other_line.empty()) {
      problems_.add(node.value_place("ratio"), path + ".ratio has no use",
                    "below_line or above_line beside it");
    }
    if (expectation.op == Expectation::Op::kBetween && expectation.low > expectation.high) {
      problems_.add(node.value_place("between"), path + ".between is empty",
                    "the lower number first");
    }
  }

  /// The whole label of a line: of this variant if it can be.
  std::string resolve(const std::string& name, Place place) {
    if (contains(labels_, name + suffix_)) {
      return name + suffix_;
    }
    if (!contains(all_labels_, name)) {
      problems_.add(place, "there is no line '" + name.substr(0, 60) + "'",
                    "one of " + listed(names_), nearest_name(name, names_));
    }
    return name;
  }

  void add_for_each_line(const Expectation& expectation, std::vector<Expectation>& kept) const {
    for (const std::string& label : labels_) {
      if (label != expectation.other_line) {
        kept.push_back(expectation);
        kept.back().line = label;
      }
    }
  }

  const std::string& suffix_;
  const std::vector<std::string>& all_labels_;
  Problems& problems_;
  std::vector<std::string> labels_;  // of this variant
  std::vector<std::string> names_;   // the same without the suffix
};

}  // namespace

void check_expectations(Scenario& scenario, const Node& tree, const std::string& suffix,
                        const std::vector<std::string>& all_labels, Problems& problems) {
  LineCheck check(scenario, suffix, all_labels, problems);
  const Node& list = *tree.find("expect");
  std::vector<Expectation> kept;
  for (std::size_t i = 0; i < scenario.expectations.size() && !problems.full(); ++i) {
    check.add(scenario.expectations[i], list.items[i], "expect." + std::to_string(i), kept);
  }
  scenario.expectations = std::move(kept);
}

}  // namespace copal::scenario
