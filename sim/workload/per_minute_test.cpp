#include "sim/workload/per_minute.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "sim/testing/data_folder.h"
#include "sim/testing/trace_maker.h"
#include "sim/workload/line_reader.h"

namespace copal::sim {
namespace {

const std::string kHeader = "minute_utc,requests,bytes\n";
constexpr UtcSeconds kSix = 899'229'600;  // 1998-06-30T18:00Z

struct LoadedMinutes {
  std::vector<MinuteRow> rows;
  InputReport report;
  std::string error;
};

LoadedMinutes load_minutes_in(const std::string& path, TraceWindow window = {}) {
  LoadedMinutes loaded;
  loaded.report.file = path;
  loaded.error = load_per_minute(window, loaded.report, loaded.rows).value_or("");
  return loaded;
}

LoadedMinutes load_minutes(const std::string& text, TraceWindow window = {}) {
  return load_minutes_in(TemporaryFile("minutes.csv", text).path(), window);
}

std::vector<TimePoint> times_of(PerMinuteProcess& process) {
  std::vector<TimePoint> times;
  for (TimePoint at = process.next(); at != kNever; at = process.next()) {
    EXPECT_TRUE(times.empty() || times.back() <= at);
    times.push_back(at);
  }
  EXPECT_EQ(process.next(), kNever);
  return times;
}

std::size_t count_between(const std::vector<TimePoint>& times, double from_s, double to_s) {
  std::size_t count = 0;
  for (const TimePoint at : times) {
    count += to_seconds(at) >= from_s && to_seconds(at) < to_s ? 1 : 0;
  }
  return count;
}

TEST(PerMinute, RowsAreReadAndSortedAndAddedUp) {
  const LoadedMinutes loaded = load_minutes(kHeader +
                                            "1998-06-30T18:02Z,5,50\n"
                                            "1998-06-30T18:00Z,7,70\r\n"
                                            "\n"
                                            "1998-06-30T18:02Z,1,10\n"
                                            "1998-06-30T18:01Z,0,0\n");
  EXPECT_EQ(loaded.error, "");
  EXPECT_EQ(loaded.report.lines_read, 4u);
  EXPECT_EQ(loaded.report.lines_broken, 0u);
  EXPECT_EQ(loaded.rows, (std::vector<MinuteRow>{{kSix, 7, 70}, {kSix + 120, 6, 60}}));
}

TEST(PerMinute, BrokenLinesAreCountedAndShown) {
  std::string text = kHeader;
  for (int i = 0; i < 30; ++i) {
    text += "1998-06-30T18:00Z,1,10\n";
  }
  text +=
      "1998-06-30 18:00,1,10\n1998-06-30T18:00:30Z,1,10\n1998-06-30T18:00Z,-1,10\n"
      "1998-06-30T18:00Z,1\n1998-06-30T18:00Z,1,ten\n1998-06-30T18:00Z,1,10,\n"
      "1998-06-30T18:00Z,1,10,9\n1998-06-30T18:00Z,1.5,10\n";
  const LoadedMinutes loaded = load_minutes(text);
  EXPECT_EQ(loaded.error, "");
  EXPECT_EQ(loaded.report.lines_read, 38u);
  EXPECT_EQ(loaded.report.lines_broken, 7u);  // a comma too many at the end hurts nobody
  ASSERT_EQ(loaded.report.first_broken.size(), 5u);
  EXPECT_EQ(loaded.report.first_broken[0].line, 32u);
  EXPECT_EQ(loaded.report.first_broken[0].text, "1998-06-30 18:00,1,10");
  EXPECT_NE(loaded.report.first_broken[0].reason.find("a minute in UTC"), std::string::npos);
  EXPECT_NE(loaded.report.first_broken[2].reason.find("number of requests"), std::string::npos);
  EXPECT_NE(loaded.report.first_broken[4].reason.find("number of bytes"), std::string::npos);
}

TEST(PerMinute, FileThatIsMostlyBrokenIsAnError) {
  const LoadedMinutes loaded = load_minutes(kHeader + "1998-06-30T18:00Z,1,10\nnonsense\nmore\n");
  EXPECT_NE(loaded.error.find("2 of 3 lines can't be understood"), std::string::npos);
  EXPECT_NE(loaded.error.find(":3: expected a minute in UTC such as 1998-06-30T18:00Z: 'nonsense'"),
            std::string::npos)
      << loaded.error;
  // Half of them is not mostly.
  EXPECT_EQ(load_minutes(kHeader + "1998-06-30T18:00Z,1,10\nnonsense\n").error, "");
}

TEST(PerMinute, HeaderIsAskedFor) {
  const LoadedMinutes loaded = load_minutes("1998-06-30T18:00Z,1,10\n");
  EXPECT_NE(loaded.error.find(":1: '1998-06-30T18:00Z,1,10'; expected the header "
                              "minute_utc,requests,bytes"),
            std::string::npos)
      << loaded.error;
  EXPECT_NE(load_minutes("").error.find("has no lines"), std::string::npos);
  EXPECT_NE(load_minutes(kHeader).error.find("has no lines"), std::string::npos);
}

TEST(PerMinute, WindowWithoutRequestsSaysWhatTheFileCovers) {
  const TraceWindow window{kSix + 3'600, kSix + 7'200};
  const std::string error =
      load_minutes(kHeader + "1998-06-30T18:00Z,1,10\n1998-06-30T18:05Z,1,10\n", window).error;
  EXPECT_NE(error.find("has no requests from 1998-06-30T19:00Z on before 1998-06-30T20:00Z; it "
                       "covers 1998-06-30T18:00Z to 1998-06-30T18:06Z"),
            std::string::npos)
      << error;
}

TEST(PerMinute, TruncatedFileIsAnErrorWithItsPath) {
  const std::string packed = gzip_of(make_per_minute(1));
  const TemporaryFile file("minutes.csv.gz", packed.substr(0, packed.size() / 2));
  EXPECT_EQ(load_minutes_in(file.path()).error, file.path() + ": the gzip stream is cut off");
}

TEST(PerMinuteProcess, EveryMinuteHasItsRequests) {
  PerMinuteProcess process({{kSix, 1'000, 0}, {kSix + 120, 3'000, 0}, {kSix + 180, 1, 0}}, {}, kSix,
                           scaled(1), 1, 1);
  const std::vector<TimePoint> times = times_of(process);
  EXPECT_EQ(times.size(), 4'001u);
  EXPECT_EQ(count_between(times, 0, 60), 1'000u);
  EXPECT_EQ(count_between(times, 60, 120), 0u);
  EXPECT_EQ(count_between(times, 120, 180), 3'000u);
  EXPECT_EQ(count_between(times, 180, 240), 1u);
}

TEST(PerMinuteProcess, TimesWithinAMinuteAreEvenAndIndependent) {
  PerMinuteProcess process({{kSix, 60'000, 0}}, {}, kSix, scaled(1), 1, 2);
  const std::vector<TimePoint> times = times_of(process);
  double chi_square = 0;
  for (int i = 0; i < 60; ++i) {
    const double count = static_cast<double>(count_between(times, i, i + 1));
    chi_square += (count - 1'000) * (count - 1'000) / 1'000;
  }
  // 59 degrees of freedom: mean 59, standard deviation 10.9. Too even would be wrong as well.
  EXPECT_GT(chi_square, 59 - 3.5 * 10.9);
  EXPECT_LT(chi_square, 59 + 4.5 * 10.9);
  // Gaps are as of a Poisson process of 1,000/s: e^-1 of them above a mean.
  int long_gaps = 0;
  for (std::size_t i = 1; i < times.size(); ++i) {
    long_gaps += times[i] - times[i - 1] > 1ms ? 1 : 0;
  }
  EXPECT_NEAR(long_gaps / 60'000.0, std::exp(-1), 4.5 * std::sqrt(0.2325 / 60'000));
}

TEST(PerMinuteProcess, ScalesInRateWithoutLosingParts) {
  std::vector<MinuteRow> rows;
  for (int i = 0; i < 100; ++i) {
    rows.push_back({kSix + i * 60, 7, 0});
  }
  for (const double scale : {0.01, 0.05, 0.5, 1.0, 2.5, 10.0}) {
    PerMinuteProcess process(rows, {}, kSix, scaled(scale), 1, 3);
    EXPECT_NEAR(static_cast<double>(times_of(process).size()), 700 * scale, 1) << scale;
  }
}

TEST(PerMinuteProcess, ScalesInTime) {
  PerMinuteProcess process({{kSix, 1'000, 0}, {kSix + 60, 500, 0}}, {}, kSix, scaled(1, 60), 1, 4);
  const std::vector<TimePoint> times = times_of(process);
  EXPECT_EQ(count_between(times, 0, 1), 1'000u);
  EXPECT_EQ(count_between(times, 1, 2), 500u);
}

TEST(PerMinuteProcess, WindowCutsMinutesByTheirShare) {
  const TraceWindow window{kSix + 30, kSix + 60 + 15};
  PerMinuteProcess process({{kSix, 1'000, 0}, {kSix + 60, 400, 0}}, window, window.from, scaled(1),
                           1, 5);
  const std::vector<TimePoint> times = times_of(process);
  EXPECT_EQ(count_between(times, 0, 30), 500u);
  EXPECT_EQ(count_between(times, 30, 45), 100u);
  EXPECT_EQ(times.size(), 600u);
}

TEST(PerMinuteProcess, AnswersHaveTheMinutesMeanSize) {
  PerMinuteProcess process({{kSix, 10, 5'000}, {kSix + 60, 10, 20'000}}, {}, kSix, scaled(1), 1'000,
                           6);
  process.next();
  EXPECT_DOUBLE_EQ(process.answer_factor(), 0.5);
  for (int i = 0; i < 10; ++i) {
    process.next();
  }
  EXPECT_DOUBLE_EQ(process.answer_factor(), 2);
}

TEST(PerMinute, WorldCupEveningAtFivePercent) {
  const TestData data = worldcup_data();
  const TraceWindow window{kSix, kSix + 4 * 3'600};
  LoadedMinutes loaded = load_minutes_in(data.path, window);
  ASSERT_EQ(loaded.error, "");
  EXPECT_EQ(loaded.report.lines_broken, 0u);
  EXPECT_EQ(loaded.rows.size(), 240u);
  double recorded = 0;
  for (const MinuteRow& row : loaded.rows) {
    recorded += row.requests;
  }
  if (data.real) {
    EXPECT_EQ(loaded.report.lines_read, 93'740u);
    EXPECT_EQ(recorded, 31'881'062);
  }
  PerMinuteProcess process(std::move(loaded.rows), window, kSix, scaled(0.05), 1, 7);
  const std::vector<TimePoint> times = times_of(process);
  EXPECT_NEAR(static_cast<double>(times.size()), recorded * 0.05, 1);
  EXPECT_GT(times.size(), 1'500'000u);
  EXPECT_LT(times.back(), TimePoint{14'400s});
  EXPECT_GT(times.back(), TimePoint{14'399s});
}

TEST(PerMinute, MutatedLinesAreReadOrRefused) {
  LineReader reader(worldcup_data().path);
  Prng random(21, "mutations");
  int refused = 0;
  int accepted = 0;
  for (int i = 0; i < 20'000 && reader.next(); ++i) {
    std::string line(reader.line());
    if (line.empty()) {
      continue;
    }
    const std::size_t at = draw_below(random, static_cast<std::uint32_t>(line.size()));
    switch (draw_below(random, 3)) {
      case 0:
        line[at] = static_cast<char>(draw_below(random, 256));
        break;
      case 1:
        line.insert(at, 1, ",-:TZ09"[draw_below(random, 7)]);
        break;
      default:
        line.erase(at, 1 + draw_below(random, 5));
    }
    const std::vector<char> exact(line.begin(), line.end());
    MinuteRow row;
    const bool well = parse_minute_row({exact.data(), exact.size()}, row).empty();
    ++(well ? accepted : refused);
    if (well) {
      ASSERT_EQ(row.at % 60, 0) << line;
      ASSERT_TRUE(row.requests >= 0 && row.bytes >= 0) << line;
    }
  }
  EXPECT_GT(refused, 500);
  EXPECT_GT(accepted, 500);
}

}  // namespace
}  // namespace copal::sim
