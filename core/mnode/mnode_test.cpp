#include "core/mnode/mnode.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace copal {
namespace {

TimePoint at(Duration time) {
  return TimePoint{time};
}

// P56: fixed size, key hash, value hash, version.
TEST(MNode, IsOneFixedRecord) {
  EXPECT_LE(sizeof(MNode), 168U);
  EXPECT_TRUE(std::is_trivially_copyable_v<MNode>);
}

TEST(MNode, WithoutTimeoutsNeverExpires) {
  const MNode mnode{.modified = at(0s), .accessed = at(0s)};
  EXPECT_FALSE(mnode.is_expired(kNever));
}

TEST(MNode, ExpireTimeoutCountsFromTheLastChange) {
  const MNode mnode{.expire_timeout = 60s, .modified = at(10s), .accessed = at(65s)};
  EXPECT_FALSE(mnode.is_expired(at(70s)));
  EXPECT_TRUE(mnode.is_expired(at(70s + 1ns)));
}

// Chosen: U22: freshness and idle time are fields of their own; a read prolongs the idle time only.
TEST(MNode, IdleTimeoutCountsFromTheLastUse) {
  MNode mnode{.idle_timeout_ms = 5'000, .modified = at(10s), .accessed = at(12s)};
  EXPECT_FALSE(mnode.is_expired(at(18s)));
  EXPECT_TRUE(mnode.is_expired(at(18s + 1ns)));
  mnode.accessed = at(17s);
  EXPECT_FALSE(mnode.is_expired(at(23s)));
}

// R0.7: never shorter than set, longer by at most the interval at which uses are told.
TEST(MNode, UsesAreToldASixteenthOfTheIdleTimeoutApartWithinASecondAndAMinute) {
  EXPECT_EQ(touch_interval(1'000), 1s);
  EXPECT_EQ(touch_interval(32'000), 2s);
  EXPECT_EQ(touch_interval(3'600'000), 60s);
  EXPECT_EQ(tell_interval(32'000), 1s) << "by the server to the owner, and on by the owner";
  const MNode mnode{.idle_timeout_ms = 1'800'000, .accessed = at(0s)};
  EXPECT_FALSE(mnode.is_expired(at(30min + 60s)));
  EXPECT_TRUE(mnode.is_expired(at(30min + 60s + 1ns)));
}

TEST(MNode, TombstoneHasNoValueAndTheEmptyValueIsOne) {
  EXPECT_TRUE(MNode{}.is_tombstone());
  EXPECT_FALSE(MNode{.flags = MNode::kInline}.is_tombstone());
  EXPECT_FALSE(MNode{.value_hash = hash_value({})}.is_tombstone());
}

}  // namespace
}  // namespace copal
