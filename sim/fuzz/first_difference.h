#pragma once

#include <cstdint>
#include <optional>

#include "core/base/time.h"
#include "sim/fuzz/plan.h"

namespace copal::sim::fuzz {

/// Where two runs part.
struct FirstDifference {
  std::uint64_t step = 0;  // of a node, from 0 on
  TimePoint at{};
  std::uint32_t node = 0;
};

/// Runs two plans, each in a process of its own, and compares all that happened before each step of
/// a node. Nothing: there is no difference. One plan twice: why its seed is not deterministic.
std::optional<FirstDifference> first_difference(const Plan& one, const Plan& other);

}  // namespace copal::sim::fuzz
