#pragma once

#include <cstdint>
#include <string>

#include "sim/report/result.h"

namespace copal::sim {

/// A run's figures as bytes, for the pipe between a run's process and its campaign: same program on
/// both ends, so no versions and no foreign bytes.
std::string run_to_bytes(const RunResult& run);
/// Asserts that the bytes are run_to_bytes()'s.
RunResult run_from_bytes(const std::string& bytes);

}  // namespace copal::sim
