#include "sim/recovery.h"

#include <gtest/gtest.h>

#include <cmath>

namespace copal::sim {
namespace {

TimePoint at(std::int64_t seconds) {
  return TimePoint{std::chrono::seconds{seconds}};
}

TEST(Recovery, WithoutAFaultThereIsNothingToRecoverFrom) {
  Recovery recovery;
  EXPECT_FALSE(recovery.looks());
  recovery.on_error(at(5));
  EXPECT_EQ(recovery.finish(), 0);
}

TEST(Recovery, CountsFromTheEndOfTheFaultUntilAllIsAlike) {
  Recovery recovery;
  recovery.on_fault(true, at(10));
  EXPECT_FALSE(recovery.looks());
  recovery.on_fault_end(at(20));
  EXPECT_TRUE(recovery.looks());
  recovery.on_look(false, at(21));
  recovery.on_look(true, at(23));
  EXPECT_FALSE(recovery.looks());
  EXPECT_EQ(recovery.finish(), 3);
}

TEST(Recovery, AnErrorAfterwardsMakesItLonger) {
  Recovery recovery;
  recovery.on_fault(true, at(10));
  recovery.on_error(at(12));
  recovery.on_fault_end(at(20));
  recovery.on_look(true, at(21));
  recovery.on_error(at(26));
  EXPECT_EQ(recovery.finish(), 6);
}

TEST(Recovery, AnErrorBeforeTheEndDoesNot) {
  Recovery recovery;
  recovery.on_fault(true, at(10));
  recovery.on_error(at(19));
  recovery.on_fault_end(at(20));
  recovery.on_look(true, at(21));
  EXPECT_EQ(recovery.finish(), 1);
}

TEST(Recovery, OfSeveralFaultsTheLongestCountsAndOverlappingOnesAreOne) {
  Recovery recovery;
  recovery.on_fault(true, at(10));
  recovery.on_fault(true, at(12));
  recovery.on_fault_end(at(15));
  EXPECT_FALSE(recovery.looks());
  recovery.on_fault_end(at(20));
  recovery.on_look(true, at(24));
  recovery.on_fault(true, at(40));
  recovery.on_fault_end(at(50));
  recovery.on_look(true, at(51));
  EXPECT_EQ(recovery.finish(), 4);
}

TEST(Recovery, AFaultThatNeverEndsCountsFromItsBegin) {
  Recovery recovery;
  recovery.on_fault(false, at(10));
  EXPECT_TRUE(recovery.looks());
  recovery.on_error(at(13));
  recovery.on_look(true, at(11));
  EXPECT_EQ(recovery.finish(), 3);
}

TEST(Recovery, IsInfiniteWhereItDidNotCome) {
  Recovery recovery;
  recovery.on_fault(true, at(10));
  recovery.on_fault_end(at(20));
  recovery.on_look(false, at(30));
  EXPECT_TRUE(std::isinf(recovery.finish()));
}

}  // namespace
}  // namespace copal::sim
