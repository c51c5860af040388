#include "sim/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/base/prng.h"

namespace copal::sim {
namespace {

struct Log final : EventTarget {
  explicit Log(Engine& e, std::uint32_t id = 1) : EventTarget(id), engine(e) {}
  void on_event(std::uint64_t argument) override {
    seen.emplace_back(engine.now(), argument);
    if (then) {
      then(argument);
    }
  }
  Engine& engine;
  std::vector<std::pair<TimePoint, std::uint64_t>> seen;
  std::function<void(std::uint64_t)> then;
};

TEST(Engine, EventsOfOneTimeAreFirstInFirstOut) {
  // SimGrid's timers are not (simulation-facts 4.2): 12 at one date came as 0 1 3 4 2 5 …
  Engine engine;
  Log log(engine);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    engine.at(TimePoint{1s}, log, i);
  }
  engine.run();
  ASSERT_EQ(log.seen.size(), 1000u);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(log.seen[i].second, i);
  }
}

TEST(Engine, RunsInTheOrderOfTimeWhateverTheOrderOfAsking) {
  Engine engine;
  Log log(engine);
  Prng random(3, "engine");
  std::vector<std::pair<TimePoint, std::uint64_t>> expected;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    const TimePoint at{Duration{draw_below(random, 500)}};
    expected.emplace_back(at, i);
    engine.at(at, log, i);
  }
  std::stable_sort(expected.begin(), expected.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  engine.run();
  EXPECT_EQ(log.seen, expected);
}

TEST(Engine, AnEventMayAskForMoreNowAndLater) {
  Engine engine;
  Log log(engine);
  log.then = [&](std::uint64_t i) {
    if (i < 3) {
      engine.at(engine.now(), log, i + 10);
      engine.at(engine.now() + 1s, log, i + 1);
    }
  };
  engine.at(TimePoint{1s}, log, 1);
  engine.run();
  const std::vector<std::pair<TimePoint, std::uint64_t>> expected = {{TimePoint{1s}, 1},
                                                                     {TimePoint{1s}, 11},
                                                                     {TimePoint{2s}, 2},
                                                                     {TimePoint{2s}, 12},
                                                                     {TimePoint{3s}, 3}};
  EXPECT_EQ(log.seen, expected);
}

TEST(Engine, StopEndsTheRunAndLeavesTheRest) {
  Engine engine;
  Log log(engine);
  log.then = [&](std::uint64_t) { engine.stop(); };
  engine.at(TimePoint{1s}, log, 1);
  engine.at(TimePoint{2s}, log, 2);
  engine.run();
  EXPECT_EQ(log.seen.size(), 1u);
  engine.run();
  EXPECT_EQ(log.seen.size(), 2u);
}

std::uint64_t hash_of(const std::vector<std::pair<int, std::uint64_t>>& events) {
  Engine engine;
  Log first(engine, 1);
  Log second(engine, 2);
  for (const auto& [target, argument] : events) {
    engine.at(TimePoint{Duration{static_cast<int>(argument)}}, target == 1 ? first : second,
              argument);
  }
  engine.run();
  return engine.hash();
}

TEST(Engine, TheHashTellsTimesTargetsArgumentsAndOrderApart) {
  const std::uint64_t hash = hash_of({{1, 5}, {2, 6}});
  EXPECT_EQ(hash, hash_of({{1, 5}, {2, 6}}));
  EXPECT_NE(hash, hash_of({{2, 5}, {1, 6}}));
  EXPECT_NE(hash, hash_of({{1, 5}, {2, 7}}));
  EXPECT_NE(hash, hash_of({{1, 5}}));
  EXPECT_NE(hash_of({{1, 5}, {2, 5}}), hash_of({{2, 5}, {1, 5}}));
}

TEST(EngineDeathTest, RefusesATimeThatHasPassed) {
  Engine engine;
  Log log(engine);
  log.then = [&](std::uint64_t) { engine.at(TimePoint{500ms}, log, 2); };
  engine.at(TimePoint{1s}, log, 1);
  EXPECT_DEATH(engine.run(), "time >= now_");
}

}  // namespace
}  // namespace copal::sim
