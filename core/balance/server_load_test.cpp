#include "core/balance/server_load.h"

#include <gtest/gtest.h>

#include "core/testing/policy_bed.h"

namespace copal::balance {
namespace {

using testing::PolicyBed;

PolicyBed load_bed(std::size_t count, double cpu_weight = 100, double latency_weight = 0) {
  return {std::make_unique<ServerLoad>(cpu_weight, latency_weight), count};
}

TEST(ServerLoad, AFullyBusyCpuCountsAsOneRequest) {
  auto bed = load_bed(2);
  bed.report(0, ReportKind::kPeriodic, {0, 0.75, 0s});
  EXPECT_EQ(bed.pick(), 1U);  // 175 against 100
  EXPECT_EQ(bed.pick(), 0U);  // 175 against 200
  EXPECT_EQ(bed.pick(), 1U);  // 275 against 200
}

TEST(ServerLoad, WeightsCountOnAnIdleCluster) {
  auto bed = load_bed(2);
  bed.servers[1].weight = 3;
  bed.changed();
  for (int i = 0; i < 4 * 5; ++i) {
    bed.pick();
  }
  EXPECT_EQ(bed.servers[0].active, 5U);
  EXPECT_EQ(bed.servers[1].active, 15U);
}

TEST(ServerLoad, LatencyCountsPerSecond) {
  auto bed = load_bed(2, 0, 1000);
  bed.report(0, ReportKind::kAnswer, {0, 0, 250ms});
  bed.report(1, ReportKind::kAnswer, {0, 0, 100ms});
  EXPECT_EQ(bed.pick(), 1U);  // 350 against 200
  EXPECT_EQ(bed.pick(), 1U);  // 350 against 300
  EXPECT_EQ(bed.pick(), 0U);  // 350 against 400
}

TEST(ServerLoad, RequestsOfOtherBalancersCount) {
  auto bed = load_bed(2);
  bed.start(0);
  bed.report(0, ReportKind::kPeriodic, {4, 0, 0s});  // one of them is ours
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(bed.pick(), 1U);
  }
  EXPECT_EQ(bed.servers[1].active, 4U);
  EXPECT_EQ(bed.pick(), 0U);  // five each: the one picked longer ago
}

TEST(ServerLoad, AnAnswersReportLeavesOutTheAnsweredRequest) {
  auto bed = load_bed(2);
  bed.start(0);
  bed.start(0);
  bed.report(0, ReportKind::kAnswer, {2, 0, 0s});  // one of ours and one of another's
  bed.end(0);
  bed.start(1);
  EXPECT_EQ(bed.pick(), 1U);  // 300 against 200
}

TEST(ServerLoad, AnOldReportIsTrustedLessAndLess) {
  auto bed = load_bed(2, 400);
  bed.report(0, ReportKind::kPeriodic, {0, 1, 0s});
  bed.start(1);
  bed.start(1);
  bed.pass(10s);
  EXPECT_EQ(bed.choose(), 1U);  // 100 + 400 against 300
  bed.pass(5s);
  bed.choose();
  EXPECT_EQ(bed.choose(), 1U);  // 100 + 400 * 10/15 = 367 against 300
  bed.pass(10s);
  bed.choose();
  EXPECT_EQ(bed.choose(), 0U);  // 100 + 400 * 10/25 = 260 against 300
}

TEST(ServerLoad, IdleEqualsTakeTurns) {
  auto bed = load_bed(4);
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(bed.pick_and_end(), i % 4);
  }
}

}  // namespace
}  // namespace copal::balance
