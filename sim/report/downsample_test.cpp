#include "sim/report/downsample.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace copal::sim {
namespace {

std::vector<SeriesRow> ramp(std::size_t count) {
  std::vector<SeriesRow> rows(count);
  for (std::size_t i = 0; i < count; ++i) {
    rows[i].time_s = static_cast<double>(i);
    rows[i].arrivals_per_s = 100;
    rows[i].latency_ms_p99 = 10;
  }
  return rows;
}

TEST(Downsample, ShortSeriesStayAsTheyAre) {
  const std::vector<SeriesRow> rows = ramp(100);
  EXPECT_EQ(keep_extremes(rows, 100).size(), 100U);
  EXPECT_EQ(keep_means(rows, 100).size(), 100U);
  EXPECT_TRUE(keep_extremes({}, 2).empty());
  EXPECT_TRUE(keep_means({}, 1).empty());
}

TEST(Downsample, OnePeakAndOneDipSurviveInTheirOrder) {
  std::vector<SeriesRow> rows = ramp(14'400);
  rows[7003].latency_ms_p99 = 900;
  rows[7001].arrivals_per_s = 3;
  const std::vector<SeriesRow> kept = keep_extremes(rows, 1440);
  EXPECT_LE(kept.size(), 1440U);
  const auto peak = std::find_if(kept.begin(), kept.end(),
                                 [](const SeriesRow& row) { return row.latency_ms_p99 == 900; });
  ASSERT_NE(peak, kept.end());
  EXPECT_NEAR(peak->time_s, 7003, 20);
  EXPECT_EQ(std::count_if(kept.begin(), kept.end(),
                          [](const SeriesRow& row) { return row.arrivals_per_s == 3; }),
            1);
  EXPECT_TRUE(std::is_sorted(
      kept.begin(), kept.end(),
      [](const SeriesRow& left, const SeriesRow& right) { return left.time_s < right.time_s; }));
}

TEST(Downsample, ExtremesComeInTheOrderOfTheRows) {
  std::vector<SeriesRow> rows = ramp(4);
  rows[0].latency_ms_p99 = 5;  // first group: rises, second group: falls
  rows[2].latency_ms_p99 = 50;
  const std::vector<SeriesRow> kept = keep_extremes(rows, 2 + 1);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].latency_ms_p99, 5);
  EXPECT_EQ(kept[1].latency_ms_p99, 50);
}

TEST(Downsample, MissingLatenciesAreNeitherExtremesNorMeans) {
  std::vector<SeriesRow> rows = ramp(8);
  rows[0].latency_ms_p99 = -1;
  rows[4].latency_ms_p99 = rows[5].latency_ms_p99 = -1;
  rows[6].latency_ms_p99 = rows[7].latency_ms_p99 = -1;
  const std::vector<SeriesRow> extremes = keep_extremes(rows, 4);
  EXPECT_EQ(extremes[0].latency_ms_p99, 10);
  EXPECT_EQ(extremes[2].latency_ms_p99, -1);
  const std::vector<SeriesRow> means = keep_means(rows, 2);
  ASSERT_EQ(means.size(), 2U);
  EXPECT_EQ(means[0].latency_ms_p99, 10);
  EXPECT_EQ(means[1].latency_ms_p99, -1);
  EXPECT_EQ(means[0].arrivals_per_s, 100);
  EXPECT_EQ(means[1].time_s, 5.5);
}

}  // namespace
}  // namespace copal::sim
