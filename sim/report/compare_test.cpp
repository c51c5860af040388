#include "sim/report/compare.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/report/write_results.h"
#include "sim/testing/fixture_results.h"

namespace copal::sim {
namespace {

class Compare : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    root_ =
        std::filesystem::path(testing::TempDir()) / ("copal-compare-" + std::string(info->name()));
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  /// A result folder with lines a and b over three seeds; p99 of b is `more` above that of a.
  std::string write(const std::string& name, double more) {
    std::vector<RunResult> runs;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      for (const std::string line : {"a", "b"}) {
        runs.push_back(flat_run(line, seed, 50));
        set_metric(runs.back(), "error_ratio", 0);
        set_metric(runs.back(), "latency_ms_p99",
                   100 * static_cast<double>(seed) + (line == "b" ? more : 0));
      }
    }
    std::string folder = (root_ / name).string();
    EXPECT_FALSE(write_results(folder, plain_context(), runs).has_value());
    return folder;
  }

  std::string error_for(const std::string& folder) {
    std::ostringstream out;
    const auto error = compare(std::vector<std::string>{folder}, {}, out);
    return error ? error->text() : "no error";
  }

  /// Replaces one piece of a good results.json and says how it is received.
  std::string error_after(const std::string& from, const std::string& to) {
    const std::string folder = write("broken", 1);
    const std::filesystem::path path = std::filesystem::path(folder) / "results.json";
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    std::string changed = text.str();
    const std::size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    std::ofstream(path) << changed.replace(at, from.size(), to);
    return error_for(folder);
  }

  std::filesystem::path root_;
};

TEST_F(Compare, OneFolderShowsPairedDifferencesFromItsFirstLine) {
  std::ostringstream out;
  const std::vector<std::string> folders = {write("one", 7)};
  ASSERT_FALSE(compare(folders, {}, out).has_value());
  EXPECT_NE(out.str().find("Differences from a, seed by seed"), std::string::npos) << out.str();
  // The lines' own intervals are wide; the difference is 7 at every seed.
  EXPECT_NE(out.str().find("200±248"), std::string::npos) << out.str();
  EXPECT_NE(out.str().find("+7.00±0"), std::string::npos) << out.str();
}

TEST_F(Compare, SeveralFoldersAreComparedLineByLineWithTheFirst) {
  std::ostringstream out;
  const std::vector<std::string> folders = {write("before", 7), write("after", 2)};
  ASSERT_FALSE(compare(folders, {}, out).has_value());
  EXPECT_NE(out.str().find("after from"), std::string::npos);
  EXPECT_NE(out.str().find("-5.00±0"), std::string::npos) << out.str();
  EXPECT_NE(out.str().find(" ="), std::string::npos) << out.str();
}

TEST_F(Compare, DifferenceTooSmallToMatterIsAnEqualsSign) {
  std::ostringstream out;
  const std::vector<std::string> folders = {write("one", 1e-9)};
  ASSERT_FALSE(compare(folders, {}, out).has_value());
  const std::string last = out.str().substr(out.str().find("seed by seed"));
  EXPECT_EQ(last.find('+'), std::string::npos) << last;
}

TEST_F(Compare, UnknownBaseLineIsReportedWithTheKnownOnes) {
  std::ostringstream out;
  const std::vector<std::string> folders = {write("one", 7)};
  const auto error = compare(folders, {.base = "c"}, out);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->reason, "has no line \"c\"; it has a, b");
  EXPECT_EQ(out.str(), "");
}

TEST_F(Compare, MissingFolderFileAndEmptyFolderAreToldApart) {
  EXPECT_NE(error_for((root_ / "none").string()).find("no such folder"), std::string::npos);
  EXPECT_NE(error_for(root_.string()).find("holds no results.json"), std::string::npos);
  std::ofstream(root_ / "file") << "text";
  EXPECT_NE(error_for((root_ / "file").string()).find("is not a folder"), std::string::npos);
}

TEST_F(Compare, GarbledFilesSayWhatIsWrong) {
  EXPECT_NE(error_after("{", "{{").find("is not JSON"), std::string::npos);
  EXPECT_NE(error_after("copal-results/1", "copal-results/9")
                .find("its schema is \"copal-results/9\"; this program reads"),
            std::string::npos);
  EXPECT_NE(error_after("\"algorithm\"", "\"rhythm\"").find("run 1 has no \"algorithm\""),
            std::string::npos);
  EXPECT_NE(error_after("\"latency_ms_p99\":100", "\"latency_ms_p99\":\"x\"")
                .find("run 1: metric \"latency_ms_p99\" is not a number"),
            std::string::npos);
  EXPECT_NE(error_after("0123456789abcdef", "0123456789abcdeg").find("16 hexadecimal digits"),
            std::string::npos);
  EXPECT_NE(error_after("\"seed\":1", "\"seed\":-1").find("not a whole number"), std::string::npos);
}

TEST_F(Compare, NoFoldersIsAnError) {
  std::ostringstream out;
  EXPECT_TRUE(compare({}, {}, out).has_value());
}

}  // namespace
}  // namespace copal::sim
