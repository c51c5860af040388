#include "core/balance/prequal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/testing/policy_bed.h"

namespace copal::balance {
namespace {

using testing::PolicyBed;

/// A pool that only what a test does moves: no removal, and reuse without limit.
PrequalConfig still() {
  PrequalConfig config;
  config.remove_rate = 0;
  config.probe_rate = 0;
  return config;
}

PolicyBed bed_of(std::size_t count, const PrequalConfig& config) {
  return {std::make_unique<Prequal>(config), count};
}

void answer(PolicyBed& bed, std::size_t index, std::uint32_t rif, Duration latency) {
  bed.report(index, ReportKind::kProbe, {rif, 0, latency});
}

std::size_t pool_count(PolicyBed& bed) {
  return bed.policy<Prequal>().pool_count();
}

TEST(Prequal, ReuseBudgetIsThePapers) {
  PrequalConfig config;
  EXPECT_NEAR(Prequal::reuse_budget(config, 100), 1.32, 0.005);
  config.probe_rate = 1;
  config.remove_rate = 0.25;
  EXPECT_NEAR(Prequal::reuse_budget(config, 100), 3.39, 0.005);
  config.probe_rate = 0.5;
  EXPECT_NEAR(Prequal::reuse_budget(config, 100), 11.76, 0.005);
  config.probe_rate = 5;
  EXPECT_EQ(Prequal::reuse_budget(config, 100), 1);
  EXPECT_TRUE(std::isinf(Prequal::reuse_budget(config, 16)));
}

TEST(Prequal, AProbeIsUsedAsOftenAsTheBudgetSaysOnAverage) {
  PrequalConfig config = still();
  config.probe_rate = 1;
  config.reuse_delta = 1.1;
  ASSERT_NEAR(Prequal::reuse_budget(config, 100), 2.5, 1e-9);  // 2.1 / 0.84
  config.hot_quantile = 1;
  auto bed = bed_of(100, config);
  answer(bed, 1, 0, 1s);  // so that there are two; never the better one
  int uses = 0;
  for (int i = 0; i < 100; ++i) {
    answer(bed, 0, 0, 1ms);
    while (pool_count(bed) == 2) {
      ASSERT_EQ(bed.choose(), 0U);
      ++uses;
    }
  }
  EXPECT_NEAR(uses, 250, 1);
}

TEST(Prequal, AmongColdProbesTheLowestLatencyWins) {
  auto bed = bed_of(10, still());
  answer(bed, 0, 2, 30ms);
  answer(bed, 1, 5, 10ms);
  answer(bed, 2, 1, 20ms);
  for (std::size_t i = 3; i < 9; ++i) {
    answer(bed, i, 5, 50ms);
  }
  EXPECT_EQ(bed.choose(), 1U);  // RIF 5 is the quantile itself, so not above it
}

TEST(Prequal, AHotProbeLosesToAnyColdOne) {
  auto bed = bed_of(10, still());
  for (std::size_t i = 0; i < 9; ++i) {
    answer(bed, i, 1, Duration{100ms} - Duration{1ms} * static_cast<int>(i));
  }
  answer(bed, 9, 2, 1us);  // above the 84 % quantile of ten: 1
  EXPECT_EQ(bed.choose(), 8U);
}

TEST(Prequal, AmongHotProbesTheLowestRifWins) {
  PrequalConfig config = still();
  config.hot_quantile = 0;
  auto bed = bed_of(3, config);
  answer(bed, 0, 7, 1ms);
  answer(bed, 1, 4, 90ms);
  answer(bed, 2, 6, 1ms);
  EXPECT_EQ(bed.choose(), 1U);
}

TEST(Prequal, AQuantileOfOneLooksAtLatencyOnly) {
  PrequalConfig config = still();
  config.hot_quantile = 1;
  auto bed = bed_of(2, config);
  answer(bed, 0, 1, 20ms);
  answer(bed, 1, 1, 10ms);
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_EQ(bed.choose(), 1U);  // however many are counted on top
  }
}

TEST(Prequal, AUsedProbeCountsOneRequestMore) {
  PrequalConfig config = still();
  config.hot_quantile = 0;
  auto bed = bed_of(2, config);
  answer(bed, 0, 3, 1ms);
  answer(bed, 1, 5, 1ms);
  std::string picks;
  for (int i = 0; i < 6; ++i) {
    picks += bed.choose() == 0U ? '0' : '1';
  }
  // RIF 3 and 5: at equality latency is equal too, and the older probe goes first.
  EXPECT_EQ(picks, "000101");
}

TEST(Prequal, FewerThanTwoProbesMeanARandomServer) {
  auto bed = bed_of(10, still());
  answer(bed, 4, 0, 1us);
  std::set<std::size_t> seen;
  for (int i = 0; i < 500; ++i) {
    seen.insert(*bed.choose());
  }
  EXPECT_EQ(seen.size(), 10U);
}

TEST(Prequal, AProbeIsDroppedAtItsAge) {
  auto bed = bed_of(3, still());
  answer(bed, 0, 0, 1ms);
  bed.pass(400ms);
  answer(bed, 1, 0, 2ms);
  answer(bed, 2, 0, 3ms);
  bed.pass(Duration{600ms} - Duration{1});
  EXPECT_EQ(bed.choose(), 0U);
  bed.pass(Duration{1});
  EXPECT_EQ(bed.choose(), 1U);
  EXPECT_EQ(pool_count(bed), 2U);
}

TEST(Prequal, WorstAndOldestAreRemovedInTurn) {
  PrequalConfig config = still();
  config.remove_rate = 1;
  config.hot_quantile = 1;
  auto bed = bed_of(8, config);
  answer(bed, 0, 1, 5ms);  // the oldest
  answer(bed, 1, 1, 9ms);  // the worst
  answer(bed, 2, 1, 1ms);  // the best
  answer(bed, 3, 1, 7ms);
  answer(bed, 4, 1, 6ms);
  EXPECT_EQ(bed.choose(), 2U);  // then 1 goes
  EXPECT_EQ(bed.choose(), 2U);  // then 0, though 3 is worse
  EXPECT_EQ(pool_count(bed), 3U);
  const std::array<std::size_t, 1> tried = {2};
  EXPECT_EQ(bed.choose(0, tried), 4U);  // then 3
  EXPECT_EQ(bed.choose(), 2U);          // then 2, the oldest, though it is the best
  EXPECT_EQ(pool_count(bed), 1U);
  answer(bed, 5, 1, 3ms);
  EXPECT_EQ(bed.choose(), 5U);
}

TEST(Prequal, TheWorstIsTheHottestBeforeTheSlowest) {
  PrequalConfig config = still();
  config.remove_rate = 1;
  auto bed = bed_of(10, config);
  for (std::size_t i = 0; i < 9; ++i) {
    answer(bed, i, 1, Duration{100ms} - Duration{1ms} * static_cast<int>(i));
  }
  answer(bed, 9, 2, 1us);
  EXPECT_EQ(bed.choose(), 8U);  // then 8 itself: RIF 2 now, as 9, but slower
  EXPECT_EQ(bed.choose(), 7U);
}

TEST(Prequal, ThePoolKeepsTheLatestOfEachServerAndNoMoreThanItsSize) {
  auto bed = bed_of(40, still());
  for (std::size_t i = 0; i < 40; ++i) {
    answer(bed, i, 0, 1ms);
    answer(bed, i, 0, 1ms);
    EXPECT_EQ(pool_count(bed), std::min<std::size_t>(i + 1, 16));
  }
  EXPECT_EQ(bed.choose(), 24U);  // the oldest left of equals
}

TEST(Prequal, OnlyProbesFillThePool) {
  auto bed = bed_of(3, still());
  bed.report(0, ReportKind::kAnswer, {0, 0, 1ms});
  bed.report(1, ReportKind::kPeriodic, {0, 0, 1ms});
  EXPECT_EQ(pool_count(bed), 0U);
}

TEST(Prequal, AServerThatLeavesLeavesThePool) {
  auto bed = bed_of(3, still());
  answer(bed, 0, 0, 1ms);
  answer(bed, 1, 0, 2ms);
  answer(bed, 2, 0, 3ms);
  bed.servers[0].eligible = false;
  bed.changed();
  EXPECT_EQ(pool_count(bed), 2U);
  answer(bed, 0, 0, 1ms);  // a late answer
  EXPECT_EQ(bed.choose(), 1U);
}

TEST(Prequal, ProbesGoToDifferentServersAtTheirRate) {
  PrequalConfig config;
  auto bed = bed_of(20, config);
  std::vector<int> counts(20);
  for (int i = 0; i < 6'000; ++i) {
    const auto& targets = bed.probe_targets();
    ASSERT_EQ(targets.size(), 3U);
    EXPECT_EQ(std::set<std::size_t>(targets.begin(), targets.end()).size(), 3U);
    for (const std::size_t target : targets) {
      ++counts[target];
    }
  }
  for (const int count : counts) {
    EXPECT_NEAR(count, 900, 140);  // five standard deviations
  }
  config.probe_rate = 0.25;
  auto slow = bed_of(20, config);
  std::size_t probes = 0;
  for (int i = 0; i < 400; ++i) {
    probes += slow.probe_targets().size();
  }
  EXPECT_EQ(probes, 100U);
}

TEST(Prequal, FewServersAreAskedOnceEach) {
  PrequalConfig config;
  config.probe_rate = 5;
  auto bed = bed_of(2, config);
  EXPECT_EQ(bed.probe_targets().size(), 2U);
}

}  // namespace
}  // namespace copal::balance
