#include "sim/workload/cluster_stats.h"

#include <gtest/gtest.h>

#include "scenarios/loader.h"
#include "sim/testing/data_folder.h"
#include "sim/testing/trace_maker.h"
#include "sim/workload/make_workload.h"

namespace copal::sim {
namespace {

constexpr std::string_view kTable =
    "cluster,miss_ratio,category,key_bytes,value_bytes,rate_kqps,mean_frequency,"
    "one_hit_wonder_percent,compulsory_miss_percent,ttl_mix,wss_mb_no_ttl,wss_mb,operation_mix,"
    "zipf_alpha\n"
    "7,0.2004,2,17,1936,1.62,72.9,0.01,1.37,\"1.8h:0.28, 240s:0.24, 4d:0.12,\",7574,85,"
    "get:0.82 set:0.18,1.0666\n"
    "8,0.5,2,17,83,2,1,1,1,\"1h:1.00,\",0,0,get:0.5 gets:0.1 delete:0.1 cas:0.3,0\n"
    "9,0.5,2,17,83,2,1,1,1,\"1w:1.00,\",0,0,get:1,0\n"
    "10,none,2,17,83,2,1,1,1,\"1h:1.00,\",0,0,get:1,0\n";

TEST(ClusterStats, ARowIsRead) {
  const TemporaryFile file("table.csv", kTable);
  ClusterStats stats;
  ASSERT_FALSE(load_cluster_stats(file.path(), 7, stats));
  EXPECT_EQ(stats.miss_ratio, 0.2004);
  EXPECT_EQ(stats.key_bytes, 17);
  EXPECT_EQ(stats.value_bytes, 1936);
  EXPECT_DOUBLE_EQ(stats.rate_per_s, 1620);
  EXPECT_EQ(stats.working_set_bytes, 85e6);
  EXPECT_EQ(stats.read_share, 0.82);
  EXPECT_EQ(stats.zipf_exponent, 1.0666);
  ASSERT_EQ(stats.lifetimes.size(), 3U);
  EXPECT_EQ(stats.lifetimes[0].expire_timeout, 108min);
  EXPECT_EQ(stats.lifetimes[1].expire_timeout, 240s);
  EXPECT_EQ(stats.lifetimes[2].expire_timeout, 5760min);
  EXPECT_EQ(stats.lifetimes[2].share, 0.12);
}

TEST(ClusterStats, OperationsAreReadsRemovalsAndTheRest) {
  const TemporaryFile file("table.csv", kTable);
  ClusterStats stats;
  ASSERT_FALSE(load_cluster_stats(file.path(), 8, stats));
  EXPECT_DOUBLE_EQ(stats.read_share, 0.6);
  EXPECT_DOUBLE_EQ(stats.remove_share, 0.1);
}

TEST(ClusterStats, WhatIsWrongIsSaid) {
  const TemporaryFile file("table.csv", kTable);
  ClusterStats stats;
  EXPECT_EQ(load_cluster_stats(file.path(), 3, stats), file.path() + ": has no row of a cluster 3");
  EXPECT_EQ(load_cluster_stats(file.path(), 9, stats),
            file.path() +
                ":4: ttl_mix is '1w:1.00,'; expected lifetimes by share such as 4d:0.59, "
                "12h:0.41");
  EXPECT_EQ(load_cluster_stats(file.path(), 10, stats),
            file.path() + ":5: miss_ratio is 'none'; expected a number not below 0");
  const TemporaryFile other("other.csv", "a,b\n1,2\n");
  EXPECT_EQ(load_cluster_stats(other.path(), 1, stats),
            other.path() +
                ":1: has no column 'cluster'; expected a header with cluster, "
                "miss_ratio, key_bytes, value_bytes, rate_kqps, ttl_mix, wss_mb, "
                "operation_mix and zipf_alpha");
  EXPECT_TRUE(load_cluster_stats("nowhere.csv", 1, stats).has_value());
}

TEST(ClusterStats, EveryRowOfTheRealTableIsUnderstood) {
  const TestData data = cluster_stats_data();
  std::size_t found = 0;
  for (std::uint32_t cluster = 1; cluster <= 54; ++cluster) {
    ClusterStats stats;
    const auto error = load_cluster_stats(data.path, cluster, stats);
    if (error && error->find("has no row") != std::string::npos) {
      continue;
    }
    EXPECT_FALSE(error) << *error;
    EXPECT_GT(stats.rate_per_s, 0) << cluster;
    EXPECT_LE(stats.read_share + stats.remove_share, 1) << cluster;
    ++found;
  }
  EXPECT_GE(found, data.real ? 50U : 3U);
}

TEST(ClusterStats, TheScenarioDoesAsTheClusterDid) {
  const TemporaryFile file("table.csv", kTable);
  scenario::Scenario scenario;
  scenario.workload.kind = scenario::WorkloadSpec::Kind::kClusterStats;
  scenario.workload.file = file.path();
  scenario.workload.cluster = 7;
  scenario.workload.rate_scale = 0.1;
  scenario.application.cache_use = {{.keys = scenario::CacheUse::Keys::kTrace},
                                    {.read_share = 0.3}};
  ASSERT_FALSE(follow_cluster(scenario));
  EXPECT_DOUBLE_EQ(scenario.workload.rate_per_s, 162);
  const scenario::CacheUse& use = scenario.application.cache_use[0];
  EXPECT_EQ(use.key_count, 43'522U);  // 85 MB of 1,953 B
  EXPECT_EQ(use.key_size_bytes, 17U);
  EXPECT_EQ(use.value_size.mean, 1936);
  EXPECT_EQ(use.read_share, 0.82);
  EXPECT_EQ(use.lifetimes.size(), 3U);
  EXPECT_EQ(scenario.application.cache_use[1].read_share, 0.3) << "not its business";
  scenario.workload.key_count = 100;
  ASSERT_FALSE(follow_cluster(scenario));
  EXPECT_EQ(scenario.application.cache_use[0].key_count, 100U);
}

TEST(KeyTraceWorkload, AsksForTheRecordedKeysInOrderAndEnds) {
  std::string keys;
  for (const char key : {'\x07', '\x03', '\x07'}) {
    keys += std::string{0, 0, 0, key};
  }
  const TemporaryFile file("keys.trace", keys);
  scenario::Scenario scenario;
  scenario.workload = {
      .kind = scenario::WorkloadSpec::Kind::kKeyTrace, .rate_per_s = 10, .file = file.path()};
  const MadeWorkload made = make_workload(scenario, 1);
  ASSERT_NE(made.workload, nullptr) << made.error;
  EXPECT_EQ(made.input.lines_read, 3U);
  std::vector<std::uint64_t> asked;
  TimePoint last{};
  while (made.workload->next_at() != kNever) {
    EXPECT_GE(made.workload->next_at(), last);
    last = made.workload->next_at();
    asked.push_back(made.workload->take().cache_key);
  }
  EXPECT_EQ(asked, (std::vector<std::uint64_t>{8, 4, 8}));
}

}  // namespace
}  // namespace copal::sim
