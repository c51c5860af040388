// The T rows about peers that freeze, return or are slow, about clocks, sizes and stale reads; see
// facts_test.cpp for the others.

#include <gtest/gtest.h>

#include "core/testing/cluster_test.h"

namespace copal {
namespace {

using Facts = ClusterTest;

// ---- T11: frozen, not dead

TEST_F(Facts, T11_AFrozenMemberIsReplacedAndAnswersNothingOldWhenItGoesOn) {
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  ASSERT_EQ(put(kOne, key, text_bytes("old")), CacheStatus::kDone);
  cluster().run_for(1s);
  cluster().freeze(NodeId{0});
  const TimePoint before = cluster().now();
  ASSERT_EQ(put(kOne, key, text_bytes("new")), CacheStatus::kDone);
  EXPECT_LE(cluster().now() - before, 5s) << "T_dead, a heartbeat, and the server's next attempt";
  EXPECT_EQ(get(kTwo, key), text_bytes("new"));
  cluster().run_for(10s);
  cluster().thaw(NodeId{0});
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(get(kTwo, key), text_bytes("new")) << "after it went on, read " << i;
    cluster().run_for(20ms);
  }
  ASSERT_TRUE(settles());
  EXPECT_EQ(cluster().owner_of(kPlain, key), 0U) << "and is the owner again";
}

TEST_F(Facts, T11_WhatAFrozenMemberHadReceivedIsNotDoneUnderItsOldTerm) {
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  ASSERT_EQ(put(kOne, key, text_bytes("old")), CacheStatus::kDone);
  cluster().run_for(1s);
  cluster().freeze(NodeId{0});
  // On its machine while it is frozen; the server asks another one in the meantime.
  const CallId call = cluster().begin_put(kOne, kPlain, key, text_bytes("first"));
  ASSERT_TRUE(cluster().run_until([&] { return cluster().answer(call) != nullptr; }));
  ASSERT_EQ(put(kTwo, key, text_bytes("second")), CacheStatus::kDone);
  cluster().thaw(NodeId{0});
  ASSERT_TRUE(settles());
  EXPECT_EQ(get(kOne, key), text_bytes("second"));
}

TEST_F(Facts, T11_ABlackHoleIsAsGoodAsAFreeze) {
  begin();
  const std::string key = cluster().key_owned_by(1, kPlain);
  cluster().cut_off(NodeId{1});
  const TimePoint before = cluster().now();
  ASSERT_EQ(put(kOne, key, text_bytes("value")), CacheStatus::kDone);
  EXPECT_LE(cluster().now() - before, 5s);
  cluster().run_for(20s);
  cluster().heal();
  ASSERT_TRUE(settles());
  EXPECT_EQ(acting(key), 1);
  EXPECT_EQ(get(kTwo, key), text_bytes("value"));
}

TEST_F(Facts, T11_AMemberThatHearsAndIsNotHeardIsReplaced) {
  begin();
  const std::string key = cluster().key_owned_by(2, kPlain);
  for (const NodeId other : {NodeId{0}, NodeId{1}, kOne, kTwo}) {
    cluster().cut(NodeId{2}, other);
  }
  const TimePoint before = cluster().now();
  ASSERT_EQ(put(kOne, key, text_bytes("value")), CacheStatus::kDone);
  EXPECT_LE(cluster().now() - before, 5s);
  cluster().run_for(10s);
  EXPECT_EQ(acting(key), 1) << "it hears that it was replaced";
  cluster().heal();
  ASSERT_TRUE(settles());
  EXPECT_EQ(get(kTwo, key), text_bytes("value"));
}

// While this lasts its keys can't be changed: it is heard, so it is not given up (R1: slow never
// loses ownership), and what it is asked does not reach it.
TEST_F(Facts, T11_AMemberThatIsHeardAndHearsNothingLosesNothingAndServesAgain) {
  begin();
  const std::string key = cluster().key_owned_by(2, kPlain);
  ASSERT_EQ(put(kOne, key, text_bytes("value")), CacheStatus::kDone);
  cluster().run_for(1s);
  for (const NodeId other : {NodeId{0}, NodeId{1}, kOne, kTwo}) {
    cluster().cut(other, NodeId{2});
  }
  cluster().run_for(10s);
  EXPECT_EQ(acting(key), 1);
  cluster().heal();
  ASSERT_TRUE(settles());
  EXPECT_EQ(acting(key), 1);
  EXPECT_EQ(get(kTwo, key), text_bytes("value"));
  EXPECT_EQ(put(kOne, key, text_bytes("newer")), CacheStatus::kDone);
}

// ---- T12: recovery is noticed

TEST_F(Facts, T12_ARestartedMemberActsAgainWithinSeconds) {
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  put(kOne, key, text_bytes("value"));
  cluster().kill(NodeId{0});
  cluster().run_for(20s);
  cluster().start_member(0);
  // Nobody has to be given up, only compared: less than the bound that ActingOwner states.
  EXPECT_TRUE(cluster().run_until(
      [&] {
        return cluster().member(0).is_running() && acting(key) == 1 &&
               cluster().owner_of(kPlain, key) == 0;
      },
      4s));
  EXPECT_EQ(get(kTwo, key), text_bytes("value"));
}

TEST_F(Facts, T12_AServerIsUsedAgainWithinAHeartbeatOfItsStart) {
  begin_with_balancer();
  cluster().kill(kOne);
  cluster().run_for(10s);
  cluster().start_server(kOne);
  EXPECT_TRUE(cluster().run_until(
      [&] { return cluster().balancer(kBalancer).listed(0) == ServerPhase::kReady; }, 300ms));
}

// ---- T13: balancers learn who is there

TEST_F(Facts, T13_ABalancerLearnsOfServersFromTheTriadAloneWithinBounds) {
  begin_with_balancer();  // which knows the members' addresses and nothing else
  const auto phase = [&](std::size_t index) {
    const Balancer& balancer = cluster().balancer(kBalancer);
    return index < balancer.servers().size() ? balancer.listed(index) : ServerPhase::kAbsent;
  };
  ASSERT_EQ(cluster().balancer(kBalancer).servers().size(), 2U);
  EXPECT_EQ(cluster().balancer(kBalancer).servers()[0].node, kOne) << "in the triad's order";

  cluster().kill(kOne);  // without a word
  const TimePoint killed = cluster().now();
  EXPECT_TRUE(cluster().run_until([&] { return phase(0) == ServerPhase::kAbsent; }, 4s));
  EXPECT_GE(cluster().now() - killed, 2'750ms) << "T_dead, not a broken connection alone";

  cluster().start_server(kOne);
  EXPECT_TRUE(cluster().run_until([&] { return phase(0) == ServerPhase::kReady; }, 300ms));
  cluster().tell(kOne, StopOrder{});
  EXPECT_TRUE(cluster().run_until([&] { return phase(0) == ServerPhase::kAbsent; }, 70ms))
      << "it says goodbye";
  EXPECT_TRUE(cluster().stopped(kOne));
}

TEST_F(Facts, T13_WithAMemberDownOrAllOfThemABalancerKeepsItsList) {
  begin_with_balancer();
  cluster().kill(NodeId{0});
  cluster().kill(kTwo);
  EXPECT_TRUE(cluster().run_until(
      [&] { return cluster().balancer(kBalancer).listed(1) == ServerPhase::kAbsent; }, 4s));
  EXPECT_EQ(cluster().balancer(kBalancer).listed(0), ServerPhase::kReady);
  cluster().kill(NodeId{1});
  cluster().kill(NodeId{2});
  cluster().run_for(60s);
  EXPECT_EQ(cluster().balancer(kBalancer).listed(0), ServerPhase::kReady) << "its last list";
}

TEST_F(Facts, T13_AMemberThatHasHeardNobodyYetTakesNobodyOffTheList) {
  begin_with_balancer();
  cluster().kill(NodeId{1});
  cluster().kill(NodeId{2});
  cluster().run_for(5s);
  const auto somebody_is_missing = [&] {
    const Balancer& balancer = cluster().balancer(kBalancer);
    return balancer.listed(0) != ServerPhase::kReady || balancer.listed(1) != ServerPhase::kReady;
  };
  ASSERT_FALSE(somebody_is_missing());

  cluster().kill(NodeId{0});
  cluster().run_for(5s);
  cluster().start_member(0);
  EXPECT_FALSE(cluster().run_until(somebody_is_missing, 3s)) << "it has just begun";

  cluster().freeze(NodeId{0});
  cluster().loses = [](const FakeCluster::Sent& sent) {
    return sent.to == NodeId{0} && sent.from != kBalancer;  // whoever is first is a matter of luck
  };
  cluster().run_for(10s);
  cluster().loses = nullptr;
  cluster().thaw(NodeId{0});
  EXPECT_FALSE(cluster().run_until(somebody_is_missing, 3s)) << "it was frozen";
  EXPECT_TRUE(cluster().member(0).presence().number() > 0);
}

// ---- T14: slow peers and full queues

TEST_F(Facts, T14_AMemberWhoseQueueOverflowsIsBehindAndStopsNobody) {
  make();
  cluster().member_config.replication = {.log_max = 50, .window_max = 16};
  begin();
  cluster().loses = [](const FakeCluster::Sent& sent) {
    return sent.to == NodeId{2} && std::holds_alternative<Replicate>(sent.message);
  };
  for (int i = 0; i < 200; ++i) {
    const TimePoint before = cluster().now();
    ASSERT_EQ(put(kOne, "key " + std::to_string(i), text_bytes("value"), kSafe),
              CacheStatus::kDone);
    EXPECT_LE(cluster().now() - before, 6 * FakeCluster::kLatency) << "one copy is enough";
  }
  cluster().run_for(1s);
  EXPECT_GT(cluster().member(0).times_behind() + cluster().member(1).times_behind(), 0U);
  cluster().loses = nullptr;
  ASSERT_TRUE(settles());
  cluster().run_for(2s);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    EXPECT_EQ(cluster().member(slot).replica().live_count(), 200U);
    EXPECT_FALSE(cluster().stopped(NodeId{slot}));
  }
}

TEST_F(Facts, T14_SmallChangesDoNotWaitForALargeValueUnderWay) {
  begin();
  cluster().loses = [](const FakeCluster::Sent& sent) {
    return value_of(sent.message).size_bytes() > 100'000;  // it takes for ever
  };
  const CallId large = cluster().begin_put(kOne, kPlain, "large", numbered_bytes(1, 20'000'000));
  for (int i = 0; i < 50; ++i) {
    const TimePoint before = cluster().now();
    ASSERT_EQ(put(kOne, "small " + std::to_string(i), text_bytes("v")), CacheStatus::kDone);
    EXPECT_EQ(cluster().now() - before, 2 * FakeCluster::kLatency);
  }
  EXPECT_EQ(cluster().answer(large), nullptr);
  cluster().loses = nullptr;
  ASSERT_TRUE(cluster().run_until([&] { return cluster().answer(large) != nullptr; }, 9s));
  EXPECT_EQ(cluster().answer(large)->status, CacheStatus::kDone);
}

TEST_F(Facts, T14_AHundredMegabytesDelayNeitherHeartbeatsNorSmallChanges) {
  begin();
  cluster().bandwidth_bytes_per_s = 10'000'000;  // ten seconds for it, thrice what kills a member
  Change change;
  const Blob large = numbered_bytes(1, 100'000'000);
  change.value = name_value(large.bytes());
  const CallId put_large = cluster().begin_change(kOne, kPlain, "large", change, large, 60s);
  for (int i = 0; i < 40; ++i) {
    const TimePoint before = cluster().now();
    ASSERT_EQ(put(kOne, "small " + std::to_string(i), text_bytes("v"), kSafe), CacheStatus::kDone);
    EXPECT_LE(cluster().now() - before, 6 * FakeCluster::kLatency);
    cluster().run_for(250ms);
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      ASSERT_TRUE(cluster().server(kOne).triad()->is_heard(Slot{static_cast<std::uint8_t>(slot)},
                                                           cluster().now()));
      ASSERT_EQ(listed(slot, kOne), ServerPhase::kReady);
    }
  }
  ASSERT_TRUE(cluster().run_until([&] { return cluster().answer(put_large) != nullptr; }, 50s));
  EXPECT_EQ(cluster().answer(put_large)->status, CacheStatus::kDone);
  ASSERT_TRUE(settles()) << "two more members have it";
  EXPECT_EQ(acting("large"), 1) << "and nobody took over";
}

TEST_F(Facts, T14_ReconnectionsWithoutEndCostNoChange) {
  begin();
  for (int i = 0; i < 100; ++i) {
    const CallId call = cluster().begin_put(kOne, kSafe, "key " + std::to_string(i % 10),
                                            numbered_bytes(static_cast<std::uint32_t>(i), 300));
    cluster().run_for(1ms * (i % 4));
    for (const auto& [one, other] : {std::pair{0U, 1U}, {1U, 2U}, {0U, 2U}}) {
      cluster().break_link(NodeId{one}, NodeId{other});
    }
    cluster().break_link(kOne, NodeId{static_cast<std::uint32_t>(i % 3)});
    ASSERT_TRUE(cluster().run_until([&] { return cluster().answer(call) != nullptr; }));
    ASSERT_EQ(cluster().answer(call)->status, CacheStatus::kDone) << i;
  }
  ASSERT_TRUE(settles());
}

// ---- T28: clocks

TEST_F(Facts, T28_TenMinutesOfSkewEitherWayChangeNoTimeoutAndNoOrder) {
  for (const Duration skew : {Duration{10min}, Duration{-10min}}) {
    cluster_.reset();
    plain_.expire_timeout = 60s;
    make();
    cluster().set_wall_offset(NodeId{1}, skew);
    cluster().set_wall_offset(kTwo, -skew);
    begin();
    Version newest = kNoVersion;
    const std::string key = cluster().key_owned_by(1, kPlain);  // its owner is off
    for (int i = 0; i < 6; ++i) {
      const AnswerCall done = cluster().put(i % 2 == 0 ? kOne : kTwo, kPlain, key,
                                            text_bytes("value " + std::to_string(i)));
      ASSERT_EQ(done.status, CacheStatus::kDone);
      EXPECT_GT(done.version, newest) << "whoever writes";
      newest = done.version;
      cluster().run_for(100ms);
      if (i == 2) {  // its successor, whose clock is right, goes on above it
        cluster().kill(NodeId{1});
        cluster().run_for(5s);
      }
    }
    EXPECT_EQ(get(kOne, key), text_bytes("value 5"));
    cluster().run_for(58s);
    EXPECT_EQ(get(kTwo, key), text_bytes("value 5")) << "not a second earlier";
    cluster().run_for(2s);
    EXPECT_EQ(get(kTwo, key), std::nullopt) << "nor later";
  }
}

TEST_F(Facts, T28_AStepOfTheWallClockChangesNothing) {
  plain_.expire_timeout = 60s;
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  const AnswerCall before = cluster().put(kOne, kPlain, key, text_bytes("value"));
  for (const Duration step : {Duration{10min}, Duration{-20min}}) {
    for (const NodeId node : {NodeId{0}, NodeId{2}, kTwo}) {
      cluster().set_wall_offset(node, step);
    }
    cluster().run_for(25s);
    EXPECT_EQ(get(kTwo, key), text_bytes("value"));
  }
  const AnswerCall after = cluster().put(kTwo, kPlain, key, text_bytes("newer"));
  EXPECT_GT(after.version, before.version);
  const std::uint64_t passed = after.version.counter - before.version.counter;
  EXPECT_LT(passed, 51'000'000'000U) << "nor does the hybrid clock follow it";
}

TEST_F(Facts, T28_AClockThatWentBackWhileAMemberWasDownMakesNothingYounger) {
  plain_.expire_timeout = 60s;
  begin();
  const std::string key = cluster().key_owned_by(0, kPlain);
  put(kOne, key, text_bytes("value"));
  cluster().run_for(40s);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    cluster().kill(NodeId{slot});
    cluster().set_wall_offset(NodeId{slot}, -10min);
  }
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    cluster().start_member(slot);
  }
  ASSERT_TRUE(settles());
  const AnswerCall newer = cluster().put(kOne, kPlain, "newer", text_bytes("value"));
  EXPECT_GE(newer.version.counter, cluster().entry(0, kPlain, key)->mnode().version.counter);
  cluster().run_for(62s);
  EXPECT_EQ(get(kTwo, key), std::nullopt) << "it is 60 s old by any count";
}

// ---- T29: sizes

TEST_F(Facts, T29_ValuesOfEverySizeAcrossTheBordersComeBackWhole) {
  begin();
  std::uint32_t number = 0;
  for (const std::size_t size_bytes :
       {0UL, 1UL, 31UL, 32UL, 33UL, 255UL, 4'095UL, 4'096UL, 4'097UL, 65'535UL, 65'536UL, 65'537UL,
        1'000'000UL, 4'194'303UL, 4'194'304UL, 4'194'305UL, 9'000'000UL}) {
    const Blob value = numbered_bytes(++number, size_bytes);
    const std::string key = "key " + std::to_string(size_bytes);
    ASSERT_EQ(put(kOne, key, value), CacheStatus::kDone) << size_bytes;
    const std::optional<Blob> read = get(kTwo, key);
    ASSERT_TRUE(read.has_value()) << size_bytes;
    EXPECT_EQ(*read, value) << size_bytes;
  }
  cluster().run_for(5s);
  EXPECT_TRUE(cluster().members_agree());
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    EXPECT_EQ(cluster().store(slot).count(Family::kValues), 13U) << "those above 32 bytes";
  }
}

TEST_F(Facts, T29_AValueAboveTheLimitIsRefusedAndSaidToBe) {
  plain_.value_size_max_bytes = 5'000;
  begin();
  EXPECT_EQ(put(kOne, "key", numbered_bytes(1, 5'000)), CacheStatus::kDone);
  EXPECT_EQ(put(kOne, "key", numbered_bytes(1, 5'001)), CacheStatus::kValueTooLarge);
  EXPECT_EQ(get(kTwo, "key"), numbered_bytes(1, 5'000));
  EXPECT_EQ(cluster()
                .change(kOne, kPlain, "key", {.action = Action::kAppend}, numbered_bytes(2, 100))
                .status,
            CacheStatus::kValueTooLarge)
      << "appending is no way around it";
}

// ---- T31: what may be read without asking

TEST_F(Facts, T31_AStrictReadIsReallyReadEachTime) {
  begin();
  put(kOne, "key", text_bytes("value 0"), kStrictRead);
  for (int i = 1; i < 20; ++i) {
    const Blob value = text_bytes("value " + std::to_string(i));
    ASSERT_EQ(put(kOne, "key", value, kStrictRead), CacheStatus::kDone);
    EXPECT_EQ(get(kTwo, "key", kStrictRead), value);
  }
  cluster().forget_sent();
  get(kTwo, "key", kStrictRead);
  get(kTwo, "key", kStrictRead);
  EXPECT_EQ(cluster().sent_of<CacheGet>().size(), 2U);
}

TEST_F(Facts, T31_ARememberedMissEndsWithAPut) {
  begin();
  ASSERT_EQ(get(kOne, "key"), std::nullopt);
  ASSERT_EQ(get(kTwo, "key"), std::nullopt);
  cluster().forget_sent();
  ASSERT_EQ(get(kTwo, "key"), std::nullopt);
  EXPECT_TRUE(cluster().sent_of<CacheGet>().empty()) << "a miss is kept like any copy";
  ASSERT_EQ(put(kOne, "key", text_bytes("value")), CacheStatus::kDone);
  EXPECT_EQ(get(kOne, "key"), text_bytes("value")) << "here at once";
  cluster().run_for(plain_.local_read_timeout);
  EXPECT_EQ(get(kTwo, "key"), text_bytes("value")) << "elsewhere after the local-read timeout";
  ASSERT_EQ(cluster().remove(kTwo, kPlain, "key").status, CacheStatus::kDone);
  EXPECT_EQ(get(kTwo, "key"), std::nullopt);
  ASSERT_EQ(put(kTwo, "key", text_bytes("again")), CacheStatus::kDone);
  EXPECT_EQ(get(kTwo, "key"), text_bytes("again"));
}

TEST_F(Facts, T31_AMissOfAStrictReadIsNotRemembered) {
  begin();
  ASSERT_EQ(get(kTwo, "key", kStrictRead), std::nullopt);
  ASSERT_EQ(put(kOne, "key", text_bytes("value"), kStrictRead), CacheStatus::kDone);
  EXPECT_EQ(get(kTwo, "key", kStrictRead), text_bytes("value"));
}

}  // namespace
}  // namespace copal
