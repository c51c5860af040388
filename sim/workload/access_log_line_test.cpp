#include "sim/workload/access_log_line.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "sim/testing/data_folder.h"
#include "sim/testing/trace_maker.h"
#include "sim/workload/line_reader.h"

namespace copal::sim {
namespace {

const char* const kCommon =
    "192.0.2.7 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 5120";
const std::string kCombined = std::string(kCommon) + " \"-\" \"Mozilla/5.0 (X11)\"";

AccessLine read(const std::string& line) {
  AccessLine parsed;
  EXPECT_EQ(parse_access_line(line, parsed), "") << line;
  // What is read points into a copy that is about to go: hold it.
  static std::vector<std::unique_ptr<std::string>> held;
  held.push_back(std::make_unique<std::string>(line));
  EXPECT_EQ(parse_access_line(*held.back(), parsed), "");
  return parsed;
}

std::string reason_of(const std::string& line) {
  AccessLine parsed;
  return std::string(parse_access_line(line, parsed));
}

TEST(AccessLogLine, CommonLogFormat) {
  const AccessLine line = read(kCommon);
  EXPECT_EQ(line.time, 1'431'857'103);
  EXPECT_EQ(line.address, "192.0.2.7");
  EXPECT_EQ(line.method, "GET");
  EXPECT_EQ(line.agent, "");
  EXPECT_EQ(line.status, 200u);
  EXPECT_EQ(line.bytes, 5'120u);
  EXPECT_EQ(line.duration_us, std::nullopt);
  EXPECT_FALSE(line.time_is_end);
}

TEST(AccessLogLine, CombinedLogFormat) {
  const AccessLine line = read(kCombined);
  EXPECT_EQ(line.agent, "Mozilla/5.0 (X11)");
  EXPECT_EQ(line.status, 200u);
}

TEST(AccessLogLine, QuotesAreEscapedByBothServers) {
  EXPECT_EQ(read(std::string(kCommon) + R"( "a \"b\" c" "say \"hi\" \\")").agent,
            R"(say \"hi\" \\)");
  EXPECT_EQ(read(std::string(kCommon) + R"( "-" "\x22quoted\x22")").agent, R"(\x22quoted\x22)");
  EXPECT_EQ(
      read(R"(192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /\"x\" HTTP/1.1" 404 9)").status,
      404u);
}

TEST(AccessLogLine, TimezonesAreTakenOff) {
  EXPECT_EQ(read("h - - [17/May/2015:12:05:03 +0200] \"GET / HTTP/1.1\" 200 1").time,
            1'431'857'103);
  EXPECT_EQ(read("h - - [17/May/2015:04:35:03 -0530] \"GET / HTTP/1.1\" 200 1").time,
            1'431'857'103);
  EXPECT_EQ(read("h - - [18/May/2015:00:05:03 +1400] \"GET / HTTP/1.1\" 200 1").time,
            1'431'857'103);
}

TEST(AccessLogLine, AbsentFieldsAreDashes) {
  EXPECT_EQ(read("::1 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 304 - \"-\" \"-\"").bytes,
            0u);
  // A connection on which nothing was asked, in both servers' ways.
  EXPECT_EQ(read("::1 - - [17/May/2015:10:05:03 +0000] \"-\" 408 - \"-\" \"-\"").method, "");
  EXPECT_EQ(read("::1 - - [17/May/2015:10:05:03 +0000] \"\" 400 0 \"-\" \"-\"").method, "");
}

TEST(AccessLogLine, OddRequestsDoNotBreakTheLine) {
  EXPECT_EQ(read(R"(h - - [17/May/2015:10:05:03 +0000] "\x16\x03\x01" 400 226 "-" "-")").method,
            "");
  EXPECT_EQ(read(R"(h - - [17/May/2015:10:05:03 +0000] "MGLNDD_1 2" 400 226 "-" "-")").method, "");
  EXPECT_EQ(read(R"(h - - [17/May/2015:10:05:03 +0000] "GET /a b c" 200 226)").method, "GET");
  EXPECT_EQ(
      read(R"(h - - [17/May/2015:10:05:03 +0000] "VERSION-CONTROL /a HTTP/1.1" 200 2)").method,
      "VERSION-CONTROL");
}

TEST(AccessLogLine, UsersMayHoldBlanksAndBrackets) {
  const AccessLine line =
      read("192.0.2.7 - ann [a] lee [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1");
  EXPECT_EQ(line.address, "192.0.2.7");
  EXPECT_EQ(line.time, 1'431'857'103);
}

TEST(AccessLogLine, VirtualHostMayStandInFront) {
  EXPECT_EQ(read("shop.example:443 " + kCombined).address, "192.0.2.7");
  EXPECT_EQ(read("2001:db8::1 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1").address,
            "2001:db8::1");
  // A user with blanks makes no virtual host of an address.
  EXPECT_EQ(read("2001:db8::1 - a b [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1").address,
            "2001:db8::1");
}

TEST(AccessLogLine, NginxDurationIsSecondsWithADotUntilTheEnd) {
  AccessLine line = read(kCombined + " 0.123");
  EXPECT_EQ(line.duration_us, 123'000u);
  EXPECT_TRUE(line.time_is_end);
  EXPECT_EQ(read(kCombined + " 12.0").duration_us, 12'000'000u);
  EXPECT_EQ(read(kCombined + " 0.0000019").duration_us, 1u);
  // nginx's own "main" format has the forwarded-for header in quotes first.
  EXPECT_EQ(read(kCombined + " \"203.0.113.9, 10.0.0.1\" 0.050 0.049 .").duration_us, 50'000u);
  EXPECT_EQ(read(kCombined + " 1234 0.005").duration_us, 5'000u);
  EXPECT_EQ(read(std::string(kCommon) + " 0.005").duration_us, 5'000u);
  for (const char* none : {" -", " \"0.005\"", " 0.", " .5", " 1.2.3", " 1e-3", " 0,005"}) {
    EXPECT_EQ(read(kCombined + none).duration_us, std::nullopt) << none;
  }
}

TEST(AccessLogLine, ApacheDurationIsWholeMicrosecondsFromTheStart) {
  const AccessLine line = read(kCombined + " 45210");
  EXPECT_EQ(line.duration_us, 45'210u);
  EXPECT_FALSE(line.time_is_end);
  EXPECT_EQ(read(std::string(kCommon) + " 45210").duration_us, 45'210u);
  // mod_logio's bytes in and out are no duration; behind them there may be one.
  EXPECT_EQ(read(kCombined + " 312 5533").duration_us, std::nullopt);
  EXPECT_EQ(read(kCombined + " 312 5533 45210").duration_us, 45'210u);
}

TEST(AccessLogLine, BrokenLinesSayWhatWasExpected) {
  const std::string time = "[17/May/2015:10:05:03 +0000]";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "a time in brackets"},
      {"hello world", "a time in brackets"},
      {"h - - [yesterday] \"GET / HTTP/1.1\" 200 1", "a time such as"},
      {"h - - [32/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1", "a time such as"},
      {"h - - [17/Mai/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1", "a time such as"},
      {"h - - [17/May/2015:25:05:03 +0000] \"GET / HTTP/1.1\" 200 1", "a time such as"},
      {"h - - [17/May/2015:10:05:03 0000] \"GET / HTTP/1.1\" 200 1", "a time such as"},
      {"h - - [17/May/2015:10:05:03 +0000 \"GET / HTTP/1.1\" 200 1", "a time such as"},
      {"h - - [17/May/2015:10:05:03 +9900] \"GET / HTTP/1.1\" 200 1", "a time such as"},
      {"h - - [17/May", "a time such as"},
      {"h " + time + " \"GET / HTTP/1.1\" 200 1", "address, ident and user"},
      {"h - - " + time, "the request in quotes"},
      {"h - - " + time + " GET / HTTP/1.1 200 1", "the request in quotes"},
      {"h - - " + time + " \"GET / HTTP/1.1 200 1", "the request in quotes"},
      {"h - - " + time + " \"GET / HTTP/1.1\\\" 200 1", "the request in quotes"},
      {"h - - " + time + " \"GET / HTTP/1.1\"", "a status"},
      {"h - - " + time + " \"GET / HTTP/1.1\" OK 1", "a status"},
      {"h - - " + time + " \"GET / HTTP/1.1\" 99 1", "a status"},
      {"h - - " + time + " \"GET / HTTP/1.1\" 1000 1", "a status"},
      {"h - - " + time + " \"GET / HTTP/1.1\" 200", "a number of bytes"},
      {"h - - " + time + " \"GET / HTTP/1.1\" 200 many", "a number of bytes"},
      {"h - - " + time + " \"GET / HTTP/1.1\" 200 -5", "a number of bytes"},
      {"h - - " + time + " \"GET / HTTP/1.1\" 200 99999999999999999999", "a number of bytes"},
      {std::string(kCommon) + " \"-\"", "the agent"},
      {std::string(kCommon) + " \"-\" \"Mozilla", "the quote to end"},
      {std::string(kCommon) + " \"-\" \"Mozilla\\\"", "the quote to end"}};
  for (const auto& [line, expected] : cases) {
    EXPECT_NE(reason_of(line).find("expected " + expected), std::string::npos)
        << line << " gave '" << reason_of(line) << "'";
  }
}

TEST(AccessLogLine, OnlySafeMethodsAreRepeatable) {
  for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE"}) {
    EXPECT_TRUE(is_repeatable(method)) << method;
  }
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "CONNECT", "get", ""}) {
    EXPECT_FALSE(is_repeatable(method)) << method;
  }
}

bool lies_within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

TEST(AccessLogLine, MutatedRealLinesAreReadOrRefused) {
  LineReader reader(access_log_data().path);
  Prng random(20, "mutations");
  using std::string_view_literals::operator""sv;
  constexpr std::string_view kSigns = "\"\\[] -.0123456789\0\xFF/:+x"sv;
  int refused = 0;
  int accepted = 0;
  while (reader.next()) {
    for (int round = 0; round < 10; ++round) {
      std::string line(reader.line());
      for (std::uint32_t edits = 1 + draw_below(random, 4); edits > 0 && !line.empty(); --edits) {
        const std::size_t at = draw_below(random, static_cast<std::uint32_t>(line.size()));
        const char sign = kSigns[draw_below(random, static_cast<std::uint32_t>(kSigns.size()))];
        switch (draw_below(random, 4)) {
          case 0:
            line[at] = sign;
            break;
          case 1:
            line.insert(at, 1, sign);
            break;
          case 2:
            line.erase(at, 1 + draw_below(random, 10));
            break;
          default:
            line.resize(at);
        }
      }
      // Exactly as large as the line, so that the sanitizer sees a step beyond its end.
      const std::vector<char> exact(line.begin(), line.end());
      const std::string_view text(exact.data(), exact.size());
      AccessLine parsed;
      if (!parse_access_line(text, parsed).empty()) {
        ++refused;
        continue;
      }
      ++accepted;
      ASSERT_TRUE(lies_within(parsed.address, text) && !parsed.address.empty()) << line;
      ASSERT_TRUE(lies_within(parsed.method, text) && lies_within(parsed.agent, text)) << line;
      ASSERT_TRUE(parsed.status >= 100 && parsed.status <= 999) << line;
    }
  }
  EXPECT_GT(refused, 10'000);
  EXPECT_GT(accepted, 10'000);
}

}  // namespace
}  // namespace copal::sim
