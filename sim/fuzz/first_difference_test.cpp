#include "sim/fuzz/first_difference.h"

#include <gtest/gtest.h>

#include "sim/fuzz/draw_plan.h"

namespace copal::sim::fuzz {
namespace {

TEST(FirstDifferenceTest, OnePlanTwiceHasNone) {
  const Plan plan = draw_plan(3);
  EXPECT_FALSE(first_difference(plan, plan));
}

TEST(FirstDifferenceTest, IsWhereAnOperationIsAnother) {
  const Plan plan = draw_plan(3);
  Plan other = plan;
  ASSERT_GE(other.ops.size(), 300U);
  PlannedOp& changed = other.ops[300];
  changed.kind = PlannedOp::Kind::kPut;
  changed.value = 77'777;
  const auto found = first_difference(plan, other);
  ASSERT_TRUE(found);
  EXPECT_GE(found->at, TimePoint{changed.at});
  EXPECT_LT(found->at, TimePoint{changed.at + 1s});
  EXPECT_GT(found->step, 1'000U);
  EXPECT_LT(found->node, plan.node_count());
}

TEST(FirstDifferenceTest, IsTheEndOfTheShorterOne) {
  Plan plan = draw_plan(3, {.kinds = {}, .none = true});
  plan.ops.clear();
  Plan longer = plan;
  longer.healed_for += 10s;
  const auto found = first_difference(plan, longer);
  ASSERT_TRUE(found);
  EXPECT_GE(found->at, TimePoint{plan.whole()});
}

}  // namespace
}  // namespace copal::sim::fuzz
