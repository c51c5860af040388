#include "sim/report/write_results.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "sim/report/metrics.h"
#include "sim/testing/fixture_results.h"

namespace copal::sim {
namespace {

using OrderedJson = nlohmann::ordered_json;

/// A fresh folder for one test, removed behind it.
class WriteResults : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        std::filesystem::path(testing::TempDir()) / ("copal-write-" + std::string(info->name()));
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> keys(const OrderedJson& object) {
  std::vector<std::string> names;
  for (const auto& [key, unused] : object.items()) {
    names.push_back(key);
  }
  return names;
}

TEST_F(WriteResults, LeavesTheDocumentedFilesAndNoTemporaryOnes) {
  const std::vector<RunResult> runs = fixture_runs({.lines = {"green"}, .seeds = 2});
  ASSERT_FALSE(write_results(folder_.string(), plain_context(), runs).has_value());
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    if (entry.is_regular_file()) {
      files.push_back(std::filesystem::relative(entry.path(), folder_).string());
    }
  }
  std::sort(files.begin(), files.end());
  EXPECT_EQ(files, (std::vector<std::string>{"report.html", "results.json",
                                             "series/green-seed1.csv", "series/green-seed2.csv"}));
}

TEST_F(WriteResults, SameResultsGiveTheSameBytes) {
  const std::vector<RunResult> runs = fixture_runs({});
  ASSERT_FALSE(write_results((folder_ / "a").string(), plain_context(), runs).has_value());
  ASSERT_FALSE(write_results((folder_ / "b").string(), plain_context(), runs).has_value());
  for (const char* name : {"results.json", "report.html", "series/green-seed1.csv"}) {
    EXPECT_EQ(text_of(folder_ / "a" / name), text_of(folder_ / "b" / name)) << name;
  }
}

TEST_F(WriteResults, FolderThatCannotBeMadeIsReportedWithPathAndReason) {
  std::filesystem::create_directories(folder_);
  std::ofstream(folder_ / "file") << "in the way";
  const auto error = write_results((folder_ / "file").string(), plain_context(), {});
  ASSERT_TRUE(error.has_value());
  EXPECT_NE(error->path.find("file"), std::string::npos);
  EXPECT_EQ(error->reason, "Not a directory");
}

TEST_F(WriteResults, FileThatCannotBeReplacedIsReportedAndLeavesNothingBehind) {
  std::filesystem::create_directories(folder_ / "report.html");  // a folder where a file must go
  const auto error = write_results(folder_.string(), plain_context(), fixture_runs({}));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->text(), (folder_ / "report.html").string() + ": Is a directory");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "results.json"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "report.html.tmp"));
}

/// The Python tests below analysis/ read what this leaves: COPAL_RESULTS names the folder.
TEST_F(WriteResults, FoldersForThePythonTests) {
  const char* wanted = std::getenv("COPAL_RESULTS");
  const std::filesystem::path root = wanted != nullptr ? wanted : folder_;
  const FixtureOptions options{.seeds = 3, .seconds = 120};
  EXPECT_FALSE(write_results(root / "plain", plain_context(), fixture_runs(options)).has_value());
  EXPECT_FALSE(write_results(root / "hostile", hostile_context(), fixture_runs({.seconds = 30}))
                   .has_value());
  RunResult idle = flat_run("idle", 1, 0);  // nothing answered, nothing known
  set_metric(idle, "latency_ms_p99", std::numeric_limits<double>::quiet_NaN());
  idle.series.resize(2);
  EXPECT_FALSE(write_results(root / "idle", plain_context(), std::vector{idle}).has_value());
}

TEST(ResultsJson, KeysAreThoseOfTheDocumentInItsOrder) {
  const OrderedJson root = OrderedJson::parse(results_json(hostile_context(), fixture_runs({})));
  EXPECT_EQ(keys(root), (std::vector<std::string>{"schema", "copal_version", "scenario", "engine",
                                                  "input", "runs", "lines", "expectations"}));
  EXPECT_EQ(keys(root["scenario"]),
            (std::vector<std::string>{"name", "title", "claim", "file", "text", "settings",
                                      "duration_s", "warm_up_s"}));
  EXPECT_EQ(keys(root["engine"]),
            (std::vector<std::string>{"simgrid_version", "simgrid_options", "cpu", "fidelity"}));
  EXPECT_EQ(keys(root["input"]),
            (std::vector<std::string>{"file", "lines_read", "lines_broken", "first_broken"}));
  EXPECT_EQ(keys(root["runs"][0]),
            (std::vector<std::string>{"line", "algorithm", "seed", "event_hash", "metrics",
                                      "latency_histogram", "servers", "series"}));
  EXPECT_EQ(keys(root["runs"][0]["servers"][0]),
            (std::vector<std::string>{"name", "requests", "active_mean", "cpu_ratio_mean",
                                      "awake_s", "energy_joules"}));
  EXPECT_EQ(keys(root["lines"][0]),
            (std::vector<std::string>{"label", "algorithm", "seeds", "metrics", "tied_note"}));
  EXPECT_EQ(keys(root["expectations"][0]),
            (std::vector<std::string>{"text", "line", "metric", "measured", "ok"}));
  std::vector<std::string> metrics;
  for (const MetricInfo& info : metric_infos()) {
    metrics.emplace_back(info.name);
  }
  EXPECT_EQ(keys(root["runs"][0]["metrics"]), metrics);
}

TEST(ResultsJson, MetricsStandInTheDocumentInTheSameOrder) {
  const std::string document = text_of(std::filesystem::path(COPAL_SOURCE_DIR) / "docs/results.md");
  std::size_t at = 0;
  for (const auto infos : {metric_infos(), cache_metric_infos()}) {
    for (const MetricInfo& info : infos) {
      const std::size_t found = document.find("`" + std::string(info.name) + "`", at);
      ASSERT_NE(found, std::string::npos) << info.name;
      at = found;
    }
  }
}

TEST(ResultsJson, NumbersHashesAndMissingIntervals) {
  RunResult run = flat_run("green", 7, 12);
  set_metric(run, "error_ratio", 0.1);
  set_metric(run, "imbalance_ratio", std::numeric_limits<double>::quiet_NaN());
  run.event_hash = 0xabc;
  run.latency.add(1'000'000);
  const std::string text = results_json(plain_context(), std::vector{run});
  EXPECT_NE(text.find("\"event_hash\":\"0000000000000abc\""), std::string::npos);
  EXPECT_NE(text.find("\"answered_count\":12,"), std::string::npos);
  EXPECT_NE(text.find("\"error_ratio\":0.1,"), std::string::npos);
  EXPECT_NE(text.find("\"imbalance_ratio\":null"), std::string::npos);
  EXPECT_NE(text.find("{\"mean\":0.1,\"low\":null,\"high\":null}"), std::string::npos);
  const OrderedJson root = OrderedJson::parse(text);
  const OrderedJson bucket = root["runs"][0]["latency_histogram"][0];
  EXPECT_LE(bucket[0].get<double>(), 1);
  EXPECT_GT(bucket[1].get<double>(), 1);
  EXPECT_EQ(bucket[2], 1);
  EXPECT_TRUE(root["input"].is_null());
}

TEST(ResultsJson, BytesThatAreNotUtf8AreReplaced) {
  ReportContext context = plain_context();
  context.scenario_text = "a\xff";
  const OrderedJson root = OrderedJson::parse(results_json(context, {}));
  EXPECT_EQ(root["scenario"]["text"], "a\xef\xbf\xbd");
}

TEST(ResultsJson, AtMostFiveBrokenLines) {
  ReportContext context = plain_context();
  context.input = ReportContext::Input{"log", 100, 9, {}};
  context.input->first_broken.resize(9);
  const OrderedJson root = OrderedJson::parse(results_json(context, {}));
  EXPECT_EQ(root["input"]["first_broken"].size(), 5U);
  EXPECT_EQ(root["input"]["lines_broken"], 9);
}

TEST(SeriesCsv, ColumnsAndEmptyLatencies) {
  RunResult run = flat_run("green", 1, 0);
  run.series.push_back({.time_s = 0, .arrivals_per_s = 12.5, .errors_per_s = 1});
  run.series.push_back({.time_s = 1,
                        .latency_ms_p50 = 1.5,
                        .latency_ms_p95 = 2,
                        .latency_ms_p99 = 3,
                        .in_flight = 4,
                        .servers_active = 5,
                        .servers_on = 6,
                        .cpu_ratio_mean = 0.25,
                        .cpu_ratio_max = 0.5,
                        .power_watts = 700});
  EXPECT_EQ(series_csv(run),
            "time_s,arrivals_per_s,answers_per_s,errors_per_s,latency_ms_p50,latency_ms_p95,"
            "latency_ms_p99,in_flight,servers_active,servers_on,cpu_ratio_mean,cpu_ratio_max,"
            "power_watts\n"
            "0,12.5,0,1,,,,0,0,0,0,0,0\n"
            "1,0,0,0,1.5,2,3,4,5,6,0.25,0.5,700\n");
}

TEST(SeriesPaths, LabelsBecomePlainAndUniqueNames) {
  const std::vector<RunResult> runs = {flat_run("a b/c", 1, 0), flat_run("a_b_c", 1, 0),
                                       flat_run("../x", 2, 0)};
  EXPECT_EQ(series_paths(runs),
            (std::vector<std::string>{"series/a_b_c-seed1.csv", "series/a_b_c-seed1-2.csv",
                                      "series/_.._x-seed2.csv"}));
}

}  // namespace
}  // namespace copal::sim
