// The same seed gives the same events: twice in a row, with any number of processes, and in every
// build and on every machine, as the golden hashes in sim/golden_hashes.txt say. CI runs this in
// debug and release, with g++ and clang, and with the processor's FMA and AVX2 hidden. Rule: R0.8.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "scenarios/loader.h"
#include "sim/campaign.h"
#include "sim/testing/data_folder.h"

namespace copal::sim {
namespace {

const std::string kGolden = std::string(COPAL_SOURCE_DIR) + "/sim/golden_hashes.txt";

/// One row of the golden file: a scenario, how it is changed to be quick, and what comes out.
struct Case {
  std::string name;
  std::string file;
  std::vector<std::string> settings;
};

// GoogleTest's name for it.
void PrintTo(const Case& which, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << which.name;
}

std::vector<Case> cases() {
  return {
      {"quickstart", "balance/quickstart.yaml", {}},
      {"unequal_servers", "balance/unequal_servers.yaml", {}},
      {"slow_server", "balance/slow_server.yaml", {}},
      {"server_dies", "balance/server_dies.yaml", {}},
      {"new_server_warms_up", "balance/new_server_warms_up.yaml", {}},
      {"green_at_night", "balance/green_at_night.yaml", {}},
      {"two_balancers", "balance/two_balancers.yaml", {}},
      {"quickstart_simgrid_cpu", "balance/quickstart.yaml", {"cloud.cpu=simgrid"}},
      {"quickstart_flow",
       "balance/quickstart.yaml",
       {"cloud.hosts.lb.link.fidelity=flow", "cloud.hosts.app.link.fidelity=flow"}},
      {"server_dies_simgrid_cpu", "balance/server_dies.yaml", {"cloud.cpu=simgrid"}},
      {"cache_local_read_timeout", "cache/local_read_timeout.yaml", {"workload.rate=100/s"}},
      {"cache_member_dies", "cache/member_dies.yaml", {"workload.rate=50/s"}},
      {"cache_rolling_restart", "cache/rolling_restart.yaml", {"workload.rate=50/s"}},
      {"cache_all_restart", "cache/all_restart.yaml", {"workload.rate=50/s"}},
      {"cache_split_brain", "cache/split_brain.yaml", {"workload.rate=50/s"}},
  };
}

std::vector<scenario::Scenario> load_case(const Case& which) {
  auto loaded = scenario::load(kScenarios + which.file, {.settings = which.settings});
  for (const auto& problem : loaded.problems) {
    ADD_FAILURE() << problem.message();
  }
  return std::move(loaded.scenarios);
}

/// Three lines of each variant: all would take a minute under a sanitizer.
std::vector<Job> jobs_of(const std::vector<scenario::Scenario>& scenarios) {
  std::vector<Job> jobs;
  for (const auto& scenario : scenarios) {
    const std::size_t count = scenario.contenders.size();
    for (const std::size_t line : {std::size_t{0}, count / 2, count - 1}) {
      if (jobs.empty() || jobs.back().scenario != &scenario || jobs.back().contender != line) {
        jobs.push_back({&scenario, line, 1});
      }
    }
  }
  return jobs;
}

/// One hash over the event hashes of all jobs, as text.
std::string hash_of(const std::vector<Job>& jobs, unsigned process_count) {
  std::uint64_t hash = 0;
  for (const JobOutcome& outcome : run_jobs(jobs, process_count, nullptr)) {
    EXPECT_TRUE(outcome.result.has_value()) << outcome.error;
    hash = mix64(hash, outcome.result ? outcome.result->event_hash : 0);
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

std::map<std::string, std::string> golden() {
  std::map<std::string, std::string> hashes;
  std::ifstream file(kGolden);
  std::string name;
  std::string hash;
  while (file >> name >> hash) {
    hashes[name] = hash;
  }
  return hashes;
}

class Determinism : public ::testing::TestWithParam<Case> {};

void expect_golden_hash(const Case& which, unsigned process_count) {
  const auto scenarios = load_case(which);
  ASSERT_FALSE(scenarios.empty());
  const std::string hash = hash_of(jobs_of(scenarios), process_count);
  const auto hashes = golden();
  const auto found = hashes.find(which.name);
  ASSERT_NE(found, hashes.end()) << "no golden hash; this run's: " << hash;
  // A change of what happens is a change of this file, in the same commit, and says why.
  EXPECT_EQ(hash, found->second)
      << "the events changed; if they were meant to, put this into sim/golden_hashes.txt: "
      << which.name << " " << hash;
}

TEST_P(Determinism, TheGoldenHashComesOut) {
  expect_golden_hash(GetParam(), 2);
}

// By itself: where the builds and the processor's paths are compared, the one above will do.
TEST_P(Determinism, OneProcessGivesTheGoldenHashToo) {
  expect_golden_hash(GetParam(), 1);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, Determinism, testing::ValuesIn(cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST(Determinism, AnotherSeedTakesAnotherWay) {
  const auto scenarios = load_case(cases()[0]);
  std::vector<Job> jobs = {{&scenarios[0], 0, 1}};
  const std::string first = hash_of(jobs, 1);
  jobs[0].seed = 2;
  EXPECT_NE(first, hash_of(jobs, 1));
}

TEST(Determinism, RivalsMeetTheSameArrivals) {
  const auto scenarios = load_case(cases()[0]);
  std::vector<Job> jobs;
  for (std::size_t line = 0; line < scenarios[0].contenders.size(); ++line) {
    jobs.push_back({&scenarios[0], line, 1});
  }
  const auto outcomes = run_jobs(jobs, 2, nullptr);
  for (const JobOutcome& outcome : outcomes) {
    ASSERT_TRUE(outcome.result.has_value());
    ASSERT_EQ(outcome.result->series.size(), outcomes[0].result->series.size());
    for (std::size_t i = 0; i < outcome.result->series.size(); ++i) {
      ASSERT_EQ(outcome.result->series[i].arrivals_per_s,
                outcomes[0].result->series[i].arrivals_per_s);
    }
  }
}

/// Traces too: the recordings themselves, in part.
TEST(Determinism, ATraceGivesTheSameEventsTwice) {
  auto loaded = scenario::load(
      kScenarios + "worldcup98.yaml",
      {.settings = {"workload.rate_scale=0.005", "workload.window_to=1998-06-30T18:20Z",
                    "duration=20min", "expect=[]"},
       .trace = worldcup_data().path});
  ASSERT_FALSE(loaded.scenarios.empty());
  const std::vector<Job> jobs = jobs_of(loaded.scenarios);
  EXPECT_EQ(hash_of(jobs, 1), hash_of(jobs, 2));
}

TEST(Determinism, AKeyTraceAndAClusterGiveTheSameEventsTwice) {
  const std::string folder = kScenarios + "cache/";
  auto trace = scenario::load(folder + "key_trace.yaml", {.settings = {"duration=7s", "expect=[]"},
                                                          .trace = key_trace_data().path});
  auto cluster = scenario::load(
      folder + "twitter_cluster.yaml",
      {.settings = {"duration=8s", "warm_up=1s", "workload.rate_scale=0.1", "expect=[]"},
       .trace = cluster_stats_data().path});
  for (const auto& loaded : {trace, cluster}) {
    ASSERT_FALSE(loaded.scenarios.empty());
    const std::vector<Job> jobs = jobs_of(loaded.scenarios);
    EXPECT_EQ(hash_of(jobs, 1), hash_of(jobs, 2));
  }
}

}  // namespace
}  // namespace copal::sim
