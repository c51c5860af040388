// What plans are drawn: every kind of operation and of fault, and each family left out often.

#include "sim/fuzz/draw_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sim/fuzz/fault_names.h"

namespace copal::sim::fuzz {
namespace {

constexpr std::uint64_t kSeeds = 300;

TEST(DrawPlan, EveryKindOfOperationIsAskedFor) {
  std::set<std::string> drawn;
  bool flags = false;
  bool timeouts = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const PlannedOp& op : draw_plan(seed).ops) {
      drawn.insert(op_name(op.kind));
      flags = flags || op.user_flags != 0;
      timeouts = timeouts || op.expire_timeout > 0ns;
    }
  }
  for (const std::string_view name : op_names()) {
    EXPECT_TRUE(drawn.contains(std::string(name))) << name;
  }
  EXPECT_TRUE(flags && timeouts);
}

TEST(DrawPlan, EveryKindOfFaultHappensAndIsLeftOutOften) {
  std::map<std::string, std::uint64_t> seeds_with;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    std::set<std::string> drawn;
    for (const PlannedFault& fault : draw_plan(seed).faults) {
      drawn.insert(fault_name(fault.kind));
    }
    for (const std::string& name : drawn) {
      ++seeds_with[name];
    }
  }
  for (const std::string_view name : fault_names()) {
    const std::uint64_t count = seeds_with[std::string(name)];
    EXPECT_GE(count, kSeeds / 20) << name;
    EXPECT_LE(count, kSeeds / 2) << name;
  }
}

}  // namespace
}  // namespace copal::sim::fuzz
