// TriadServer: who acts, and what follows from it, among whole members and their servers.

#include "core/testing/cluster_test.h"

namespace copal {
namespace {

class TriadMembersTest : public ClusterTest {};

// ---- hand-over (R1.5)

TEST_F(TriadMembersTest, AGroupIsHandedOverWhenItsHeirHasAllChanges) {
  begin();
  const std::string key = cluster().key_owned_by(1, kPlain);
  lose_copies_of(1);
  ASSERT_EQ(put(kOne, key, text_bytes("value")), CacheStatus::kDone);
  cluster().tell(NodeId{1}, StopOrder{});
  cluster().run_for(800ms);
  EXPECT_TRUE(cluster().sent_of<HandOver>().empty()) << "who takes over would read older ones";
  cluster().loses = nullptr;
  ASSERT_TRUE(cluster().run_until([&] { return cluster().stopped(NodeId{1}); }, 8s));
  EXPECT_FALSE(cluster().sent_of<HandOver>().empty());
  EXPECT_EQ(get(kTwo, key), text_bytes("value"));
}

TEST_F(TriadMembersTest, WritesGoOnWhileAPrimaryComesAndGoesAndNoneIsLost) {
  begin();
  const std::string key = cluster().key_owned_by(0, kSafe);
  int number = 0;
  const auto write = [&] {
    const Blob value = text_bytes("value " + std::to_string(++number));
    const CacheStatus status = put(number % 2 == 0 ? kOne : kTwo, key, value, kSafe);
    ASSERT_TRUE(status == CacheStatus::kDone || status == CacheStatus::kSingleCopy);
    ASSERT_EQ(get(kOne, key, kSafe), value);
    cluster().run_for(90ms);
  };
  for (int round = 0; round < 3; ++round) {
    cluster().kill(NodeId{0});
    for (int i = 0; i < 30; ++i) {
      write();
    }
    cluster().start_member(0, true);
    for (int i = 0; i < 30; ++i) {
      write();
    }
    ASSERT_TRUE(settles());
  }
}

// ---- a split (DESIGN section 5, R6)

TEST_F(TriadMembersTest, InASplitBothSidesServeAndTheNewerVersionWinsAndIsCounted) {
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  ASSERT_EQ(put(kOne, key, text_bytes("before")), CacheStatus::kDone);
  cluster().run_for(1s);
  split_off(NodeId{0}, kOne);
  cluster().run_for(5s);
  ASSERT_EQ(put(kOne, key, text_bytes("older")), CacheStatus::kDone);
  cluster().run_for(1s);
  ASSERT_EQ(put(kTwo, key, text_bytes("newer")), CacheStatus::kDone);
  EXPECT_EQ(get(kOne, key), text_bytes("older"));
  EXPECT_EQ(get(kTwo, key), text_bytes("newer"));
  EXPECT_EQ(acting(key), 2);
  cluster().heal();
  ASSERT_TRUE(settles());
  EXPECT_EQ(acting(key), 1);
  cluster().run_for(1s);
  EXPECT_EQ(get(kOne, key), text_bytes("newer"));
  EXPECT_EQ(get(kTwo, key), text_bytes("newer"));
  std::uint64_t overwritten = 0;
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    overwritten += cluster().member(slot).replica().overwritten();
  }
  EXPECT_EQ(overwritten, 1U) << "the acknowledged one of the other side";
}

TEST_F(TriadMembersTest, ARemovalInASplitIsNotUndoneByTheOtherSide) {
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  ASSERT_EQ(put(kOne, key, text_bytes("value")), CacheStatus::kDone);
  cluster().run_for(1s);
  cluster().cut_off(NodeId{2});
  cluster().run_for(5s);
  ASSERT_EQ(cluster().remove(kOne, kPlain, key).status, CacheStatus::kDone);
  cluster().run_for(1min);
  cluster().heal();
  ASSERT_TRUE(settles());
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    const MNodeEntry* entry = cluster().entry(slot, kPlain, key);
    EXPECT_TRUE(entry == nullptr || entry->mnode().is_tombstone()) << slot;
  }
}

TEST_F(TriadMembersTest, ATombstoneWaitsForTheMemberThatWasAway) {  // R4.1
  make();
  cluster().member_config.compare_interval = 2s;
  cluster().member_config.horizon.kept_write_lifetime = 10s;
  cluster().member_config.upkeep.step_min = 5'000;
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  ASSERT_EQ(put(kOne, key, text_bytes("value")), CacheStatus::kDone);
  cluster().run_for(1s);
  cluster().kill(NodeId{2});
  ASSERT_EQ(cluster().remove(kOne, kPlain, key).status, CacheStatus::kDone);
  cluster().run_for(1min);
  ASSERT_NE(cluster().entry(0, kPlain, key), nullptr) << "it still has the entry";
  cluster().start_member(2);
  ASSERT_TRUE(settles());
  ASSERT_NE(cluster().entry(2, kPlain, key), nullptr);
  EXPECT_TRUE(cluster().entry(2, kPlain, key)->mnode().is_tombstone());
  EXPECT_TRUE(cluster().run_until(
      [&] {
        return cluster().member(0).replica().size() + cluster().member(1).replica().size() +
                   cluster().member(2).replica().size() ==
               0;
      },
      60s));
}

// ---- who is heard

TEST_F(TriadMembersTest, NobodyElseIsAMember) {
  begin();
  MemberHeartbeat heartbeat{.beat = {.incarnation = Incarnation{9}, .sequence = 1},
                            .generation = 9};
  heartbeat.announcement.assign(kGroups, {.view = {99'999, Slot{2}}, .owner_acts = true});
  for (const NodeId from : {kStranger, kOne}) {
    cluster().tell(NodeId{0}, MessageReceived{from, heartbeat});
    cluster().tell(NodeId{0},
                   MessageReceived{from, HandOver{Group{0}, {99'999, Slot{2}}, true, {}}});
    cluster().tell(NodeId{0}, MessageReceived{from, AskHandOver{Group{0}, {99'999, Slot{2}}}});
  }
  cluster().run_for(2s);
  EXPECT_TRUE(cluster().is_serving());
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    EXPECT_LT(cluster().member(0).ownership().view(Group{i}).term, 99'999U);
  }
}

TEST_F(TriadMembersTest, AViewThatAServerShowsIsHeeded) {  // R1.3
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  const Group group = group_of(key_hash_of(kPlain, key));
  const View view = cluster().member(0).ownership().view(group);
  cluster().tell(NodeId{0}, MessageReceived{kOne, CacheGet{.sequence = 900,
                                                           .view = {view.term + 5, Slot{1}},
                                                           .time_left = 1s,
                                                           .cache = kPlain,
                                                           .key = key_hash_of(kPlain, key)}});
  // It gave way to that view; and as nobody is heard to act under it, it acts under a higher one.
  EXPECT_EQ(cluster().member(0).ownership().view(group), (View{view.term + 6, Slot{0}}));
  ASSERT_TRUE(settles());
  EXPECT_EQ(put(kOne, key, text_bytes("value")), CacheStatus::kDone);
}

TEST_F(TriadMembersTest, MembersThatDifferInNothingCompareNowAndThen) {
  make();
  cluster().member_config.compare_interval = 5s;
  begin();
  put(kOne, "key", text_bytes("value"));
  cluster().run_for(5s);
  cluster().forget_sent();
  cluster().run_for(10s);
  std::set<std::pair<NodeId, NodeId>> pairs;
  for (const FakeCluster::Sent& sent : cluster().sent_of<CompareOpen>()) {
    pairs.insert({sent.from, sent.to});
  }
  EXPECT_EQ(pairs.size(), 3U) << "of each pair the lower slot asks";
  for (const auto& [asker, answerer] : pairs) {
    EXPECT_LT(asker, answerer);
  }
}

// R1.3: who stops has m-nodes that the new one may lack.
TEST_F(TriadMembersTest, WhoHasGivenAGroupBackComparesItWithTheNewOwner) {
  begin();
  cluster().kill(NodeId{0});
  put(kOne, cluster().key_owned_by(0, kPlain), text_bytes("value"));
  cluster().run_for(1s);
  cluster().start_member(0);
  ASSERT_TRUE(settles());
  cluster().run_for(5s);
  std::set<std::uint8_t> compared;
  for (const FakeCluster::Sent& sent : cluster().sent_of<CompareOpen>()) {
    const Group group = std::get<CompareOpen>(sent.message).at.group;
    if (sent.to == NodeId{0} && group.order().slots()[0].value == 0) {
      compared.insert(group.value);
    }
  }
  EXPECT_EQ(compared.size(), kGroups / 3);
}

// ---- servers

TEST_F(TriadMembersTest, WhoListensIsToldByTheOwnerWhoeverChanges) {
  begin();
  cluster().tell(kTwo, ListenTo{kPlain});
  cluster().run_for(300ms);  // it says so in its next heartbeat
  cluster().forget_sent();
  put(kOne, "key", text_bytes("value"));
  put(kOne, "key", text_bytes("value"), kSafe);
  const auto events = cluster().sent_of<EntryEvent>();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].to, kTwo);
  EXPECT_EQ(std::get<EntryEvent>(events[0].message).key_text, "key");
  cluster().tell(kTwo, ListenTo{kPlain, false});
  cluster().run_for(300ms);
  cluster().forget_sent();
  put(kOne, "key", text_bytes("newer"));
  EXPECT_TRUE(cluster().sent_of<EntryEvent>().empty());
}

TEST_F(TriadMembersTest, OrdersOutliveARestartOfTheWholeTriad) {
  begin();
  cluster().tell(NodeId{1}, ChangeRoster{kOne, RosterState::kDisabled});
  cluster().run_for(1s);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    cluster().kill(NodeId{slot});
  }
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    cluster().start_member(slot, true);
  }
  ASSERT_TRUE(settles());
  cluster().run_for(1s);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    EXPECT_EQ(listed(slot, kOne), ServerPhase::kAbsent);
    EXPECT_EQ(listed(slot, kTwo), ServerPhase::kReady);
  }
}

TEST_F(TriadMembersTest, OrdersForMoreServersThanOneFrameNamesReachWhoWasAway) {
  constexpr std::uint32_t kFirst = 1'000;
  constexpr std::uint32_t kServers = RosterUpdate::kOrdersMax + 500;
  make();
  for (std::uint32_t i = 0; i < kServers; ++i) {
    cluster().register_node(NodeId{kFirst + i});
  }
  begin();
  cluster().kill(NodeId{2});
  for (std::uint32_t i = 0; i < kServers; ++i) {
    cluster().tell(NodeId{0}, ChangeRoster{NodeId{kFirst + i}, RosterState::kDraining});
  }
  const std::size_t told = cluster().sent_of<RosterUpdate>().back().frame_size_bytes;
  EXPECT_LT(told, 100U) << "one order each, not all that there are";
  cluster().start_member(2);
  ASSERT_TRUE(settles());
  cluster().run_for(1s);
  EXPECT_EQ(cluster().member(2).roster().orders(), cluster().member(0).roster().orders());
  EXPECT_EQ(cluster().member(2).roster().orders().size(), kServers);
  EXPECT_EQ(cluster().member(2).roster().sum(), cluster().member(1).roster().sum());
  cluster().kill(NodeId{2});
  cluster().start_member(2, true);
  ASSERT_TRUE(cluster().run_until([&] { return cluster().member(2).is_running(); }));
  EXPECT_EQ(cluster().member(2).roster().orders().size(), kServers) << "from its disk";
}

TEST_F(TriadMembersTest, WhoSleepsIsStillListedWhenAllMembersHaveBeenRestarted) {
  make();
  cluster().register_node(kBalancer, NodeRole::kBalancer);
  cluster().server_config.sleep_after = 5s;
  begin();
  ASSERT_TRUE(cluster().run_until([&] { return listed(0, kOne) == ServerPhase::kSleeping; }));
  cluster().run_for(1s);
  cluster().kill(kOne);  // its machine is in low power: it says nothing until it is woken
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    cluster().kill(NodeId{slot});
    cluster().start_member(slot, true);
    cluster().run_for(10s);
  }
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    EXPECT_EQ(listed(slot, kOne), ServerPhase::kSleeping);
  }
  cluster().server_config.sleep_after = 0s;
  cluster().start_server(kOne);
  cluster().run_for(1s);
  EXPECT_EQ(listed(0, kOne), ServerPhase::kReady);
  cluster().kill(NodeId{0});
  cluster().start_member(0);
  cluster().kill(kOne);
  cluster().run_for(20s);
  EXPECT_EQ(listed(0, kOne), ServerPhase::kAbsent) << "that it slept is forgotten on the disk, too";
}

TEST_F(TriadMembersTest, AServerDoesNotSleepWhileItKeepsWhatNobodyElseHas) {
  make();
  cluster().server_config.sleep_after = 10s;
  begin();
  cluster().kill(NodeId{1});
  cluster().kill(NodeId{2});
  cluster().run_for(4s);
  ASSERT_EQ(put(kOne, "key", text_bytes("value")), CacheStatus::kDone);
  cluster().run_for(20s);
  EXPECT_EQ(listed(0, kOne), ServerPhase::kReady);
  EXPECT_EQ(listed(0, kTwo), ServerPhase::kSleeping) << "it keeps nothing";
  cluster().start_member(1);
  ASSERT_TRUE(settles());
  EXPECT_TRUE(cluster().run_until([&] { return listed(0, kOne) == ServerPhase::kSleeping; }, 30s));
}

TEST_F(TriadMembersTest, AMemberThatServesAloneRaisesAnAlarmUntilAnotherIsReady) {
  begin();
  EXPECT_TRUE(cluster().alarms(NodeId{0}).empty());
  cluster().kill(NodeId{1});
  cluster().run_for(10s);
  EXPECT_TRUE(cluster().alarms(NodeId{0}).empty()) << "two are enough";
  cluster().kill(NodeId{2});
  cluster().run_for(10s);
  EXPECT_EQ(cluster().alarms(NodeId{0}), std::set{Alarm::kServesAlone});
  cluster().start_member(1);
  ASSERT_TRUE(settles());
  EXPECT_TRUE(cluster().run_until([&] { return cluster().alarms(NodeId{0}).empty(); }, 10s));
}

TEST_F(TriadMembersTest, AMemberWhoseDiskLostWhatItHadSyncedRaisesAnAlarm) {
  begin();
  ASSERT_EQ(put(kOne, "key", text_bytes("value")), CacheStatus::kDone);
  cluster().run_for(1s);
  cluster().kill(NodeId{1});
  cluster().store(1) = FakeStore{};
  cluster().start_member(1);
  ASSERT_TRUE(settles());
  EXPECT_EQ(cluster().alarms(NodeId{1}), std::set{Alarm::kStoreLost});
}

TEST_F(TriadMembersTest, OrdersOutliveAStartThatBeginsAgain) {
  begin();
  cluster().kill(NodeId{1});
  cluster().kill(NodeId{2});
  cluster().tell(NodeId{0}, ChangeRoster{kOne, RosterState::kDisabled});
  const Incarnation before = cluster().member(0).self().incarnation;
  const ServerHeartbeat heartbeat{.beat = {.incarnation = Incarnation{9},
                                           .known = Incarnation{before.value + 1},
                                           .sequence = 9'999},
                                  .generation = 1};
  cluster().tell(NodeId{0}, MessageReceived{kTwo, heartbeat});
  cluster().run_for(1s);
  ASSERT_GT(cluster().member(0).self().incarnation, before);
  EXPECT_EQ(cluster().member(0).roster().state(kOne), RosterState::kDisabled);
}

TEST_F(TriadMembersTest, AnOrderIsNewerThanWhatWasOnTheDiskAtTheStart) {
  begin();
  // From a peer whose clock is ahead; the process ends before anything but the order is written.
  const Version ahead{std::uint64_t{1} << 62U, 0, {}};
  cluster().tell(NodeId{0},
                 MessageReceived{NodeId{1}, RosterUpdate{{{kOne, RosterState::kDisabled, ahead}}}});
  cluster().kill(NodeId{0});
  cluster().start_member(0);
  ASSERT_TRUE(cluster().run_until([&] { return cluster().member(0).is_running(); }));
  ASSERT_EQ(cluster().member(0).roster().state(kOne), RosterState::kDisabled);
  cluster().tell(NodeId{0}, ChangeRoster{kOne, RosterState::kEnabled});
  EXPECT_EQ(cluster().member(0).roster().state(kOne), RosterState::kEnabled);
}

TEST_F(TriadMembersTest, UsesLearntFromOneMemberAreTakenOnByTheOthersThatDidNotMeetIt) {
  plain_.idle_timeout_ms = 3'600'000;
  make();
  cluster().member_config.compare_interval = 10min;
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  put(kOne, key, text_bytes("value"));
  cluster().run_for(1s);
  const auto used = [&](std::uint32_t slot) {
    return cluster().entry(slot, kPlain, key)->mnode().accessed;
  };
  // Member 2 is alone with a server that uses the entry, while the others compare once.
  const auto split = [&](bool also_from_1) {
    cluster().part(NodeId{0}, NodeId{2});
    cluster().part(NodeId{0}, kTwo);
    cluster().part(NodeId{1}, kTwo);
    if (also_from_1) {
      cluster().part(NodeId{1}, NodeId{2});
    }
  };
  split(true);
  cluster().run_for(5min);
  ASSERT_NE(get(kTwo, key), std::nullopt);
  const TimePoint use = used(2);
  cluster().run_for(7min);
  ASSERT_LT(used(0), use);
  ASSERT_LT(used(1), use);
  // Member 1 meets it, member 0 does not, and then it is gone.
  cluster().heal();
  split(false);
  ASSERT_TRUE(cluster().run_until([&] { return used(1) >= use; }));
  ASSERT_LT(used(0), use);
  cluster().kill(NodeId{2});
  cluster().run_for(11min);
  EXPECT_GE(used(0), use);
}

TEST_F(TriadMembersTest, AReadThatWaitsForBytesIsAnsweredWhenAChangeBringsThem) {
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  const Blob value = numbered_bytes(1, 200);
  MNode bare;
  bare.key = key_hash_of(kPlain, key);
  bare.cache = kPlain;
  bare.version = {1, 1, OwnerId(0, Slot{1}, 1)};
  set_value(bare, name_value(value.bytes()));
  cluster().tell(NodeId{0}, MessageReceived{NodeId{1}, Replicate{.incarnation = Incarnation{1},
                                                                 .position = 1'000,
                                                                 .entry = aged(bare, {}),
                                                                 .key_text = key}});
  const CallId call = cluster().begin_read(kTwo, kPlain, key);
  cluster().run_for(100ms);
  EXPECT_EQ(cluster().answer(call), nullptr);
  put(kOne, cluster().key_owned_by(0, kPlain, 1), value);
  cluster().run_for(10ms);
  ASSERT_NE(cluster().answer(call), nullptr);
  EXPECT_EQ(cluster().answer(call)->value, value);
}

// R6: above everything that is here, whatever the clocks say and though its own record is lost.
TEST_F(TriadMembersTest, AStartsClockIsAboveAllThatItsDiskHolds) {
  FakeCluster one({plain_}, 1);
  one.start({kOne});
  one.put(kOne, kPlain, "key", text_bytes("value"));
  one.run_for(1s);
  one.kill(NodeId{0});
  for (const auto& [name, record] : one.store(0).records()) {
    if (name.first == Family::kState) {
      one.store(0).damaged.insert(name);
    }
  }
  one.set_wall_offset(NodeId{0}, -std::chrono::hours{1});
  one.start_member(0);
  ASSERT_TRUE(one.run_until([&] { return one.member(0).is_running(); }));
  EXPECT_GT(one.member(0).clock().reading(one.now()),
            one.entry(0, kPlain, "key")->mnode().version.counter);
}

}  // namespace
}  // namespace copal
