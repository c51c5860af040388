#include "sim/testing/fixture_results.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/math.h"
#include "core/base/prng.h"
#include "sim/report/metrics.h"

namespace copal::sim {

namespace {

constexpr double kNanoseconds = 1e6;  // in a millisecond

/// What makes a line of the fixture its own.
struct Character {
  double service_ms;   // latency without load
  double sensitivity;  // how much load lengthens it
  double share_used;   // of the servers
};

double uniform(Prng& random) {
  return static_cast<double>(random.next() >> 11U) * 0x1p-53;
}

/// Between 1 - spread and 1 + spread.
double noise(Prng& random, double spread) {
  return 1 + spread * (2 * uniform(random) - 1);
}

Character character(const std::string& line, std::size_t index) {
  const double place = static_cast<double>(index);
  const bool green = line.starts_with("green");
  return {4 + 0.35 * place, 1.5 + 0.4 * place, green ? 0.45 : 1.0};
}

/// Load of all servers together: calm, a crowd in the middle third, calm.
double load_at(double ratio) {
  const double rise = std::clamp((ratio - 0.30) / 0.05, 0.0, 1.0);
  const double fall = std::clamp((0.70 - ratio) / 0.15, 0.0, 1.0);
  return 0.25 + 0.6 * std::min(rise, fall);
}

SeriesRow row_at(double time_s, double ratio, const FixtureOptions& options,
                 const Character& character, Prng& random) {
  const double load = load_at(ratio);
  const double servers = options.servers;
  SeriesRow row;
  row.time_s = time_s;
  row.arrivals_per_s = 1000 * servers * load * noise(random, 0.04);
  const double used = std::max(1.0, servers * std::min(1.0, load / 0.85 / character.share_used));
  const double busy = std::min(0.97, load * servers / (character.share_used < 1 ? used : servers));
  const double queue = character.sensitivity * busy * busy / (1.03 - busy);
  row.latency_ms_p50 = character.service_ms * (0.7 + 0.2 * queue) * noise(random, 0.05);
  row.latency_ms_p95 = character.service_ms * (2.2 + 0.8 * queue) * noise(random, 0.10);
  row.latency_ms_p99 = character.service_ms * (3.6 + 1.6 * queue) * noise(random, 0.25);
  row.errors_per_s = busy > 0.83 ? 3 * character.sensitivity * uniform(random) : 0;
  row.answers_per_s = row.arrivals_per_s - row.errors_per_s;
  row.in_flight = row.arrivals_per_s * row.latency_ms_p50 / 1000;
  row.servers_active = character.share_used < 1 ? used : servers;
  row.servers_on = std::min(servers, row.servers_active + 1);
  row.cpu_ratio_mean = busy;
  row.cpu_ratio_max = std::min(1.0, busy * noise(random, 0.05) + 0.06);
  row.power_watts = row.servers_on * (100 + 100 * busy);
  return row;
}

void add_latencies(RunResult& run, const SeriesRow& row, Prng& random) {
  for (int i = 0; i < 40; ++i) {
    const double tail = -math::log(1 - uniform(random));
    const double ms = row.latency_ms_p50 * (0.3 + tail * (1 + tail / 4));
    run.latency.add(static_cast<std::uint64_t>(ms * kNanoseconds),
                    static_cast<std::uint64_t>(row.answers_per_s / 40));
  }
}

void fill_metrics(RunResult& run, const FixtureOptions& options) {
  double arrivals = 0;
  double errors = 0;
  double energy = 0;
  double active = 0;
  double on = 0;
  for (const SeriesRow& row : run.series) {
    arrivals += row.arrivals_per_s;
    errors += row.errors_per_s;
    energy += row.power_watts;
    active += row.servers_active;
    on += row.servers_on;
  }
  const double seconds = options.seconds;
  set_metric(run, "requests_count", static_cast<double>(static_cast<std::int64_t>(arrivals)));
  set_metric(run, "answered_count", static_cast<double>(run.latency.count()));
  set_metric(run, "rejected_count", static_cast<double>(static_cast<std::int64_t>(errors)));
  set_metric(run, "error_ratio", errors / arrivals);
  set_metric(run, "throughput_per_s", (arrivals - errors) / seconds);
  set_metric(run, "latency_ms_mean", run.latency.mean() / kNanoseconds);
  const std::pair<const char*, double> quantiles[] = {
      {"latency_ms_p50", 0.5},  {"latency_ms_p90", 0.9},     {"latency_ms_p95", 0.95},
      {"latency_ms_p99", 0.99}, {"latency_ms_p99_9", 0.999},
  };
  for (const auto& [name, ratio] : quantiles) {
    set_metric(run, name, run.latency.quantile(ratio) / kNanoseconds);
  }
  set_metric(run, "latency_ms_max", static_cast<double>(run.latency.max()) / kNanoseconds);
  set_metric(run, "server_hours", on / 3600);
  set_metric(run, "servers_active_mean", active / seconds);
  set_metric(run, "energy_joules", energy);
  set_metric(run, "energy_joules_per_request", energy / arrivals);
  set_metric(run, "cpu_ratio_mean", 0.5);
  set_metric(run, "imbalance_ratio", 1.01);
}

void fill_servers(RunResult& run, const FixtureOptions& options, Prng& random) {
  const double requests = metric(run, "requests_count");
  const bool green = run.line.starts_with("green");
  const double servers = options.servers;
  for (std::uint32_t i = 0; i < options.servers; ++i) {
    const double place = i;
    const double share = green ? 2 * (servers - place) / (servers * (servers + 1)) : 1 / servers;
    const double busy = std::min(0.95, 0.5 * share * servers);
    run.servers.push_back(
        {.name = "app-" + std::to_string(i + 1),
         .requests = static_cast<std::uint64_t>(requests * share * noise(random, 0.03)),
         .active_mean = 4 * busy,
         .cpu_ratio_mean = busy,
         .awake_s = options.seconds * (green ? std::min(1.0, 2 * busy) : 1.0),
         .energy_joules = options.seconds * (100 + 100 * busy)});
  }
}

RunResult fixture_run(const FixtureOptions& options, std::size_t index, std::uint64_t seed) {
  RunResult run = flat_run(options.lines[index], seed, 0);
  Prng random(seed, "fixture", index);
  Character own = character(run.line, index);
  own.sensitivity *= noise(random, 0.1);
  for (std::uint32_t i = 0; i < options.seconds; ++i) {
    const double time_s = i;
    run.series.push_back(row_at(time_s, time_s / options.seconds, options, own, random));
    add_latencies(run, run.series.back(), random);
  }
  fill_metrics(run, options);
  fill_servers(run, options, random);
  run.event_hash = random.next();
  return run;
}

}  // namespace

RunResult flat_run(const std::string& line, std::uint64_t seed, double value) {
  RunResult run;
  run.line = line;
  run.algorithm = line;
  run.seed = seed;
  run.event_hash = 0x0123456789abcdef;
  for (const MetricInfo& info : metric_infos()) {
    run.metrics.emplace_back(info.name, value);
  }
  return run;
}

void set_metric(RunResult& run, std::string_view name, double value) {
  const auto found = std::find_if(run.metrics.begin(), run.metrics.end(),
                                  [&](const auto& entry) { return entry.first == name; });
  COPAL_ASSERT(found != run.metrics.end());
  found->second = value;
}

std::vector<RunResult> fixture_runs(const FixtureOptions& options) {
  std::vector<RunResult> runs;
  for (std::size_t line = 0; line < options.lines.size(); ++line) {
    for (std::uint64_t seed = 1; seed <= options.seeds; ++seed) {
      runs.push_back(fixture_run(options, line, seed));
    }
  }
  return runs;
}

ReportContext plain_context() {
  ReportContext context;
  context.copal_version = "0.1.0";
  context.scenario_name = "flash-crowd";
  context.scenario_title = "A flash crowd meets eight servers";
  context.scenario_claim =
      "Algorithms that see the servers' load keep the tail short while the crowd lasts.";
  context.scenario_file = "scenarios/balance/quickstart.yaml";
  context.scenario_text =
      "title: A flash crowd meets eight servers\ncloud:\n  hosts:\n    - name: app\n      count: "
      "8\n"
      "workload:\n  kind: flash_crowd\n  rate: 2000/s\n  peak_rate: 6800/s\n";
  context.settings = {"workload.rate=2000/s"};
  context.duration_s = 300;
  context.warm_up_s = 10;
  context.engine = {"3.32", {"network/model:CM02", "cpu/optim:Lazy"}, "native", "latency"};
  context.expectations = {
      {"latency_ms_p99 of prequal below 100", "prequal", "latency_ms_p99", 53.2, true},
      {"energy_joules of green below 0.8 times round_robin", "green", "energy_joules", 251000,
       false},
  };
  return context;
}

ReportContext hostile_context() {
  ReportContext context = plain_context();
  const std::string hostile =
      "</script><script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 2\">"
      "<!-- {{report.js}} & \"'";
  context.scenario_title = "Hostile " + hostile;
  context.scenario_claim = hostile;
  context.scenario_text = hostile + "\nnot UTF-8: \xff\xfe\n";
  context.settings = {hostile};
  context.input = ReportContext::Input{
      "access.log", 10000, 3, {{17, hostile + "\xc3", "no date <b>here</b>"}, {18, "", "empty"}}};
  context.expectations.push_back({hostile, "prequal", "latency_ms_p99", 1, false});
  return context;
}

}  // namespace copal::sim
