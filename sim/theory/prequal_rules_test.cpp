#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "sim/theory/cluster.h"
#include "sim/theory/testbed.h"

// Prequal's table of replica-selection rules on a model of its testbed (testbed.h). The model's one
// fitted parameter comes from the round-robin row alone; all other rows are then held against the
// published ORDER of the rules in each column. The times themselves are not compared: machines,
// neighbours and work of the original are known in outline only.

namespace copal::sim::theory {
namespace {

/// How much more CPU a request takes on an older machine; see FitsTheRoundRobinRow.
constexpr double kSlowRatio = 2.4;

constexpr std::size_t kColumns = 4;
constexpr std::array<const char*, kColumns> kColumnNames = {"70 % p90", "70 % p99", "90 % p90",
                                                            "90 % p99"};
using Row = std::array<double, kColumns>;

/// In ms, TO as kTimeOutMs, by Rule. Source: Wydrowski et al., NSDI 2024.
constexpr std::array<Row, kRules.size()> kPublished = {{
    {4984, kTimeOutMs, kTimeOutMs, kTimeOutMs},
    {173, 314, 1667, kTimeOutMs},
    {343, 1804, 940, 2654},
    {210, 2642, 213, 1169},
    {161, 299, 164, 304},
    {149, 281, 152, 286},
}};

/// What this model does not reproduce: `first` is published as faster than `second`, and here it is
/// not. Why, as far as we can tell, stands in docs/theory.md.
struct Exception {
  std::size_t column;
  Rule first;
  Rule second;
};
constexpr std::array kNotReproduced = {
    // Published, the p99 of polled two choices more than halves from 70 % to 90 %; here it grows.
    Exception{1, Rule::kLeastLoaded, Rule::kTwoChoices},
};

bool is_reproduced(std::size_t column, Rule first, Rule second) {
  return std::none_of(kNotReproduced.begin(), kNotReproduced.end(), [&](const Exception& e) {
    return e.column == column && e.first == first && e.second == second;
  });
}

/// Whether runs are long enough for an order; if not, the coarse facts are checked.
bool is_long() {
  return sample_factor() >= 0.1;
}

/// Each seed is another course of the neighbours' doings.
std::uint64_t seed_count() {
  return sample_factor() >= 1 ? 2 : 1;
}

Testbed testbed(double load, double slow_ratio, std::uint64_t seed) {
  Testbed bed{.load = load, .slow_ratio = slow_ratio, .seed = seed};
  if (!is_long()) {
    bed.warm_up = 12s;
    bed.measured = 12s;
  }
  return bed;
}

std::string shown(double ms) {
  return ms >= kTimeOutMs ? "TO" : std::to_string(static_cast<int>(ms + 0.5));
}

/// p90 and p99 of each rule at one load, printed beside what was published.
std::vector<std::array<double, 2>> run_all(double load, std::size_t first_column,
                                           std::uint64_t seed) {
  std::vector<std::array<double, 2>> measured;
  for (const Rule rule : kRules) {
    const RuleFigures figures = run_rule(rule, testbed(load, kSlowRatio, seed));
    measured.push_back({figures.ms_p90, figures.ms_p99});
    const Row& published = kPublished[static_cast<std::size_t>(rule)];
    std::printf(
        "theory | %-11s load %.0f %% seed %d | %8llu | p90 %5s p99 %5s ms | published %5s %5s\n",
        std::string(rule_name(rule)).c_str(), 100 * load, static_cast<int>(seed),
        static_cast<unsigned long long>(figures.requests), shown(figures.ms_p90).c_str(),
        shown(figures.ms_p99).c_str(), shown(published[first_column]).c_str(),
        shown(published[first_column + 1]).c_str());
  }
  return measured;
}

void check_order(double load, std::size_t first_column, std::uint64_t seed) {
  const auto measured = run_all(load, first_column, seed);
  const auto of = [&](Rule rule, std::size_t i) {
    return measured[static_cast<std::size_t>(rule)][i];
  };
  if (!is_long()) {
    EXPECT_LT(of(Rule::kPrequal, 1), of(Rule::kTwoChoices, 1));
    EXPECT_LT(of(Rule::kCubic, 1), of(Rule::kTwoChoices, 1));
    EXPECT_LT(of(Rule::kTwoChoices, 1), of(Rule::kRoundRobin, 1));
    EXPECT_LT(of(Rule::kPrequal, 0), of(Rule::kRoundRobin, 0));
    return;
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const std::size_t column = first_column + i;
    for (const Rule first : kRules) {
      for (const Rule second : kRules) {
        if (!(kPublished[static_cast<std::size_t>(first)][column] <
              kPublished[static_cast<std::size_t>(second)][column])) {
          continue;
        }
        if (is_reproduced(column, first, second)) {
          EXPECT_LT(of(first, i), of(second, i)) << kColumnNames[column] << ": " << rule_name(first)
                                                 << " before " << rule_name(second);
        } else {
          std::printf("theory | %s: %s before %s as published: %s\n", kColumnNames[column],
                      std::string(rule_name(first)).c_str(), std::string(rule_name(second)).c_str(),
                      of(first, i) < of(second, i) ? "yes" : "not reproduced");
        }
      }
    }
  }
}

TEST(TheoryPrequalRules, FitsTheRoundRobinRow) {
  // Published: at 70 % a p90 of 4984 ms, just within the time-out, and a time-out in all other
  // columns. The fit is a ratio that leaves p90 just within: 3.0 no longer does, and 2.0 leaves it
  // far below.
  const auto run = [](double load, double slow_ratio, std::uint64_t seed) {
    const RuleFigures figures = run_rule(Rule::kRoundRobin, testbed(load, slow_ratio, seed));
    std::printf(
        "theory | slow ratio %.1f, RoundRobin load %.0f %% seed %d: p90 %s p99 %s ms, errors "
        "%.1f %%\n",
        slow_ratio, 100 * load, static_cast<int>(seed), shown(figures.ms_p90).c_str(),
        shown(figures.ms_p99).c_str(), 100 * figures.error_ratio);
    return figures;
  };
  for (std::uint64_t seed = 1; seed <= seed_count(); ++seed) {
    const RuleFigures fitted = run(0.7, kSlowRatio, seed);
    EXPECT_LT(fitted.ms_p90, kTimeOutMs);
    EXPECT_EQ(fitted.ms_p99, kTimeOutMs);
    const RuleFigures loaded = run(0.9, kSlowRatio, seed);
    EXPECT_EQ(loaded.ms_p99, kTimeOutMs);
    if (is_long()) {
      EXPECT_EQ(loaded.ms_p90, kTimeOutMs);
      EXPECT_GT(fitted.ms_p90, 0.85 * kPublished[0][0]);
      EXPECT_EQ(run(0.7, 3.0, seed).ms_p90, kTimeOutMs);
      EXPECT_LT(run(0.7, 2.0, seed).ms_p90, 0.85 * kPublished[0][0]);
    }
  }
}

TEST(TheoryPrequalRules, OrderAtSeventyPercent) {
  for (std::uint64_t seed = 1; seed <= seed_count(); ++seed) {
    check_order(0.7, 0, seed);
  }
}
TEST(TheoryPrequalRules, OrderAtNinetyPercent) {
  for (std::uint64_t seed = 1; seed <= seed_count(); ++seed) {
    check_order(0.9, 2, seed);
  }
}

}  // namespace
}  // namespace copal::sim::theory
