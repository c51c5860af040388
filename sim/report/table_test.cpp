#include "sim/report/table.h"

#include <gtest/gtest.h>

#include <sstream>

#include "sim/report/number_text.h"
#include "sim/testing/fixture_results.h"

namespace copal::sim {
namespace {

RunResult run_of(const std::string& line, std::uint64_t seed, double p99, double errors) {
  RunResult run = flat_run(line, seed, 10);
  set_metric(run, "latency_ms_p99", p99);
  set_metric(run, "error_ratio", errors);
  set_metric(run, "energy_joules", 812'345);
  set_metric(run, "server_hours", 0.6667);
  return run;
}

std::vector<std::string> rows(const std::string& table) {
  std::vector<std::string> result;
  std::istringstream in(table);
  for (std::string row; std::getline(in, row);) {
    result.push_back(row);
  }
  return result;
}

TEST(Table, LayoutOfOneSeed) {
  const std::vector<RunResult> runs = {run_of("round_robin", 1, 93.25, 0),
                                       run_of("green", 1, 41.26, 0.0123)};
  EXPECT_EQ(summary_table(summarize(runs)),
            "line        p50 ms  p95 ms  p99 ms  errors %  servers  energy kJ  server-h\n"
            "round_robin   10.0    10.0    93.2         0*    10.0        812     0.667\n"
            "green         10.0    10.0    41.3*     1.23     10.0        812     0.667\n");
}

TEST(Table, SeveralSeedsShowHalfTheInterval) {
  const std::vector<RunResult> runs = {run_of("green", 1, 40, 0), run_of("green", 2, 42, 0)};
  const std::string table = summary_table(summarize(runs));
  EXPECT_NE(table.find("41.0±13"), std::string::npos) << table;
  EXPECT_EQ(table.find("±0"), std::string::npos) << table;
}

TEST(Table, EqualFiguresAreEquallyGood) {
  const std::vector<RunResult> runs = {run_of("a", 1, 41.26, 0), run_of("b", 1, 41.31, 0),
                                       run_of("c", 1, 50, 0)};
  const std::string table = summary_table(summarize(runs));
  EXPECT_NE(rows(table)[1].find("41.3*"), std::string::npos) << table;
  EXPECT_NE(rows(table)[2].find("41.3*"), std::string::npos) << table;
  EXPECT_EQ(rows(table)[3].find('*'), std::string::npos) << table;
}

TEST(Table, NothingAnsweredIsADash) {
  std::vector<RunResult> runs = {run_of("dead", 1, 0, 1), run_of("green", 1, 42, 0)};
  set_metric(runs[0], "answered_count", 0);
  const std::string dead = rows(summary_table(summarize(runs)))[1];
  EXPECT_NE(dead.find(" -"), std::string::npos) << dead;
  EXPECT_EQ(dead.find('*'), std::string::npos) << dead;
}

TEST(Table, FitsAHundredColumnsWhateverTheLabelsAndSeeds) {
  std::vector<RunResult> runs;
  for (const std::string label : {"power_of_two, choices 3, with replacement, very tuned", "ä"}) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      runs.push_back(run_of(label, seed, 1234.5 * static_cast<double>(seed), 0.0123));
    }
  }
  for (const std::string& row : rows(summary_table(summarize(runs)))) {
    EXPECT_LE(columns(row), 100U) << row;
  }
}

}  // namespace
}  // namespace copal::sim
