#include "sim/fuzz/plan.h"

#include <bit>

namespace copal::sim::fuzz {

namespace {

/// Whether two nodes of a ring are not next to each other.
bool are_far(std::uint32_t ring, std::uint32_t one, std::uint32_t other) {
  if ((ring >> one & 1U) == 0 || (ring >> other & 1U) == 0 || one == other) {
    return false;
  }
  const auto place = [ring](std::uint32_t node) {
    return std::popcount(ring & ((1U << node) - 1));
  };
  const int apart =
      place(one) > place(other) ? place(one) - place(other) : place(other) - place(one);
  return apart != 1 && apart != std::popcount(ring) - 1;
}

}  // namespace

bool separates(const PlannedFault& partition, std::uint32_t one, std::uint32_t other) {
  if (partition.kind == PlannedFault::Kind::kRing) {
    return are_far(partition.mask, one, other);
  }
  const bool is_bridged = partition.kind == PlannedFault::Kind::kBridge &&
                          (partition.node == one || partition.node == other);
  return !is_bridged && (partition.mask >> one & 1U) != (partition.mask >> other & 1U);
}

}  // namespace copal::sim::fuzz
