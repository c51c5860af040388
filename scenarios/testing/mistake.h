#pragma once

#include <ostream>
#include <string_view>

namespace copal::scenario {

/// A mistake that a person makes in a scenario that is right otherwise, and what is said of it.
struct Mistake {
  std::string_view name;
  std::string_view right;    // this part of the scenario …
  std::string_view wrong;    // … is written so
  std::string_view message;  // first lines of all messages, one a line
};

/// How the test framework names it.
inline std::ostream& operator<<(std::ostream& out, const Mistake& mistake) {
  return out << mistake.name;
}

}  // namespace copal::scenario
