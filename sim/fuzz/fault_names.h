#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sim/fuzz/plan.h"

namespace copal::sim::fuzz {

/// Names as in capsules, on the command line and in reports; by enumerator.
std::span<const std::string_view> fault_names();
std::span<const std::string_view> op_names();
inline std::string fault_name(PlannedFault::Kind kind) {
  return std::string(fault_names()[static_cast<std::size_t>(kind)]);
}
inline std::string op_name(PlannedOp::Kind kind) {
  return std::string(op_names()[static_cast<std::size_t>(kind)]);
}

}  // namespace copal::sim::fuzz
