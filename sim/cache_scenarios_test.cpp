#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "scenarios/loader.h"
#include "sim/campaign.h"
#include "sim/report/metrics.h"
#include "sim/testing/data_folder.h"

// The shipped scenarios of caches, at a small size, and the promises of section 5 as a whole system
// keeps them. What each scenario expects at its full size, .ci/run_scenarios.py looks at.

namespace copal::sim {
namespace {

std::vector<RunResult> runs_of(const std::string& name, std::vector<std::string> settings,
                               const std::string& trace = {}) {
  settings.push_back("expect=[]");
  const auto loaded = scenario::load(kScenarios + "cache/" + name + ".yaml",
                                     {.settings = settings, .trace = trace});
  for (const auto& problem : loaded.problems) {
    ADD_FAILURE() << problem.message();
  }
  std::vector<Job> jobs;
  for (const scenario::Scenario& scenario : loaded.scenarios) {
    jobs.push_back({&scenario, 0, 1});
  }
  std::vector<RunResult> runs;
  for (JobOutcome& outcome : run_jobs(jobs, 2, nullptr)) {
    EXPECT_TRUE(outcome.result) << outcome.error;
    if (outcome.result) {
      runs.push_back(std::move(*outcome.result));
    }
  }
  EXPECT_FALSE(runs.empty());
  return runs;
}

void expect_all_served(const RunResult& run) {
  EXPECT_EQ(metric(run, "error_ratio"), 0) << run.line;
  EXPECT_EQ(metric(run, "cache_failed_count"), 0) << run.line;
  EXPECT_EQ(metric(run, "unfinished_count"), 0) << run.line;
  EXPECT_GT(metric(run, "cache_operations_count"), 100) << run.line;
}

TEST(CacheScenarios, ARunHasTheMetricsOfTheDocument) {
  const auto runs = runs_of("hot_key", {"workload.rate=50/s", "duration=6s"});
  std::vector<std::string> names;
  for (const auto& [name, value] : runs.front().metrics) {
    names.push_back(name);
  }
  std::vector<std::string> expected;
  for (const MetricInfo& info : metric_infos()) {
    expected.emplace_back(info.name);
  }
  for (const MetricInfo& info : cache_metric_infos()) {
    expected.emplace_back(info.name);
  }
  EXPECT_EQ(names, expected);
}

TEST(CacheScenarios, NoReadIsBehindByMoreThanTheLocalReadTimeout) {
  const auto runs =
      runs_of("local_read_timeout", {"workload.rate=100/s", "duration=8s", "warm_up=2s"});
  ASSERT_EQ(runs.size(), 4U);
  const double bounds_ms[] = {0, 10, 100, 1000};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    expect_all_served(runs[i]);
    EXPECT_LE(metric(runs[i], "staleness_ms_max"), bounds_ms[i] * 1.01) << runs[i].line;
    EXPECT_EQ(metric(runs[i], "lost_writes_count"), 0) << runs[i].line;
  }
  EXPECT_EQ(metric(runs[0], "cache_near_hit_ratio"), 0);
  EXPECT_EQ(metric(runs[0], "cache_messages_per_operation"), 2);
  EXPECT_GT(metric(runs[3], "cache_near_hit_ratio"), metric(runs[1], "cache_near_hit_ratio"));
  EXPECT_LT(metric(runs[3], "cache_messages_per_operation"), 1.9);
}

TEST(CacheScenarios, AMemberDiesAndNobodyIsRefused) {
  for (const RunResult& run : runs_of("member_dies", {"workload.rate=40/s"})) {
    expect_all_served(run);
    EXPECT_EQ(metric(run, "lost_writes_count"), 0) << run.line;
    EXPECT_EQ(metric(run, "overwritten_writes_count"), 0) << run.line;
    EXPECT_LT(metric(run, "recovery_s_max"), 5) << run.line;
  }
}

/// Members that are gone refuse each frame: questions must not be sent ever more often for it.
TEST(CacheScenarios, TwoDeadMembersAreNotFlooded) {
  const auto runs = runs_of("two_down", {"workload.rate=60/s"});
  ASSERT_EQ(runs.size(), 2U);
  expect_all_served(runs[0]);
  EXPECT_GT(metric(runs[0], "single_copy_count"), 0);
  EXPECT_GT(metric(runs[1], "cache_failed_count"), 0);
  EXPECT_EQ(metric(runs[1], "single_copy_count"), 0);
  for (const RunResult& run : runs) {
    EXPECT_LT(metric(run, "cache_messages_per_operation"), 20) << run.line;
    EXPECT_LT(metric(run, "replica_messages_per_operation"), 20) << run.line;
  }
}

TEST(CacheScenarios, AStopThatIsPlannedKeepsNobodyWaiting) {
  for (const RunResult& run : runs_of("rolling_restart", {"workload.rate=40/s"})) {
    expect_all_served(run);
    EXPECT_LT(metric(run, "latency_ms_max"), 1000) << run.line;
    EXPECT_EQ(metric(run, "lost_writes_count"), 0) << run.line;
  }
}

TEST(CacheScenarios, APowerCutLosesWhatWasNotSynced) {
  const auto runs = runs_of("all_restart", {"workload.rate=100/s"});
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_GT(metric(runs[0], "lost_writes_count"), metric(runs[1], "lost_writes_count"));
  EXPECT_EQ(metric(runs[2], "lost_writes_count"), 0);
}

TEST(CacheScenarios, OnlyAvailableHasALossWindow) {
  const auto runs = runs_of("loss_window", {"workload.rate=400/s", "duration=20s"});
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_GT(metric(runs[0], "lost_writes_count"), 0);
  EXPECT_GT(metric(runs[0], "loss_window_ms_p50"), 0.1);
  EXPECT_EQ(metric(runs[1], "lost_writes_count"), 0);
  EXPECT_EQ(metric(runs[1], "loss_window_ms_p99"), 0);
}

TEST(CacheScenarios, AFrozenOwnerIsReplaced) {
  for (const RunResult& run : runs_of("frozen_owner", {"workload.rate=40/s"})) {
    expect_all_served(run);
    EXPECT_EQ(metric(run, "lost_writes_count"), 0) << run.line;
    EXPECT_LT(metric(run, "recovery_s_max"), 5) << run.line;
  }
}

TEST(CacheScenarios, ASplitOverwritesAndLosesNothing) {
  for (const RunResult& run : runs_of("split_brain", {"workload.rate=100/s"})) {
    EXPECT_EQ(metric(run, "lost_writes_count"), 0) << run.line;
    EXPECT_GT(metric(run, "overwritten_writes_count"), 0) << run.line;
  }
}

TEST(CacheScenarios, BytesGoOnlyWhereTheyAreMissing) {
  const auto runs =
      runs_of("value_sizes", {"workload.rate=5/s", "duration=14s",
                              "vary.application.cache_use.0.value_size=[10B, 1kB, 100kB, 1MB]"});
  ASSERT_EQ(runs.size(), 4U);
  EXPECT_EQ(metric(runs[0], "cache_data_bytes_per_operation"), 0) << "they stand in the m-node";
  const double sizes[] = {10, 1e3, 1e5, 1e6};
  for (std::size_t i = 1; i < runs.size(); ++i) {
    EXPECT_EQ(metric(runs[i], "error_ratio"), 0) << runs[i].line;
    EXPECT_GT(metric(runs[i], "cache_data_bytes_per_operation"), sizes[i] * 0.1) << runs[i].line;
    EXPECT_LT(metric(runs[i], "cache_data_bytes_per_operation"), sizes[i]) << runs[i].line;
  }
}

TEST(CacheScenarios, ARecordingOfKeysIsAskedFor) {
  const auto runs = runs_of("key_trace", {"duration=10s", "warm_up=2s", "workload.rate=1000/s"},
                            key_trace_data().path);
  ASSERT_EQ(runs.size(), 3U);
  for (const RunResult& run : runs) {
    expect_all_served(run);
  }
  EXPECT_EQ(metric(runs.front(), "cache_near_hit_ratio"), 0);
  EXPECT_GT(metric(runs.back(), "cache_near_hit_ratio"), 0.05);
}

TEST(CacheScenarios, ARowOfStatisticsIsFollowed) {
  for (const RunResult& run :
       runs_of("twitter_cluster", {"duration=10s", "warm_up=2s", "workload.rate_scale=0.1"},
               cluster_stats_data().path)) {
    EXPECT_EQ(metric(run, "error_ratio"), 0) << run.line;
    EXPECT_GT(metric(run, "cache_operations_count"), 50) << run.line;
  }
}

TEST(CacheScenarios, RivalsAskForTheSame) {
  const auto runs = runs_of("hot_key", {"workload.rate=50/s", "duration=6s"});
  for (const RunResult& run : runs) {
    EXPECT_EQ(metric(run, "cache_operations_count"), metric(runs[0], "cache_operations_count"));
    EXPECT_EQ(metric(run, "acknowledged_writes_count"),
              metric(runs[0], "acknowledged_writes_count"));
  }
}

}  // namespace
}  // namespace copal::sim
