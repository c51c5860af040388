#include "sim/report/summary.h"

#include <gtest/gtest.h>

#include "sim/testing/fixture_results.h"

namespace copal::sim {
namespace {

RunResult with_p99(const std::string& line, std::uint64_t seed, double p99) {
  RunResult run = flat_run(line, seed, 1);
  set_metric(run, "latency_ms_p99", p99);
  return run;
}

TEST(Summary, LinesStandInOrderOfFirstAppearanceWithAllTheirSeeds) {
  const std::vector<RunResult> runs = {with_p99("green", 1, 10), with_p99("random", 1, 30),
                                       with_p99("green", 2, 14), with_p99("random", 2, 30)};
  const std::vector<LineSummary> lines = summarize(runs);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].label, "green");
  EXPECT_EQ(lines[0].seeds, 2U);
  EXPECT_DOUBLE_EQ(metric(lines[0], "latency_ms_p99").mean, 12);
  // Standard error 2, one degree of freedom.
  EXPECT_NEAR(*metric(lines[0], "latency_ms_p99").half_width, 2 * 12.7062047362, 1e-9);
  EXPECT_EQ(lines[1].label, "random");
  EXPECT_EQ(lines[0].metrics.front().first, "requests_count");
  EXPECT_EQ(lines[0].metrics.size(), runs[0].metrics.size());
}

TEST(Summary, NoRunsNoLines) {
  EXPECT_TRUE(summarize({}).empty());
}

TEST(Summary, TiedLineIsNotedAndClearlyWorseOneIsNot) {
  std::vector<RunResult> runs;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const double base = 40 + static_cast<double>(seed);
    const double wobble = seed % 2 == 0 ? 1 : -0.8;
    runs.push_back(with_p99("prequal", seed, base));
    runs.push_back(with_p99("peak_ewma", seed, base + wobble));
    runs.push_back(with_p99("random", seed, base + 20 + wobble));
  }
  const std::vector<LineSummary> lines = summarize(runs);
  EXPECT_EQ(lines[0].tied_note, "");
  EXPECT_NE(lines[1].tied_note.find("prequal"), std::string::npos) << lines[1].tied_note;
  EXPECT_EQ(lines[2].tied_note, "");
}

TEST(Summary, LineThatAnsweredNothingIsNotTheBest) {
  std::vector<RunResult> runs;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    runs.push_back(with_p99("dead", seed, 0));
    set_metric(runs.back(), "answered_count", 0);
    runs.push_back(with_p99("prequal", seed, 40));
    runs.push_back(with_p99("twin", seed, 40));
  }
  const std::vector<LineSummary> lines = summarize(runs);
  EXPECT_EQ(lines[0].tied_note, "");
  EXPECT_EQ(lines[1].tied_note, "");
  EXPECT_NE(lines[2].tied_note.find("prequal"), std::string::npos);
}

TEST(Summary, DifferenceUsesOnlySeedsThatBothRan) {
  const std::vector<RunResult> runs = {with_p99("a", 1, 10), with_p99("a", 2, 20),
                                       with_p99("a", 9, 99), with_p99("b", 2, 18),
                                       with_p99("b", 1, 9)};
  const Estimate difference = line_difference(runs, "a", "b", "latency_ms_p99");
  EXPECT_EQ(difference.count, 2U);
  EXPECT_DOUBLE_EQ(difference.mean, 1.5);
  EXPECT_EQ(line_difference(runs, "a", "c", "latency_ms_p99").count, 0U);
}

}  // namespace
}  // namespace copal::sim
