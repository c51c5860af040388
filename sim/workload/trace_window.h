#pragma once

#include <limits>
#include <optional>
#include <string>

#include "scenarios/scenario.h"
#include "sim/workload/utc.h"

namespace copal::sim {

/// The part of a recording that is used: from <= time < to.
struct TraceWindow {
  UtcSeconds from = std::numeric_limits<UtcSeconds>::min();
  UtcSeconds to = std::numeric_limits<UtcSeconds>::max();

  bool begins() const { return from != std::numeric_limits<UtcSeconds>::min(); }
  bool ends() const { return to != std::numeric_limits<UtcSeconds>::max(); }
  bool holds(UtcSeconds time) const { return from <= time && time < to; }
};

/// Reads the scenario's window. Returns what is wrong with it, for people; nothing if all is well.
[[nodiscard]] std::optional<std::string> load_window(const scenario::WorkloadSpec& spec,
                                                     TraceWindow& window);

/// The message for a window that holds no request of a file that has some.
/// first, last  of the file's times.
std::string nothing_in_window(const std::string& file, const TraceWindow& window, UtcSeconds first,
                              UtcSeconds last);

}  // namespace copal::sim
