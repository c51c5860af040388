// Capsules: what is written is read back, what is wrong in one is named, and those that were kept
// find nothing any more. And what a campaign must report: a defect on purpose, and a run that dies.

#include "sim/fuzz/capsule.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/fuzz/draw_plan.h"
#include "sim/fuzz/seeds.h"
#include "sim/fuzz/shrink.h"

namespace copal::sim::fuzz {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Capsule, IsReadAsItWasWritten) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Capsule capsule{draw_plan(seed), "checker", "a finding", "a \"cause\"", "this"};
    const std::string text = to_json(capsule);
    const ReadCapsule read = capsule_from_json(text);
    ASSERT_TRUE(read.capsule) << read.error;
    EXPECT_EQ(to_json(*read.capsule), text);
    EXPECT_EQ(read.capsule->plan.ops.size(), capsule.plan.ops.size());
    EXPECT_EQ(read.capsule->plan.ops.back().at, capsule.plan.ops.back().at);
    EXPECT_EQ(read.capsule->cause, capsule.cause);
    EXPECT_EQ(read.capsule->program, "this");
  }
}

TEST(Capsule, AMistakeIsNamedWithItsPlace) {
  const auto error_with = [](const std::string& from, const std::string& to) {
    Capsule capsule;
    capsule.plan.caches.resize(1);
    capsule.plan.ops.resize(2);
    capsule.plan.faults.resize(1);
    return capsule_from_json(with(to_json(capsule), from, to)).error;
  };
  EXPECT_EQ(error_with("\"slots\": 7", "\"slots\": 8"), "slots: expected 1 to 7");
  EXPECT_EQ(error_with("\"servers\": 3", "\"servers\": -3"), "servers: expected a whole number");
  EXPECT_EQ(error_with("\"capsule\": 1", "\"capsule\": 2"), "capsule: expected format 1");
  EXPECT_EQ(error_with("\"balancers\"", "\"balancer\""),
            "balancers: expected a value; there is none");
  EXPECT_EQ(error_with("\"available\"", "\"strong\""),
            "caches[0].consistency: expected one of available, replicated");
  EXPECT_EQ(error_with("\"evict\":false", "\"evict\":0"),
            "caches[0].evict: expected true or false");
  EXPECT_EQ(error_with("\"kind\":\"get\",\"client\":0,\"server\":0",
                       "\"kind\":\"get\",\"client\":0,\"server\":3"),
            "ops[0].server: expected one that there is");
  EXPECT_EQ(error_with("\"kind\":\"crash\"", "\"kind\":\"drain\""),
            "faults[0].node: expected one that there is and that this can befall");
  EXPECT_EQ(error_with("\"kind\":\"crash\"", "\"kind\":\"false_load\""),
            "faults[0].node: expected one that there is and that this can befall");
  EXPECT_EQ(error_with("\"at_ns\":0,\"kind\":\"crash\"", "\"at_ns\":5,\"kind\":\"clock_offset\""),
            "faults[0].at_ns: expected 0, the start");
  EXPECT_EQ(error_with("\"timeout_ns\":", "\"user_flags\":-1,\"timeout_ns\":"),
            "ops[0].user_flags: expected a whole number");
  EXPECT_NE(capsule_from_json("{").error, "");
  EXPECT_NE(capsule_from_json("[]").error, "");
}

TEST(Capsule, ThoseThatWereKeptFindNothingAnyMore) {
  const std::filesystem::path folder =
      std::filesystem::path(COPAL_SOURCE_DIR) / "sim/fuzz/capsules";
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const ReadCapsule read = capsule_from_json(read_file(entry.path()));
    ASSERT_TRUE(read.capsule) << entry.path() << ": " << read.error;
    EXPECT_NE(read.capsule->cause, "") << entry.path();
    for (const Violation& violation : run_plan(read.capsule->plan).violations) {
      ADD_FAILURE() << entry.path() << ": " << violation.checker << ": " << violation.message;
    }
    ++count;
  }
  EXPECT_GE(count, 6U);
}

TEST(Capsule, ADefectOnPurposeIsReportedAndShrunk) {
  Plan plan = draw_plan(1, {.kinds = {}, .none = true});
  plan.canary = true;
  std::erase_if(plan.ops, [](const PlannedOp& op) { return op.at > 30s; });
  for (PlannedOp& op : plan.ops) {
    op.server = 0;  // what is left of them needs no other
  }
  plan.faults_for = 32s;  // two hundred runs: the shorter the better
  plan.core_for = 2s;
  plan.healed_for = 2s;
  const auto fails = [](const std::vector<Plan>& plans) {
    std::vector<bool> failed;
    for (const RunReport& report : run_plans(plans, 2, {})) {
      failed.push_back(!report.violations.empty());
    }
    return failed;
  };
  ASSERT_EQ(fails({plan}), std::vector{true});
  EXPECT_EQ(run_plans({plan}, 1, {}).front().violations.front().checker, "values");
  const Plan small = shrink(plan, fails, 200, 4);
  EXPECT_EQ(fails({small}), std::vector{true});
  EXPECT_LE(small.ops.size(), 3U);  // a value is put, and read
  EXPECT_EQ(small.servers, 1U);
}

TEST(Seeds, RunTwiceInTwoProcessesHaveOneHash) {
  const std::vector<Plan> plans = {draw_plan(3), draw_plan(3), draw_plan(4)};
  const auto reports = run_plans(plans, 2, {});
  EXPECT_EQ(reports[0].hash, reports[1].hash);
  EXPECT_NE(reports[0].hash, reports[2].hash);
}

TEST(Seeds, WithoutFaultsNothingIsFound) {
  const SeedsTotals totals =
      run_seeds({.first = 1, .last = 10, .jobs = 2, .focus = {.kinds = {}, .none = true}}, nullptr);
  EXPECT_EQ(totals.seeds, 10U);
  EXPECT_EQ(totals.faultless, 10U);
  EXPECT_GE(totals.operations, 5'000U);
  EXPECT_EQ(totals.judged_seeds.at("staleness"), 10U);
  for (const FailedSeed& failed : totals.failures) {
    ADD_FAILURE() << "seed " << failed.seed << ": " << failed.violations.front().message;
  }
}

TEST(Seeds, EndEarlyWhenItIsEnough) {
  SeedsOptions options;
  options.last = 1'000'000;
  std::uint64_t asked = 0;
  options.is_enough = [&] { return ++asked > 3; };
  const SeedsTotals totals = run_seeds(options, nullptr);
  EXPECT_EQ(totals.seeds, 3U);
  EXPECT_GT(totals.operations, 0U);
}

}  // namespace
}  // namespace copal::sim::fuzz
