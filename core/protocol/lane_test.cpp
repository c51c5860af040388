#include "core/protocol/lane.h"

#include <gtest/gtest.h>

namespace copal {
namespace {

TEST(Lane, WhoIsThereWaitsForNoData) {
  EXPECT_EQ(lane_of(MemberHeartbeat{}, 0), Lane::kControl);
  EXPECT_EQ(lane_of(ServerHeartbeat{}, 0), Lane::kControl);
  EXPECT_EQ(lane_of(ServerList{}, 0), Lane::kControl);
  EXPECT_EQ(lane_of(HandOver{}, 0), Lane::kControl);
  EXPECT_EQ(lane_of(LoadReport{}, 0), Lane::kControl);
  EXPECT_EQ(lane_of(CacheGet{}, 0), Lane::kData);
  EXPECT_EQ(lane_of(Request{}, 0), Lane::kData);
}

TEST(Lane, LargeValuesHaveOneOfTheirOwn) {
  EXPECT_EQ(lane_of(CacheAnswer{}, kBulkFromBytes - 1), Lane::kData);
  EXPECT_EQ(lane_of(CacheAnswer{}, kBulkFromBytes), Lane::kBulk);
  EXPECT_EQ(lane_of(LeaveValue{}, 100'000'000), Lane::kBulk);
  EXPECT_EQ(lane_of(FetchedValue{}, 100'000'000), Lane::kBulk);
}

TEST(Lane, AStreamOfChangesKeepsItsOrder) {
  EXPECT_EQ(lane_of(Replicate{}, 100'000'000), Lane::kData);
  EXPECT_EQ(lane_of(ReplicateClear{}, 0), Lane::kData);
  EXPECT_EQ(lane_of(ReplicateAck{}, 0), Lane::kData);
}

}  // namespace
}  // namespace copal
