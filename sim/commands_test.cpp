#include "sim/commands.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "sim/fuzz/commands.h"
#include "sim/testing/data_folder.h"

namespace copal::sim {
namespace {

/// What a command printed and how it ended.
struct Said {
  int code = -1;
  std::string out;
  std::string err;
};

Said say(const std::function<int()>& command) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Said said;
  said.code = command();
  std::fflush(nullptr);
  said.out = testing::internal::GetCapturedStdout();
  said.err = testing::internal::GetCapturedStderr();
  return said;
}

struct CommandsTest : ::testing::Test {
  std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("copal-commands-" + std::to_string(getpid()));

  CommandsTest() { std::filesystem::create_directories(folder); }
  ~CommandsTest() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, const std::string& text) {
    std::string path = folder / name;
    std::ofstream(path) << text;
    return path;
  }
  RunCommand quick(const std::string& file) {
    RunCommand command;
    command.files = {file};
    command.process_count = 2;
    command.quiet = true;
    return command;
  }
};

const char* const kTiny = R"(title: Two servers
duration: 5s
warm_up: 1s
cloud:
  hosts:
    app: {count: 2, cores: 2}
    lb: {cores: 2}
clusters:
  site: {servers: app}
  front: {balances: site, servers: lb}
application:
  service_time: {distribution: exponential, mean: 20ms}
workload: {kind: poisson, rate: 100/s}
vary: {algorithm: [round_robin, least_connections]}
)";

TEST_F(CommandsTest, ARunPrintsItsTableAndLeavesItsFolder) {
  RunCommand command = quick(write("tiny.yaml", kTiny));
  command.seed_count = 3;
  command.out = folder / "out";
  const Said said = say([&] { return run_scenarios(command); });
  EXPECT_EQ(said.code, kExitGood) << said.err;
  EXPECT_NE(said.out.find("round_robin"), std::string::npos);
  EXPECT_NE(said.out.find("least_connections"), std::string::npos);
  std::ifstream file(folder / "out" / "results.json");
  const auto results = nlohmann::json::parse(file);
  EXPECT_EQ(results["schema"], "copal-results/1");
  EXPECT_EQ(results["runs"].size(), 6u);
  EXPECT_EQ(results["runs"][0]["seed"], 1);
  EXPECT_EQ(results["runs"][2]["seed"], 3);
  EXPECT_GT(std::filesystem::file_size(folder / "out" / "report.html"), 100'000u);
}

TEST_F(CommandsTest, TheSameRunLeavesTheSameBytes) {
  RunCommand command = quick(write("tiny.yaml", kTiny));
  const auto results = [&](const std::string& out, unsigned processes) {
    command.out = folder / out;
    command.process_count = processes;
    say([&] { return run_scenarios(command); });
    std::stringstream text;
    text << std::ifstream(folder / out / "results.json").rdbuf();
    return text.str();
  };
  const std::string first = results("first", 1);
  EXPECT_GT(first.size(), 1000u);
  EXPECT_EQ(first, results("second", 2));
}

TEST_F(CommandsTest, AFailedExpectationEndsWithOneAndSaysWhatWasMeasured) {
  const std::string file =
      write("tiny.yaml", std::string(kTiny) + "expect: [{metric: latency_ms_p99, below: 1}]\n");
  const Said said = say([&] { return run_scenarios(quick(file)); });
  EXPECT_EQ(said.code, kExitExpectationFailed);
  EXPECT_NE(said.out.find("latency_ms_p99 below 1"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("0 of 2 expectations hold"), std::string::npos);
}

TEST_F(CommandsTest, AMistakeEndsWithTwoAndSaysWhere) {
  const std::string file = write("bad.yaml", std::string(kTiny) + "durration: 5s\n");
  const Said said = say([&] { return run_scenarios(quick(file)); });
  EXPECT_EQ(said.code, kExitBadInput);
  EXPECT_NE(said.err.find("bad.yaml:15:1"), std::string::npos) << said.err;
  EXPECT_NE(said.err.find("duration"), std::string::npos);
  EXPECT_TRUE(said.out.empty());
}

/// The defects of core/base/mutant.h are in a build of their own.
TEST_F(CommandsTest, WhatIsReleasedHasNoMutants) {
  const Said said = say([] {
    fuzz::FuzzCommand command;
    command.mutant = "kWindowForgotten";
    return fuzz::run_fuzz(command);
  });
  EXPECT_EQ(said.code, kExitBadInput);
  EXPECT_NE(said.err.find("COPAL_MUTANTS"), std::string::npos) << said.err;
}

TEST_F(CommandsTest, AMissingTraceEndsWithTwoAndNamesIt) {
  RunCommand command = quick(kScenarios + "access_log.yaml");
  command.trace = folder / "nowhere.log";
  const Said said = say([&] { return run_scenarios(command); });
  EXPECT_EQ(said.code, kExitBadInput);
  EXPECT_NE(said.err.find("nowhere.log"), std::string::npos) << said.err;
}

TEST_F(CommandsTest, ATraceThatIsMostlyBrokenEndsWithTwoAndShowsItsFirstLines) {
  RunCommand command = quick(kScenarios + "access_log.yaml");
  command.trace = write("poem.log", "Roses are red\nViolets are blue\n");
  const Said said = say([&] { return run_scenarios(command); });
  EXPECT_EQ(said.code, kExitBadInput);
  EXPECT_NE(said.err.find("poem.log"), std::string::npos) << said.err;
  EXPECT_NE(said.err.find("Roses are red"), std::string::npos) << said.err;
}

TEST_F(CommandsTest, AFolderThatCannotBeWrittenEndsWithThree) {
  RunCommand command = quick(write("tiny.yaml", kTiny));
  command.out = write("file", "") + "/below";
  const Said said = say([&] { return run_scenarios(command); });
  EXPECT_EQ(said.code, kExitRunFailed);
  EXPECT_NE(said.err.find("below"), std::string::npos) << said.err;
}

TEST_F(CommandsTest, ValidateTellsGoodFromBad) {
  const std::string good = write("good.yaml", kTiny);
  const std::string bad = write("bad.yaml", "title: [\n");
  EXPECT_EQ(say([&] { return validate_scenarios({good}, {}, ""); }).code, kExitGood);
  const Said said = say([&] { return validate_scenarios({good, bad}, {}, ""); });
  EXPECT_EQ(said.code, kExitBadInput);
  EXPECT_NE(said.out.find("good.yaml: good, 2 lines"), std::string::npos) << said.out;
  EXPECT_NE(said.err.find("bad.yaml:"), std::string::npos) << said.err;
}

TEST_F(CommandsTest, ListNamesTheShippedScenarios) {
  const Said said = say([&] { return list_scenarios_in(kScenarios); });
  EXPECT_EQ(said.code, kExitGood);
  EXPECT_NE(said.out.find("quickstart.yaml"), std::string::npos);
  EXPECT_EQ(say([&] { return list_scenarios_in(folder / "empty"); }).code, kExitBadInput);
}

TEST_F(CommandsTest, CompareReadsWhatRunLeft) {
  RunCommand command = quick(write("tiny.yaml", kTiny));
  command.seed_count = 2;
  command.out = folder / "a";
  say([&] { return run_scenarios(command); });
  const Said said = say([&] { return compare_folders({folder / "a"}, "round_robin"); });
  EXPECT_EQ(said.code, kExitGood) << said.err;
  EXPECT_NE(said.out.find("least_connections"), std::string::npos);
  EXPECT_EQ(say([&] { return compare_folders({folder / "b"}, ""); }).code, kExitBadInput);
}

/// The main job on recorded traffic, at a scale for every change; the README has that of a user.
TEST_F(CommandsTest, AllTenAlgorithmsOnTheWorldCupTrace) {
  RunCommand command = quick(kScenarios + "worldcup98.yaml");
  const TestData data = worldcup_data();
  command.trace = data.path;
  command.settings = {"workload.rate_scale=0.005", "workload.window_to=1998-06-30T18:20Z",
                      "duration=20min", "cloud.hosts.app.speed=0.1", "expect=[]"};
  command.out = folder / "out";
  const Said said = say([&] { return run_scenarios(command); });
  EXPECT_EQ(said.code, kExitGood) << said.err << said.out;
  const auto results = nlohmann::json::parse(std::ifstream(folder / "out" / "results.json"));
  ASSERT_EQ(results["lines"].size(), 10u);
  EXPECT_EQ(results["input"]["lines_broken"], 0);
  // Half a percent of the 19 minutes after the warm-up.
  const double requests = 0.005 * (data.real ? 1'394'322 : 19 * 133'000);
  for (const auto& run : results["runs"]) {
    EXPECT_NEAR(run["metrics"]["requests_count"].get<double>(), requests, 0.0125 * requests);
    EXPECT_EQ(run["metrics"]["unfinished_count"], 0);
  }
}

TEST_F(CommandsTest, AllTenAlgorithmsOnAnAccessLogSqueezedAThousandTimes) {
  const TestData data = access_log_data();
  RunCommand command = quick(kScenarios + "access_log.yaml");
  command.trace = data.path;
  command.settings = {"workload.time_scale=1000", "expect=[]"};
  command.out = folder / "out";
  const Said said = say([&] { return run_scenarios(command); });
  EXPECT_EQ(said.code, kExitGood) << said.err << said.out;
  const auto results = nlohmann::json::parse(std::ifstream(folder / "out" / "results.json"));
  ASSERT_EQ(results["lines"].size(), 10u);
  EXPECT_EQ(results["input"]["lines_read"], 10'000);
  EXPECT_EQ(results["input"]["lines_broken"], 1);
  EXPECT_NE(said.out.find("1 broken and left out"), std::string::npos);
  for (const auto& run : results["runs"]) {
    EXPECT_GT(run["metrics"]["requests_count"].get<double>(), 9'000);
    EXPECT_EQ(run["metrics"]["unfinished_count"], 0);
  }
}

}  // namespace
}  // namespace copal::sim
