#include "sim/recovery.h"

#include <gtest/gtest.h>

#include <cmath>

namespace copal::sim {
namespace {

TimePoint at_second(std::int64_t seconds) {
  return TimePoint{std::chrono::seconds{seconds}};
}

TEST(Recovery, WithoutAFaultThereIsNothingToRecoverFrom) {
  Recovery recovery;
  EXPECT_FALSE(recovery.looks());
  recovery.on_error(at_second(5));
  EXPECT_EQ(recovery.finish(), 0);
}

TEST(Recovery, CountsFromTheEndOfTheFaultUntilAllIsAlike) {
  Recovery recovery;
  recovery.on_fault(true, at_second(10));
  EXPECT_FALSE(recovery.looks());
  recovery.on_fault_end(at_second(20));
  EXPECT_TRUE(recovery.looks());
  recovery.on_look(false, at_second(21));
  recovery.on_look(true, at_second(23));
  EXPECT_FALSE(recovery.looks());
  EXPECT_EQ(recovery.finish(), 3);
}

TEST(Recovery, AnErrorAfterwardsMakesItLonger) {
  Recovery recovery;
  recovery.on_fault(true, at_second(10));
  recovery.on_error(at_second(12));
  recovery.on_fault_end(at_second(20));
  recovery.on_look(true, at_second(21));
  recovery.on_error(at_second(26));
  EXPECT_EQ(recovery.finish(), 6);
}

TEST(Recovery, AnErrorBeforeTheEndDoesNot) {
  Recovery recovery;
  recovery.on_fault(true, at_second(10));
  recovery.on_error(at_second(19));
  recovery.on_fault_end(at_second(20));
  recovery.on_look(true, at_second(21));
  EXPECT_EQ(recovery.finish(), 1);
}

TEST(Recovery, OfSeveralFaultsTheLongestCountsAndOverlappingOnesAreOne) {
  Recovery recovery;
  recovery.on_fault(true, at_second(10));
  recovery.on_fault(true, at_second(12));
  recovery.on_fault_end(at_second(15));
  EXPECT_FALSE(recovery.looks());
  recovery.on_fault_end(at_second(20));
  recovery.on_look(true, at_second(24));
  recovery.on_fault(true, at_second(40));
  recovery.on_fault_end(at_second(50));
  recovery.on_look(true, at_second(51));
  EXPECT_EQ(recovery.finish(), 4);
}

TEST(Recovery, AFaultThatNeverEndsCountsFromItsBegin) {
  Recovery recovery;
  recovery.on_fault(false, at_second(10));
  EXPECT_TRUE(recovery.looks());
  recovery.on_error(at_second(13));
  recovery.on_look(true, at_second(11));
  EXPECT_EQ(recovery.finish(), 3);
}

TEST(Recovery, IsInfiniteWhereItDidNotCome) {
  Recovery recovery;
  recovery.on_fault(true, at_second(10));
  recovery.on_fault_end(at_second(20));
  recovery.on_look(false, at_second(30));
  EXPECT_TRUE(std::isinf(recovery.finish()));
}

}  // namespace
}  // namespace copal::sim
