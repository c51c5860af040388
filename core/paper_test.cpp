// One test for each sentence of the paper about its cache that can be checked, P53 to P75 of the
// list of its capabilities, on whole nodes. What needs no node is tested with its module.
// P74 (leases) has none yet.

#include <gtest/gtest.h>

#include <set>
#include <type_traits>

#include "core/protocol/wire.h"
#include "core/testing/cluster_test.h"

namespace copal {
namespace {

class Paper : public ClusterTest {
 protected:
  /// What one put of this server made others say, by the kinds' numbers, without heartbeats.
  std::multiset<std::size_t> kinds_of_put(const std::string& key, const Blob& value) {
    cluster().forget_sent();
    EXPECT_EQ(put(kOne, key, value), CacheStatus::kDone);
    cluster().run_for(20ms);
    std::multiset<std::size_t> kinds;
    for (const FakeCluster::Sent& sent : cluster().sent()) {
      if (!std::holds_alternative<MemberHeartbeat>(sent.message) &&
          !std::holds_alternative<ServerHeartbeat>(sent.message) &&
          !std::holds_alternative<LoadReport>(sent.message)) {
        kinds.insert(sent.message.index());
      }
    }
    return kinds;
  }
};

// "The triad … synchronizes and stores the cached data."
TEST_F(Paper, P53_TheTriadSynchronisesAndStores) {
  begin();
  const Blob value = numbered_bytes(1, 10'000);
  ASSERT_EQ(put(kOne, "key", value), CacheStatus::kDone);
  cluster().run_for(1s);
  EXPECT_TRUE(cluster().members_agree());
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    ASSERT_NE(cluster().entry(slot, kPlain, "key"), nullptr);
    EXPECT_EQ(cluster().store(slot).count(Family::kMNodes), 1U);
    EXPECT_EQ(cluster().store(slot).count(Family::kValues), 1U);
  }
}

TEST_F(Paper, P54_MetadataAndValuesAreStoredAndSentApart) {
  begin();
  const Blob value = numbered_bytes(1, 50'000);
  ASSERT_EQ(put(kOne, "key", value), CacheStatus::kDone);
  cluster().run_for(1s);
  for (const FakeCluster::Sent& copy : cluster().sent_of<Replicate>()) {
    EXPECT_LT(copy.frame_size_bytes, 400U) << "the value goes beside the frame";
  }
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    for (const auto& [name, record] : cluster().store(slot).records()) {
      if (name.first == Family::kMNodes) {
        EXPECT_LT(record.size_bytes(), 400U);
      } else if (name.first == Family::kValues) {
        EXPECT_EQ(record, value);
        EXPECT_TRUE(std::ranges::equal(name.second, hash_value(value.bytes()).bytes));
      }
    }
  }
}

TEST_F(Paper, P55_ChecksCompareMetadataAndWhatIsUnchangedIsNotSentAgain) {
  begin();
  const Blob value = numbered_bytes(1, 2'000);
  ASSERT_EQ(put(kOne, "key", value), CacheStatus::kDone);
  ASSERT_EQ(get(kTwo, "key"), value);
  cluster().run_for(1s);
  cluster().forget_sent();
  EXPECT_EQ(get(kTwo, "key"), value) << "a second later: it must ask";
  const auto answers = cluster().sent_of<CacheAnswer>();
  ASSERT_EQ(answers.size(), 1U);
  const auto& answer = std::get<CacheAnswer>(answers[0].message);
  EXPECT_EQ(answer.status, CacheStatus::kNotModified);
  EXPECT_FALSE(answer.entry.has_value());
  EXPECT_EQ(answer.value.size_bytes(), 0U);
  // Nor are values that the triad has, whatever key they come under.
  cluster().forget_sent();
  ASSERT_EQ(put(kTwo, "another key", value), CacheStatus::kDone);
  cluster().run_for(1s);
  for (const FakeCluster::Sent& copy : cluster().sent_of<Replicate>()) {
    EXPECT_EQ(value_of(copy.message).size_bytes(), 0U);
  }
  EXPECT_TRUE(cluster().sent_of<FetchedValue>().empty());
}

TEST_F(Paper, P56_AnMNodeIsAFixedSizeRecordOfHashesAndVersion) {
  begin();
  const std::string long_key(1'000, 'k');
  ASSERT_EQ(put(kOne, "k", numbered_bytes(1, 40)), CacheStatus::kDone);
  ASSERT_EQ(put(kOne, long_key, numbered_bytes(2, 1'000'000)), CacheStatus::kDone);
  cluster().run_for(1s);
  std::set<std::size_t> sizes;
  for (const std::string& key : {std::string("k"), long_key}) {
    const MNode& mnode = cluster().entry(0, kPlain, key)->mnode();
    EXPECT_EQ(mnode.key, key_hash_of(kPlain, key));
    EXPECT_GT(mnode.version, kNoVersion);
    std::array<std::byte, 1'000> bytes;
    WireWriter writer(bytes);
    writer(aged(mnode, cluster().now()));
    sizes.insert(bytes.size() - writer.rest_size_bytes());
  }
  EXPECT_EQ(sizes.size(), 1U);
  EXPECT_EQ(cluster().entry(0, kPlain, "k")->mnode().value_hash,
            hash_value(numbered_bytes(1, 40).bytes()));
  EXPECT_LE(sizeof(MNode), 168U);
  EXPECT_TRUE(std::is_trivially_copyable_v<MNode>);
}

TEST_F(Paper, P57_EveryServerKeepsACollectionOfMNodes) {
  begin();
  ASSERT_EQ(put(kOne, "key", text_bytes("value")), CacheStatus::kDone);
  ASSERT_EQ(get(kTwo, "key"), text_bytes("value"));
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    EXPECT_NE(cluster().entry(slot, kPlain, "key"), nullptr);
  }
  for (const NodeId server : {kOne, kTwo}) {
    EXPECT_NE(cluster().server(server).cache()->near().peek(key_hash_of(kPlain, "key")), nullptr);
  }
}

TEST_F(Paper, P58_ExactlyOneMemberOwnsAnMNodeAndHasTheNewest) {
  begin();
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    int acting = 0;
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      acting += cluster().member(slot).ownership().acts(Group{i}) ? 1 : 0;
    }
    EXPECT_EQ(acting, 1) << "group " << int{i};
  }
  for (int i = 0; i < 20; ++i) {
    const std::string key = "key " + std::to_string(i % 4);
    const AnswerCall put = cluster().put(i % 2 == 0 ? kOne : kTwo, kPlain, key, text_bytes("v"));
    ASSERT_EQ(put.status, CacheStatus::kDone);
    const std::uint32_t owner = cluster().owner_of(kPlain, key);
    EXPECT_EQ(cluster().entry(owner, kPlain, key)->mnode().version, put.version);
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      const MNodeEntry* copy = cluster().entry(slot, kPlain, key);
      EXPECT_TRUE(copy == nullptr || copy->mnode().version <= put.version);
    }
  }
}

TEST_F(Paper, P59_TheKeysHashAloneDecidesTheOwner) {
  begin();
  for (int i = 0; i < 30; ++i) {
    const std::string key = "key " + std::to_string(i);
    const NodeId server = i % 2 == 0 ? kOne : kTwo;
    const AnswerCall put =
        cluster().put(server, kPlain, key, numbered_bytes(static_cast<std::uint32_t>(i), 100));
    const Slot primary = owner_order(key_hash_of(kPlain, key)).slots()[0];
    EXPECT_EQ(put.version.owner.slot(), primary) << key;
  }
  for (const FakeCluster::Sent& sent : cluster().sent_of<CacheChange>()) {
    const auto& change = std::get<CacheChange>(sent.message);
    EXPECT_EQ(sent.to.value, owner_order(change.key).slots()[0].value);
  }
}

TEST_F(Paper, P60_MNodesAreReplicatedOnAllMembers) {
  begin();
  for (int i = 0; i < 50; ++i) {
    put(kOne, "key " + std::to_string(i), text_bytes("value"));
  }
  cluster().run_for(1s);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    EXPECT_EQ(cluster().member(slot).replica().live_count(), 50U);
  }
  EXPECT_TRUE(cluster().members_agree());
}

TEST_F(Paper, P61_ValuesAreReplicatedAndNeverVersioned) {
  begin();
  const Blob old_bytes = numbered_bytes(1, 100);
  const Blob new_bytes = numbered_bytes(2, 100);
  for (const char* key : {"a", "b", "a"}) {  // three versions of two keys
    ASSERT_EQ(put(kOne, key, old_bytes), CacheStatus::kDone);
  }
  cluster().run_for(1s);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    EXPECT_EQ(cluster().store(slot).count(Family::kValues), 1U);
  }
  put(kOne, "a", new_bytes);
  put(kOne, "b", new_bytes);
  cluster().run_for(1s);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    const ValueStore& values = cluster().member(slot).replica().values();
    EXPECT_EQ(cluster().store(slot).count(Family::kValues), 1U) << "no older one is kept";
    EXPECT_FALSE(values.is_wanted(hash_value(old_bytes.bytes())));
    ASSERT_NE(values.find(hash_value(new_bytes.bytes())), nullptr);
  }
}

TEST_F(Paper, P62_ALargeValueGoesToTheOwnerOfItsOwnHash) {
  begin();
  std::set<std::uint32_t> places;
  for (std::uint32_t i = 0; i < 12; ++i) {
    const Blob value = numbered_bytes(i, 100'000);
    const std::string key = cluster().key_owned_by(0, kPlain, static_cast<int>(i));
    const std::uint32_t place = owner_order(hash_value(value.bytes())).slots()[0].value;
    cluster().forget_sent();
    ASSERT_EQ(put(kOne, key, value), CacheStatus::kDone);
    const auto left = cluster().sent_of<LeaveValue>();
    if (place == 0) {
      EXPECT_TRUE(left.empty()) << "the m-node's owner itself: it comes with the change";
    } else {
      ASSERT_EQ(left.size(), 1U);
      EXPECT_EQ(left[0].to, NodeId{place});
      EXPECT_EQ(std::get<LeaveValue>(left[0].message).value, value);
    }
    places.insert(place);
  }
  EXPECT_EQ(places.size(), 3U) << "one owner's values spread over the triad";
}

TEST_F(Paper, P63_TheWriterHashesTheKeyAndSendsTheMNodeToItsOwner) {
  begin();
  const std::string key = cluster().key_owned_by(2, kPlain);
  ASSERT_EQ(put(kOne, key, text_bytes("value")), CacheStatus::kDone);
  const auto changes = cluster().sent_of<CacheChange>();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].from, kOne);
  EXPECT_EQ(changes[0].to, NodeId{2});
  // SHA-256 of the cache's id and the key.
  std::vector<std::uint8_t> named{1, 0, 0, 0};
  named.insert(named.end(), key.begin(), key.end());
  EXPECT_EQ(std::get<CacheChange>(changes[0].message).key.bytes, sha256(named));
}

TEST_F(Paper, P64_WhoReceivesAnUpdateCopiesItToTheOtherMembers) {
  begin();
  const std::string key = cluster().key_owned_by(1, kPlain);
  const AnswerCall done = cluster().put(kOne, kPlain, key, text_bytes("value"));
  cluster().run_for(20ms);
  std::set<NodeId> told;
  for (const FakeCluster::Sent& copy : cluster().sent_of<Replicate>()) {
    EXPECT_EQ(copy.from, NodeId{1});
    EXPECT_EQ(std::get<Replicate>(copy.message).entry.mnode.version, done.version);
    told.insert(copy.to);
  }
  EXPECT_EQ(told, (std::set{NodeId{0}, NodeId{2}}));
}

TEST_F(Paper, P65_TheTriadPersistsAndAMemberRecoversFromWhatItHas) {
  begin();
  const Blob value = numbered_bytes(1, 5'000);
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(put(kOne, "key " + std::to_string(i), value), CacheStatus::kDone);
  }
  cluster().run_for(1s);
  cluster().kill(NodeId{0});
  cluster().run_for(1s);
  ASSERT_EQ(put(kOne, "key 3", text_bytes("newer")), CacheStatus::kDone);
  cluster().forget_sent();
  cluster().start_member(0, true);
  ASSERT_TRUE(cluster().run_until([&] { return cluster().is_serving(); }, 15s));
  EXPECT_EQ(cluster().member(0).store().counts().loaded, 30U);
  ASSERT_TRUE(cluster().run_until([&] { return cluster().members_agree(); }));
  EXPECT_EQ(cluster().member(0).catch_up().counts().taken +
                cluster().member(1).catch_up().counts().given +
                cluster().member(2).catch_up().counts().given,
            1U)
      << "only what it missed";
  EXPECT_TRUE(cluster().sent_of<FetchValue>().empty());
  EXPECT_EQ(get(kTwo, "key 7"), value);
}

TEST_F(Paper, P65_TheWholeTriadComesBackWithItsData) {
  begin();
  ASSERT_EQ(put(kOne, "key", numbered_bytes(1, 5'000)), CacheStatus::kDone);
  cluster().run_for(1s);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    cluster().kill(NodeId{slot});
  }
  cluster().run_for(10s);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    cluster().start_member(slot, true);
  }
  ASSERT_TRUE(cluster().run_until([&] { return cluster().is_serving(); }));
  EXPECT_EQ(get(kTwo, "key"), numbered_bytes(1, 5'000));
}

TEST_F(Paper, P66_TheWriterWaitsNeitherForCopiesNorForTheDisk) {
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  cluster().store(0).sync_stalls = true;
  cluster().cut(NodeId{0}, NodeId{1});
  cluster().cut(NodeId{0}, NodeId{2});
  const TimePoint before = cluster().now();
  EXPECT_EQ(put(kOne, key, text_bytes("value")), CacheStatus::kDone);
  EXPECT_EQ(cluster().now() - before, 2 * FakeCluster::kLatency);
}

TEST_F(Paper, P67_ANewEntryTakesTheSameStepsAsAnUpdate) {
  begin();
  const auto of_new = kinds_of_put("key", numbered_bytes(1, 100));
  const auto of_known = kinds_of_put("key", numbered_bytes(2, 100));
  EXPECT_EQ(of_new, of_known);
  EXPECT_EQ(of_new.size(), 6U) << "change, answer, two copies, two acknowledgements";
}

TEST_F(Paper, P68_AGetIsAnsweredByMNodeAndValueTogether) {
  begin();
  const Blob value = numbered_bytes(1, 30'000);
  ASSERT_EQ(put(kOne, "key", value), CacheStatus::kDone);
  cluster().forget_sent();
  ASSERT_EQ(get(kTwo, "key"), value);
  EXPECT_EQ(cluster().sent_of<CacheGet>().size(), 1U);
  const auto answers = cluster().sent_of<CacheAnswer>();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].from.value, cluster().owner_of(kPlain, "key"));
  const auto& answer = std::get<CacheAnswer>(answers[0].message);
  ASSERT_TRUE(answer.entry.has_value());
  EXPECT_EQ(answer.entry->mnode.value_hash, hash_value(value.bytes()));
  EXPECT_EQ(answer.value, value);
}

TEST_F(Paper, P69_TheMNodesOwnerHoldsTheBytesBeforeItAnswers) {
  begin();
  for (std::uint32_t i = 0; i < 6; ++i) {  // left with any of the three
    const Blob value = numbered_bytes(i, 200'000);
    const std::string key = cluster().key_owned_by(1, kPlain, static_cast<int>(i));
    ASSERT_EQ(put(kOne, key, value), CacheStatus::kDone);
    const ValueStore& values = cluster().member(1).replica().values();
    ASSERT_NE(values.find(hash_value(value.bytes())), nullptr);
    EXPECT_EQ(*values.find(hash_value(value.bytes())), value);
  }
}

TEST_F(Paper, P70_ManyCachesLieSideBySideEachWithItsOptions) {
  plain_.expire_timeout = 5s;
  safe_.local_read_timeout = 0s;
  begin();
  ASSERT_EQ(cluster().put(kOne, kPlain, "key", text_bytes("mine")).status, CacheStatus::kDone);
  ASSERT_EQ(cluster().put(kOne, kSafe, "key", text_bytes("yours")).status, CacheStatus::kDone);
  EXPECT_EQ(get(kTwo, "key"), text_bytes("mine"));
  EXPECT_EQ(get(kTwo, "key", kSafe), text_bytes("yours"));
  cluster().run_for(6s);
  EXPECT_EQ(get(kTwo, "key"), std::nullopt);
  EXPECT_EQ(get(kTwo, "key", kSafe), text_bytes("yours"));
}

TEST_F(Paper, P71_EntriesExpireAfterTheirLastUpdateByDefaultNever) {
  plain_.expire_timeout = 60s;
  EXPECT_EQ(safe_.expire_timeout, 0s);
  begin();
  put(kOne, "key", text_bytes("value"));
  cluster().put(kOne, kSafe, "key", text_bytes("value"));
  cluster().run_for(50s);
  EXPECT_NE(get(kTwo, "key"), std::nullopt) << "reads do not prolong it";
  cluster().run_for(9s);
  EXPECT_NE(get(kTwo, "key"), std::nullopt);
  put(kOne, "key", text_bytes("value"));
  cluster().run_for(59s);
  EXPECT_NE(get(kTwo, "key"), std::nullopt) << "counted from the last update";
  cluster().run_for(2s);
  EXPECT_EQ(get(kTwo, "key"), std::nullopt);
  EXPECT_NE(get(kTwo, "key", kSafe), std::nullopt);
  // It is removed without being asked for, at every member.
  cluster().run_for(3min);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    EXPECT_EQ(cluster().member(slot).replica().live_count(), 1U);
  }
}

TEST_F(Paper, P72_ACopyIsUsedWithoutAskingForTenMilliseconds) {
  EXPECT_EQ(plain_.local_read_timeout, 10ms);
  begin();
  put(kOne, "key", text_bytes("value"));
  cluster().run_for(1s);
  get(kTwo, "key");
  cluster().forget_sent();
  // Counted from when the question was sent: it was known to be right then.
  cluster().run_for(10ms - 2 * FakeCluster::kLatency);
  get(kTwo, "key");
  EXPECT_TRUE(cluster().sent_of<CacheGet>().empty());
  cluster().run_for(1ns);
  get(kTwo, "key");
  EXPECT_EQ(cluster().sent_of<CacheGet>().size(), 1U);
}

TEST_F(Paper, P73_EntriesEndAfterTheirLastUseByDefaultNever) {
  plain_.idle_timeout_ms = 32'000;  // uses are told within 2 s
  EXPECT_EQ(safe_.idle_timeout_ms, 0U);
  begin();
  put(kOne, "used", text_bytes("value"));
  put(kOne, "idle", text_bytes("value"));
  for (int i = 0; i < 4; ++i) {
    cluster().run_for(30s);
    EXPECT_NE(get(kTwo, "used"), std::nullopt) << "a read keeps it alive";
  }
  EXPECT_EQ(get(kTwo, "idle"), std::nullopt);
  cluster().run_for(31s);
  put(kOne, "used", text_bytes("again"));
  cluster().run_for(31s);
  EXPECT_NE(get(kTwo, "used"), std::nullopt) << "so does an update";
  cluster().run_for(35s);
  EXPECT_EQ(get(kTwo, "used"), std::nullopt);
}

TEST_F(Paper, P73_WhatIsUsedWhileAMemberIsAwayDoesNotEndWhenItActsAgain) {
  plain_.idle_timeout_ms = 32'000;
  begin();
  put(kOne, "used", text_bytes("value"));
  cluster().run_for(20s);
  const Group group = group_of(key_hash_of(kPlain, "used"));
  const std::uint32_t owner = group.order().slots()[0].value;
  cluster().kill(NodeId{owner});
  cluster().run_for(5s);
  EXPECT_NE(get(kTwo, "used"), std::nullopt);
  cluster().start_member(owner);
  cluster().run_for(5s);
  EXPECT_TRUE(cluster().member(owner).ownership().acts(group));
  cluster().run_for(20s);
  EXPECT_NE(get(kTwo, "used"), std::nullopt);
}

TEST_F(Paper, P75_TimeoutsHoldForAllEntriesOfACache) {
  plain_.expire_timeout = 60s;
  plain_.idle_timeout_ms = 1'800'000;
  begin();
  for (int i = 0; i < 20; ++i) {
    put(i % 2 == 0 ? kOne : kTwo, "key " + std::to_string(i), text_bytes("value"));
  }
  cluster().run_for(1s);
  for (int i = 0; i < 20; ++i) {
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      const MNode& mnode = cluster().entry(slot, kPlain, "key " + std::to_string(i))->mnode();
      EXPECT_EQ(mnode.expire_timeout, 60s);
      EXPECT_EQ(mnode.idle_timeout_ms, 1'800'000U);
    }
  }
  cluster().run_for(60s);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(get(kOne, "key " + std::to_string(i)), std::nullopt);
  }
}

}  // namespace
}  // namespace copal
