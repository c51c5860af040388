#pragma once

#include <cstdint>

namespace copal::testing {

/// Returns how many times this thread has asked operator new for memory. A test or benchmark that
/// links allocation_count.cpp compares two readings: what promises to allocate nothing must not
/// move it. Aligned allocations are not counted; the core has none.
std::uint64_t allocation_count();

}  // namespace copal::testing
