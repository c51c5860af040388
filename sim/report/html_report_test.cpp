#include "sim/report/html_report.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "sim/report/page_data.h"
#include "sim/testing/fixture_results.h"

namespace copal::sim {
namespace {

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

FixtureOptions twelve_lines() {
  return {.lines = {"round_robin", "random", "power_of_two", "least_connections", "server_load",
                    "green", "peak_ewma", "prequal", "bounded_load", "maglev",
                    "power_of_two, choices 3", "green <b>tuned</b>"},
          .seeds = 3,
          .seconds = 600};
}

TEST(EscapeHtml, NothingThatEndsATextOrAnAttributeIsLeft) {
  EXPECT_EQ(escape_html("<a href=\"x\">&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt;");
}

TEST(HtmlReport, HostileTextsAddNoElement) {
  const std::vector<RunResult> runs = fixture_runs({});
  const std::string plain = html_report(plain_context(), runs);
  const std::string hostile = html_report(hostile_context(), runs);
  for (const char* element : {"<script", "</script", "<img", "<!--"}) {
    EXPECT_EQ(count(hostile, element), count(plain, element)) << element;
  }
  EXPECT_NE(hostile.find("<title>Hostile &lt;/script&gt;"), std::string::npos);
}

TEST(HtmlReport, DataReadBackAsTheyWere) {
  const ReportContext context = hostile_context();
  const std::string page = html_report(context, fixture_runs({}));
  const std::string begin = "id=\"data\">";
  const std::size_t at = page.find(begin) + begin.size();
  const auto json = nlohmann::json::parse(page.substr(at, page.find("</script", at) - at));
  EXPECT_EQ(json["scenario"]["claim"], context.scenario_claim);
  EXPECT_EQ(json["lines"].size(), 3U);
}

TEST(HtmlReport, NeedsNoNetworkAndLeavesNoPlaceEmpty) {
  const std::string page = html_report(plain_context(), fixture_runs({}));
  EXPECT_EQ(count(page, "<link"), 1U);
  EXPECT_NE(page.find("<link rel=\"icon\" href=\"data:,\">"), std::string::npos);
  EXPECT_EQ(count(page, " src="), 0U);
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  for (const char* place :
       {"{{title}}", "{{data}}", "{{report.css}}", "{{report_charts.js}}", "{{report.js}}"}) {
    EXPECT_EQ(count(page, place), 0U) << place;
  }
  EXPECT_NE(page.find("Chart.js v3"), std::string::npos);
}

TEST(HtmlReport, TenLinesOfFourHoursStayBelowSixMegabytes) {
  FixtureOptions options = twelve_lines();
  options.lines.resize(10);
  options.seeds = 1;
  options.seconds = 14'400;
  EXPECT_LT(html_report(plain_context(), fixture_runs(options)).size(), 6'000'000U);
}

TEST(HtmlReport, ManySeedsAndServersStayBelowSixMegabytes) {
  FixtureOptions options = twelve_lines();
  options.seeds = 20;
  options.servers = 1000;
  EXPECT_LT(html_report(plain_context(), fixture_runs(options)).size(), 6'000'000U);
}

/// analysis/report/report_page_test.py opens these pages in a browser: COPAL_PAGES names the folder
/// that gets them.
TEST(HtmlReport, PagesForTheBrowserTest) {
  const char* wanted = std::getenv("COPAL_PAGES");
  const std::string folder = wanted != nullptr ? wanted : testing::TempDir();
  FixtureOptions hours = twelve_lines();
  hours.seeds = 1;
  hours.seconds = 14'400;
  ReportContext long_context = plain_context();
  long_context.duration_s = hours.seconds;
  ReportContext seeds_context = hostile_context();
  seeds_context.duration_s = twelve_lines().seconds;
  const std::pair<const char*, std::string> pages[] = {
      {"hostile", html_report(seeds_context, fixture_runs(twelve_lines()))},
      {"long", html_report(long_context, fixture_runs(hours))},
  };
  for (const auto& [name, text] : pages) {
    std::ofstream out(folder + "/copal-page-" + name + ".html", std::ios::binary);
    out << text;
    out.close();
    EXPECT_TRUE(out.good()) << folder;
  }
}

}  // namespace
}  // namespace copal::sim
