#include "sim/workload/closed_loop.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "core/base/prng.h"

namespace copal::sim {
namespace {

RequestModel model_with(std::uint32_t sessions = 0, double exponent = 0) {
  RequestModel model;
  model.work = Sampler({.kind = scenario::Distribution::Kind::kExponential, .mean = 0.02});
  model.answer_size = Sampler({.kind = scenario::Distribution::Kind::kUniform, .mean = 1'000});
  model.sessions = SessionLaw({sessions, exponent});
  return model;
}

Sampler think_of(double mean_s) {
  return Sampler({.kind = scenario::Distribution::Kind::kExponential, .mean = mean_s});
}

TEST(ClosedLoop, EachUserHasAtMostOneRequestUnderWay) {
  ClosedLoop loop(50, think_of(1), model_with(), 1);
  Prng random(1, "answers");
  std::vector<std::uint64_t> under_way;
  TimePoint now{};
  for (int step = 0; step < 20'000; ++step) {
    const bool answer = !under_way.empty() && (loop.next_at() == kNever || draw_below(random, 2));
    if (answer) {
      const std::size_t index = draw_below(random, static_cast<std::uint32_t>(under_way.size()));
      loop.on_answer(under_way[index], now);
      under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(index));
      ASSERT_GT(loop.next_at(), now);
      continue;
    }
    ASSERT_LE(now, loop.next_at());
    now = loop.next_at();
    const Arrival arrival = loop.take();
    EXPECT_EQ(arrival.at, now);
    EXPECT_LT(arrival.user, 50u);
    for (const std::uint64_t user : under_way) {
      ASSERT_NE(user, arrival.user);
    }
    under_way.push_back(arrival.user);
    ASSERT_LE(under_way.size(), 50u);
  }
}

TEST(ClosedLoop, WaitsForAnswersWhenAllUsersHaveAsked) {
  ClosedLoop loop(3, think_of(1), model_with(), 1);
  for (int i = 0; i < 3; ++i) {
    ASSERT_NE(loop.next_at(), kNever);
    loop.take();
  }
  EXPECT_EQ(loop.next_at(), kNever);
  loop.on_answer(1, TimePoint{100s});
  EXPECT_GT(loop.next_at(), TimePoint{100s});
  EXPECT_EQ(loop.take().user, 1u);
  EXPECT_EQ(loop.next_at(), kNever);
}

TEST(ClosedLoop, ThroughputIsThatOfUsersOverCycle) {
  // Answers after 50 ms, thinking 200 ms on average: 40 users ask 160 times a second.
  ClosedLoop loop(40, think_of(0.2), model_with(), 2);
  int taken = 0;
  std::multimap<TimePoint, std::uint64_t> answers;
  for (TimePoint now{}; now < TimePoint{500s};) {
    if (answers.empty() || loop.next_at() <= answers.begin()->first) {
      now = loop.next_at();
      answers.emplace(now + 50ms, loop.take().user);
      ++taken;
    } else {
      now = answers.begin()->first;
      loop.on_answer(answers.begin()->second, now);
      answers.erase(answers.begin());
    }
  }
  EXPECT_NEAR(taken / 500.0, 160, 3);
}

TEST(ClosedLoop, UsersBehaveTheSameHoweverTheyAreInterleaved) {
  // Two runs whose answers come in other orders: each user's n-th request is the same in both.
  const auto works = [](Duration delay) {
    ClosedLoop loop(10, think_of(0.1), model_with(), 3);
    std::map<std::uint64_t, std::vector<Duration>> work;
    for (int i = 0; i < 500; ++i) {
      const Arrival arrival = loop.take();
      work[arrival.user].push_back(arrival.work);
      loop.on_answer(arrival.user, arrival.at + delay * (1 + static_cast<int>(arrival.user)));
    }
    return work;
  };
  const auto quick = works(1ms);
  const auto slow = works(70ms);
  int compared = 0;
  for (const auto& [user, list] : quick) {
    const auto& other = slow.at(user);
    for (std::size_t i = 0; i < std::min(list.size(), other.size()); ++i, ++compared) {
      ASSERT_EQ(list[i], other[i]);
    }
  }
  EXPECT_GT(compared, 200);
}

TEST(ClosedLoop, DrawsOfOneRequestAreIndependentOfEachOther) {
  ClosedLoop loop(1'000, think_of(1), model_with(), 4);
  double product = 0;
  double work = 0;
  double size = 0;
  for (int i = 0; i < 1'000; ++i) {
    const Arrival arrival = loop.take();
    product += to_seconds(arrival.work) * arrival.answer_size_bytes;
    work += to_seconds(arrival.work);
    size += arrival.answer_size_bytes;
  }
  // Correlation of 1,000 independent pairs: standard deviation 0.03.
  const double covariance = product / 1'000 - work / 1'000 * (size / 1'000);
  EXPECT_NEAR(covariance / (0.02 * 577), 0, 0.14);
}

TEST(ClosedLoop, EachUserKeepsItsSession) {
  ClosedLoop loop(20, think_of(1), model_with(5), 5);
  std::map<std::uint64_t, std::set<std::uint64_t>> sessions;
  std::set<std::uint64_t> all;
  for (int i = 0; i < 500; ++i) {
    const Arrival arrival = loop.take();
    EXPECT_NE(arrival.session, kNoSession);
    EXPECT_EQ(arrival.routing_key, routing_key_of(arrival.session));
    sessions[arrival.user].insert(arrival.session.value);
    all.insert(arrival.session.value);
    loop.on_answer(arrival.user, arrival.at + 1ms);
  }
  EXPECT_EQ(all.size(), 5u);
  for (const auto& [user, own] : sessions) {
    EXPECT_EQ(own.size(), 1u) << user;
  }
}

TEST(ClosedLoop, ThinkTimeNothingStillTakesTime) {
  ClosedLoop loop(1, Sampler(), model_with(), 6);
  for (int i = 1; i <= 10; ++i) {
    EXPECT_EQ(loop.next_at(), TimePoint{Duration{i}});
    loop.on_answer(loop.take().user, TimePoint{Duration{i}});
  }
}

TEST(ClosedLoopDeathTest, AnswerWithoutRequestIsAsserted) {
  ClosedLoop loop(2, think_of(1), model_with(), 7);
  EXPECT_DEATH(loop.on_answer(0, TimePoint{}), "waits");
  EXPECT_DEATH(loop.on_answer(2, TimePoint{}), "waits");
}

}  // namespace
}  // namespace copal::sim
