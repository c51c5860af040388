#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace copal::scenario {

/// One mistake in a scenario, for the person who wrote it.
struct Problem {
  std::string file;      // as it was given; "--set key=value" for a setting of the command line
  int line = 0;          // from 1; 0: about the whole file or a setting
  int column = 0;        // from 1, in characters
  std::string text;      // what is wrong: "unknown key 'conut' in cloud.hosts.app"
  std::string expected;  // what would be right: "a duration such as 20ms"; may be empty
  std::string nearest;   // the known name that was probably meant; may be empty
  std::string source;    // the line of the file, without its end; may be empty

  /// As compilers write it: place, text, what was expected; below, the line and a caret.
  /// No line end at the end.
  std::string message() const;
};

/// Where something in a scenario was written.
struct Place {
  int origin = 0;  // 0: the file; n: the n-th setting; -1: nowhere, a default
  int line = 0;    // from 1; 0 in settings
  int column = 0;
};

/// Collects what is wrong: at most kProblemsMax, each once. A file's parts may be checked several
/// times, once for each variant, so the same finding comes again.
class Problems {
 public:
  static constexpr std::size_t kProblemsMax = 20;

  /// file  as shown.  text  the whole file; must outlive this.
  /// settings  as shown, "--set key=value", for places with an origin.
  Problems(std::string file, std::string_view text, std::vector<std::string> settings);

  /// A collector for the same file that starts empty: for trying alternatives.
  Problems fresh() const { return Problems(file_, text_, settings_); }

  void add(Place place, std::string text, std::string expected = {}, std::string nearest = {});

  /// Takes over what another collector for the same file found.
  void add_all(Problems& other);

  bool empty() const { return list_.empty(); }
  /// Whether more would be dropped: time to stop looking.
  bool full() const { return list_.size() == kProblemsMax; }
  /// In the order in which they stand in the file.
  std::vector<Problem> take();

 private:
  void add(Problem problem);

  std::string file_;
  std::string_view text_;
  std::vector<std::string> settings_;
  std::vector<Problem> list_;
  std::set<std::string> seen_;  // messages
};

}  // namespace copal::scenario
