#include "core/node/balancer.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "core/balance/policy.h"
#include "core/base/prng.h"
#include "core/membership/roster.h"
#include "core/testing/triad_voice.h"

namespace copal {
namespace {

static_assert(Roster::kRegisteredMax > balance::kServersMax,
              "a cluster of as many servers as a balancer takes has room for balancers, too");

Now at(Duration time) {
  return {TimePoint{time}, {}};
}

struct BalancerTest : ::testing::Test {
  BalancerConfig config;
  std::vector<ListedServer> list;
  std::uint64_t list_number = 0;
  Prng random{1, "balancer test"};
  std::unique_ptr<Balancer> balancer;
  Effects effects;
  std::uint64_t next_client = 1;

  BalancerTest() {
    for (std::uint32_t i = 0; i < 3; ++i) {
      list.push_back({.node = NodeId{i}, .phase = ServerPhase::kReady});
    }
    config.triad.members[0] = kVoice;
    config.request_timeout = 10s;
    config.attempts_max = 3;
  }
  void start() {
    balancer = std::make_unique<Balancer>(config, random);
    say(0s);
  }
  void say(Duration now) {
    for (const Input& input : say_list(++list_number, list)) {
      step(input, now);
    }
  }
  void step(const Input& input, Duration now) {
    effects.clear();
    balancer->step(input, at(now), effects);
    balancer->check_invariants();
  }
  void ask(Duration now, NodeId stuck_to = kNoNode, bool repeatable = true) {
    step(ClientRequest{.client = ClientId{next_client++},
                       .session = SessionId{5},
                       .routing_key = 5,
                       .stuck_to = stuck_to,
                       .tag = 1,
                       .repeatable = repeatable},
         now);
  }
  void report(std::uint32_t server, ServerPhase phase, Duration now) {
    step(MessageReceived{NodeId{server}, LoadReport{Incarnation{1}, phase, {}}}, now);
  }
  void reply(const Send& send, AnswerStatus status, Duration now) {
    step(MessageReceived{send.to, Answer{std::get<Request>(send.message).id, status, {}, 0}}, now);
  }
  std::vector<Send> requests() const {
    std::vector<Send> found;
    for (const Effect& effect : effects) {
      if (const auto* send = std::get_if<Send>(&effect)) {
        if (std::holds_alternative<Request>(send->message)) {
          found.push_back(*send);
        }
      }
    }
    return found;
  }
  std::vector<AnswerClient> answers() const {
    std::vector<AnswerClient> found;
    for (const Effect& effect : effects) {
      if (const auto* answer = std::get_if<AnswerClient>(&effect)) {
        found.push_back(*answer);
      }
    }
    return found;
  }
};

TEST_F(BalancerTest, PassesRequestAndAnswerOn) {
  start();
  ask(0s);
  ASSERT_EQ(requests().size(), 1u);
  const Send sent = requests()[0];
  EXPECT_EQ(std::get<Request>(sent.message).time_left, 10s);
  reply(sent, AnswerStatus::kDone, 1s);
  ASSERT_EQ(answers().size(), 1u);
  EXPECT_EQ(answers()[0].client, ClientId{1});
  EXPECT_EQ(answers()[0].status, ClientStatus::kDone);
  EXPECT_EQ(answers()[0].server, sent.to);
}

TEST_F(BalancerTest, AnAnswerFromAnotherServerIsNotBelieved) {
  start();
  ask(0s);
  Send sent = requests()[0];
  sent.to = NodeId{(sent.to.value + 1) % 3};
  reply(sent, AnswerStatus::kDone, 1s);
  EXPECT_TRUE(answers().empty());
  EXPECT_EQ(balancer->pending_count(), 1u);
}

TEST_F(BalancerTest, ASessionStaysWhereItIs) {
  start();
  for (int i = 0; i < 10; ++i) {
    ask(0s, NodeId{2});
    EXPECT_EQ(requests()[0].to, NodeId{2});
  }
}

TEST_F(BalancerTest, AFullServersSessionsMoveOnUnderGreenButNotWhileItDrains) {
  config.policy.algorithm = balance::Algorithm::kGreen;
  config.policy.fill_max = 2;
  start();
  std::vector<std::uint32_t> homes;
  for (int i = 0; i < 3; ++i) {
    ask(0s, NodeId{1});
    homes.push_back(requests()[0].to.value);
  }
  EXPECT_EQ(homes, (std::vector<std::uint32_t>{1, 1, 0}));
  EXPECT_EQ(balancer->counts().sessions_moved, 1u);
  report(1, ServerPhase::kDraining, 0s);
  ask(0s, NodeId{1});
  EXPECT_EQ(requests()[0].to, NodeId{1});
}

TEST_F(BalancerTest, WithoutStickinessASessionGoesRound) {
  config.sticky = false;
  start();
  std::map<std::uint32_t, int> seen;
  for (int i = 0; i < 9; ++i) {
    ask(0s, NodeId{2});
    ++seen[requests()[0].to.value];
  }
  EXPECT_EQ(seen, (std::map<std::uint32_t, int>{{0, 3}, {1, 3}, {2, 3}}));
}

TEST_F(BalancerTest, ADrainingServerKeepsItsSessionsAndGetsNoNewOnes) {
  start();
  report(2, ServerPhase::kDraining, 0s);
  ask(0s, NodeId{2});
  EXPECT_EQ(requests()[0].to, NodeId{2});
  for (int i = 0; i < 10; ++i) {
    ask(0s);
    EXPECT_NE(requests()[0].to, NodeId{2});
  }
}

TEST_F(BalancerTest, ABrokenConnectionMovesWhatMayBeRepeated) {
  start();
  ask(0s, NodeId{1}, true);
  ask(0s, NodeId{1}, false);
  step(LinkDown{NodeId{1}}, 1s);
  ASSERT_EQ(requests().size(), 1u);
  EXPECT_NE(requests()[0].to, NodeId{1});
  ASSERT_EQ(answers().size(), 1u);
  EXPECT_EQ(answers()[0].client, ClientId{2});
  EXPECT_EQ(answers()[0].status, ClientStatus::kLost);
  EXPECT_EQ(balancer->counts().retries, 1u);
  EXPECT_EQ(balancer->health(1), balance::HealthState::kFailed);
}

TEST_F(BalancerTest, BusyGoesElsewhereAlsoWhatMayNotBeRepeated) {
  start();
  ask(0s, NodeId{1}, false);
  reply(requests()[0], AnswerStatus::kBusy, 1s);
  ASSERT_EQ(requests().size(), 1u) << "it was not begun, so it is safe";
  EXPECT_NE(requests()[0].to, NodeId{1});
}

TEST_F(BalancerTest, NeverTheSameServerTwiceAndThenTheClientIsTold) {
  start();
  ask(0s);
  std::vector<std::uint32_t> tried;
  while (!requests().empty()) {
    tried.push_back(requests()[0].to.value);
    reply(requests()[0], AnswerStatus::kBusy, 1s);
  }
  std::sort(tried.begin(), tried.end());
  EXPECT_EQ(tried, (std::vector<std::uint32_t>{0, 1, 2}));
  ASSERT_EQ(answers().size(), 1u);
  EXPECT_EQ(answers()[0].status, ClientStatus::kRejected);
  EXPECT_EQ(answers()[0].attempts, 3u);
}

TEST_F(BalancerTest, TheRetryBudgetBoundsRetries) {
  config.retry_budget_per_s = 0;
  config.retry_budget_ratio = 0.125;
  start();
  for (int i = 0; i < 100; ++i) {
    ask(0s);
    const Send first = requests()[0];
    reply(first, AnswerStatus::kBusy, 0s);
    if (!requests().empty()) {
      reply(requests()[0], AnswerStatus::kDone, 0s);
    }
    for (std::uint32_t s = 0; s < 3; ++s) {
      report(s, ServerPhase::kReady, 0s);
    }
  }
  EXPECT_EQ(balancer->counts().retries, 12u);
}

TEST_F(BalancerTest, GivesUpAtTheDeadlineAndTellsTheServer) {
  start();
  ask(0s);
  const Send sent = requests()[0];
  EXPECT_LE(balancer->next_deadline(), TimePoint{10s});
  step(Wake{}, 10s);
  ASSERT_EQ(answers().size(), 1u);
  EXPECT_EQ(answers()[0].status, ClientStatus::kTimedOut);
  const auto* cancel = std::get_if<Send>(&effects[0]);
  ASSERT_NE(cancel, nullptr);
  EXPECT_EQ(std::get<Cancel>(cancel->message).id, std::get<Request>(sent.message).id);
  reply(sent, AnswerStatus::kDone, 11s);
  EXPECT_TRUE(answers().empty()) << "too late";
}

TEST_F(BalancerTest, AsksAFailedServerRatherThanNone) {
  start();
  for (std::uint32_t i = 0; i < 3; ++i) {
    step(LinkDown{NodeId{i}}, 0s);
  }
  ask(0s);
  EXPECT_EQ(requests().size(), 1u);
}

TEST_F(BalancerTest, RejectsWhenThereIsNoOne) {
  list.resize(1);
  list[0].phase = ServerPhase::kStarting;
  start();
  ask(0s);
  ASSERT_EQ(answers().size(), 1u);
  EXPECT_EQ(answers()[0].status, ClientStatus::kRejected);
  EXPECT_EQ(answers()[0].attempts, 0u);
}

TEST_F(BalancerTest, CallsASleepingServerOnceWhenTheOthersFillUp) {
  config.policy.algorithm = balance::Algorithm::kGreen;
  config.policy.fill_max = 4;
  list[1].phase = ServerPhase::kSleeping;
  list[2].phase = ServerPhase::kSleeping;
  start();
  std::vector<std::pair<int, std::uint32_t>> calls;
  for (int i = 1; i <= 5; ++i) {
    ask(0s);
    for (const Effect& effect : effects) {
      if (const auto* on = std::get_if<PowerOn>(&effect)) {
        calls.emplace_back(i, on->server.value);
      }
    }
  }
  // With room for 4, the 3rd request reaches three quarters; the second server then on its way
  // counts as room, so the third is not called before 6 of 8.
  EXPECT_EQ(calls, (std::vector<std::pair<int, std::uint32_t>>{{3, 1}}));
}

TEST_F(BalancerTest, BeforeTheFirstListItRejects) {
  balancer = std::make_unique<Balancer>(config, random);
  ask(0s);
  ASSERT_EQ(answers().size(), 1u);
  EXPECT_EQ(answers()[0].status, ClientStatus::kRejected);
  say(1s);
  ask(1s);
  EXPECT_EQ(requests().size(), 1u);
}

// R9: nobody is routed to whom the list does not call able to serve, whatever it says itself.
TEST_F(BalancerTest, OnlyWhoTheListCallsReadyGetsNewWork) {
  list[0].phase = ServerPhase::kAbsent;
  list[1].phase = ServerPhase::kDraining;
  start();
  for (int i = 0; i < 6; ++i) {
    report(0, ServerPhase::kReady, 100ms * i);
    report(1, ServerPhase::kReady, 100ms * i);
    report(2, ServerPhase::kReady, 100ms * i);
    ask(100ms * i);
    ASSERT_EQ(requests().size(), 1u);
    EXPECT_EQ(requests()[0].to, NodeId{2});
  }
  ask(1s, NodeId{1});
  EXPECT_EQ(requests()[0].to, NodeId{1}) << "a draining one keeps its sessions";
  ask(1s, NodeId{0});
  EXPECT_EQ(requests()[0].to, NodeId{2});
}

TEST_F(BalancerTest, AServerThatJoinsTakesItsPlaceInTheTriadsOrder) {
  start();
  ask(0s);
  ask(0s);
  ask(0s);
  list.insert(list.begin() + 1, {.node = NodeId{7}, .phase = ServerPhase::kReady});
  say(1s);
  ASSERT_EQ(balancer->servers().size(), 4u);
  EXPECT_EQ(balancer->servers()[1].node, NodeId{7});
  EXPECT_EQ(balancer->active_at(0), 1u);
  EXPECT_EQ(balancer->active_at(1), 0u);
  EXPECT_EQ(balancer->active_at(3), 1u);
}

TEST_F(BalancerTest, RequestsAtAServerThatLeavesTheRosterAreTriedElsewhere) {
  start();
  ask(0s);
  const NodeId asked = requests()[0].to;
  std::erase_if(list, [asked](const ListedServer& one) { return one.node == asked; });
  list_number += 1;
  step(say_list(list_number, list)[0], 1s);
  step(say_list(list_number, list)[1], 1s);
  ASSERT_EQ(requests().size(), 1u);
  EXPECT_NE(requests()[0].to, asked);
  EXPECT_EQ(balancer->servers().size(), 2u);
}

TEST_F(BalancerTest, WithNoMemberHeardItKeepsTheLastList) {
  start();
  for (int i = 1; i <= 100; ++i) {
    report(0, ServerPhase::kReady, 250ms * i);
  }
  ask(25s);
  ASSERT_EQ(requests().size(), 1u);
  EXPECT_EQ(requests()[0].to, NodeId{0}) << "minus what it finds failed itself";
}

TEST_F(BalancerTest, StrangersAreIgnored) {
  start();
  step(MessageReceived{NodeId{77}, LoadReport{Incarnation{1}, ServerPhase::kReady, {}}}, 0s);
  step(MessageReceived{NodeId{77}, Answer{}}, 0s);
  step(MessageReceived{NodeId{77}, ProbeAnswer{}}, 0s);
  step(LinkDown{NodeId{77}}, 0s);
  EXPECT_TRUE(effects.empty());
}

/// Whatever happens, every client is answered exactly once.
TEST_F(BalancerTest, RandomSchedulesAnswerEveryClientOnce) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    Prng draw(seed, "schedule");
    config.policy.algorithm = static_cast<balance::Algorithm>(draw_below(draw, 10));
    config.attempts_max = 1 + draw_below(draw, 4);
    start();
    next_client = 1;
    std::map<std::uint64_t, int> answered;
    std::vector<Send> open;
    Duration now{};
    const auto note = [&] {
      for (const AnswerClient& answer : answers()) {
        ++answered[answer.client.value];
      }
      for (const Send& send : requests()) {
        open.push_back(send);
      }
    };
    for (int i = 0; i < 300; ++i) {
      now += Duration{draw_below(draw, 300'000'000)};
      effects.clear();
      const std::uint32_t server = draw_below(draw, 3);
      switch (draw_below(draw, 8)) {
        case 0:
        case 1:
        case 2:
          ask(now, draw_below(draw, 2) == 0 ? kNoNode : NodeId{server}, draw_below(draw, 2) == 0);
          break;
        case 3:
        case 4:
          if (!open.empty()) {
            const auto chosen =
                open.begin() + draw_below(draw, static_cast<std::uint32_t>(open.size()));
            const Send send = *chosen;
            open.erase(chosen);
            reply(send, static_cast<AnswerStatus>(draw_below(draw, 3)), now);
          }
          break;
        case 5:
          step(LinkDown{NodeId{server}}, now);
          break;
        case 6:
          report(server, static_cast<ServerPhase>(draw_below(draw, 4)), now);
          break;
        case 7:
          step(Wake{}, now);
          break;
      }
      note();
      ASSERT_GT(balancer->next_deadline() + 1ns, TimePoint{}) << seed;
    }
    now += 20s;
    step(Wake{}, now);
    note();
    EXPECT_EQ(balancer->pending_count(), 0u) << seed;
    EXPECT_EQ(answered.size(), next_client - 1) << seed;
    for (const auto& [client, times] : answered) {
      EXPECT_EQ(times, 1) << "client " << client << " of seed " << seed;
    }
  }
}

}  // namespace
}  // namespace copal
