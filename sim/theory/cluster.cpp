#include "sim/theory/cluster.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/math.h"
#include "sim/theory/watched_workload.h"
#include "sim/workload/make_workload.h"

namespace copal::sim::theory {

namespace {

/// One mean service time. Long enough that whole nanoseconds do not show, short enough that a day,
/// after which a server drops what still waits, is 8 million of them.
constexpr Duration kServiceTime = 10ms;
constexpr Duration kForEver = std::chrono::hours(24) * 10'000;

Duration services(double count) {
  return from_seconds(count * to_seconds(kServiceTime));
}

/// A host that the network reaches in no time at all: 0 s and 78 bytes / 1e300 round to 0 ns.
scenario::HostGroup host_group(std::string name, std::uint32_t count, std::uint32_t cores) {
  scenario::HostGroup group;
  group.name = std::move(name);
  group.count = count;
  group.cores = cores;
  group.numbered = true;
  group.link.latency = 0s;
  group.link.bandwidth_bytes_per_s = 1e300;
  return group;
}

scenario::Scenario scenario_of(const Cluster& cluster) {
  scenario::Scenario scenario;
  const double rate_per_s =
      cluster.load * cluster.servers * cluster.cores / to_seconds(kServiceTime);
  scenario.warm_up = services(cluster.warm_up);
  scenario.duration = scenario.warm_up + from_seconds(cluster.requests / rate_per_s);
  scenario.series_interval = scenario.duration;
  scenario.cloud.hosts = {host_group("server", cluster.servers, cluster.cores),
                          host_group("balancer", 1, 1)};
  scenario.app.name = "app";
  scenario.app.servers = {{"server"}};
  scenario.app.concurrency_max = cluster.concurrency_max;
  scenario.app.queue_max = 1U << 30U;
  scenario.app.report_interval = std::chrono::hours(1);
  // Nothing dies here; at the usual interval the triad would be most of the work of one server.
  scenario.app.triad.heartbeat_interval *= 20;
  scenario.app.triad.suspect_after *= 20;
  scenario.app.triad.dead_after *= 20;
  scenario.balancers.balances = "app";
  scenario.balancers.servers = {{"balancer"}};
  scenario.balancers.sticky = false;
  scenario.balancers.request_timeout = std::chrono::hours(24);
  scenario.balancers.attempts_max = 1;
  scenario.balancers.dead_after = kForEver;
  scenario.application.service_time = cluster.service_time;
  scenario.application.service_time.mean = to_seconds(kServiceTime);
  scenario.application.request_size.mean = 0;
  scenario.application.answer_size.mean = 0;
  scenario.workload.kind = scenario::WorkloadSpec::Kind::kPoisson;
  scenario.workload.rate_per_s = rate_per_s;
  scenario.contenders = {{"line", cluster.policy}};
  return scenario;
}

/// measured and expected are sums over the window, in seconds; they differ by `edges` at most.
void check_law(const char* law, double measured, double expected, double edges, std::string& out) {
  // Sums of millions of rounded terms: the last digits are not the law's.
  const double allowed = edges + 1e-9 * expected;
  if (measured >= expected - allowed && measured <= expected + allowed) {
    return;
  }
  char line[160];
  std::snprintf(line, sizeof line, "%s: %.9g s, expected %.9g within %.3g. ", law, measured,
                expected, allowed);
  out += line;
}

std::string broken_laws(const RunResult& run, const WatchedWorkload& watched,
                        double window_core_s) {
  std::string broken;
  const auto requests = static_cast<double>(watched.arrived());
  if (metric(run, "answered_count") != requests || metric(run, "requests_count") != requests) {
    broken += "requests lost or refused. ";
  }
  const double present = watched.present_at_start() + watched.present_at_end();
  const double longest_s = static_cast<double>(run.latency.max()) * 1e-9;
  check_law("Little's law", watched.presence_s(), requests * run.latency.mean() * 1e-9,
            present * longest_s, broken);
  check_law("utilisation law", metric(run, "cpu_ratio_mean") * window_core_s, watched.work_s(),
            present * watched.work_max_s(), broken);
  return broken;
}

}  // namespace

Observed observe(const Cluster& cluster, std::uint64_t seed) {
  const scenario::Scenario scenario = scenario_of(cluster);
  const MadeWorkload made = make_workload(scenario, seed);
  COPAL_ASSERT(made.workload != nullptr);
  WatchedWorkload watched(*made.workload, TimePoint{scenario.warm_up},
                          TimePoint{scenario.duration});
  World world(scenario, scenario.contenders[0], seed, watched, cluster.policy_maker);
  const RunResult run = world.run();
  watched.end();
  const double unit_ns = static_cast<double>(kServiceTime.count());
  const double window_core_s =
      to_seconds(scenario.duration - scenario.warm_up) * cluster.servers * cluster.cores;
  return {.requests = watched.arrived(),
          .mean_time = run.latency.mean() / unit_ns,
          .time_p95 = run.latency.quantile(0.95) / unit_ns,
          .broken_laws = broken_laws(run, watched, window_core_s)};
}

Interval interval_of_twenty(const std::vector<double>& values) {
  COPAL_ASSERT(values.size() == 20);
  // The 99.95 % quantile of Student's t with 19 degrees of freedom. Source: Abramowitz and Stegun,
  // table 26.10, and further digits by integration.
  constexpr double kQuantile = 3.8834058526;
  double mean = 0;
  for (const double value : values) {
    mean += value / 20;
  }
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  return {mean, kQuantile * math::sqrt(squares / 19 / 20)};
}

double sample_factor() {
  constexpr double kDefault = 0.02;
  const char* text = std::getenv("COPAL_THEORY");
  if (text == nullptr) {
    return kDefault;
  }
  const std::string_view view(text);
  double factor = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), factor);
  const bool good = error == std::errc() && end == view.data() + view.size();
  return good && factor >= 1e-4 && factor <= 100 ? factor : kDefault;
}

double tolerance_factor() {
  return 1 / math::sqrt(sample_factor());
}

}  // namespace copal::sim::theory
