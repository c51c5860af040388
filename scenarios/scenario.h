#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/balance/policy_config.h"
#include "core/base/time.h"
#include "core/cache/cache_config.h"
#include "scenarios/cache_spec.h"
#include "scenarios/distribution.h"

// A scenario as data, after all checks: what a run needs and nothing of YAML. Loaded by loader.h.
// Field names are those of the file. Numbers end in their unit where the type does not say it.

namespace copal::scenario {

enum class Fidelity { kLatency, kFlow };

struct Link {
  Duration latency = 100us;  // one way, host to the switch and back out: half each
  double bandwidth_bytes_per_s = 1.25e9;
  Fidelity fidelity = Fidelity::kLatency;
};

/// Watts of one host, as SimGrid's host_energy: idle, all cores busy, off, and while it boots.
struct Power {
  double idle_watts = 100;
  double busy_watts = 200;
  double off_watts = 5;
  double boot_watts = 200;
};

/// Hosts of one kind: `name-1` to `name-<count>`, or `name` alone where the file gives no count.
struct HostGroup {
  std::string name;
  std::uint32_t count = 1;
  std::uint32_t cores = 4;
  double speed = 1;  // work per second on one core, relative to the reference
  Link link;
  Power power;
  Duration boot_time = 30s;
  bool numbered = false;  // the file gives a count: `name-1` even if that is 1
};

struct Cloud {
  std::vector<HostGroup> hosts;
  enum class Cpu { kNative, kSimgrid } cpu = Cpu::kNative;
};

/// Servers of the application's cluster that stand on one group of hosts.
struct ServerGroup {
  std::string hosts;  // a HostGroup's name
  double weight = 1;
};

struct AppCluster {
  std::string name;
  Triad triad;
  std::vector<CacheConfig> caches;  // ids 1, 2, … in the file's order
  NearCache near_cache;
  std::vector<ServerGroup> servers;   // the triad's order: as written, hosts ascending
  std::uint32_t concurrency_max = 0;  // requests at work at once in one server; 0: no limit
  std::uint32_t queue_max = 1024;     // requests that wait beyond those; then 503
  Duration start_time = 0s;           // from process start until the application serves
  Duration report_interval = 250ms;
  Duration sleep_after = 0s;    // idle this long, a server goes to low power; 0: never
  std::uint32_t awake_min = 1;  // the first so many servers in order never sleep
};

struct BalancerCluster {
  std::string name;
  std::string balances;              // an AppCluster's name
  std::vector<ServerGroup> servers;  // the hosts that balancers run on
  bool sticky = true;
  Duration warm_up_time = 0s;  // a started server's share ramps up over this time
  Duration request_timeout = 30s;
  std::uint32_t attempts_max = 2;   // 1: no retries
  double retry_budget_ratio = 0.2;  // retries per request, on average
  double retry_budget_per_s = 10;   // and so many more a second
  Duration recover_time_min = 1s;   // a failed server is left alone this long, then twice …
  Duration recover_time_max = 15s;  // … up to this long
  Duration busy_recover_time = 1s;  // after a 503
  Duration dead_after = 3s;         // without a report from a server
};

/// Colder caches after a start: work is multiplied by factor, falling linearly to 1 over `time`.
struct ColdStart {
  double factor = 1;
  Duration time = 0s;
};

struct Application {
  Distribution service_time;  // seconds on one idle core of speed 1
  Distribution request_size{.mean = 500};
  Distribution answer_size{.mean = 10'000};
  ColdStart cold_start;
  double error_ratio = 0;           // share of requests that the application answers with 5xx
  std::vector<CacheUse> cache_use;  // after the request's own work, in this order
  CacheCost cache_cost;
};

/// A rate that holds from a time on.
struct RatePoint {
  Duration at{};
  double rate_per_s = 0;
};

struct Sessions {
  std::uint32_t count = 0;   // 0: requests have no session
  double zipf_exponent = 0;  // 0: all equally popular
};

struct WorkloadSpec {
  enum class Kind {
    kPoisson,       // rate
    kBursty,        // MMPP of two states: rate (calm), burst_rate, calm_time, burst_time
    kDiurnal,       // rate (mean), amplitude, period, peak_at
    kFlashCrowd,    // rate, peak_rate, peak_at, rise_time, hold_time, fall_time
    kPiecewise,     // rates; poisson within
    kClosed,        // users, think_time
    kPerMinute,     // file: requests per minute, CSV; gzip, xz or plain
    kAccessLog,     // file: common or combined log format; gzip, xz or plain
    kKeyTrace,      // file: keys asked of a cache, in order; rate
    kClusterStats,  // file: one row a cache cluster; cluster
  };
  Kind kind = Kind::kPoisson;
  double rate_per_s = 0;
  double peak_rate_per_s = 0;  // bursty: the rate within a burst
  Duration calm_time{};        // bursty: mean length
  Duration burst_time{};
  double amplitude = 0;  // diurnal: 0 to 1 of the mean
  Duration period = std::chrono::hours(24);
  Duration peak_at{};
  Duration rise_time{};
  Duration hold_time{};
  Duration fall_time{};
  std::vector<RatePoint> rates;
  std::uint32_t users = 0;
  Distribution think_time;
  Sessions sessions;

  std::string file;         // a path as the program opens it
  std::string window_from;  // UTC, 1998-06-30T18:00Z; empty: the file's first
  std::string window_to;    // exclusive; empty: the file's last
  double rate_scale = 1;    // requests multiplied (or thinned) by this
  double time_scale = 1;    // log time / simulated time: 1000 squeezes 83 h into 5 min
  enum class ServiceFrom { kModel, kLog } service_from = ServiceFrom::kModel;
  std::uint32_t cluster = 0;    // cluster_stats: which row
  std::uint32_t key_count = 0;  // cluster_stats: 0: as many as the row's working set holds
};

/// Something that goes wrong at a time, and ends after `lasting` (0: never).
struct Fault {
  enum class Kind {
    kCrash,      // the process dies: connections reset; it restarts when the fault ends
    kPowerOff,   // the machine dies silently; it boots when the fault ends
    kFreeze,     // the process stands still, its sockets stay open
    kSlow,       // the host's speed times `factor`
    kLinkDown,   // the host's link is down, silently
    kDrain,      // no new sessions, old ones stay
    kErrors,     // the application answers so large a share (`factor`) at once with 5xx
    kSlowStart,  // crash whose application takes `factor` times its start_time
    kStop,       // triad: a planned stop, which hands over first; starts again when it ends
    kLoseDisk,   // triad: power_off, and the machine comes back with an empty disk
    kPartition,  // frames between `hosts` and `from` (empty: all others) vanish
    kLoss,       // a share (`factor`) of the frames between them is lost
  };
  Kind kind = Kind::kCrash;
  Duration at{};
  Duration lasting{};
  std::string host;  // a host's name, checked; partition and loss have `hosts` instead
  std::vector<std::string> hosts{};
  std::vector<std::string> from{};
  bool one_way = false;  // only what `hosts` send
  double factor = 1;
};

/// One line of the comparison: an algorithm with its parameters, under a label.
struct Contender {
  std::string label;  // unique; the algorithm's name unless the file says more
  balance::PolicyConfig policy;
};

/// A claim about the outcome. metric is a key of the metrics in docs/results.md.
struct Expectation {
  std::string metric;
  std::string line;  // label of the line it is about; empty: every line
  enum class Op { kBelow, kAbove, kBetween, kBelowLine, kAboveLine } op = Op::kBelow;
  double low = 0;          // above, between
  double high = 0;         // below, between
  std::string other_line;  // below_line, above_line: compared with that line …
  double ratio = 1;        // … times this
  int source_line = 0;     // in the file, for the report
};

struct Scenario {
  std::string name;  // file name without ending unless given
  std::string title;
  std::string claim;  // of the paper or the design, that this shows
  Duration duration{};
  Duration warm_up{};  // left out of the figures, not of the series
  Duration series_interval = 1s;
  Cloud cloud;
  AppCluster app;
  BalancerCluster balancers;
  Application application;
  WorkloadSpec workload;
  std::vector<Contender> contenders;  // already multiplied out: one a line
  std::vector<Fault> faults;
  std::vector<Expectation> expectations;

  std::string file;  // as given; "<embedded>/quickstart.yaml" for the built-in one
  std::string text;  // the whole file, for the report
};

/// All host names of a group, in order.
std::vector<std::string> host_names(const HostGroup& group);
/// The machines of the triad's members: a group of the file's, or one of their own.
HostGroup triad_group(const Scenario& scenario);

}  // namespace copal::scenario
