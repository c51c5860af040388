#pragma once

#include <optional>
#include <string>

#include "sim/fuzz/plan.h"

namespace copal::sim::fuzz {

/// A run to be repeated: its plan as data, and why it was kept. A plan outlives changes of how
/// plans are drawn, which a seed does not.
struct Capsule {
  Plan plan;
  std::string checker;  // that found something
  std::string finding;  // what it said
  std::string cause;    // what was wrong, for one that is kept in the tests
  std::string program;  // that kept it, with its version
};

/// JSON, an operation or a fault to a line.
std::string to_json(const Capsule& capsule);

struct ReadCapsule {
  std::optional<Capsule> capsule;
  std::string error;  // where and what was expected, if there is none
};
/// Reads what to_json() wrote; checks that each number is one that a plan may hold.
ReadCapsule capsule_from_json(const std::string& text);

}  // namespace copal::sim::fuzz
