#include "core/values/replica.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "core/ports/random.h"

namespace copal {
namespace {

Blob numbered_bytes(std::uint8_t number) {
  return Blob(std::vector<std::uint8_t>(100, number));
}

MNode replica_mnode(std::uint8_t key, std::uint64_t counter, std::uint8_t value) {
  MNode mnode;
  mnode.cache = CacheId{1};
  mnode.key = hash_key(1, std::array{key});
  mnode.version = {counter, 1, OwnerId(0, Slot{0}, 1)};
  mnode.value_hash = hash_value(numbered_bytes(value).bytes());
  mnode.value_size_bytes = 100;
  return mnode;
}

TEST(Replica, TheHigherVersionWinsInWhateverOrderTheyCome) {
  Replica replica;
  EXPECT_EQ(replica.install(replica_mnode(1, 5, 1), "k"), Replica::Installed::kInstalled);
  EXPECT_EQ(replica.install(replica_mnode(1, 4, 2), "k"), Replica::Installed::kOlder);
  EXPECT_EQ(replica.install(replica_mnode(1, 5, 1), "k"), Replica::Installed::kKnown);
  EXPECT_EQ(replica.install(replica_mnode(1, 6, 3), "k"), Replica::Installed::kInstalled);
  EXPECT_EQ(replica.find(replica_mnode(1, 0, 0).key)->mnode().version.counter, 6U);
  replica.check_invariants();
}

TEST(Replica, UsesMergeAsMaximumAndAreNoVersions) {
  Replica replica;
  MNode mnode = replica_mnode(1, 5, 1);
  mnode.accessed = TimePoint{10s};
  replica.install(mnode, "k");
  mnode.accessed = TimePoint{12s};
  EXPECT_EQ(replica.install(mnode, "k"), Replica::Installed::kKnown);
  EXPECT_EQ(replica.find(mnode.key)->mnode().accessed, TimePoint{12s});
  mnode.accessed = TimePoint{11s};
  replica.install(mnode, "k");
  EXPECT_EQ(replica.find(mnode.key)->mnode().accessed, TimePoint{12s});
}

TEST(Replica, AValueLivesAsLongAsAnMNodeRefersToIt) {
  Replica replica;
  const MNode first = replica_mnode(1, 5, 7);
  replica.install(first, "k");
  EXPECT_TRUE(replica.values().provide(first.value_hash, numbered_bytes(7)));
  replica.install(replica_mnode(2, 5, 7), "l");
  replica.install(replica_mnode(1, 6, 8), "k");
  EXPECT_NE(replica.values().find(first.value_hash), nullptr);
  replica.install(replica_mnode(2, 6, 8), "l");
  EXPECT_EQ(replica.values().find(first.value_hash), nullptr);
  replica.check_invariants();
}

TEST(Replica, WritingTheSameValueAgainKeepsItsBytes) {
  Replica replica;
  replica.install(replica_mnode(1, 5, 7), "k");
  replica.values().provide(replica_mnode(1, 5, 7).value_hash, numbered_bytes(7));
  replica.install(replica_mnode(1, 6, 7), "k");
  EXPECT_NE(replica.values().find(replica_mnode(1, 5, 7).value_hash), nullptr);
}

TEST(Replica, ATombstoneAndAnInlineValueHoldNoBytes) {
  Replica replica;
  MNode tombstone = replica_mnode(1, 5, 7);
  tombstone.value_hash = kNoValue;
  tombstone.value_size_bytes = 0;
  replica.install(tombstone, "k");
  MNode inline_value = replica_mnode(2, 5, 7);
  inline_value.flags = MNode::kInline;
  replica.install(inline_value, "l");
  EXPECT_EQ(replica.values().count(), 0U);
  replica.check_invariants();
}

TEST(Replica, WhatIsUnknownAndBelowTheHorizonIsNotInstalled) {  // R4.2
  Replica replica;
  const MNode old = replica_mnode(1, 5, 7);
  const Group group = group_of(old.key);
  replica.raise_horizon(group, {6, 0, OwnerId{}});
  EXPECT_EQ(replica.install(old, "k"), Replica::Installed::kBelowHorizon);
  EXPECT_EQ(replica.find(old.key), nullptr);
  EXPECT_EQ(replica.install(replica_mnode(1, 6, 7), "k"), Replica::Installed::kInstalled);
  // What is known may be below: its removal is not what the horizon speaks of.
  replica.raise_horizon(group, {9, 0, OwnerId{}});
  EXPECT_EQ(replica.install(replica_mnode(1, 8, 7), "k"), Replica::Installed::kInstalled);
  replica.raise_horizon(group, {7, 0, OwnerId{}});
  EXPECT_EQ(replica.horizon(group).counter, 9U);
}

/// Found by the fuzzer (seed 1796104485918): what upkeep had yet to drop counted as known.
TEST(Replica, WhatWasClearedIsNotKnownAnyMore) {  // R4.2
  Replica replica;
  const MNode old = replica_mnode(1, 5, 7);
  const Group group = group_of(old.key);
  replica.install(old, "k");
  replica.clear(group, old.cache, {6, 0, OwnerId{}});
  replica.raise_horizon(group, {9, 0, OwnerId{}});
  EXPECT_EQ(replica.install(replica_mnode(1, 8, 7), "k"), Replica::Installed::kBelowHorizon);
  EXPECT_EQ(replica.find(old.key), nullptr);
  EXPECT_EQ(replica.install(replica_mnode(1, 10, 7), "k"), Replica::Installed::kInstalled);
  replica.check_invariants();
}

TEST(Replica, RandomInstallsEndAsTheNewestOfEachKey) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng random(seed, "replica");
    Replica replica;
    std::map<std::uint8_t, std::uint64_t> newest;
    for (int step = 0; step < 500; ++step) {
      const auto key = static_cast<std::uint8_t>(draw_below(random, 30));
      const std::uint64_t counter = 1 + draw_below(random, 1'000);
      const auto value = static_cast<std::uint8_t>(draw_below(random, 10));
      const MNode mnode = replica_mnode(key, counter, value);
      if (const MNodeEntry* entry = replica.find(mnode.key); entry && draw_below(random, 9) == 0) {
        replica.drop(*entry);
        newest.erase(key);
        continue;
      }
      replica.install(mnode, "k");
      newest[key] = std::max(newest[key], counter);
    }
    replica.check_invariants();
    EXPECT_EQ(replica.size(), newest.size());
    for (const auto& [key, counter] : newest) {
      EXPECT_EQ(replica.find(replica_mnode(key, 0, 0).key)->mnode().version.counter, counter);
    }
  }
}

}  // namespace
}  // namespace copal
