#include "scenarios/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace copal::scenario {
namespace {

constexpr std::string_view kSmall =
    "duration: 1min\n"
    "cloud: {hosts: {app: {count: 3}, lb: {}}}\n"
    "clusters: {shop: {servers: app}, web: {balances: shop, servers: lb}}\n"
    "application: {service_time: 20ms}\n"
    "workload: {kind: poisson, rate: 50/s}\n";

std::vector<Scenario> loaded(std::string_view text, const LoadOptions& options = {},
                             const std::string& folder = "") {
  LoadResult result = load_text(text, "dir/small.yaml", folder, options);
  for (const Problem& problem : result.problems) {
    ADD_FAILURE() << problem.message();
  }
  if (result.scenarios.empty()) {
    result.scenarios.emplace_back();
  }
  return std::move(result.scenarios);
}

std::vector<std::string> labels_of(const std::vector<Scenario>& scenarios) {
  std::vector<std::string> labels;
  for (const Scenario& scenario : scenarios) {
    for (const Contender& contender : scenario.contenders) {
      labels.push_back(contender.label);
    }
  }
  return labels;
}

using Strings = std::vector<std::string>;

TEST(Loader, ShippedFilesLoad) {
  const auto listed = list_scenarios(COPAL_SOURCE_DIR "/scenarios");
  EXPECT_GE(listed.size(), 9U);
  for (const ListedScenario& file : listed) {
    EXPECT_FALSE(file.title.empty()) << file.path;
    const LoadResult result = load(file.path, {.check_files = false});
    for (const Problem& problem : result.problems) {
      ADD_FAILURE() << problem.message();
    }
    ASSERT_FALSE(result.scenarios.empty());
    EXPECT_FALSE(result.scenarios[0].claim.empty()) << file.path;
    EXPECT_FALSE(result.scenarios[0].expectations.empty()) << file.path;
    std::size_t lines = 0;
    for (const Scenario& scenario : result.scenarios) {
      lines += scenario.contenders.size();
    }
    const bool compares_algorithms = file.path.find("/cache/") == std::string::npos;
    EXPECT_GE(lines, compares_algorithms ? 8U : 2U) << file.path;
    EXPECT_LE(lines, 12U) << file.path;
  }
}

TEST(Loader, RecordedScenariosAskForTheirRecording) {
  for (const char* name : {"worldcup98", "access_log"}) {
    const LoadResult result = load(std::string(COPAL_SOURCE_DIR "/scenarios/") + name + ".yaml");
    ASSERT_EQ(result.problems.size(), 1U);
    EXPECT_NE(result.problems[0].text.find("give one with --trace FILE"), std::string::npos);
  }
}

TEST(Loader, NoPathMeansTheQuickstart) {
  const LoadResult result = load("");
  ASSERT_EQ(result.scenarios.size(), 1U);
  EXPECT_EQ(result.scenarios[0].name, "quickstart");
  EXPECT_EQ(result.scenarios[0].file, "<embedded>/quickstart.yaml");
  EXPECT_EQ(result.scenarios[0].contenders.size(), 10U);
  EXPECT_EQ(result.scenarios[0].text.substr(0, 1), "#");
}

TEST(Loader, ListIsOrderedAndKnowsTitles) {
  const auto listed = list_scenarios(COPAL_SOURCE_DIR "/scenarios");
  EXPECT_TRUE(std::is_sorted(listed.begin(), listed.end(),
                             [](const auto& a, const auto& b) { return a.path < b.path; }));
  const auto found = std::find_if(listed.begin(), listed.end(),
                                  [](const auto& file) { return file.name == "slow_server"; });
  ASSERT_NE(found, listed.end());
  EXPECT_EQ(found->title, "One server becomes slow");
  EXPECT_TRUE(list_scenarios("/nowhere").empty());
}

TEST(Loader, DefaultsOfTheSchemaAreThoseOfTheStructs) {
  const Scenario scenario = loaded(kSmall)[0];
  const Scenario fresh;
  const HostGroup group;
  const AppCluster app;
  const BalancerCluster web;
  EXPECT_EQ(scenario.warm_up, fresh.warm_up);
  EXPECT_EQ(scenario.series_interval, fresh.series_interval);
  EXPECT_EQ(scenario.cloud.cpu, fresh.cloud.cpu);
  const HostGroup& host = scenario.cloud.hosts[1];
  EXPECT_EQ(host.cores, group.cores);
  EXPECT_EQ(host.speed, group.speed);
  EXPECT_EQ(host.boot_time, group.boot_time);
  EXPECT_EQ(host.link.latency, group.link.latency);
  EXPECT_EQ(host.link.bandwidth_bytes_per_s, group.link.bandwidth_bytes_per_s);
  EXPECT_EQ(host.link.fidelity, group.link.fidelity);
  EXPECT_EQ(host.power.idle_watts, group.power.idle_watts);
  EXPECT_EQ(host.power.busy_watts, group.power.busy_watts);
  EXPECT_EQ(host.power.off_watts, group.power.off_watts);
  EXPECT_EQ(host.power.boot_watts, group.power.boot_watts);
  EXPECT_EQ(scenario.app.concurrency_max, app.concurrency_max);
  EXPECT_EQ(scenario.app.queue_max, app.queue_max);
  EXPECT_EQ(scenario.app.start_time, app.start_time);
  EXPECT_EQ(scenario.app.report_interval, app.report_interval);
  EXPECT_EQ(scenario.app.sleep_after, app.sleep_after);
  EXPECT_EQ(scenario.app.awake_min, app.awake_min);
  EXPECT_EQ(scenario.balancers.sticky, web.sticky);
  EXPECT_EQ(scenario.balancers.warm_up_time, web.warm_up_time);
  EXPECT_EQ(scenario.balancers.request_timeout, web.request_timeout);
  EXPECT_EQ(scenario.balancers.attempts_max, web.attempts_max);
  EXPECT_EQ(scenario.balancers.retry_budget_ratio, web.retry_budget_ratio);
  EXPECT_EQ(scenario.balancers.retry_budget_per_s, web.retry_budget_per_s);
  EXPECT_EQ(scenario.balancers.recover_time_min, web.recover_time_min);
  EXPECT_EQ(scenario.balancers.recover_time_max, web.recover_time_max);
  EXPECT_EQ(scenario.balancers.busy_recover_time, web.busy_recover_time);
  EXPECT_EQ(scenario.balancers.dead_after, web.dead_after);
  EXPECT_EQ(scenario.application.request_size.mean, Application().request_size.mean);
  EXPECT_EQ(scenario.application.answer_size.mean, Application().answer_size.mean);
  EXPECT_EQ(scenario.application.error_ratio, Application().error_ratio);
  EXPECT_EQ(scenario.application.cold_start.factor, Application().cold_start.factor);
  EXPECT_EQ(labels_of({scenario}).size(), 10U);
}

TEST(Loader, DefaultsOfDistributionsAndWorkloads) {
  const auto with = [](const std::string& service_time) {
    return loaded(kSmall, {.settings = {"application.service_time=" + service_time}})[0]
        .application.service_time;
  };
  EXPECT_EQ(with("{distribution: lognormal, mean: 1ms}").sigma, Distribution().sigma);
  EXPECT_EQ(with("{distribution: pareto, mean: 1ms}").shape, Distribution().shape);
  EXPECT_EQ(with("{distribution: pareto, mean: 1ms}").maximum, Distribution().maximum);
  EXPECT_EQ(with("{distribution: hyperexponential, mean: 1ms}").cv2, Distribution().cv2);
  EXPECT_EQ(with("{distribution: file, file: /dev/null}").scale, Distribution().scale);
  const WorkloadSpec log =
      loaded(kSmall, {.settings = {"workload={kind: access_log, file: /dev/null}"}})[0].workload;
  EXPECT_EQ(log.rate_scale, WorkloadSpec().rate_scale);
  EXPECT_EQ(log.time_scale, WorkloadSpec().time_scale);
  EXPECT_EQ(log.service_from, WorkloadSpec().service_from);
  EXPECT_EQ(loaded(kSmall, {.settings = {"workload={kind: diurnal, rate: 5/s, amplitude: 0.5}"}})[0]
                .workload.period,
            WorkloadSpec().period);
}

TEST(Loader, DefaultsOfAlgorithmsAreTheirSources) {
  const auto with = [](const std::string& name) {
    return loaded(kSmall, {.settings = {"vary.algorithm=[{name: " + name + "}]"}})[0]
        .contenders[0]
        .policy;
  };
  const balance::PolicyConfig source;
  EXPECT_EQ(with("power_of_two").choices, source.choices);
  EXPECT_EQ(with("power_of_two").with_replacement, source.with_replacement);
  EXPECT_EQ(with("server_load").cpu_weight, source.cpu_weight);
  EXPECT_EQ(with("server_load").latency_weight, source.latency_weight);
  EXPECT_EQ(with("green").fill_max, source.fill_max);
  EXPECT_EQ(with("green").fill_resume, source.fill_resume);
  EXPECT_EQ(with("peak_ewma").ewma_decay, source.ewma_decay);
  EXPECT_EQ(with("peak_ewma").ewma_default_latency, source.ewma_default_latency);
  const balance::PolicyConfig prequal = with("prequal");
  EXPECT_EQ(prequal.probe_pool_max, source.probe_pool_max);
  EXPECT_EQ(prequal.probe_age_max, source.probe_age_max);
  EXPECT_EQ(prequal.probe_rate, source.probe_rate);
  EXPECT_EQ(prequal.probe_remove_rate, source.probe_remove_rate);
  EXPECT_EQ(prequal.hot_quantile, source.hot_quantile);
  EXPECT_EQ(prequal.probe_reuse_delta, source.probe_reuse_delta);
  EXPECT_EQ(with("bounded_load").load_bound, source.load_bound);
  EXPECT_EQ(with("bounded_load").ring_points, source.ring_points);
  EXPECT_EQ(with("maglev").maglev_table_size, source.maglev_table_size);
}

constexpr std::string_view kEverything = R"(
name: everything
title: "10"
duration: 5min
warm_up: 10s
series_interval: 500ms
cloud:
  cpu: simgrid
  hosts:
    big: {count: 1, cores: 16, speed: 2.5, boot_time: 45s, power: {idle: 1.1kW, busy: 2kW, off: 1W,
      boot: 3kW}, link: {latency: 2ms, bandwidth: 100Mbps, fidelity: flow}}
    lb: {count: 2}
clusters:
  shop: {servers: [{hosts: big, weight: 2.5}], concurrency_max: 7, queue_max: 8, start_time: 9s,
    report_interval: 10ms, sleep_after: 11s, awake_min: 0}
  web: {balances: shop, servers: lb, sticky: false, warm_up_time: 1s, request_timeout: 2s,
    attempts_max: 3, retry_budget_ratio: 40%, retry_budget_per_s: 5, recover_time_min: 6s,
    recover_time_max: 7s, busy_recover_time: 8s, dead_after: 9s}
application:
  service_time: {distribution: pareto, mean: 20ms, shape: 1.5, maximum: 10s}
  request_size: 1KiB
  answer_size: {distribution: exponential, mean: 2kB}
  cold_start: {factor: 3, time: 20s}
  error_ratio: 1%
workload: {kind: bursty, rate: 60/min, burst_rate: 50/s, calm_time: 3s, burst_time: 4s,
  sessions: {count: 10, zipf_exponent: 0.9}}
faults: [{at: 60s, kind: slow_start, host: big-1, lasting: 30s, factor: 2}]
expect: [{metric: error_ratio, between: [0, 0.5]}]
)";

TEST(Loader, EveryValueOfTheCloudArrives) {
  const Scenario scenario = loaded(kEverything)[0];
  EXPECT_EQ(scenario.name, "everything");
  EXPECT_EQ(scenario.title, "10");
  EXPECT_EQ(scenario.series_interval, 500ms);
  EXPECT_EQ(scenario.cloud.cpu, Cloud::Cpu::kSimgrid);
  const HostGroup& big = scenario.cloud.hosts[0];
  EXPECT_EQ(host_names(big), Strings{"big-1"});
  EXPECT_EQ(big.cores, 16U);
  EXPECT_EQ(big.speed, 2.5);
  EXPECT_EQ(big.boot_time, 45s);
  EXPECT_EQ(big.power.idle_watts, 1100);
  EXPECT_EQ(big.power.boot_watts, 3000);
  EXPECT_EQ(big.link.latency, 2ms);
  EXPECT_EQ(big.link.bandwidth_bytes_per_s, 1.25e7);
  EXPECT_EQ(big.link.fidelity, Fidelity::kFlow);
}

TEST(Loader, EveryValueOfTheRestArrives) {
  const Scenario scenario = loaded(kEverything)[0];
  EXPECT_EQ(scenario.app.servers[0].weight, 2.5);
  EXPECT_EQ(scenario.app.concurrency_max, 7U);
  EXPECT_EQ(scenario.app.queue_max, 8U);
  EXPECT_EQ(scenario.app.start_time, 9s);
  EXPECT_EQ(scenario.app.report_interval, 10ms);
  EXPECT_EQ(scenario.app.sleep_after, 11s);
  EXPECT_EQ(scenario.app.awake_min, 0U);
  EXPECT_FALSE(scenario.balancers.sticky);
  EXPECT_EQ(scenario.balancers.balances, "shop");
  EXPECT_EQ(scenario.balancers.attempts_max, 3U);
  EXPECT_EQ(scenario.balancers.retry_budget_ratio, 0.4);
  EXPECT_EQ(scenario.balancers.dead_after, 9s);
  EXPECT_EQ(scenario.application.service_time.kind, Distribution::Kind::kPareto);
  EXPECT_EQ(scenario.application.service_time.mean, 0.02);
  EXPECT_EQ(scenario.application.service_time.maximum, 10);
  EXPECT_EQ(scenario.application.request_size.mean, 1024);
  EXPECT_EQ(scenario.application.answer_size.kind, Distribution::Kind::kExponential);
  EXPECT_EQ(scenario.application.cold_start.time, 20s);
  EXPECT_EQ(scenario.application.error_ratio, 0.01);
  EXPECT_EQ(scenario.workload.kind, WorkloadSpec::Kind::kBursty);
  EXPECT_EQ(scenario.workload.rate_per_s, 1);
  EXPECT_EQ(scenario.workload.peak_rate_per_s, 50);
  EXPECT_EQ(scenario.workload.burst_time, 4s);
  EXPECT_EQ(scenario.workload.sessions.zipf_exponent, 0.9);
  EXPECT_EQ(scenario.faults[0].kind, Fault::Kind::kSlowStart);
  EXPECT_EQ(scenario.faults[0].lasting, 30s);
  EXPECT_EQ(scenario.faults[0].factor, 2);
  EXPECT_EQ(scenario.expectations[0].op, Expectation::Op::kBetween);
  EXPECT_EQ(scenario.expectations[0].high, 0.5);
}

TEST(Loader, EveryKindOfWorkloadAndFaultAndLawIsRead) {
  const std::pair<const char*, WorkloadSpec::Kind> kinds[] = {
      {"kind: poisson, rate: 1/s", WorkloadSpec::Kind::kPoisson},
      {"kind: flash_crowd, rate: 1/s, peak_rate: 2/s, peak_at: 1s",
       WorkloadSpec::Kind::kFlashCrowd},
      {"kind: piecewise, rates: [{at: 0s, rate: 1/s}]", WorkloadSpec::Kind::kPiecewise},
      {"kind: closed, users: 5, think_time: 1s", WorkloadSpec::Kind::kClosed},
      {"kind: per_minute, file: /dev/null", WorkloadSpec::Kind::kPerMinute},
      {"kind: access_log, file: /dev/null", WorkloadSpec::Kind::kAccessLog}};
  for (const auto& [text, kind] : kinds) {
    const auto all = loaded(kSmall, {.settings = {"workload={" + std::string(text) + "}"}});
    EXPECT_EQ(all[0].workload.kind, kind) << text;
  }
  const std::pair<const char*, Fault::Kind> faults[] = {
      {"crash", Fault::Kind::kCrash},
      {"power_off", Fault::Kind::kPowerOff},
      {"freeze", Fault::Kind::kFreeze},
      {"slow, factor: 0.5", Fault::Kind::kSlow},
      {"link_down", Fault::Kind::kLinkDown},
      {"drain", Fault::Kind::kDrain},
      {"errors, factor: 0.5", Fault::Kind::kErrors}};
  for (const auto& [text, kind] : faults) {
    const auto all = loaded(
        kSmall, {.settings = {"faults=[{at: 1s, host: app-1, kind: " + std::string(text) + "}]"}});
    ASSERT_EQ(all[0].faults.size(), 1U) << text;
    EXPECT_EQ(all[0].faults[0].kind, kind) << text;
  }
  const std::pair<const char*, Distribution::Kind> laws[] = {
      {"constant, mean: 1s", Distribution::Kind::kConstant},
      {"uniform, mean: 1s", Distribution::Kind::kUniform},
      {"lognormal, mean: 1s", Distribution::Kind::kLognormal},
      {"hyperexponential, mean: 1s", Distribution::Kind::kHyperexponential},
      {"file, file: /dev/null", Distribution::Kind::kFile}};
  for (const auto& [text, kind] : laws) {
    const auto all = loaded(
        kSmall,
        {.settings = {"application.service_time={distribution: " + std::string(text) + "}"}});
    EXPECT_EQ(all[0].application.service_time.kind, kind) << text;
  }
}

TEST(Loader, HostsAreNumberedWhereACountIsGiven) {
  const Scenario scenario = loaded(kSmall, {.settings = {"cloud.hosts.app.count=1"}})[0];
  EXPECT_EQ(host_names(scenario.cloud.hosts[0]), Strings{"app-1"});
  EXPECT_EQ(host_names(scenario.cloud.hosts[1]), Strings{"lb"});
  HostGroup group;
  group.name = "x";
  group.count = 2;
  EXPECT_EQ(host_names(group), (Strings{"x-1", "x-2"}));
}

TEST(Loader, SettingsTakeEffectInOrderAndMakeWhatIsMissing) {
  const Scenario scenario = loaded(
      kSmall, {.settings = {"workload.rate=5/s", "workload.rate=6/s", "clusters.web.sticky=false",
                            "title=7", "faults=[{at: 1s, kind: crash, host: app-1}]",
                            "faults.0.at=2s"}})[0];
  EXPECT_EQ(scenario.workload.rate_per_s, 6);
  EXPECT_FALSE(scenario.balancers.sticky);
  EXPECT_EQ(scenario.title, "7");
  EXPECT_EQ(scenario.faults[0].at, 2s);
}

TEST(Loader, AlgorithmsWithParametersAndLabels) {
  const Scenario scenario = loaded(
      std::string(kSmall) +
      "vary: {algorithm: [random, green, {name: green, label: green-20, fill_max: 20}]}\n")[0];
  EXPECT_EQ(labels_of({scenario}), (Strings{"random", "green", "green-20"}));
  EXPECT_EQ(scenario.contenders[0].policy.algorithm, balance::Algorithm::kRandom);
  EXPECT_EQ(scenario.contenders[2].policy.algorithm, balance::Algorithm::kGreen);
  EXPECT_EQ(scenario.contenders[2].policy.fill_max, 20);
}

TEST(Loader, WhatVariesIsMultipliedOut) {
  const auto all = loaded(std::string(kSmall) +
                          "vary:\n"
                          "  algorithm: [random, green]\n"
                          "  cloud.hosts.app.count: [4, 8]\n"
                          "  workload.rate: [10/s, 20/s]\n");
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(labels_of(all), (Strings{"random count=4 rate=10/s", "green count=4 rate=10/s",
                                     "random count=4 rate=20/s", "green count=4 rate=20/s",
                                     "random count=8 rate=10/s", "green count=8 rate=10/s",
                                     "random count=8 rate=20/s", "green count=8 rate=20/s"}));
  EXPECT_EQ(all[1].cloud.hosts[0].count, 4U);
  EXPECT_EQ(all[1].workload.rate_per_s, 20);
  EXPECT_EQ(all[2].cloud.hosts[0].count, 8U);
  EXPECT_EQ(all[2].workload.rate_per_s, 10);
}

TEST(Loader, PathsThatEndAlikeAreWrittenWhole) {
  const auto all = loaded(std::string(kSmall) +
                          "vary:\n"
                          "  algorithm: random\n"
                          "  cloud.hosts.app.cores: [2]\n"
                          "  cloud.hosts.lb.cores: [4]\n"
                          "  clusters.shop.servers: [[app], [{hosts: app, weight: 2}]]\n");
  EXPECT_EQ(labels_of(all)[1], "random cloud.hosts.app.cores=2 cloud.hosts.lb.cores=4 servers=#2");
}

TEST(Loader, WhatIsSetNoLongerVaries) {
  const std::string text =
      std::string(kSmall) + "vary: {algorithm: random, cloud.hosts.app.count: [4, 8]}\n";
  EXPECT_EQ(labels_of(loaded(text, {.settings = {"cloud.hosts.app.count=5"}})), Strings{"random"});
  EXPECT_EQ(labels_of(loaded(text, {.settings = {"vary.cloud.hosts.app.count=[5]"}})),
            Strings{"random count=5"});
}

TEST(Loader, ExpectationsAreAboutLinesOfTheirVariant) {
  const auto all = loaded(std::string(kSmall) +
                          "vary: {algorithm: [random, green], cloud.hosts.app.count: [4, 8]}\n"
                          "expect:\n"
                          "  - {metric: error_ratio, below: 1}\n"
                          "  - {metric: latency_ms_p99, line: green, below_line: random}\n"
                          "  - {metric: latency_ms_p99, line: green count=8, below_line: green "
                          "count=4, ratio: 0.9}\n");
  ASSERT_EQ(all.size(), 2U);
  const auto lines = [](const Scenario& scenario) {
    Strings result;
    for (const Expectation& expectation : scenario.expectations) {
      result.push_back(expectation.line + "|" + expectation.other_line);
    }
    return result;
  };
  EXPECT_EQ(lines(all[0]),
            (Strings{"random count=4|", "green count=4|", "green count=4|random count=4"}));
  EXPECT_EQ(lines(all[1]),
            (Strings{"random count=8|", "green count=8|", "green count=8|random count=8",
                     "green count=8|green count=4"}));
  EXPECT_EQ(all[1].expectations[3].source_line, 10);
  EXPECT_EQ(all[1].expectations[3].ratio, 0.9);
}

TEST(Loader, NoLineIsComparedWithItself) {
  const Scenario scenario = loaded(std::string(kSmall) +
                                   "vary: {algorithm: [random, green, maglev]}\n"
                                   "expect: [{metric: error_ratio, below_line: green}]\n")[0];
  ASSERT_EQ(scenario.expectations.size(), 2U);
  EXPECT_EQ(scenario.expectations[0].line, "random");
  EXPECT_EQ(scenario.expectations[1].line, "maglev");
}

TEST(Loader, PathsAreRelativeToTheFileOrAsGiven) {
  const LoadOptions unchecked{.check_files = false};
  const std::string small(kSmall);
  const std::string log =
      small.substr(0, small.find("workload")) + "workload: {kind: access_log, file: site.log}\n";
  EXPECT_EQ(loaded(log, unchecked, "dir/")[0].workload.file, "dir/site.log");
  EXPECT_EQ(loaded(log, unchecked, "")[0].workload.file, "site.log");
  EXPECT_EQ(loaded(log, {.trace = "a: b.log", .check_files = false}, "dir/")[0].workload.file,
            "a: b.log");
  EXPECT_EQ(loaded(log, {.settings = {"workload.file=/x.log"}, .check_files = false}, "dir/")[0]
                .workload.file,
            "/x.log");
}

TEST(Loader, TracesNeedNoDuration) {
  const std::string text = std::string(kSmall).substr(std::string("duration: 1min\n").size());
  const Scenario scenario =
      loaded(text, {.settings = {"workload={kind: per_minute}"}, .trace = "/dev/null"})[0];
  EXPECT_EQ(scenario.duration, Duration{});
  EXPECT_EQ(scenario.workload.file, "/dev/null");
}

TEST(Loader, AliasesAreValues) {
  const Scenario scenario = loaded(
      "duration: &time 1min\n"
      "cloud: {hosts: {app: &host {cores: 2}, lb: *host}}\n"
      "clusters: {shop: {servers: app, start_time: *time}, web: {balances: shop, servers: "
      "lb}}\n"
      "application: {service_time: 20ms}\n"
      "workload: {kind: poisson, rate: 50/s}\n")[0];
  EXPECT_EQ(scenario.app.start_time, std::chrono::minutes(1));
  EXPECT_EQ(scenario.cloud.hosts[1].cores, 2U);
}

}  // namespace
}  // namespace copal::scenario
