#include "sim/workload/make_workload.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "sim/testing/trace_maker.h"

namespace copal::sim {
namespace {

using scenario::Distribution;
using scenario::Scenario;
using WorkloadKind = scenario::WorkloadSpec::Kind;

const char* const kMinutes =
    "minute_utc,requests,bytes\n1998-06-30T18:00Z,5000,12500000\n1998-06-30T18:01Z,4000,20000000\n";

/// A scenario of each kind; the files outlive the returned list.
class Workloads : public ::testing::Test {
 protected:
  std::vector<Scenario> all() const {
    std::vector<Scenario> list;
    for (const WorkloadKind kind :
         {WorkloadKind::kPoisson, WorkloadKind::kBursty, WorkloadKind::kDiurnal,
          WorkloadKind::kFlashCrowd, WorkloadKind::kPiecewise, WorkloadKind::kClosed,
          WorkloadKind::kPerMinute, WorkloadKind::kAccessLog}) {
      list.push_back(of(kind));
    }
    return list;
  }

  Scenario of(WorkloadKind kind) const {
    Scenario scenario;
    scenario.application.service_time = {.kind = Distribution::Kind::kExponential, .mean = 0.02};
    scenario.application.answer_size = {.kind = Distribution::Kind::kUniform, .mean = 10'000};
    scenario::WorkloadSpec& spec = scenario.workload;
    spec.kind = kind;
    spec.rate_per_s = 500;
    spec.peak_rate_per_s = 2'000;
    spec.calm_time = 5s;
    spec.burst_time = 1s;
    spec.amplitude = 0.5;
    spec.peak_at = 5s;
    spec.rise_time = 5s;
    spec.hold_time = 5s;
    spec.fall_time = 5s;
    spec.rates = {{0s, 100}, {10s, 1'000}};
    spec.users = 100;
    spec.think_time = {.kind = Distribution::Kind::kExponential, .mean = 0.5};
    spec.sessions = {1'000, 0.9};
    spec.file = kind == WorkloadKind::kAccessLog ? log_.path() : minutes_.path();
    return scenario;
  }

  /// Up to `count` arrivals; closed loops are answered after 10 ms in the order of their requests.
  static std::vector<Arrival> arrivals_of(const Scenario& scenario, std::uint64_t seed,
                                          std::size_t count = 3'000) {
    MadeWorkload made = make_workload(scenario, seed);
    EXPECT_EQ(made.error, "");
    std::vector<Arrival> arrivals;
    while (made.workload != nullptr && arrivals.size() < count &&
           made.workload->next_at() != kNever) {
      arrivals.push_back(made.workload->take());
      made.workload->on_answer(arrivals.back().user, arrivals.back().at + 10ms);
    }
    return arrivals;
  }

  static std::string error_of(const Scenario& scenario) {
    const MadeWorkload made = make_workload(scenario, 1);
    EXPECT_EQ(made.workload, nullptr);
    return made.error;
  }

  TemporaryFile minutes_{"minutes.csv", kMinutes};
  TemporaryFile log_{"access.log.gz",
                     gzip_of(make_access_log({.lines = 4'000, .broken_every = 1'000}))};
};

bool same(const Arrival& a, const Arrival& b) {
  return a.at == b.at && a.user == b.user && a.session == b.session &&
         a.routing_key == b.routing_key && a.work == b.work &&
         a.request_size_bytes == b.request_size_bytes &&
         a.answer_size_bytes == b.answer_size_bytes && a.repeatable == b.repeatable &&
         a.fails == b.fails;
}

TEST_F(Workloads, SameSeedSameArrivalsOtherSeedOthers) {
  for (const Scenario& scenario : all()) {
    const int kind = static_cast<int>(scenario.workload.kind);
    const auto first = arrivals_of(scenario, 1);
    const auto again = arrivals_of(scenario, 1);
    const auto other = arrivals_of(scenario, 2);
    ASSERT_EQ(first.size(), 3'000u) << kind;
    ASSERT_EQ(again.size(), 3'000u) << kind;
    ASSERT_EQ(other.size(), 3'000u) << kind;
    std::size_t equal = 0;
    for (std::size_t i = 0; i < first.size(); ++i) {
      ASSERT_TRUE(same(first[i], again[i])) << kind << " request " << i;
      EXPECT_TRUE(i == 0 || first[i - 1].at <= first[i].at) << kind;
      equal += first[i].at == other[i].at || first[i].work == other[i].work ? 1 : 0;
    }
    EXPECT_EQ(equal, 0u) << kind;
  }
}

TEST_F(Workloads, EachLawLeavesAllOthersAlone) {
  const std::vector<std::function<void(Scenario&)>> changes{
      [](Scenario& s) { s.application.service_time.kind = Distribution::Kind::kLognormal; },
      [](Scenario& s) { s.application.request_size.kind = Distribution::Kind::kPareto; },
      [](Scenario& s) { s.application.answer_size = {.mean = 7}; },
      [](Scenario& s) { s.application.error_ratio = 0.3; },
      [](Scenario& s) { s.workload.sessions.zipf_exponent = 0; }};
  for (const Scenario& scenario : all()) {
    const auto plain = arrivals_of(scenario, 1);
    for (std::size_t change = 0; change < changes.size(); ++change) {
      Scenario changed = scenario;
      changes[change](changed);
      const auto arrivals = arrivals_of(changed, 1);
      ASSERT_EQ(arrivals.size(), plain.size());
      for (std::size_t i = 0; i < plain.size(); ++i) {
        ASSERT_EQ(arrivals[i].at, plain[i].at) << change;
        EXPECT_TRUE(change == 0 || arrivals[i].work == plain[i].work);
        EXPECT_TRUE(change == 1 || arrivals[i].request_size_bytes == plain[i].request_size_bytes);
        EXPECT_TRUE(change == 2 || arrivals[i].answer_size_bytes == plain[i].answer_size_bytes);
        EXPECT_TRUE(change == 3 || arrivals[i].fails == plain[i].fails);
        EXPECT_TRUE(change == 4 || arrivals[i].session == plain[i].session);
      }
    }
  }
}

TEST_F(Workloads, ErrorRatioIsMet) {
  Scenario scenario = of(WorkloadKind::kPoisson);
  scenario.application.error_ratio = 0.2;
  int failing = 0;
  for (const Arrival& arrival : arrivals_of(scenario, 1, 20'000)) {
    failing += arrival.fails ? 1 : 0;
  }
  EXPECT_NEAR(failing, 4'000, 4.5 * 56.6);
}

TEST_F(Workloads, WithoutSessionsEachRequestIsAUserWithAKeyOfItsOwn) {
  Scenario scenario = of(WorkloadKind::kPoisson);
  scenario.workload.sessions = {};
  const auto arrivals = arrivals_of(scenario, 1, 100);
  for (std::size_t i = 1; i < arrivals.size(); ++i) {
    EXPECT_EQ(arrivals[i].session, kNoSession);
    EXPECT_NE(arrivals[i].user, arrivals[i - 1].user);
    EXPECT_NE(arrivals[i].routing_key, arrivals[i - 1].routing_key);
  }
}

TEST_F(Workloads, PerMinuteTakesSizesOfAnswersFromTheFile) {
  for (const double law_mean : {10'000.0, 0.0}) {
    Scenario scenario = of(WorkloadKind::kPerMinute);
    scenario.application.answer_size.mean = law_mean;
    double first = 0;
    double second = 0;
    for (const Arrival& arrival : arrivals_of(scenario, 1, 10'000)) {
      (to_seconds(arrival.at) < 60 ? first : second) += arrival.answer_size_bytes;
    }
    EXPECT_NEAR(first / 5'000, 2'500, 4.5 * 2'500 / std::sqrt(3.0 * 5'000));
    EXPECT_NEAR(second / 4'000, 5'000, 4.5 * 5'000 / std::sqrt(3.0 * 4'000));
  }
}

TEST_F(Workloads, RecordingsReportWhatTheyRead) {
  const MadeWorkload minutes = make_workload(of(WorkloadKind::kPerMinute), 1);
  EXPECT_EQ(minutes.input.file, minutes_.path());
  EXPECT_EQ(minutes.input.lines_read, 2u);
  const MadeWorkload log = make_workload(of(WorkloadKind::kAccessLog), 1);
  EXPECT_EQ(log.input.lines_read, 4'000u);
  EXPECT_EQ(log.input.lines_broken, 4u);
  EXPECT_EQ(log.input.first_broken.at(0).line, 1'000u);
  EXPECT_EQ(make_workload(of(WorkloadKind::kPoisson), 1).input.file, "");
}

TEST_F(Workloads, TimeZeroIsTheWindowsBegin) {
  Scenario scenario = of(WorkloadKind::kPerMinute);
  scenario.workload.window_from = "1998-06-30T17:59Z";
  EXPECT_GE(make_workload(scenario, 1).workload->next_at(), TimePoint{60s});
  scenario.workload.window_from = "";
  EXPECT_LT(make_workload(scenario, 1).workload->next_at(), TimePoint{1s});
  Scenario log = of(WorkloadKind::kAccessLog);
  EXPECT_LT(make_workload(log, 1).workload->next_at(), TimePoint{1s});
  log.workload.window_from = "2015-05-17T10:00Z";
  const TimePoint first = make_workload(log, 1).workload->next_at();
  EXPECT_TRUE(first >= TimePoint{300s} && first < TimePoint{310s});
}

TEST_F(Workloads, MistakesNameFileAndText) {
  Scenario scenario = of(WorkloadKind::kAccessLog);
  scenario.workload.service_from = scenario::WorkloadSpec::ServiceFrom::kLog;
  EXPECT_NE(error_of(scenario).find("no line says how long its request took"), std::string::npos);
  scenario = of(WorkloadKind::kAccessLog);
  scenario.workload.file = "no/such.log";
  EXPECT_EQ(error_of(scenario), "no/such.log: No such file or directory");
  scenario.workload.window_from = "30.6.1998";
  EXPECT_NE(error_of(scenario).find("workload.window_from: '30.6.1998'; expected a time in UTC"),
            std::string::npos);
  scenario = of(WorkloadKind::kPerMinute);
  scenario.workload.window_from = "1998-06-30T18:01Z";
  scenario.workload.window_to = "1998-06-30T18:00Z";
  EXPECT_NE(error_of(scenario).find("expected a time after window_from"), std::string::npos);
  scenario = of(WorkloadKind::kAccessLog);
  scenario.workload.rate_scale = 1e-9;
  EXPECT_NE(error_of(scenario).find("no session is left"), std::string::npos);
  scenario = of(WorkloadKind::kPoisson);
  scenario.application.service_time = {.kind = Distribution::Kind::kFile, .file = "no/times"};
  EXPECT_EQ(error_of(scenario), "no/times: No such file or directory");
  scenario = of(WorkloadKind::kClosed);
  scenario.workload.think_time = {.kind = Distribution::Kind::kFile, .file = "no/times"};
  EXPECT_EQ(error_of(scenario), "no/times: No such file or directory");
}

TEST_F(Workloads, TheWrongKindOfFileIsRefused) {
  Scenario scenario = of(WorkloadKind::kAccessLog);
  scenario.workload.file = minutes_.path();
  EXPECT_NE(error_of(scenario).find("3 of 3 lines can't be understood"), std::string::npos);
  scenario = of(WorkloadKind::kPerMinute);
  scenario.workload.file = log_.path();
  EXPECT_NE(error_of(scenario).find("expected the header minute_utc,requests,bytes"),
            std::string::npos);
}

}  // namespace
}  // namespace copal::sim
