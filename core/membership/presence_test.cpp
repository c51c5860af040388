#include "core/membership/presence.h"

#include <gtest/gtest.h>

namespace copal {
namespace {

constexpr NodeId kOne{10};
constexpr NodeId kTwo{11};
constexpr NodeId kBalancer{20};

class PresenceTest : public ::testing::Test {
 protected:
  /// A heartbeat of a server, if it is admitted. Returns whether that says something new.
  bool hear(NodeId node, const ServerHeartbeat& heartbeat) {
    if (!presence_.admits(node, heartbeat)) {
      return false;
    }
    detector_.add(node, now_);
    const auto heard = detector_.on_heartbeat(node, Incarnation{1}, {++beats_, 0}, now_);
    return presence_.on_heartbeat(node, heartbeat, heard, now_);
  }
  bool hear(NodeId node, ServerPhase phase = ServerPhase::kReady, std::uint64_t list_held = 0) {
    return hear(node, {.generation = 1, .phase = phase, .list_held = list_held});
  }
  void hear_balancer(std::uint64_t list_held = 0) {
    hear(kBalancer, {.generation = 1, .role = NodeRole::kBalancer, .list_held = list_held});
  }
  /// Who is pushed a list now.
  std::vector<NodeId> update() {
    Effects effects;
    now_ += 50ms;  // no update waits for the one before
    presence_.update(now_, ++clock_, effects);
    std::vector<NodeId> told;
    for (const Effect& effect : effects) {
      const auto& send = std::get<Send>(effect);
      last_ = std::get<ServerList>(send.message);
      told.push_back(send.to);
    }
    return told;
  }
  ServerPhase listed(std::size_t place) const { return presence_.list().at(place).phase; }
  void pass(Duration time) {
    now_ += time;
    detector_.on_step(now_);
  }

  TimePoint now_{100s};
  std::uint64_t clock_ = 1'000;
  std::uint64_t beats_ = 0;
  Roster roster_{{{.node = kTwo, .weight = {2}},
                  {.node = kOne},
                  {.node = kBalancer, .role = NodeRole::kBalancer}}};
  FailureDetector detector_{{}, Now{now_, {}}};
  Presence presence_{roster_, detector_, 0s};
  ServerList last_;
};

TEST_F(PresenceTest, OnlyRegisteredNodesAreHeardAndOnlyAsWhatTheyAreRegistered) {
  EXPECT_TRUE(presence_.admits(kOne, {.generation = 1}));
  EXPECT_FALSE(presence_.admits(NodeId{12}, {.generation = 1})) << "a stranger";
  EXPECT_FALSE(presence_.admits(kOne, {.generation = 2})) << "another machine";
  EXPECT_FALSE(presence_.admits(kOne, {.generation = 1, .role = NodeRole::kBalancer}));
}

TEST_F(PresenceTest, TheListNamesAllThatAreRegisteredInTheTriadsOrder) {
  hear(kOne);
  update();
  ASSERT_EQ(presence_.list().size(), 3U);
  EXPECT_EQ(presence_.list()[0].node, kTwo);
  EXPECT_EQ(presence_.list()[0].weight.value, 2);
  EXPECT_EQ(listed(0), ServerPhase::kAbsent);
  EXPECT_EQ(listed(1), ServerPhase::kReady);
}

TEST_F(PresenceTest, EveryChangeIsPushedToAllThatAreThere) {
  hear_balancer();
  EXPECT_EQ(update(), std::vector{kBalancer});
  const std::uint64_t first = presence_.number();
  EXPECT_TRUE(hear(kOne, ServerPhase::kStarting));
  EXPECT_EQ(update(), (std::vector{kOne, kBalancer}));
  EXPECT_GT(presence_.number(), first);
  EXPECT_TRUE(hear(kOne, ServerPhase::kReady));
  EXPECT_FALSE(hear(kOne, ServerPhase::kReady));
  EXPECT_EQ(update(), (std::vector{kOne, kBalancer}));
  EXPECT_EQ(last_.number, presence_.number());
  EXPECT_EQ(last_.servers, presence_.list());
}

TEST_F(PresenceTest, AServerIsToldOfTheBalancersAlone) {
  hear(kTwo);
  hear(kOne);
  hear_balancer(presence_.number());
  update();
  hear_balancer(presence_.number());  // it has it: what is pushed now goes to servers
  pass(500ms);
  EXPECT_EQ(update(), (std::vector{kOne, kTwo}));
  ASSERT_EQ(last_.servers.size(), 1U);
  EXPECT_EQ(last_.servers[0].node, kBalancer);
}

TEST_F(PresenceTest, WhatIsNotConfirmedIsPushedAgainAndWhatIsConfirmedIsNot) {
  hear(kOne);
  hear_balancer();
  update();
  EXPECT_TRUE(update().empty()) << "it is on its way";
  hear_balancer(presence_.number());
  pass(500ms);
  EXPECT_EQ(update(), std::vector{kOne});
  hear(kOne, ServerPhase::kReady, presence_.number());
  pass(500ms);
  EXPECT_TRUE(update().empty());
}

TEST_F(PresenceTest, SilenceAndAGoodbyeMakeAServerAbsent) {
  hear(kOne);
  hear(kTwo);
  update();
  pass(2s);
  hear(kTwo);
  pass(1s);
  update();
  EXPECT_EQ(listed(1), ServerPhase::kAbsent);
  EXPECT_EQ(listed(0), ServerPhase::kReady);
  EXPECT_EQ(presence_.alive(now_), std::vector{kTwo});
  hear_balancer();
  presence_.on_leave(kTwo);
  update();
  EXPECT_EQ(listed(0), ServerPhase::kAbsent);
  EXPECT_EQ(presence_.alive(now_), std::vector{kBalancer});
}

TEST_F(PresenceTest, WhoSleepsIsSilentAndStaysListed) {
  hear(kOne, ServerPhase::kSleeping);
  pass(1min);
  hear_balancer();
  update();
  EXPECT_EQ(listed(1), ServerPhase::kSleeping);
  roster_.take({kOne, RosterState::kDisabled, {1, 0, {}}});
  update();
  EXPECT_EQ(listed(1), ServerPhase::kAbsent);
}

TEST_F(PresenceTest, WhoSleptWhenTheMemberWasLastThereIsListedAndWokenAllTheSame) {
  presence_.remember_sleeping(kOne);
  presence_.remember_sleeping(NodeId{12});  // registered no more
  EXPECT_EQ(presence_.sleeping(), std::vector{kOne});
  hear_balancer();
  update();
  EXPECT_EQ(listed(1), ServerPhase::kSleeping);
  pass(3600s);
  hear_balancer();
  update();
  EXPECT_EQ(listed(1), ServerPhase::kSleeping) << "it is silent as long as nobody wakes it";
  hear(kOne, ServerPhase::kReady);
  update();
  EXPECT_EQ(listed(1), ServerPhase::kReady);
  EXPECT_FALSE(presence_.sleeps(kOne));
}

TEST_F(PresenceTest, OrdersOfOperatorsStandAboveWhatAServerSays) {
  hear(kOne);
  roster_.take({kOne, RosterState::kDraining, {1, 0, {}}});
  update();
  EXPECT_EQ(listed(1), ServerPhase::kDraining);
  roster_.take({kOne, RosterState::kDisabled, {2, 0, {}}});
  update();
  EXPECT_EQ(listed(1), ServerPhase::kAbsent);
  roster_.take({kOne, RosterState::kEnabled, {3, 0, {}}});
  update();
  EXPECT_EQ(listed(1), ServerPhase::kReady);
}

TEST_F(PresenceTest, NumbersGrowWithTheHybridClockSoThatARestartIsNoStepBack) {
  clock_ = 5'000'000;
  hear(kOne);
  update();
  const std::uint64_t before = presence_.number();
  EXPECT_GT(before, 5'000'000U);
  clock_ = 10;  // never, but numbers must not go back
  hear(kOne, ServerPhase::kDraining);
  update();
  EXPECT_EQ(presence_.number(), before + 1);
}

TEST(Presence, ALongListComesInParts) {
  std::vector<Registered> many;
  for (std::uint32_t i = 0; i < 5'000; ++i) {
    many.push_back({.node = NodeId{100 + i}});
  }
  many[0].role = NodeRole::kBalancer;
  const Roster roster(many);
  const TimePoint now{100s};
  FailureDetector detector({}, Now{now, {}});
  Presence presence(roster, detector, 0s);
  detector.add(NodeId{100}, now);
  const auto heard = detector.on_heartbeat(NodeId{100}, Incarnation{1}, {1, 0}, now);
  presence.on_heartbeat(NodeId{100}, {.generation = 1, .role = NodeRole::kBalancer}, heard, now);
  Effects effects;
  presence.update(now, 1, effects);
  ASSERT_EQ(effects.size(), 3U);
  std::vector<ListedServer> whole;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& part = std::get<ServerList>(std::get<Send>(effects[i]).message);
    EXPECT_EQ(part.part, i);
    EXPECT_EQ(part.parts, 3U);
    whole.insert(whole.end(), part.servers.begin(), part.servers.end());
  }
  EXPECT_EQ(whole, presence.list());
}

// ---- who has not heard anybody for long

/// Waits for a second for those that are there.
class UnsurePresenceTest : public PresenceTest {
 protected:
  UnsurePresenceTest() { std::construct_at(&presence_, roster_, detector_, 1s); }
};

TEST_F(UnsurePresenceTest, AMemberThatHasJustStartedSaysNothingOfWhomItHasNotHeard) {
  EXPECT_TRUE(update().empty());
  EXPECT_EQ(presence_.next_deadline(), kNever) << "nobody is there to be told";
  hear_balancer();
  const TimePoint sure = now_ + 1s;
  EXPECT_TRUE(update().empty());
  EXPECT_EQ(presence_.next_deadline(), sure);
  hear(kOne);
  EXPECT_TRUE(update().empty()) << "the other server may be there as well";
  EXPECT_EQ(presence_.next_deadline(), sure) << "it would have been heard by then";
  EXPECT_EQ(presence_.number(), 0U);
  hear(kTwo);
  EXPECT_EQ(update(), (std::vector{kOne, kTwo, kBalancer})) << "all are heard: no need to wait";
  EXPECT_EQ(presence_.next_deadline(), kNever);
}

TEST_F(UnsurePresenceTest, WhoIsNotHeardInTimeIsAbsent) {
  hear_balancer();
  update();
  pass(presence_.next_deadline() - now_);
  hear(kOne);
  EXPECT_EQ(update(), (std::vector{kOne, kBalancer}));
  EXPECT_EQ(listed(0), ServerPhase::kAbsent);
  EXPECT_EQ(listed(1), ServerPhase::kReady);
}

TEST_F(UnsurePresenceTest, WhoIsDisabledIsNotWaitedFor) {
  roster_.take({kTwo, RosterState::kDisabled, {1, 0, {}}});
  hear_balancer();
  hear(kOne);
  EXPECT_EQ(update(), (std::vector{kOne, kBalancer}));
}

TEST_F(UnsurePresenceTest, WhoHasHeardOneForLongMissesTheOthersWithTheDetector) {
  hear_balancer();
  hear(kOne);
  hear(kTwo);
  update();
  for (int i = 0; i < 7; ++i) {
    pass(500ms);
    hear_balancer();
    hear(kTwo);
  }
  update();
  EXPECT_EQ(listed(1), ServerPhase::kAbsent);
}

TEST_F(UnsurePresenceTest, AfterAFreezeOrWhenCutOffTheListStaysUntilTheServersAreHeardAnew) {
  hear_balancer();
  hear(kOne, ServerPhase::kSleeping);
  hear(kTwo);
  update();
  const std::uint64_t before = presence_.number();
  for (const bool is_frozen : {true, false}) {
    for (int i = 0; i < 10; ++i) {
      now_ += is_frozen ? 10s : 1s;
      detector_.on_step(now_);
    }
    EXPECT_TRUE(update().empty());
    hear_balancer(before);
    EXPECT_TRUE(update().empty());
    EXPECT_EQ(listed(1), ServerPhase::kSleeping);
    EXPECT_EQ(listed(0), ServerPhase::kReady);
    hear(kTwo);
    update();
    EXPECT_EQ(presence_.number(), before) << "nothing has changed; who sleeps is silent";
    EXPECT_EQ(presence_.next_deadline(), kNever);
  }
}

TEST_F(PresenceTest, NewsThatComeTogetherArePushedTogether) {
  hear_balancer();
  update();
  Effects effects;
  hear(kOne);
  presence_.update(now_, ++clock_, effects);
  EXPECT_TRUE(effects.empty()) << "the last list has just left";
  EXPECT_EQ(presence_.next_deadline(), now_ + 50ms);
  EXPECT_EQ(update(), (std::vector{kOne, kBalancer}));
  EXPECT_EQ(presence_.next_deadline(), kNever);
}

}  // namespace
}  // namespace copal
