#include "sim/fuzz/plan.h"

#include <gtest/gtest.h>

namespace copal::sim::fuzz {
namespace {

using Kind = PlannedFault::Kind;

TEST(Partition, PartsWhoIsInTheMaskFromTheOthers) {
  const PlannedFault fault{.kind = Kind::kPartition, .mask = 0b00110};
  EXPECT_FALSE(separates(fault, 1, 2));
  EXPECT_FALSE(separates(fault, 0, 4));
  EXPECT_TRUE(separates(fault, 0, 1));
}

TEST(Partition, InARingEachHearsItsTwoNeighbours) {
  const PlannedFault fault{.kind = Kind::kRing, .mask = 0b101'111};  // node 4 is none of them
  EXPECT_FALSE(separates(fault, 0, 1));
  EXPECT_FALSE(separates(fault, 5, 3));
  EXPECT_FALSE(separates(fault, 0, 5));  // the last one and the first
  EXPECT_TRUE(separates(fault, 0, 2));
  EXPECT_TRUE(separates(fault, 3, 1));
  EXPECT_TRUE(separates(fault, 5, 1));
  EXPECT_FALSE(separates(fault, 4, 0));
  EXPECT_FALSE(separates({.kind = Kind::kRing, .mask = 0b111}, 0, 2)) << "three are all neighbours";
}

TEST(Partition, OverABridgeOneHearsBothSides) {
  const PlannedFault fault{.kind = Kind::kBridge, .node = 1, .mask = 0b01'011};
  EXPECT_FALSE(separates(fault, 1, 2));
  EXPECT_FALSE(separates(fault, 4, 1));
  EXPECT_FALSE(separates(fault, 0, 3));
  EXPECT_TRUE(separates(fault, 0, 2));
  EXPECT_TRUE(separates(fault, 4, 3));
}

}  // namespace
}  // namespace copal::sim::fuzz
