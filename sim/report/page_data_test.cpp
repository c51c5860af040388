#include "sim/report/page_data.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sim/testing/fixture_results.h"

namespace copal::sim {
namespace {

using Json = nlohmann::json;

Json data_of(const FixtureOptions& options) {
  return Json::parse(page_data(plain_context(), fixture_runs(options)));
}

TEST(PageData, ShortSeriesAreShownAsTheyAre) {
  const Json data = data_of({.seconds = 120});
  EXPECT_TRUE(data["runs"][0]["series"]["full"].is_null());
  EXPECT_EQ(data["runs"][0]["series"]["calm"]["time_s"].size(), 120U);
  EXPECT_EQ(data["thinning"]["rows_shown"], 120);
}

TEST(PageData, LongSeriesComeCalmAndWithPeaks) {
  const Json data = data_of({.seconds = 3000});
  EXPECT_LE(data["runs"][0]["series"]["calm"]["time_s"].size(), kPageMeansMax);
  EXPECT_LE(data["runs"][0]["series"]["full"]["power_watts"].size(), kPageExtremesMax);
  EXPECT_EQ(data["thinning"]["rows"], 3000);
  EXPECT_EQ(data["thinning"]["rows_shown"], kPageExtremesMax);
}

TEST(PageData, HistogramKeepsEveryRequest) {
  const std::vector<RunResult> runs = fixture_runs({});
  const Json data = Json::parse(page_data(plain_context(), runs));
  std::uint64_t sum = 0;
  double last_upper = 0;
  for (const Json& bucket : data["runs"][0]["histogram"]) {
    sum += bucket[2].get<std::uint64_t>();
    EXPECT_GE(bucket[0].get<double>(), last_upper);
    last_upper = bucket[1].get<double>();
  }
  EXPECT_EQ(sum, runs[0].latency.count());
  EXPECT_LT(data["runs"][0]["histogram"].size(), 300U);
}

TEST(PageData, ManyServersAreGroupedWithoutLosingRequests) {
  const std::vector<RunResult> runs = fixture_runs({.seconds = 10, .servers = 1001});
  const Json data = Json::parse(page_data(plain_context(), runs));
  const Json& servers = data["runs"][0]["servers"];
  EXPECT_LE(servers["names"].size(), kPageServersMax);
  std::uint64_t shown = 0;
  for (const Json& requests : servers["requests"]) {
    shown += requests.get<std::uint64_t>();
  }
  std::uint64_t all = 0;
  for (const ServerResult& server : runs[0].servers) {
    all += server.requests;
  }
  EXPECT_EQ(shown, all);
  EXPECT_EQ(servers["names"][0], "app-1 … app-26");
}

TEST(PageData, TooManySeedsForThePageAreLeftOutAndCounted) {
  const Json data = data_of({.seeds = 100, .seconds = 400});
  const std::size_t shown = data["thinning"]["seeds_shown"];
  EXPECT_LT(shown, 100U);
  EXPECT_GT(shown, 10U);
  EXPECT_FALSE(data["runs"][shown - 1]["series"].is_null());
  EXPECT_TRUE(data["runs"][shown]["series"].is_null());
}

}  // namespace
}  // namespace copal::sim
