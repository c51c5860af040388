// How the product behind the paper failed in the field (the T rows of its facts), as far as the
// core has a part in it; disks, sockets and processes have theirs in sim/ and prod/. Whole nodes.

#include <gtest/gtest.h>

#include <map>

#include "core/base/prng.h"
#include "core/ports/random.h"
#include "core/testing/cluster_test.h"

namespace copal {
namespace {

using Facts = ClusterTest;

// ---- T1: the store: corruption, restart loops

TEST_F(Facts, T1_WithoutPowerInTheMiddleOfWritesItStartsAndRefills) {
  begin();
  std::map<std::string, Blob> written;
  for (std::uint32_t round = 0; round < 12; ++round) {
    for (std::uint32_t i = 0; i < 10; ++i) {
      const std::string key = "key " + std::to_string(i * (round + 1) % 17);
      const Blob value = numbered_bytes(round * 100 + i, 20 + 40 * i);
      ASSERT_EQ(put(kOne, key, value), CacheStatus::kDone);
      written[key] = value;
    }
    const auto victim = static_cast<std::uint32_t>(round % kSlots);
    // Somewhere between a write and the sync that follows it.
    cluster().run_for(9ms * round);
    cluster().kill(NodeId{victim});
    cluster().run_for(round % 2 == 0 ? 100ms : 5s);
    cluster().start_member(victim, true);
    ASSERT_TRUE(settles()) << "round " << round;
    EXPECT_FALSE(cluster().stopped(NodeId{victim}));
    for (const auto& [key, value] : written) {
      ASSERT_EQ(get(kTwo, key), value) << "round " << round << ", " << key;
    }
  }
}

TEST_F(Facts, T1_DamagedMNodesAreFoundAndComeFromAPeer) {
  begin();
  for (std::uint32_t i = 0; i < 20; ++i) {
    put(kOne, "key " + std::to_string(i), numbered_bytes(i, 500));
  }
  cluster().run_for(1s);
  cluster().kill(NodeId{0});
  damage(0, Family::kMNodes);
  cluster().start_member(0);
  ASSERT_TRUE(settles());
  EXPECT_EQ(cluster().member(0).store().counts().damaged, 20U);
  cluster().run_for(1s);
  EXPECT_TRUE(cluster().store(0).damaged.empty()) << "they are written anew";
  EXPECT_EQ(on_disk(0, Family::kMNodes), 20U);
  EXPECT_EQ(on_disk(0, Family::kValues), 20U);
}

TEST_F(Facts, T1_ADamagedValueIsFetchedFromAPeerAndTheKeyStays) {
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  const Blob value = numbered_bytes(1, 500);
  put(kOne, key, value);
  cluster().run_for(1s);
  cluster().kill(NodeId{0});
  damage(0, Family::kValues);
  cluster().start_member(0);
  ASSERT_TRUE(cluster().run_until(
      [&] { return acting(key) == 1 && cluster().owner_of(kPlain, key) == 0; }));
  EXPECT_EQ(get(kTwo, key), value);
  EXPECT_EQ(cluster().member(0).store().counts().lost_values, 1U);
  cluster().run_for(1s);
  EXPECT_TRUE(cluster().store(0).damaged.empty());
}

TEST_F(Facts, T1_ADamagedStateOfItselfIsNoReasonNotToStart) {
  begin();
  put(kOne, "key", numbered_bytes(1, 500));
  cluster().run_for(1s);
  const std::uint32_t generation = cluster().member(0).self().generation;
  cluster().kill(NodeId{0});
  damage(0, Family::kState);
  cluster().start_member(0);
  ASSERT_TRUE(settles());
  EXPECT_GT(cluster().member(0).self().generation, generation) << "R5.4: it lost what it was";
  EXPECT_EQ(get(kTwo, "key"), numbered_bytes(1, 500));
  const AnswerCall again = cluster().put(kTwo, kPlain, "key", text_bytes("newer"));
  ASSERT_TRUE(settles());
  EXPECT_EQ(cluster().entry(0, kPlain, "key")->mnode().version, again.version);
}

TEST_F(Facts, T1_AMemberWithALostStoreIsRefilledWhole) {
  begin();
  for (std::uint32_t i = 0; i < 200; ++i) {
    put(kOne, "key " + std::to_string(i), numbered_bytes(i, 100));
  }
  for (int i = 0; i < 3; ++i) {
    cluster().kill(NodeId{1});
    cluster().start_member(1);
    ASSERT_TRUE(settles());
  }
  const SelfRecord before = cluster().member(1).self();
  cluster().kill(NodeId{1});
  cluster().store(1).wipe();
  cluster().start_member(1);
  ASSERT_TRUE(settles());
  cluster().run_for(2s);
  const SelfRecord& self = cluster().member(1).self();
  EXPECT_EQ(self.generation, 2U) << "R5.4";
  EXPECT_GT(self.incarnation, before.incarnation);
  EXPECT_GE(self.terms_below, before.terms_below + 1024) << "it acts under none of those";
  EXPECT_EQ(on_disk(1, Family::kMNodes), 200U);
  EXPECT_EQ(on_disk(1, Family::kValues), 200U);
}

TEST_F(Facts, T1_AFullDiskRefusesWritesKeepsWhatItHasAndGoesOn) {
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  put(kOne, key, numbered_bytes(1, 500));
  cluster().run_for(1s);
  cluster().store(0).is_full = true;
  // The first one finds out; it is in memory and at the others.
  EXPECT_EQ(put(kOne, key, numbered_bytes(2, 500)), CacheStatus::kDone);
  cluster().run_for(50ms);
  EXPECT_EQ(put(kOne, key, numbered_bytes(3, 500)), CacheStatus::kFull);
  EXPECT_EQ(get(kTwo, key), numbered_bytes(2, 500));
  EXPECT_EQ(cluster().remove(kOne, kPlain, key).status, CacheStatus::kDone) << "always works";
  cluster().store(0).is_full = false;
  cluster().run_for(3s);
  EXPECT_EQ(put(kOne, key, numbered_bytes(4, 500)), CacheStatus::kDone);
  cluster().run_for(1s);
  EXPECT_FALSE(cluster().stopped(NodeId{0}));
  cluster().kill(NodeId{0});
  cluster().start_member(0, true);
  ASSERT_TRUE(cluster().run_until([&] { return cluster().member(0).is_running(); }));
  EXPECT_EQ(cluster().entry(0, kPlain, key)->mnode().value_hash,
            hash_value(numbered_bytes(4, 500).bytes()))
      << "what was refused is written when there is room";
}

TEST_F(Facts, T1_WithAFullDiskNothingIsCalledSyncedThatIsNot) {
  plain_.sync = Sync::kAlways;
  safe_.sync = Sync::kAlways;
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  const std::string safe_key = cluster().key_owned_by(1, kSafe);
  ASSERT_EQ(put(kOne, key, numbered_bytes(1, 500)), CacheStatus::kDone);
  cluster().store(0).is_full = true;
  cluster().store(2).is_full = true;
  // It has happened, in memory; that it is on the disk nobody says.
  const Blob second = numbered_bytes(2, 500);
  EXPECT_EQ(
      cluster().change(kOne, kPlain, key, {.value = name_value(second.bytes())}, second, 3s).status,
      CacheStatus::kOutcomeUnknown);
  EXPECT_EQ(get(kTwo, key), second) << "reading goes on";
  EXPECT_EQ(cluster().change(kOne, kPlain, key, {.action = Action::kRemove}, {}, 3s).status,
            CacheStatus::kOutcomeUnknown);
  EXPECT_EQ(get(kTwo, key), std::nullopt);
  // The owner's disk has it, and neither of the others'.
  EXPECT_EQ(put(kOne, safe_key, numbered_bytes(3, 500), kSafe), CacheStatus::kOutcomeUnknown);
  cluster().store(2).is_full = false;
  cluster().run_for(2s);
  EXPECT_EQ(put(kOne, safe_key, numbered_bytes(4, 500), kSafe), CacheStatus::kDone);
  cluster().store(0).is_full = false;
  cluster().run_for(2s);
  EXPECT_EQ(put(kOne, key, numbered_bytes(5, 500)), CacheStatus::kDone);
}

TEST_F(Facts, T1_AFailedDiskEndsTheProcessOnce) {
  begin();
  cluster().tell(NodeId{0}, StorageCompletion{WriteFailed{StoreSequence{1}, StoreSequence{1},
                                                          WriteError::kIoError}});
  EXPECT_TRUE(cluster().stopped(NodeId{0}));
  cluster().forget_sent();
  cluster().tell(NodeId{0}, MessageReceived{NodeId{1}, FetchValue{}});
  for (const FakeCluster::Sent& sent : cluster().sent()) {
    EXPECT_NE(sent.from, NodeId{0}) << "whatever it is still told: nothing more is on the disk";
  }
  cluster().kill(NodeId{0});
  cluster().start_member(0);
  ASSERT_TRUE(settles());
  EXPECT_FALSE(cluster().stopped(NodeId{0})) << "no restart loop";
}

// ---- T2: expired and orphan data

TEST_F(Facts, T2_WhatHasExpiredLeavesNothingBehind) {
  plain_.expire_timeout = 2s;
  make();
  cluster().member_config.compare_interval = 5s;
  cluster().member_config.horizon.kept_write_lifetime = 5s;
  cluster().member_config.upkeep.step_min = 2'560;  // all of the 96 times 256 buckets in a second
  begin();
  std::size_t most = 0;
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    ASSERT_EQ(put(kOne, "key " + std::to_string(i), numbered_bytes(i, 40)), CacheStatus::kDone);
    cluster().run_for(18ms);
    most = std::max(most, on_disk(0, Family::kValues));
  }
  EXPECT_LT(most, 250U) << "50 a second, 2 s each, and a sweep takes 1 s";
  cluster().run_for(30s);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    EXPECT_EQ(cluster().member(slot).replica().size(), 0U) << "tombstones, too";
    EXPECT_EQ(cluster().member(slot).replica().values().count(), 0U);
    EXPECT_EQ(on_disk(slot, Family::kMNodes), 0U);
    EXPECT_EQ(on_disk(slot, Family::kValues), 0U);
  }
}

TEST_F(Facts, T2_NoLiveValueIsReapedHoweverWritesAndRemovalsMeet) {
  begin();
  Prng random(1, "T2");
  std::map<std::string, std::optional<Blob>> written;
  std::vector<CallId> calls;
  for (int i = 0; i < 1'500; ++i) {
    // Few keys and fewer values, so that one's last reference goes while another's first comes.
    const std::string key = "key " + std::to_string(draw_below(random, 6));
    const NodeId server = draw_below(random, 2) == 0 ? kOne : kTwo;
    if (draw_below(random, 4) == 0) {
      cluster().remove(server, kPlain, key);
      written[key] = std::nullopt;
    } else {
      const Blob value = numbered_bytes(draw_below(random, 3), 4'000);
      ASSERT_EQ(put(server, key, value), CacheStatus::kDone);
      written[key] = value;
    }
    if (draw_below(random, 50) == 0) {
      cluster().run_for(200ms);
    }
  }
  ASSERT_TRUE(settles());
  cluster().run_for(1s);
  std::size_t values = 0;
  for (std::uint32_t i = 0; i < 3; ++i) {
    values += std::ranges::any_of(
                  written, [i](const auto& one) { return one.second == numbered_bytes(i, 4'000); })
                  ? 1
                  : 0;
  }
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    EXPECT_EQ(on_disk(slot, Family::kValues), values) << "no orphans";
  }
  for (const auto& [key, value] : written) {
    EXPECT_EQ(get(kOne, key), value);
  }
}

// ---- T8: message kinds, and versions of the protocol

template <std::size_t... kIndex>
std::vector<Message> one_of_each(std::index_sequence<kIndex...>) {
  return {std::variant_alternative_t<kIndex, MessageKinds>{}...};
}

TEST_F(Facts, T8_EveryKindFromAnyoneIsAnsweredByItsOwnKindOrNotAtAll) {
  begin_with_balancer();
  const std::vector<Message> kinds =
      one_of_each(std::make_index_sequence<std::variant_size_v<MessageKinds>>{});
  const std::map<std::size_t, std::size_t> answered_by = {
      {Message(Request{}).index(), Message(Answer{}).index()},
      {Message(Probe{}).index(), Message(ProbeAnswer{}).index()},
      {Message(CacheGet{}).index(), Message(CacheAnswer{}).index()},
      {Message(CacheChange{}).index(), Message(CacheAnswer{}).index()},
      {Message(Replicate{}).index(), Message(ReplicateAck{}).index()},
      {Message(ReplicateClear{}).index(), Message(ReplicateAck{}).index()},
      {Message(FetchValue{}).index(), Message(FetchedValue{}).index()},
      {Message(LeaveValue{}).index(), Message(ValueLeft{}).index()},
      {Message(OfferEntry{}).index(), Message(OfferAnswer{}).index()},
      {Message(ClearCache{}).index(), Message(CacheCleared{}).index()},
      {Message(ListKeys{}).index(), Message(KeyPage{}).index()},
      {Message(CompareOpen{}).index(), Message(CompareOpened{}).index()},
      {Message(CompareSums{}).index(), Message(CompareDiffer{}).index()},
      {Message(CompareExchange{}).index(), Message(CompareExchanged{}).index()},
      {Message(CompareUses{}).index(), Message(CompareUsed{}).index()},
      {Message(CompareClose{}).index(), Message(CompareClosed{}).index()}};
  for (const NodeId to : {NodeId{0}, kOne, kBalancer}) {
    for (const NodeId from : {NodeId{1}, kTwo, kBalancer, kStranger}) {
      for (const Message& kind : kinds) {
        if (from == to) {
          continue;
        }
        cluster().forget_sent();
        cluster().tell(to, MessageReceived{from, kind});
        for (const FakeCluster::Sent& sent : cluster().sent()) {
          const bool beat = std::holds_alternative<MemberHeartbeat>(sent.message) ||
                            std::holds_alternative<ServerHeartbeat>(sent.message) ||
                            std::holds_alternative<ServerList>(sent.message) ||
                            std::holds_alternative<LoadReport>(sent.message);
          if (beat || sent.to != from) {
            continue;
          }
          const auto at = answered_by.find(kind.index());
          ASSERT_NE(at, answered_by.end())
              << "kind " << kind.index() << " answered by " << sent.message.index();
          EXPECT_EQ(sent.message.index(), at->second) << "kind " << kind.index();
          EXPECT_FALSE(to.value < kSlots && from == kStranger) << "kind " << kind.index();
        }
      }
    }
  }
  cluster().run_for(10s);
  EXPECT_TRUE(cluster().is_serving());
}

TEST_F(Facts, T8_OnlyServersWriteAndOnlyMembersReplicate) {
  begin_with_balancer();
  put(kOne, "key", text_bytes("value"));
  cluster().run_for(1s);
  const AgedMNode entry =
      aged(cluster().entry(0, kPlain, "key")->mnode(), cluster().now());  // and a newer version
  AgedMNode forged = entry;
  forged.mnode.version.counter += 1'000'000'000;
  for (const NodeId from : {kOne, kBalancer, kStranger}) {
    cluster().tell(NodeId{0}, MessageReceived{from, Replicate{.incarnation = Incarnation{9},
                                                              .position = 1,
                                                              .entry = forged,
                                                              .key_text = "key"}});
    cluster().tell(NodeId{0},
                   MessageReceived{from, CompareExchange{.at = {group_of(entry.mnode.key), 1, 1},
                                                         .give = {{forged, "key"}}}});
  }
  for (const NodeId from : {kBalancer, kStranger}) {
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      cluster().tell(
          NodeId{slot},
          MessageReceived{from, OfferEntry{.sequence = 1, .entry = forged, .key_text = "key"}});
      cluster().tell(NodeId{slot}, MessageReceived{from, ClearCache{1, kPlain, ~GroupSet{}}});
    }
  }
  cluster().run_for(1s);
  EXPECT_EQ(get(kTwo, "key"), text_bytes("value"));
  EXPECT_EQ(cluster().entry(0, kPlain, "key")->mnode().version, entry.mnode.version);
}

// ---- T9: a restarted triad and its servers

TEST_F(Facts, T9_ServersReappearWhenTheMembersRestartOneByOne) {
  begin();
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    cluster().kill(NodeId{slot});
    for (int i = 0; i < 40; ++i) {
      ASSERT_EQ(put(kOne, "key " + std::to_string(i), text_bytes("value")), CacheStatus::kDone);
      cluster().run_for(100ms);
    }
    cluster().start_member(slot);
    EXPECT_TRUE(cluster().run_until(
        [&] {
          return cluster().member(slot).is_running() && listed(slot, kOne) == ServerPhase::kReady &&
                 listed(slot, kTwo) == ServerPhase::kReady;
        },
        1s))
        << "slot " << slot;
    ASSERT_TRUE(settles());
  }
}

TEST_F(Facts, T9_ServersReappearWhenTheWholeTriadRestarts) {
  begin();
  put(kOne, "key", text_bytes("value"));
  cluster().run_for(1s);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    cluster().kill(NodeId{slot});
  }
  const CallId call = cluster().begin_read(kTwo, kPlain, "key");  // while there is nobody
  cluster().run_for(2s);
  EXPECT_EQ(cluster().answer(call), nullptr);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    cluster().start_member(slot);
  }
  EXPECT_TRUE(cluster().run_until(
      [&] {
        return cluster().member(0).is_running() && cluster().member(2).is_running() &&
               listed(0, kOne) == ServerPhase::kReady && listed(2, kTwo) == ServerPhase::kReady;
      },
      1s));
  ASSERT_TRUE(cluster().run_until([&] { return cluster().answer(call) != nullptr; }, 8s));
  EXPECT_EQ(cluster().answer(call)->status, CacheStatus::kDone);
}

// ---- T10: servers that stop, start, and are removed

TEST_F(Facts, T10_TheSameServerComesBackAtOnceAndAfterAQuarterOfAnHour) {
  begin();
  for (const Duration away : {Duration{0s}, Duration{1s}, Duration{16min}}) {
    const Incarnation before = cluster().server(kOne).triad()->incarnation();
    cluster().kill(kOne);
    cluster().run_for(away);
    EXPECT_EQ(listed(0, kOne) == ServerPhase::kAbsent, away > 3s);
    cluster().start_server(kOne);
    EXPECT_TRUE(cluster().run_until(
        [&] {
          return listed(0, kOne) == ServerPhase::kReady && listed(2, kOne) == ServerPhase::kReady;
        },
        600ms));
    cluster().run_for(1s);
    EXPECT_GT(cluster().server(kOne).triad()->incarnation(), before);
    EXPECT_EQ(put(kOne, "key", text_bytes("value")), CacheStatus::kDone);
    EXPECT_EQ(get(kTwo, "key"), text_bytes("value"));
  }
}

TEST_F(Facts, T10_AnotherMachineUnderItsNameInheritsNothing) {
  begin();
  cluster().kill(kOne);
  cluster().run_for(5s);
  cluster().start_server(kOne, 2);
  cluster().run_for(5s);
  EXPECT_EQ(listed(0, kOne), ServerPhase::kAbsent) << "registered is generation 1";
  EXPECT_FALSE(cluster().server(kOne).triad()->hears_any(cluster().now()));
}

TEST_F(Facts, T10_DisabledItIsGoneFromTheListAndEnabledItIsBack) {
  begin();
  for (const bool restart : {false, true}) {
    cluster().tell(NodeId{1}, ChangeRoster{kOne, RosterState::kDisabled});
    cluster().run_for(70ms);
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      EXPECT_EQ(listed(slot, kOne), ServerPhase::kAbsent);
    }
    if (restart) {  // orders outlive members
      cluster().run_for(1s);
      cluster().kill(NodeId{0});
      cluster().start_member(0, true);
      cluster().run_for(2s);
      EXPECT_EQ(listed(0, kOne), ServerPhase::kAbsent);
      EXPECT_EQ(listed(0, kTwo), ServerPhase::kReady);
    }
    cluster().tell(NodeId{2}, ChangeRoster{kOne, RosterState::kEnabled});
    cluster().run_for(70ms);
    EXPECT_EQ(listed(0, kOne), ServerPhase::kReady);
  }
}

}  // namespace
}  // namespace copal
