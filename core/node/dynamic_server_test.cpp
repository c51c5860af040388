#include "core/node/dynamic_server.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/base/prng.h"
#include "core/testing/triad_voice.h"

namespace copal {
namespace {

constexpr NodeId kAsker{9};

Now now_at(Duration time) {
  return {TimePoint{time}, {}};
}

struct DynamicServerTest : ::testing::Test {
  DynamicServerConfig config{.concurrency_max = 2, .queue_max = 2, .ready_at_start = true};
  std::vector<ListedServer> list{{.node = kAsker, .role = NodeRole::kBalancer},
                                 {.node = NodeId{10}, .role = NodeRole::kBalancer},
                                 {.node = NodeId{11}, .role = NodeRole::kDynamic}};
  std::unique_ptr<DynamicServer> server;
  Effects effects;

  void start(Duration now = 0s) {
    config.triad.members[0] = kVoice;
    server = std::make_unique<DynamicServer>(config);
    step(Wake{}, now);
    for (const Input& input : say_list(1, list)) {
      step(input, now);
    }
  }
  void step(const Input& input, Duration now) {
    effects.clear();
    server->step(input, now_at(now), effects);
    server->check_invariants();
  }
  void request(std::uint64_t id, Duration now, NodeId from = kAsker, Duration time_left = 10s) {
    step(MessageReceived{from, Request{.id = RequestId{id},
                                       .tag = id * 100,
                                       .time_left = time_left,
                                       .answer_size_bytes = 77}},
         now);
  }
  template <class Kind>
  std::vector<Kind> performed() const {
    std::vector<Kind> found;
    for (const Effect& effect : effects) {
      if (const auto* kind = std::get_if<Kind>(&effect)) {
        found.push_back(*kind);
      }
    }
    return found;
  }
  template <class Kind>
  std::vector<Kind> sent() const {
    std::vector<Kind> found;
    for (const Send& send : performed<Send>()) {
      if (const auto* kind = std::get_if<Kind>(&send.message)) {
        found.push_back(*kind);
      }
    }
    return found;
  }
};

TEST_F(DynamicServerTest, SaysAtOnceThatItIsReadyToEveryBalancer) {
  start();
  const auto reports = sent<LoadReport>();
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].phase, ServerPhase::kReady);
  EXPECT_EQ(reports[0].incarnation, Incarnation{1});
}

TEST_F(DynamicServerTest, WorksAnswersAndTellsItsLoad) {
  start();
  request(1, 1s);
  const auto started = performed<StartWork>();
  ASSERT_EQ(started.size(), 1u);
  EXPECT_EQ(started[0].tag, 100u);
  request(2, 1s);
  step(WorkEnded{started[0].work, true}, 1030ms);
  const auto answers = sent<Answer>();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].id, RequestId{1});
  EXPECT_EQ(answers[0].status, AnswerStatus::kDone);
  EXPECT_EQ(answers[0].body_size_bytes, 77u);
  EXPECT_EQ(answers[0].load.active, 1u);
  EXPECT_EQ(answers[0].load.latency, 30ms);
}

TEST_F(DynamicServerTest, QueuesInOrderAndRefusesBeyondItsQueue) {
  start();
  request(1, 1s);
  const WorkId first = performed<StartWork>()[0].work;
  request(2, 1s);
  request(3, 1s);
  EXPECT_TRUE(performed<StartWork>().empty());
  request(4, 1s);
  request(5, 1s);
  ASSERT_EQ(sent<Answer>().size(), 1u);
  EXPECT_EQ(sent<Answer>()[0].status, AnswerStatus::kBusy);
  step(WorkEnded{first, false}, 2s);
  EXPECT_EQ(sent<Answer>()[0].status, AnswerStatus::kFailed);
  ASSERT_EQ(performed<StartWork>().size(), 1u);
  EXPECT_EQ(performed<StartWork>()[0].tag, 300u);
}

TEST_F(DynamicServerTest, ARequestPastItsTimeIsNotBegun) {
  start();
  request(1, 0s);
  const WorkId first = performed<StartWork>()[0].work;
  request(2, 0s);
  request(3, 0s, kAsker, 1s);
  request(4, 0s);
  step(WorkEnded{first, true}, 1s);
  ASSERT_EQ(performed<StartWork>().size(), 1u);
  EXPECT_EQ(performed<StartWork>()[0].tag, 400u);
}

TEST_F(DynamicServerTest, CancelStopsWorkAndMakesRoom) {
  start();
  request(1, 0s);
  const WorkId first = performed<StartWork>()[0].work;
  request(2, 0s);
  request(3, 0s);
  step(MessageReceived{kAsker, Cancel{RequestId{1}}}, 1s);
  ASSERT_EQ(performed<CancelWork>().size(), 1u);
  EXPECT_EQ(performed<CancelWork>()[0].work, first);
  EXPECT_EQ(performed<StartWork>()[0].tag, 300u);
  step(WorkEnded{first, true}, 1s);  // it ended at the same moment
  EXPECT_TRUE(sent<Answer>().empty());
}

TEST_F(DynamicServerTest, CancelOfAnotherBalancersRequestDoesNothing) {
  start();
  request(1, 0s);
  step(MessageReceived{NodeId{10}, Cancel{RequestId{1}}}, 1s);
  EXPECT_TRUE(performed<CancelWork>().empty());
  EXPECT_EQ(server->active(), 1u);
}

TEST_F(DynamicServerTest, DropsTheRequestsOfABalancerThatIsGone) {
  start();
  request(1, 0s);
  request(2, 0s, NodeId{10});
  step(LinkDown{kAsker}, 1s);
  EXPECT_EQ(performed<CancelWork>().size(), 1u);
  EXPECT_EQ(server->active(), 1u);
}

TEST_F(DynamicServerTest, RefusesUntilItsApplicationIsReady) {
  config.ready_at_start = false;
  start();
  request(1, 0s);
  EXPECT_EQ(sent<Answer>()[0].status, AnswerStatus::kBusy);
  step(ApplicationReady{}, 1s);
  EXPECT_EQ(sent<LoadReport>()[0].phase, ServerPhase::kReady);
  request(2, 1s);
  EXPECT_EQ(performed<StartWork>().size(), 1u);
}

TEST_F(DynamicServerTest, ReportsAtItsIntervalWithTheCpuRead) {
  start();
  step(Wake{}, 250ms);
  ASSERT_EQ(performed<ReadCpu>().size(), 1u);
  step(CpuReading{0.75}, 250ms);
  ASSERT_EQ(sent<LoadReport>().size(), 2u);
  EXPECT_EQ(sent<LoadReport>()[0].load.cpu_ratio, 0.75);
  EXPECT_EQ(server->next_deadline(), TimePoint{500ms});
  step(Wake{}, 350ms);
  EXPECT_TRUE(effects.empty()) << "a wake-up too many does no harm";
}

TEST_F(DynamicServerTest, GoesToSleepWhenIdleLongEnoughAndSaysSoFirst) {
  config.sleep_after = 5s;
  start();
  request(1, 1s);
  const WorkId work = performed<StartWork>()[0].work;
  step(WorkEnded{work, true}, 2s);
  step(Wake{}, 6900ms);
  EXPECT_TRUE(performed<PowerDown>().empty());
  step(Wake{}, 7s);
  EXPECT_EQ(sent<LoadReport>()[0].phase, ServerPhase::kSleeping);
  EXPECT_EQ(performed<PowerDown>().size(), 1u);
  request(2, 7s);
  EXPECT_EQ(sent<Answer>()[0].status, AnswerStatus::kBusy);
}

TEST_F(DynamicServerTest, DrainingStillServesAndSaysSo) {
  start();
  step(DrainOrder{true}, 1s);
  EXPECT_EQ(sent<LoadReport>()[0].phase, ServerPhase::kDraining);
  request(1, 1s);
  EXPECT_EQ(performed<StartWork>().size(), 1u);
  step(DrainOrder{false}, 2s);
  EXPECT_EQ(sent<LoadReport>()[0].phase, ServerPhase::kReady);
}

TEST_F(DynamicServerTest, ARepeatedFrameIsNotWorkedOnTwice) {
  start();
  request(1, 0s);
  request(1, 0s);
  EXPECT_TRUE(performed<CancelWork>().empty());
  EXPECT_EQ(server->active(), 1u);
}

TEST_F(DynamicServerTest, WithoutCachesACallOfTheApplicationIsRefused) {
  start();
  step(ReadEntry{.call = CallId{1}, .cache = CacheId{1}, .key = "k"}, 1s);
  ASSERT_EQ(performed<AnswerCall>().size(), 1u);
  EXPECT_EQ(performed<AnswerCall>()[0].status, CacheStatus::kUnknownCache);
  step(ReadKeys{.call = CallId{2}, .cache = CacheId{1}}, 1s);
  ASSERT_EQ(performed<AnswerKeys>().size(), 1u);
  EXPECT_EQ(performed<AnswerKeys>()[0].status, CacheStatus::kUnknownCache);
  step(ListenTo{.cache = CacheId{1}}, 1s);
  EXPECT_TRUE(performed<AnswerCall>().empty());
}

TEST_F(DynamicServerTest, AStopOrderEndsWhatIsUnderWayTakesNothingNewAndSaysGoodbye) {
  start();
  request(1, 1s);
  const WorkId work = performed<StartWork>()[0].work;
  step(StopOrder{}, 2s);
  EXPECT_TRUE(performed<StopProcess>().empty());
  EXPECT_EQ(sent<LoadReport>().at(0).phase, ServerPhase::kDraining);
  step(WorkEnded{work, true}, 3s);
  EXPECT_EQ(sent<Answer>().size(), 1u);
  ASSERT_EQ(performed<StopProcess>().size(), 1u);
  EXPECT_FALSE(performed<StopProcess>()[0].failed);
  bool leaving = false;
  for (const ServerHeartbeat& heartbeat : sent<ServerHeartbeat>()) {
    leaving = leaving || heartbeat.leaving;
  }
  EXPECT_TRUE(leaving);
}

TEST_F(DynamicServerTest, WorkThatDoesNotEndHoldsUpAStopNoLongerThanItsTimeout) {
  start();
  request(1, 1s);
  step(StopOrder{}, 2s);
  step(Wake{}, 31s);
  EXPECT_TRUE(performed<StopProcess>().empty());
  step(Wake{}, 32s);
  EXPECT_EQ(performed<StopProcess>().size(), 1u);
}

/// Every request that is taken ends in one answer, whatever else happens; the rest is
/// check_invariants() after each step.
TEST_F(DynamicServerTest, RandomSchedulesKeepTheInvariants) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Prng random(seed, "server");
    config.concurrency_max = draw_below(random, 4);
    config.queue_max = draw_below(random, 5);
    start();
    std::vector<WorkId> at_work;
    std::uint64_t next_id = 1;
    Duration now{};
    for (int i = 0; i < 400; ++i) {
      now += Duration{draw_below(random, 200'000'000)};
      effects.clear();
      switch (draw_below(random, 6)) {
        case 0:
        case 1:
          request(next_id++, now, NodeId{9 + draw_below(random, 2)},
                  Duration{draw_below(random, 2'000'000'000)});
          break;
        case 2:
        case 3:
          if (!at_work.empty()) {
            const auto done =
                at_work.begin() + draw_below(random, static_cast<std::uint32_t>(at_work.size()));
            const WorkId work = *done;
            at_work.erase(done);
            step(WorkEnded{work, true}, now);
            EXPECT_EQ(sent<Answer>().size(), 1u);
          }
          break;
        case 4:
          step(
              MessageReceived{
                  kAsker,
                  Cancel{RequestId{1 + draw_below(random, static_cast<std::uint32_t>(next_id))}}},
              now);
          break;
        case 5:
          step(Wake{}, now);
          break;
      }
      for (const StartWork& started : performed<StartWork>()) {
        at_work.push_back(started.work);
      }
      for (const CancelWork& cancelled : performed<CancelWork>()) {
        std::erase(at_work, cancelled.work);
      }
    }
    while (!at_work.empty()) {
      const WorkId work = at_work.back();
      at_work.pop_back();
      step(WorkEnded{work, true}, now);
      for (const StartWork& started : performed<StartWork>()) {
        at_work.push_back(started.work);
      }
    }
    EXPECT_EQ(server->active(), 0u) << seed;
  }
}

}  // namespace
}  // namespace copal
