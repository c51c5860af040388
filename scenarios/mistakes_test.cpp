#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "scenarios/loader.h"
#include "scenarios/testing/mistake.h"

// What a person reads after each mistake that a person makes: file, line, column, the text, what
// was expected. One scenario that is right, and one change to it at a time.

namespace copal::scenario {
namespace {

constexpr std::string_view kRight =
    "duration: 1min\n"
    "cloud:\n"
    "  hosts:\n"
    "    app: {count: 3}\n"
    "    lb: {}\n"
    "clusters:\n"
    "  shop: {servers: app}\n"
    "  web: {balances: shop, servers: lb}\n"
    "application: {service_time: 20ms}\n"
    "workload: {kind: poisson, rate: 50/s}\n"
    "vary: {algorithm: [round_robin, green]}\n";

const Mistake kMistakes[] = {
    {"UnknownKeyNearName", "{count: 3}", "{conut: 3}",
     "x.yaml:4:11: unknown key 'conut' in cloud.hosts.app; did you mean 'count'?"},
    {"UnknownKeyFarName", "{count: 3}", "{flavour: 3}",
     "x.yaml:4:11: unknown key 'flavour' in cloud.hosts.app; expected one of count, cores, speed, "
     "boot_time, power, link"},
    {"UnknownTopKey", "duration:", "duratoin:",
     "x.yaml:1:1: unknown key 'duratoin' in the scenario; did you mean 'duration'?"},
    {"UnknownWorkloadKey", "rate: 50/s", "rate: 50/s, sesions: {count: 5}",
     "x.yaml:10:39: unknown key 'sesions' in workload; did you mean 'sessions'?"},
    {"RateWithoutUnit", "50/s", "50",
     "x.yaml:10:33: workload.rate is '50', a number without a unit; expected a rate such as 200/s, "
     "3000/min or 10/h"},
    {"RateWrongUnit", "50/s", "50/sec",
     "x.yaml:10:33: workload.rate is '50/sec'; expected a rate such as 200/s, 3000/min or 10/h"},
    {"RateNegative", "50/s", "-50/s",
     "x.yaml:10:33: workload.rate is '-50/s'; expected a rate such as 200/s, 3000/min or 10/h"},
    {"RateHuge", "50/s", "1e30/s",
     "x.yaml:10:33: workload.rate is '1e30/s'; expected a rate such as 200/s, 3000/min or 10/h"},
    {"RateAboveBound", "50/s", "99999999/s",
     "x.yaml:10:33: workload.rate is 99999999/s; expected at most 10000000/s"},
    {"NoRequestsAtAll", "50/s", "0/s",
     "x.yaml:10:33: the workload has no requests; expected a rate above 0/s"},
    {"DurationWithoutUnit", "20ms", "20",
     "x.yaml:9:29: application.service_time is '20', a number without a unit; expected a duration "
     "such as 20ms, 1.5s or 5min"},
    {"DurationWrongUnit", "20ms", "20sec",
     "x.yaml:9:29: application.service_time is '20sec'; expected a duration such as 20ms, 1.5s or "
     "5min"},
    {"DurationZero", "duration: 1min", "duration: 0s",
     "x.yaml:1:11: duration is 0s; expected more than 0s and at most 366d"},
    {"DurationTooLong", "duration: 1min", "duration: 400d",
     "x.yaml:1:11: duration is 400d; expected more than 0s and at most 366d"},
    {"ServiceTimeZero", "20ms", "0ms",
     "x.yaml:9:29: application.service_time is 0ms; expected more than 0s and at most 1d"},
    {"ServiceTimeList", "20ms", "[20ms]",
     "x.yaml:9:29: application.service_time is a list; expected a duration such as 20ms, 1.5s or "
     "5min, or a map (key: value) such as {distribution: lognormal, mean: 20ms, sigma: 1}"},
    {"EmptyValue", "application: {service_time: 20ms}",
     "application:", "x.yaml:9:1: application is empty; expected a map (key: value)"},
    {"SizeWrongUnit", "application: {service_time: 20ms}",
     "application: {service_time: 20ms, answer_size: 10kb}",
     "x.yaml:9:48: application.answer_size is '10kb'; expected a size such as 500B, 10kB or 4MB"},
    {"RatioAboveOne", "application: {service_time: 20ms}",
     "application: {service_time: 20ms, error_ratio: 120%}",
     "x.yaml:9:48: application.error_ratio is 120%; expected at least 0 and at most 1"},
    {"RatioNegative", "application: {service_time: 20ms}",
     "application: {service_time: 20ms, error_ratio: -0.1}",
     "x.yaml:9:48: application.error_ratio is -0.1; expected at least 0 and at most 1"},
    {"NotANumber", "application: {service_time: 20ms}",
     "application: {service_time: 20ms, error_ratio: .nan}",
     "x.yaml:9:48: application.error_ratio is '.nan'; expected a share from 0 to 1 such as 20% or "
     "0.2"},
    {"InfiniteNumber", "{count: 3}", "{count: 3, speed: .inf}",
     "x.yaml:4:28: cloud.hosts.app.speed is '.inf'; expected a number such as 0.5 or 3"},
    {"NumberOverflow", "{count: 3}", "{count: 3, speed: 1e999}",
     "x.yaml:4:28: cloud.hosts.app.speed is '1e999'; expected a number such as 0.5 or 3"},
    {"SpeedZero", "{count: 3}", "{count: 3, speed: 0}",
     "x.yaml:4:28: cloud.hosts.app.speed is 0; expected at least 0.001 and at most 1000"},
    {"CoresZero", "{count: 3}", "{count: 3, cores: 0}",
     "x.yaml:4:28: cloud.hosts.app.cores is 0; expected at least 1 and at most 1024"},
    {"CoresFraction", "{count: 3}", "{count: 3, cores: 2.5}",
     "x.yaml:4:28: cloud.hosts.app.cores is '2.5'; expected a whole number such as 4"},
    {"CoresText", "{count: 3}", "{count: 3, cores: four}",
     "x.yaml:4:28: cloud.hosts.app.cores is 'four'; expected a whole number such as 4"},
    {"CountQuoted", "{count: 3}", "{count: \"3\"}",
     "x.yaml:4:18: cloud.hosts.app.count is \"3\"; expected a whole number such as 8"},
    {"CountZero", "{count: 3}", "{count: 0}",
     "x.yaml:4:18: cloud.hosts.app.count is 0; expected at least 1 and at most 16384"},
    {"CountHuge", "{count: 3}", "{count: 99999999999999999999}",
     "x.yaml:4:18: cloud.hosts.app.count is 99999999999999999999; expected at least 1 and at most "
     "16384"},
    {"CountOctal", "{count: 3}", "{count: 010}",
     "x.yaml:4:18: cloud.hosts.app.count is '010'; expected a whole number such as 8"},
    {"TooManyServers", "    lb: {}",
     "    lb: {}\n"
     "    more: {count: 16000}\n"
     "    most: {count: 4000}",
     "x.yaml:3:3: 20004 hosts in all; expected at most 20000"},
    {"BandwidthWrongUnit", "{count: 3}", "{count: 3, link: {bandwidth: 10Gb}}",
     "x.yaml:4:39: cloud.hosts.app.link.bandwidth is '10Gb'; expected a bandwidth such as 10Gbps, "
     "100Mbps or 1GBps"},
    {"FidelityUnknown", "{count: 3}", "{count: 3, link: {fidelity: flows}}",
     "x.yaml:4:38: cloud.hosts.app.link.fidelity is 'flows'; did you mean 'flow'?"},
    {"PowerWithoutUnit", "{count: 3}", "{count: 3, power: {idle: 100}}",
     "x.yaml:4:35: cloud.hosts.app.power.idle is '100', a number without a unit; expected a power "
     "such as 100W or 1.2kW"},
    {"BusyBelowIdle", "{count: 3}", "{count: 3, power: {busy: 80W}}",
     "x.yaml:4:35: cloud.hosts.app: busy power is 80W; expected at least the idle 100W"},
    {"BadGroupName", "    lb: {}",
     "    lb: {}\n"
     "    9to5: {}",
     "x.yaml:6:5: '9to5' in cloud.hosts is no name; expected a name (a letter, then letters, "
     "digits, - and _, 63 at most) such as app, shop or big-2"},
    {"HostsOfOneName", "    lb: {}",
     "    lb: {}\n"
     "    app-3: {}",
     "x.yaml:6:5: two hosts are called 'app-3'; expected another name for one of the groups"},
    {"NoHosts",
     "  hosts:\n"
     "    app: {count: 3}\n"
     "    lb: {}",
     "  hosts: {}",
     "x.yaml:3:3: cloud.hosts is empty; expected a map (key: value) such as {app: {count: 8, "
     "cores: 4}, lb: {cores: 4}}"},
    {"MissingGroup", "servers: app", "servers: apps",
     "x.yaml:7:19: there is no host group 'apps'; did you mean 'app'?"},
    {"MissingGroupInList", "servers: app", "servers: [app, {hosts: big, weight: 2}]",
     "x.yaml:7:33: there is no host group 'big'; expected one of app, lb"},
    {"GroupTwice", "servers: app", "servers: [app, app]",
     "x.yaml:7:25: the host group 'app' has servers already; expected a group of its own for each "
     "list entry"},
    {"GroupOfBothClusters", "servers: lb", "servers: app",
     "x.yaml:8:34: the host group 'app' has servers already; expected a group of its own for each "
     "list entry"},
    {"WeightZero", "servers: app", "servers: [{hosts: app, weight: 0}]",
     "x.yaml:7:41: clusters.shop.servers.0.weight is 0; expected at least 0.001 and at most 1000"},
    {"StickyNoBoolean", "servers: lb", "servers: lb, sticky: sure",
     "x.yaml:8:46: clusters.web.sticky is 'sure'; expected true or false"},
    {"TooManyAttempts", "servers: lb", "servers: lb, attempts_max: 9",
     "x.yaml:8:52: clusters.web.attempts_max is 9; expected at least 1 and at most 4"},
    {"RecoverTimes", "servers: lb", "servers: lb, recover_time_min: 20s",
     "x.yaml:8:8: recover_time_max is 15s; expected at least recover_time_min, 20s"},
    {"AwakeMin", "servers: app", "servers: app, awake_min: 4",
     "x.yaml:7:35: awake_min is 4; expected at most the 3 servers"},
    {"BalancesMissing", "balances: shop", "balances: shot",
     "x.yaml:8:19: there is no application cluster 'shot'; did you mean 'shop'?"},
    {"BalancesMisspelt", "balances: shop", "balance: shop",
     "x.yaml:8:9: unknown key 'balance' in clusters.web; did you mean 'balances'?"},
    {"TwoApplicationClusters", "  shop: {servers: app}",
     "  shop: {servers: app}\n"
     "  mall: {servers: app}",
     "x.yaml:8:3: a second cluster of application servers; expected one without 'balances'"},
    {"NoBalancers",
     "\n"
     "  web: {balances: shop, servers: lb}",
     "", "x.yaml:6:1: no cluster of load balancers; expected one with 'balances: <cluster>'"},
    {"NoApplication", "  shop: {servers: app}\n", "",
     "x.yaml:6:1: no cluster of application servers; expected one without 'balances'"},
    {"MissingSection", "application: {service_time: 20ms}\n", "",
     "x.yaml:1:1: the scenario needs 'application'; expected a map (key: value)"},
    {"MissingKind", "kind: poisson, ", "",
     "x.yaml:10:1: workload needs 'kind'; expected one of poisson, bursty, diurnal, flash_crowd, "
     "piecewise, closed, per_minute, access_log, key_trace, cluster_stats"},
    {"KindUnknown", "poisson", "poison",
     "x.yaml:10:18: workload.kind is 'poison'; did you mean 'poisson'?"},
    {"KindNeedsKey", "kind: poisson, rate: 50/s", "kind: poisson",
     "x.yaml:10:1: workload (kind: poisson) needs 'rate'; expected a rate such as 200/s, 3000/min "
     "or 10/h"},
    {"KindTakesNoKey", "rate: 50/s", "rate: 50/s, peak_rate: 60/s",
     "x.yaml:10:39: workload.peak_rate does not belong to kind: poisson; expected one of kind, "
     "rate, sessions"},
    {"PeakAfterEnd", "workload: {kind: poisson, rate: 50/s}",
     "workload: {kind: flash_crowd, rate: 5/s, peak_rate: 9/s, peak_at: 2min}",
     "x.yaml:10:67: workload.peak_at is after the end; expected less than the duration, 1min"},
    {"PeakBelowRate", "workload: {kind: poisson, rate: 50/s}",
     "workload: {kind: flash_crowd, rate: 50/s, peak_rate: 9/s, peak_at: 20s}",
     "x.yaml:10:54: workload.peak_rate is below workload.rate; expected at least 50/s"},
    {"RatesOutOfOrder", "workload: {kind: poisson, rate: 50/s}",
     "workload:\n"
     "  kind: piecewise\n"
     "  rates: [{at: 10s, rate: 5/s}, {at: 5s, rate: 9/s}]",
     "x.yaml:12:38: workload.rates.1.at is not after the one before; expected more than 10s"},
    {"RatesEmpty", "workload: {kind: poisson, rate: 50/s}",
     "workload: {kind: piecewise, rates: []}",
     "x.yaml:10:29: workload.rates has 0 items; expected at least 1"},
    {"UsersZero", "workload: {kind: poisson, rate: 50/s}",
     "workload: {kind: closed, users: 0, think_time: 1s}",
     "x.yaml:10:33: workload.users is 0; expected at least 1 and at most 10000000"},
    {"DistributionUnknown", "20ms", "{distribution: log_normal, mean: 20ms}",
     "x.yaml:9:44: application.service_time.distribution is 'log_normal'; did you mean "
     "'lognormal'?"},
    {"DistributionNeedsMean", "20ms", "{distribution: pareto, shape: 2}",
     "x.yaml:9:15: application.service_time (distribution: pareto) needs 'mean'; expected a "
     "duration such as 20ms, 1.5s or 5min"},
    {"DistributionTakesNoKey", "20ms", "{distribution: exponential, mean: 20ms, sigma: 2}",
     "x.yaml:9:69: application.service_time.sigma does not belong to distribution: exponential; "
     "expected one of distribution, mean"},
    {"ParetoShape", "20ms", "{distribution: pareto, mean: 20ms, shape: 1}",
     "x.yaml:9:71: application.service_time.shape is 1; expected more than 1 and at most 1000"},
    {"NoTrace", "workload: {kind: poisson, rate: 50/s}", "workload: {kind: access_log}",
     "x.yaml:10:18: needs an access log: give one with --trace FILE"},
    {"NoMinutes", "workload: {kind: poisson, rate: 50/s}", "workload: {kind: per_minute}",
     "x.yaml:10:18: needs a recording of requests per minute: give one with --trace FILE"},
    {"TraceMissing", "workload: {kind: poisson, rate: 50/s}",
     "workload: {kind: access_log, file: nowhere.log.gz}",
     "x.yaml:10:36: there is no file 'nowhere.log.gz'; expected a file that can be read"},
    {"WindowEmpty", "workload: {kind: poisson, rate: 50/s}",
     "workload: {kind: per_minute, file: /dev/null, window_from: 1998-06-30T18:00Z, window_to: "
     "1998-06-30T17:00Z}",
     "x.yaml:10:90: workload.window_to is not after window_from, 1998-06-30T18:00Z; expected a "
     "later time in UTC"},
    {"WindowNoTime", "workload: {kind: poisson, rate: 50/s}",
     "workload: {kind: per_minute, file: /dev/null, window_from: 1998-06-31T18:00Z}",
     "x.yaml:10:60: workload.window_from is '1998-06-31T18:00Z'; expected a time in UTC such as "
     "1998-06-30T18:00Z"},
    {"NoDuration", "duration: 1min\n", "",
     "x.yaml:1:1: the scenario needs 'duration'; expected a duration such as 5min or 4h"},
    {"WarmUpTooLong", "duration: 1min",
     "duration: 1min\n"
     "warm_up: 1min",
     "x.yaml:2:10: warm_up is 1min, the whole duration; expected less than 1min"},
    {"SeriesTooFine", "duration: 1min",
     "duration: 1h\n"
     "series_interval: 1ms",
     "x.yaml:2:18: series_interval is 1ms, more than 100,000 rows; expected at least 36ms"},
    {"FaultHostMissing", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "faults:\n"
     "  - {at: 10s, kind: crash, host: app-4}",
     "x.yaml:13:34: faults.0: nothing runs on a host 'app-4'; did you mean 'app-1'?"},
    {"FaultHostFar", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "faults:\n"
     "  - {at: 10s, kind: crash, host: zebra}",
     "x.yaml:13:34: faults.0: nothing runs on a host 'zebra'; expected one of app-1, app-2, "
     "app-3, lb, triad-1, triad-2, triad-3"},
    {"FaultAfterEnd", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "faults:\n"
     "  - {at: 90s, kind: crash, host: app-1}",
     "x.yaml:13:10: faults.0.at is 90s, after the end; expected less than the duration, 1min"},
    {"FaultKind", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "faults:\n"
     "  - {at: 10s, kind: crashes, host: app-1}",
     "x.yaml:13:21: faults.0.kind is 'crashes'; did you mean 'crash'?"},
    {"FaultNeedsFactor", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "faults:\n"
     "  - {at: 10s, kind: slow, host: app-1}",
     "x.yaml:13:5: faults.0 (kind: slow) needs 'factor'; expected a number such as 0.2"},
    {"FaultTakesNoFactor", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "faults:\n"
     "  - {at: 10s, kind: crash, host: app-1, factor: 2}",
     "x.yaml:13:41: faults.0.factor does not belong to kind: crash; expected one of at, kind, "
     "host, lasting"},
    {"FaultErrorsFactor", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "faults:\n"
     "  - {at: 10s, kind: errors, host: app-1, factor: 2}",
     "x.yaml:13:50: faults.0.factor is 2; expected at most 1"},
    {"FaultsNoList", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "faults: {at: 10s, kind: crash, host: app-1}",
     "x.yaml:12:9: faults is a map; expected a list"},
    {"AlgorithmUnknown", "round_robin", "roundrobin",
     "x.yaml:11:20: vary.algorithm.0 is 'roundrobin'; did you mean 'round_robin'?"},
    {"AlgorithmTwice", "round_robin", "green",
     "x.yaml:11:27: two lines are called 'green'; expected a label of its own: {name: …, label: "
     "…}"},
    {"AlgorithmParameter", "green]", "{name: green, choices: 2}]",
     "x.yaml:11:47: vary.algorithm.1.choices does not belong to name: green; expected one of name, "
     "label, fill_max, fill_resume"},
    {"AlgorithmWord", "[round_robin, green]", "every",
     "x.yaml:11:19: vary.algorithm is 'every'; expected one of all, round_robin, random, "
     "power_of_two, least_connections, server_load, green, peak_ewma, prequal, bounded_load, "
     "maglev"},
    {"FillMaxZero", "green]", "{name: green, fill_max: 0}]",
     "x.yaml:11:57: vary.algorithm.1.fill_max is 0; expected more than 0 and at most 1000000"},
    {"LoadBound", "green]", "{name: bounded_load, load_bound: 1}]",
     "x.yaml:11:66: vary.algorithm.1.load_bound is 1; expected more than 1 and at most 1000"},
    {"TableNoPrime", "green]", "{name: maglev, maglev_table_size: 65536}]",
     "x.yaml:11:67: maglev_table_size is 65536, no prime; expected a prime such as 65537"},
    {"TableSmall", "green]", "{name: maglev, maglev_table_size: 3}]",
     "x.yaml:11:67: maglev_table_size is 3; expected a prime above the 3 servers"},
    {"VaryUnknown", "vary: {", "vary: {algoritm: green, ",
     "x.yaml:11:8: unknown key 'algoritm' in vary; did you mean 'algorithm'?\n"
     "x.yaml:11:18: vary.algoritm is 'green'; expected a list such as [100/s, 200/s] or [4, 6, 8]"},
    {"VaryUnknownPath", "vary: {", "vary: {worklod.rate: [1/s], ",
     "x.yaml:11:8: unknown key 'worklod.rate' in vary; did you mean 'workload.rate'?"},
    {"VaryNoList", "vary: {", "vary: {workload.rate: 50/s, ",
     "x.yaml:11:23: vary.workload.rate is '50/s'; expected a list such as [100/s, 200/s] or [4, 6, "
     "8]"},
    {"VaryWrongValue", "vary: {", "vary: {workload.rate: [50/s, 60], ",
     "x.yaml:11:30: workload.rate is '60', a number without a unit; expected a rate such as 200/s, "
     "3000/min or 10/h"},
    {"VaryTwiceAlike", "vary: {", "vary: {workload.rate: [50/s, 50/s], ",
     "x.yaml:11:1: two lines are called 'green rate=50/s'; expected each value to try only once"},
    {"MetricUnknown", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "expect:\n"
     "  - {metric: latency_ms_p98, below: 250}",
     "x.yaml:13:14: expect.0.metric is 'latency_ms_p98'; did you mean 'latency_ms_p90'?"},
    {"LineUnknown", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "expect:\n"
     "  - {metric: error_ratio, line: gren, below: 250}",
     "x.yaml:13:33: there is no line 'gren'; did you mean 'green'?"},
    {"LineWithItself", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "expect:\n"
     "  - {metric: error_ratio, line: green, below_line: green}",
     "x.yaml:13:5: expect.0 compares 'green' with itself; expected two lines"},
    {"NothingExpected", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "expect:\n"
     "  - {metric: error_ratio}",
     "x.yaml:13:5: expect.0 has none of below, above, between, below_line, above_line; expected "
     "exactly one"},
    {"TwoExpected", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "expect:\n"
     "  - {metric: error_ratio, above: 0, below: 1}",
     "x.yaml:13:5: expect.0 has 2 of below, above, between, below_line, above_line; expected "
     "exactly one"},
    {"RatioWithoutLine", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "expect:\n"
     "  - {metric: error_ratio, below: 1, ratio: 2}",
     "x.yaml:13:44: expect.0.ratio has no use; expected below_line or above_line beside it"},
    {"BetweenEmpty", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "expect:\n"
     "  - {metric: error_ratio, between: [1, 0]}",
     "x.yaml:13:36: expect.0.between is empty; expected the lower number first"},
    {"BetweenOne", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "expect:\n"
     "  - {metric: error_ratio, between: [1]}",
     "x.yaml:13:27: expect.0.between has 1 items; expected 2"},
    {"BadYaml", "{count: 3}", "{count: 3",
     "x.yaml:5:7: not YAML: a { before this is not closed; expected } or a comma"},
    {"BadIndent", "    lb: {}", "   lb: {}",
     "x.yaml:5:4: not YAML: this does not belong to the map above; expected a line 'key: value', "
     "as far in as its neighbours"},
    {"TabIndent", "    lb: {}", "\tlb: {}",
     "x.yaml:5:2: not YAML: a tab in the indentation; expected blanks"},
    {"KeyTwice", "    lb: {}",
     "    lb: {}\n"
     "    app: {count: 4}",
     "x.yaml:6:5: the key 'app' stands here twice, first in line 4"},
    {"KeyIsList", "    lb: {}",
     "    lb: {}\n"
     "    ? [a, b]\n"
     "    : {}",
     "x.yaml:6:7: a key must be a name"},
    {"UnknownAnchor", "{count: 3}", "*nobody",
     "x.yaml:4:10: not YAML: the referenced anchor is not defined"},
    {"Tag", "{count: 3}", "!host {count: 3}", "x.yaml:4:10: tags such as !host mean nothing here"},
    {"SecondDocument", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "---\n"
     "title: two",
     "x.yaml:13:1: a second YAML document; expected one document in a file"},
    {"SecondDocumentTooDeep", "vary: {algorithm: [round_robin, green]}",
     "vary: {algorithm: [round_robin, green]}\n"
     "---\n"
     "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
     "x.yaml: a second YAML document; expected one document in a file"},
};

std::string heads_of(const LoadResult& result) {
  std::string heads;
  for (const Problem& problem : result.problems) {
    const std::string message = problem.message();
    heads += (heads.empty() ? "" : "\n") + message.substr(0, message.find('\n'));
  }
  return heads;
}

class EachMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(EachMistake, IsSaidWithPlaceAndRemedy) {
  const Mistake& mistake = GetParam();
  std::string text(kRight);
  const std::size_t at = text.find(mistake.right);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, mistake.right.size(), mistake.wrong);
  const LoadResult result = load_text(text, "x.yaml", "");
  EXPECT_TRUE(result.scenarios.empty());
  EXPECT_EQ(heads_of(result), mistake.message);
}

INSTANTIATE_TEST_SUITE_P(Scenario, EachMistake, testing::ValuesIn(kMistakes),
                         [](const auto& mistake) { return std::string(mistake.param.name); });

TEST(Mistakes, TheScenarioWithoutOneLoads) {
  EXPECT_EQ(heads_of(load_text(kRight, "x.yaml", "")), "");
}

TEST(Mistakes, TheLineIsShownWithACaret) {
  std::string text(kRight);
  text.replace(text.find("count"), 5, "conut");
  const LoadResult result = load_text(text, "x.yaml", "");
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(result.problems[0].message(),
            "x.yaml:4:11: unknown key 'conut' in cloud.hosts.app; did you mean 'count'?\n"
            "      app: {conut: 3}\n"
            "            ^");
}

TEST(Mistakes, AllAreSaidAtOnceInTheOrderOfTheFile) {
  std::string text(kRight);
  text.replace(text.find("50/s"), 4, "50");
  text.replace(text.find("20ms"), 4, "20");
  text.replace(text.find("count: 3"), 8, "count: 0");
  EXPECT_EQ(heads_of(load_text(text, "x.yaml", "")),
            "x.yaml:4:18: cloud.hosts.app.count is 0; expected at least 1 and at most 16384\n"
            "x.yaml:9:29: application.service_time is '20', a number without a unit; expected a "
            "duration such as 20ms, 1.5s or 5min\n"
            "x.yaml:10:33: workload.rate is '50', a number without a unit; expected a rate such as "
            "200/s, 3000/min or 10/h");
}

TEST(Mistakes, AreAtMostTwenty) {
  std::string text(kRight);
  for (int i = 0; i < 30; ++i) {
    text += "wrong" + std::to_string(i) + ": 1\n";
  }
  EXPECT_EQ(load_text(text, "x.yaml", "").problems.size(), Problems::kProblemsMax);
}

std::string heads_with(std::vector<std::string> settings, std::string trace = "") {
  return heads_of(load_text(kRight, "x.yaml", "",
                            {.settings = std::move(settings), .trace = std::move(trace)}));
}

TEST(Mistakes, OfSettingsNameTheSetting) {
  EXPECT_EQ(heads_with({"cloud.hosts.app.count=x"}),
            "--set cloud.hosts.app.count=x: cloud.hosts.app.count is 'x'; expected a whole number "
            "such as 8");
  EXPECT_EQ(heads_with({"cloud.host.app.count=4"}),
            "--set cloud.host.app.count=4: unknown key 'host' in cloud; did you mean 'hosts'?");
  EXPECT_EQ(heads_with({"workload.rate"}),
            "--set workload.rate: no setting; expected key.path=value such as workload.rate=100/s");
  EXPECT_EQ(heads_with({"workload..rate=1/s"}),
            "--set workload..rate=1/s: the key path 'workload..rate' is none; expected keys with "
            "dots between");
  EXPECT_EQ(heads_with({"application.service_time.mean=5ms"}),
            "--set application.service_time.mean=5ms: application.service_time.mean: there is no "
            "'mean' below the value '20ms'");
  EXPECT_EQ(heads_with({"vary.algorithm.2=green"}),
            "--set vary.algorithm.2=green: unknown key 'algorithm.2' in vary; expected algorithm, "
            "or a path such as workload.rate\n"
            "--set vary.algorithm.2=green: vary.algorithm.2 is 'green'; expected a list such as "
            "[100/s, 200/s] or [4, 6, 8]");
  EXPECT_EQ(heads_with({"cloud=[1"}),
            "--set cloud=[1: not YAML: a [ before this is not closed; expected ] or a comma");
}

TEST(Mistakes, OnlyKeysOfTheKindAreProposed) {
  EXPECT_EQ(heads_with({"workload={kind: poisson, rate: 5/s, peak_rat: 9/s}"}),
            "--set workload={kind: poisson, rate: 5/s, peak_rat: 9/s}: unknown key 'peak_rat' in "
            "workload; expected one of kind, rate, sessions");
}

TEST(Mistakes, BoundsThemselvesAreNone) {
  EXPECT_EQ(heads_with({"cloud.hosts.app.count=1", "cloud.hosts.app.cores=1024",
                        "cloud.hosts.app.speed=1000", "clusters.web.attempts_max=4",
                        "clusters.shop.queue_max=0", "application.error_ratio=100%",
                        "application.cold_start={factor: 1, time: 0s}", "duration=366d",
                        "series_interval=10min"}),
            "");
}

TEST(Mistakes, CannotCommandATerminal) {
  const LoadResult result = load_text("vary: {\"a\\e[2Jb\": [1]}\ntitle: \x7f\n", "x.yaml", "");
  ASSERT_FALSE(result.problems.empty());
  for (const Problem& problem : result.problems) {
    EXPECT_EQ(problem.message().find_first_of("\x1b\x7f"), std::string::npos);
  }
}

TEST(Mistakes, OfTraces) {
  EXPECT_EQ(heads_with({}, "a.log"),
            "--trace a.log: workload.file does not belong to kind: poisson; expected one of kind, "
            "rate, sessions");
  EXPECT_EQ(
      heads_with({"workload={kind: access_log}"}, "nowhere.log"),
      "--trace nowhere.log: there is no file 'nowhere.log'; expected a file that can be read");
  EXPECT_EQ(heads_with({"workload={kind: access_log, file: /}"}),
            "--set workload={kind: access_log, file: /}: cannot read '/'; expected a file that can "
            "be read");
}

TEST(Mistakes, OfFiles) {
  EXPECT_EQ(heads_of(load("nowhere.yaml")),
            "nowhere.yaml: there is no such file; expected a scenario file, or a name that `list` "
            "shows");
  EXPECT_EQ(heads_of(load("/")), "/: cannot be read; expected a scenario file");
  EXPECT_EQ(heads_of(load("/dev/zero")),
            "/dev/zero: larger than 1 MB; expected a scenario of a few kB");
  EXPECT_EQ(heads_of(load_text("", "x.yaml", "")),
            "x.yaml: the scenario is empty; expected a map (key: value)");
  EXPECT_EQ(heads_of(load_text("just a text", "x.yaml", "")),
            "x.yaml:1:1: the scenario is 'just a text'; expected a map (key: value)");
}

TEST(Mistakes, HugeFilesAreRefusedQuickly) {
  EXPECT_EQ(heads_of(load_text(std::string(1'000'001, ' '), "x.yaml", "")),
            "x.yaml: larger than 1 MB; expected a scenario of a few kB");
  EXPECT_EQ(heads_of(load_text(std::string(40, '[') + std::string(40, ']'), "x.yaml", "")),
            "x.yaml:1:33: nested deeper than 32 levels");
  std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name < 'k'; ++name) {
    const std::string last(1, static_cast<char>(name - 1));
    laughs += std::string(1, name) + ": &" + name + " [";
    for (int i = 0; i < 10; ++i) {
      laughs += (i == 0 ? "*" : ", *") + last;
    }
    laughs += "]\n";
  }
  EXPECT_EQ(heads_of(load_text(laughs, "x.yaml", "")), "x.yaml:5:36: more than 100000 values");
  EXPECT_EQ(heads_of(load_text("a: &a [*a]\n", "x.yaml", "")),
            "x.yaml:1:8: an alias stands inside what it names");
  std::string keys;
  for (int i = 0; i < 1001; ++i) {
    keys += "k" + std::to_string(i) + ": 1\n";
  }
  EXPECT_EQ(heads_of(load_text(keys, "x.yaml", "")),
            "x.yaml:1001:1: more than 1000 keys in one map");
}

}  // namespace
}  // namespace copal::scenario
