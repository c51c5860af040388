#include "core/ownership/set_aside.h"

#include <gtest/gtest.h>

#include "core/protocol/record.h"
#include "core/testing/replica_bed.h"

namespace copal {
namespace {

constexpr Now kNow{TimePoint{100s}, WallTime{1'000'000s}};

class SetAsideTest : public ::testing::Test {
 protected:
  void drop(std::uint32_t key, std::uint64_t below = 100) {
    effects_.clear();
    const MNode& mnode = replica_.find(key_hash_of(key))->mnode();
    const KeyVersion removed{mnode.key, mnode.version};
    replica_.raise_horizon(group_of(mnode.key), {below, 0, {}});
    set_aside_.drop(std::span(&removed, 1), kNow, effects_);
    replica_.check_invariants();
  }
  /// What was put, key and value; only the family of what is set aside is written to.
  std::vector<std::pair<std::vector<std::uint8_t>, Blob>> put() const {
    std::vector<std::pair<std::vector<std::uint8_t>, Blob>> records;
    for (StorageChanges changes(effects_.store().bytes()); !changes.done();) {
      const StorageBatch::Change change = changes.next();
      EXPECT_EQ(change.family, Family::kSetAside);
      EXPECT_TRUE(change.is_put);
      records.emplace_back(std::vector(change.key.begin(), change.key.end()), Blob(change.value));
    }
    return records;
  }

  Replica replica_;
  SetAside set_aside_{replica_};
  Effects effects_;
};

TEST_F(SetAsideTest, AWriteThatOnlyOneHadIsKeptForAPersonWithItsBytes) {  // R4.4
  const MNode mnode = mnode_of(1, 5, filled_bytes(1));
  replica_.install(mnode, "the key");
  replica_.values().provide(mnode.value_hash, filled_bytes(1));
  drop(1);
  EXPECT_EQ(replica_.find(mnode.key), nullptr);
  EXPECT_EQ(replica_.values().count(), 0U);
  EXPECT_EQ(set_aside_.count(), 1U);
  ASSERT_EQ(put().size(), 2U);
  const auto record = decode_record<MNodeRecord>(put()[0].second.bytes());
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->key_text, "the key");
  EXPECT_EQ(record->entry.mnode.version, mnode.version);
  EXPECT_EQ(record->written, kNow.wall);
  EXPECT_EQ(put()[1].second, filled_bytes(1));
}

TEST_F(SetAsideTest, WhatTheHorizonDoesNotCoverStaysAndSoDoesWhatHasChanged) {
  replica_.install(mnode_of(1, 5), "k");
  drop(1, 5);
  EXPECT_EQ(replica_.size(), 1U);
  const MNode before = replica_.find(key_hash_of(1))->mnode();
  replica_.install(mnode_of(1, 6), "k");
  replica_.raise_horizon(group_of(before.key), {100, 0, {}});
  const KeyVersion removed{before.key, before.version};
  set_aside_.drop(std::span(&removed, 1), kNow, effects_);
  EXPECT_EQ(replica_.size(), 1U);
}

TEST_F(SetAsideTest, ATombstoneIsJustDropped) {
  replica_.install(mnode_of(1, 5), "k");
  drop(1);
  EXPECT_EQ(replica_.size(), 0U);
  EXPECT_EQ(set_aside_.count(), 0U);
  EXPECT_TRUE(put().empty());
}

TEST_F(SetAsideTest, WithoutItsBytesTheMNodeIsKeptAlone) {
  replica_.install(mnode_of(1, 5, filled_bytes(1)), "k");
  replica_.install(mnode_of(2, 5, filled_bytes(2, 20)), "l");  // stands in its m-node
  drop(1);
  EXPECT_EQ(put().size(), 1U);
  drop(2);
  EXPECT_EQ(put().size(), 1U);
  EXPECT_EQ(set_aside_.count(), 2U);
}

}  // namespace
}  // namespace copal
