#pragma once

#include <cstdint>

#include "core/base/assert.h"

namespace copal {

/// Where a node's randomness comes from. In the simulator a stream of its own per node and purpose,
/// so that a draw added in one place shifts nothing elsewhere.
///
/// Contract, held by random_contract.h in both worlds: each call returns 64 independent, evenly
/// distributed bits; two sources of one run never repeat each other.
class Random {
 public:
  virtual ~Random() = default;

  virtual std::uint64_t next() = 0;
};

/// Returns a number in [0, count), each equally likely up to 2^-32 relative. count >= 1, asserted.
/// Source: Lemire, "Fast random integer generation in an interval", 2019 (without the rejection
/// step: for the counts of a cluster its bias is far below what any run can see).
inline std::uint32_t draw_below(Random& random, std::uint32_t count) {
  COPAL_ASSERT(count >= 1);
  const std::uint64_t high = random.next() >> 32U;
  return static_cast<std::uint32_t>((high * count) >> 32U);
}

/// Returns a number in [0, 1), a multiple of 2^-53.
inline double draw_unit(Random& random) {
  return static_cast<double>(random.next() >> 11U) * 0x1p-53;
}

}  // namespace copal
