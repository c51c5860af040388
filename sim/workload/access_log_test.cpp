#include "sim/workload/access_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/testing/data_folder.h"
#include "sim/testing/trace_maker.h"

namespace copal::sim {
namespace {

constexpr UtcSeconds kStart = 1'431'857'100;  // 2015-05-17T10:05Z
constexpr std::int64_t kSecondNs = 1'000'000'000;

struct Loaded {
  std::vector<LogRecord> records;
  InputReport report;
  std::string error;
};

Loaded load_path(const std::string& path, TraceWindow window = {}) {
  Loaded loaded;
  loaded.report.file = path;
  loaded.error = load_access_log(window, loaded.report, loaded.records).value_or("");
  return loaded;
}

Loaded load(const std::string& text, TraceWindow window = {}) {
  return load_path(TemporaryFile("access.log", text).path(), window);
}

/// A line of the log at second `second` of minute 10:05.
std::string line_at(int second, const std::string& address, const std::string& rest = "200 10",
                    const std::string& more = "") {
  return address + " - - [17/May/2015:10:05:" + (second < 10 ? "0" : "") + std::to_string(second) +
         " +0000] \"GET / HTTP/1.1\" " + rest + " \"-\" \"agent\"" + more + "\n";
}

std::vector<Arrival> replay(std::vector<LogRecord> records, const scenario::WorkloadSpec& spec,
                            std::uint64_t seed = 1) {
  RequestModel model;
  model.work = Sampler({.kind = scenario::Distribution::Kind::kExponential, .mean = 0.02});
  model.request_size = Sampler({.mean = 500});
  order_by_arrival(records, seed);
  AccessLogReplay log(std::move(records), kStart * kSecondNs, spec, model, seed);
  std::vector<Arrival> arrivals;
  while (log.next_at() != kNever) {
    const TimePoint next = log.next_at();
    arrivals.push_back(log.take());
    EXPECT_EQ(arrivals.back().at, next);
    EXPECT_TRUE(arrivals.size() == 1 || arrivals[arrivals.size() - 2].at <= next);
  }
  return arrivals;
}

TEST(AccessLog, RecordsSayWhatTheLinesSay) {
  const Loaded loaded = load(
      "a - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 5120 \"-\" \"x\" 0.5\n"
      "a - - [17/May/2015:10:05:04 +0000] \"POST / HTTP/1.1\" 503 - \"-\" \"x\" 70\n"
      "a - - [17/May/2015:10:05:05 +0000] \"HEAD / HTTP/1.1\" 499 99999999999 \"-\" \"y\"\n");
  ASSERT_EQ(loaded.records.size(), 3u);
  const LogRecord& first = loaded.records[0];
  EXPECT_EQ(first.time_ns, (kStart + 3) * kSecondNs);
  EXPECT_EQ(first.answer_size_bytes, 5'120u);
  EXPECT_EQ(first.duration_us, 500'000u);
  EXPECT_TRUE(first.time_is_end && first.repeatable && !first.fails);
  const LogRecord& second = loaded.records[1];
  EXPECT_EQ(second.answer_size_bytes, 0u);
  EXPECT_EQ(second.duration_us, 70u);
  EXPECT_TRUE(!second.time_is_end && !second.repeatable && second.fails);
  const LogRecord& third = loaded.records[2];
  EXPECT_EQ(third.answer_size_bytes, LogRecord::kNoDuration - 1);
  EXPECT_EQ(third.duration_us, LogRecord::kNoDuration);
  EXPECT_TRUE(third.repeatable && !third.fails);
  // A session is an address with an agent.
  EXPECT_EQ(first.session, second.session);
  EXPECT_NE(first.session, third.session);
}

TEST(AccessLog, BrokenLinesAreCountedNotFatalUnlessTheyAreMost) {
  std::string text;
  for (int i = 0; i < 10; ++i) {
    text += line_at(i, "a") +
            (i < 8 ? "broken " + std::to_string(i) + std::string(300, '.') + "\n" : "");
  }
  const Loaded loaded = load(text);
  EXPECT_EQ(loaded.error, "");
  EXPECT_EQ(loaded.records.size(), 10u);
  EXPECT_EQ(loaded.report.lines_read, 18u);
  EXPECT_EQ(loaded.report.lines_broken, 8u);
  ASSERT_EQ(loaded.report.first_broken.size(), 5u);
  EXPECT_EQ(loaded.report.first_broken[1].line, 4u);
  EXPECT_EQ(loaded.report.first_broken[1].text.size(), 200u);
  EXPECT_TRUE(loaded.report.first_broken[1].text.starts_with("broken 1..."));
  const std::string error = load(text + "x\ny\nz\n").error;
  EXPECT_NE(error.find("11 of 21 lines can't be understood; expected lines of the Common or"),
            std::string::npos);
  EXPECT_NE(error.find(":2: expected a time in brackets: 'broken 0..."), std::string::npos)
      << error;
}

TEST(AccessLog, LineOfEndlessLengthIsBroken) {
  const Loaded loaded = load(line_at(0, "a") + std::string(100'000, '"') + "\n" + line_at(1, "a"));
  EXPECT_EQ(loaded.records.size(), 2u);
  ASSERT_EQ(loaded.report.lines_broken, 1u);
  EXPECT_EQ(loaded.report.first_broken[0].reason, "expected a line of at most 65536 bytes");
}

TEST(AccessLog, FilesThatCanNotBeReadAreErrorsWithTheirPath) {
  EXPECT_EQ(load_path("no/such.log").error, "no/such.log: No such file or directory");
  EXPECT_NE(load("").error.find("has no lines"), std::string::npos);
  const std::string packed = gzip_of(make_access_log({.lines = 1'000}));
  const TemporaryFile file("access.log.gz", packed.substr(0, packed.size() - 100));
  EXPECT_EQ(load_path(file.path()).error, file.path() + ": the gzip stream is cut off");
}

TEST(AccessLog, WindowTakesFromInclusiveToExclusive) {
  std::string text;
  for (int i = 0; i < 60; ++i) {
    text += line_at(i, "a");
  }
  EXPECT_EQ(load(text, {kStart + 10, kStart + 20}).records.size(), 10u);
  EXPECT_EQ(load(text, {.to = kStart + 20}).records.size(), 20u);
  EXPECT_EQ(load(text, {.from = kStart + 20}).records.size(), 40u);
  const Loaded none = load(text, {.from = kStart + 60});
  EXPECT_NE(none.error.find("has no requests from 2015-05-17T10:06Z on; it covers "
                            "2015-05-17T10:05Z to 2015-05-17T10:05:59Z"),
            std::string::npos)
      << none.error;
}

TEST(AccessLog, OneSecondsRequestsAreSpreadInTheirOrder) {
  std::string text;
  for (int i = 0; i < 1'000; ++i) {
    text += line_at(7, std::to_string(i));
  }
  Loaded loaded = load(text);
  const std::vector<LogRecord> as_read = loaded.records;
  order_by_arrival(loaded.records, 1);
  double sum = 0;
  for (std::size_t i = 0; i < 1'000; ++i) {
    EXPECT_EQ(loaded.records[i].session, as_read[i].session);
    const std::int64_t offset = loaded.records[i].time_ns - (kStart + 7) * kSecondNs;
    ASSERT_TRUE(offset >= 0 && offset < kSecondNs);
    sum += static_cast<double>(offset) * 1e-9;
  }
  EXPECT_NEAR(sum / 1'000, 0.5, 4.5 * std::sqrt(1.0 / 12 / 1'000));
  std::vector<LogRecord> other = as_read;
  order_by_arrival(other, 2);
  EXPECT_NE(other[0].time_ns, loaded.records[0].time_ns);
}

TEST(AccessLog, LinesOutOfOrderAreSorted) {
  Loaded loaded = load(line_at(9, "d") + line_at(3, "a") + line_at(5, "b") + line_at(5, "c"));
  order_by_arrival(loaded.records, 1);
  const auto session = [](const std::string& address) {
    return load(line_at(0, address)).records.at(0).session;
  };
  EXPECT_EQ(loaded.records[0].session, session("a"));
  EXPECT_EQ(loaded.records[1].session, session("b"));
  EXPECT_EQ(loaded.records[2].session, session("c"));
  EXPECT_EQ(loaded.records[3].session, session("d"));
}

TEST(AccessLog, TimesOfEndingAreBroughtForward) {
  // nginx logs a request that took 30 s at its end, before it came others that took no time.
  Loaded loaded =
      load(line_at(10, "quick", "200 10", " 0.000") + line_at(35, "slow", "200 10", " 30.000") +
           line_at(36, "apache", "200 10", " 30000000"));
  const std::uint64_t slow = loaded.records[1].session;
  order_by_arrival(loaded.records, 1);
  EXPECT_EQ(loaded.records[0].session, slow);
  EXPECT_EQ(loaded.records[0].time_ns / kSecondNs, kStart + 5);
  EXPECT_EQ(loaded.records[1].time_ns / kSecondNs, kStart + 10);
  EXPECT_EQ(loaded.records[2].time_ns / kSecondNs, kStart + 36);
}

TEST(AccessLogReplay, ArrivalsAreTheLogs) {
  const Loaded loaded = load(line_at(3, "a", "503 77") + line_at(8, "b"));
  const std::vector<Arrival> arrivals = replay(loaded.records, scaled(1));
  ASSERT_EQ(arrivals.size(), 2u);
  EXPECT_EQ(arrivals[0].at.time_since_epoch() / 1s, 3);
  EXPECT_EQ(arrivals[1].at.time_since_epoch() / 1s, 8);
  EXPECT_EQ(arrivals[0].session.value, loaded.records[0].session);
  EXPECT_EQ(arrivals[0].user, arrivals[0].session.value);
  EXPECT_EQ(arrivals[0].routing_key, routing_key_of(arrivals[0].session));
  EXPECT_EQ(arrivals[0].answer_size_bytes, 77u);
  EXPECT_EQ(arrivals[0].request_size_bytes, 500u);
  EXPECT_TRUE(arrivals[0].fails);
  EXPECT_FALSE(arrivals[1].fails);
  EXPECT_GT(arrivals[0].work, 0s);
}

TEST(AccessLogReplay, WorkComesFromTheLogWhereAskedFor) {
  const Loaded loaded = load(line_at(3, "a", "200 1", " 45210") + line_at(4, "a"));
  scenario::WorkloadSpec spec = scaled(1);
  EXPECT_NE(replay(loaded.records, spec)[0].work, 45'210us);
  spec.service_from = scenario::WorkloadSpec::ServiceFrom::kLog;
  EXPECT_EQ(replay(loaded.records, spec)[0].work, 45'210us);
  EXPECT_EQ(replay(loaded.records, spec)[1].work, replay(loaded.records, scaled(1))[1].work);
}

TEST(AccessLogReplay, TimeScaleSqueezes) {
  const Loaded loaded = load(line_at(10, "a") + line_at(50, "b"));
  const std::vector<Arrival> plain = replay(loaded.records, scaled(1));
  const std::vector<Arrival> squeezed = replay(loaded.records, scaled(1, 1'000));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(to_seconds(squeezed[i].at), to_seconds(plain[i].at) / 1'000, 1e-9);
  }
}

TEST(AccessLogReplay, CopiesAreOtherSessionsThatKeepTheirShape) {
  const Loaded loaded =
      load(line_at(3, "a") + line_at(8, "a") + line_at(20, "a") + line_at(9, "b"));
  const std::vector<Arrival> plain = replay(loaded.records, scaled(1));
  const std::vector<Arrival> arrivals = replay(loaded.records, scaled(3));
  ASSERT_EQ(arrivals.size(), 12u);
  std::map<std::uint64_t, std::vector<Arrival>> sessions;
  std::set<TimePoint> times;
  for (const Arrival& arrival : arrivals) {
    sessions[arrival.session.value].push_back(arrival);
    times.insert(arrival.at);
  }
  EXPECT_EQ(times.size(), 12u);  // none coincide
  ASSERT_EQ(sessions.size(), 6u);
  int of_three = 0;
  for (const auto& [session, own] : sessions) {
    if (own.size() == 1) {
      continue;
    }
    ASSERT_EQ(own.size(), 3u);
    ++of_three;
    const Duration shift = own[0].at - plain[0].at;
    EXPECT_TRUE(shift >= 0s && shift <= 60s);
    EXPECT_EQ(own[1].at - plain[1].at, shift);
    EXPECT_EQ(own[2].at - plain[3].at, shift);
    EXPECT_EQ(shift == 0s, session == plain[0].session.value);
  }
  EXPECT_EQ(of_three, 3);
}

TEST(AccessLogReplay, ScalesInRateByWholeSessions) {
  const Loaded loaded =
      load(make_access_log({.lines = 20'000, .clients = 5'000, .broken_every = 0}));
  ASSERT_EQ(loaded.records.size(), 20'000u);
  std::map<std::uint64_t, double> sizes;
  for (const LogRecord& record : loaded.records) {
    ++sizes[record.session];
  }
  double squares = 0;
  for (const auto& [session, size] : sizes) {
    squares += size * size;
  }
  for (const double scale : {0.1, 0.5, 1.0, 1.7, 3.0, 10.25}) {
    const std::vector<Arrival> arrivals = replay(loaded.records, scaled(scale, 100));
    const double part = scale - std::floor(scale);
    const double error = 4.5 * std::sqrt(part * (1 - part) * squares);
    EXPECT_NEAR(static_cast<double>(arrivals.size()), 20'000 * scale, error + 1e-9) << scale;
    std::map<std::uint64_t, double> kept;
    for (const Arrival& arrival : arrivals) {
      ++kept[arrival.session.value];
    }
    for (const auto& [session, size] : sizes) {
      const auto found = kept.find(session);
      EXPECT_TRUE(found == kept.end() || found->second == size);  // whole or not at all
    }
  }
}

TEST(AccessLogReplay, ThinningKeepsOtherSessionsUnderOtherSeeds) {
  const Loaded loaded = load(make_access_log({.lines = 5'000, .broken_every = 0}));
  const auto first = replay(loaded.records, scaled(0.3), 1);
  const auto again = replay(loaded.records, scaled(0.3), 1);
  const auto other = replay(loaded.records, scaled(0.3), 2);
  ASSERT_EQ(first.size(), again.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].at, again[i].at);
    EXPECT_EQ(first[i].work, again[i].work);
  }
  EXPECT_NE(first.size(), other.size());
}

TEST(AccessLogReplay, RealLogSqueezedAndMultiplied) {
  const TestData data = access_log_data();
  const Loaded loaded = load_path(data.path);
  ASSERT_EQ(loaded.error, "");
  EXPECT_EQ(loaded.report.lines_read, 10'000u);
  EXPECT_EQ(loaded.report.lines_broken, 1u);
  ASSERT_EQ(loaded.report.first_broken.size(), 1u);
  EXPECT_EQ(loaded.report.first_broken[0].reason, "expected the quote to end");
  if (data.real) {
    EXPECT_EQ(loaded.report.first_broken[0].line, 8'899u);
  }
  const std::vector<Arrival> once = replay(loaded.records, scaled(1, 1'000));
  EXPECT_EQ(once.size(), 9'999u);
  EXPECT_NEAR(to_seconds(once.back().at), 299, 1);  // 83 hours in 5 minutes
  const std::vector<Arrival> often = replay(loaded.records, scaled(100, 1'000));
  EXPECT_EQ(often.size(), 999'900u);
  EXPECT_NEAR(to_seconds(often.back().at), 300, 1);
  // The load's shape stays: each tenth of the time has its share of the requests, give or take what
  // a second of shifting moves.
  std::vector<double> shares(11);
  for (const Arrival& arrival : once) {
    shares[static_cast<std::size_t>(to_seconds(arrival.at) / 30)] += 1 / 9'999.0;
  }
  for (const Arrival& arrival : often) {
    shares[static_cast<std::size_t>(to_seconds(arrival.at) / 30)] -= 1 / 999'900.0;
  }
  for (const double difference : shares) {
    EXPECT_NEAR(difference, 0, 0.01);
  }
}

}  // namespace
}  // namespace copal::sim
