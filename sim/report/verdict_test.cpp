#include "sim/report/verdict.h"

#include <gtest/gtest.h>

#include "sim/testing/fixture_results.h"

namespace copal::sim {
namespace {

struct Figures {
  double p99 = 0;
  double energy = 0;
  double errors = 0;
};

RunResult run_of(const std::string& line, std::uint64_t seed, const Figures& figures) {
  RunResult run = flat_run(line, seed, 0);
  set_metric(run, "requests_count", 1000);
  set_metric(run, "answered_count", 1000 * (1 - figures.errors));
  set_metric(run, "error_ratio", figures.errors);
  set_metric(run, "latency_ms_p99", figures.p99);
  set_metric(run, "energy_joules", figures.energy);
  return run;
}

Verdict verdict_of(const std::vector<RunResult>& runs) {
  return find_verdict(runs, summarize(runs));
}

TEST(Verdict, NamesTheFastestAndTheThriftiestWithWhatItCosts) {
  const Verdict verdict =
      verdict_of({run_of("prequal", 1, {40, 1'000'000}), run_of("green", 1, {90, 800'000})});
  EXPECT_EQ(verdict.latency.line, "prequal");
  EXPECT_EQ(verdict.latency.text, "prequal has the lowest p99 response time, 40.0 ms.");
  EXPECT_EQ(verdict.energy.line, "green");
  EXPECT_EQ(verdict.energy.text,
            "green uses the least energy, 800 kJ (20 % below prequal) at a p99 of 90.0 ms.");
  EXPECT_NE(verdict.text().find("One seed"), std::string::npos);
}

TEST(Verdict, LineThatShedsItsLoadCannotWin) {
  const Verdict verdict =
      verdict_of({run_of("honest", 1, {40, 1000}), run_of("shedder", 1, {5, 100, 0.2})});
  EXPECT_EQ(verdict.latency.line, "honest");
  EXPECT_EQ(verdict.energy.line, "honest");
  ASSERT_EQ(verdict.excluded.size(), 1U);
  EXPECT_NE(verdict.caveat.find("shedder"), std::string::npos);
}

TEST(Verdict, RequestsLeftUnfinishedCountAsTrouble) {
  std::vector<RunResult> runs = {run_of("honest", 1, {40, 1000}), run_of("stuck", 1, {5, 100})};
  set_metric(runs[1], "unfinished_count", 50);
  EXPECT_EQ(verdict_of(runs).latency.line, "honest");
}

TEST(Verdict, ErrorsWithinTheMarginDoNotExclude) {
  const Verdict verdict =
      verdict_of({run_of("a", 1, {40, 1000}), run_of("b", 1, {30, 900, 0.0009})});
  EXPECT_EQ(verdict.latency.line, "b");
  EXPECT_TRUE(verdict.excluded.empty());
}

TEST(Verdict, TiesOverSeedsAreNamed) {
  std::vector<RunResult> runs;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const double wobble = seed % 2 == 0 ? 2 : -1;
    runs.push_back(run_of("a", seed, {40, 1000}));
    runs.push_back(run_of("b", seed, {40 + wobble, 1200}));
    runs.push_back(run_of("c", seed, {60 + wobble, 1100}));
  }
  const Verdict verdict = verdict_of(runs);
  EXPECT_EQ(verdict.latency.line, "a");
  ASSERT_EQ(verdict.latency.tied.size(), 1U);
  EXPECT_EQ(verdict.latency.tied[0], "b");
  EXPECT_NE(verdict.latency.text.find("b cannot be told from it"), std::string::npos);
  EXPECT_TRUE(verdict.energy.tied.empty());
  EXPECT_EQ(verdict.caveat, "");
}

TEST(Verdict, CertainButNegligibleDifferenceIsATie) {
  std::vector<RunResult> runs;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    runs.push_back(run_of("a", seed, {40, 138'000}));
    runs.push_back(run_of("b", seed, {50, 138'000.1}));
    runs.push_back(run_of("c", seed, {60, 138'500}));
  }
  EXPECT_EQ(verdict_of(runs).energy.tied, std::vector<std::string>{"b"});
}

TEST(Verdict, OneSeedTiesWithinOnePercent) {
  const Verdict verdict =
      verdict_of({run_of("a", 1, {100, 1}), run_of("b", 1, {100.9, 2}), run_of("c", 1, {102, 3})});
  EXPECT_EQ(verdict.latency.tied, std::vector<std::string>{"b"});
}

TEST(Verdict, AllTiedNamesNoWinner) {
  const Verdict verdict = verdict_of({run_of("a", 1, {100, 1}), run_of("b", 1, {100, 2})});
  EXPECT_TRUE(verdict.latency.all_tied);
  EXPECT_EQ(verdict.latency.text,
            "In p99 response time no line can be told from another: about 100 ms.");
  EXPECT_FALSE(verdict.energy.all_tied);
  const Verdict energy = verdict_of({run_of("a", 1, {1, 138'000}), run_of("b", 1, {2, 138'001})});
  EXPECT_EQ(energy.energy.text, "In energy no line can be told from another: about 138 kJ.");
}

TEST(Verdict, NothingAnsweredNothingRanked) {
  RunResult run = run_of("a", 1, {0, 10});
  set_metric(run, "answered_count", 0);
  const Verdict verdict = verdict_of({run});
  EXPECT_EQ(verdict.latency.line, "");
  EXPECT_EQ(verdict.latency.text, "No line answered enough of its requests to be ranked.");
}

TEST(Verdict, EnergyNotMeasuredIsNotRanked) {
  const Verdict verdict = verdict_of({run_of("a", 1, {40, 0}), run_of("b", 1, {50, 0})});
  EXPECT_EQ(verdict.energy.line, "");
  EXPECT_EQ(verdict.energy.text, "");
}

}  // namespace
}  // namespace copal::sim
