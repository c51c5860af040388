#include "scenarios/check.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

#include "core/balance/policy.h"
#include "scenarios/build.h"
#include "scenarios/check_cache.h"
#include "scenarios/nearest.h"
#include "scenarios/units.h"

namespace copal::scenario {

namespace {

constexpr std::size_t kHostsMax = 20'000;
constexpr double kSeriesRowsMax = 100'000;

std::vector<std::string> group_names(const Scenario& scenario) {
  std::vector<std::string> names;
  for (const HostGroup& group : scenario.cloud.hosts) {
    names.push_back(group.name);
  }
  return names;
}

const HostGroup* group_named(const Scenario& scenario, const std::string& name) {
  for (const HostGroup& group : scenario.cloud.hosts) {
    if (group.name == name) {
      return &group;
    }
  }
  return nullptr;
}

std::uint64_t server_count(const Scenario& scenario, const std::vector<ServerGroup>& servers) {
  std::uint64_t count = 0;
  for (const ServerGroup& group : servers) {
    const HostGroup* hosts = group_named(scenario, group.hosts);
    count += hosts == nullptr ? 0 : hosts->count;
  }
  return count;
}

bool is_recorded(WorkloadSpec::Kind kind) {
  return kind == WorkloadSpec::Kind::kPerMinute || kind == WorkloadSpec::Kind::kAccessLog ||
         kind == WorkloadSpec::Kind::kKeyTrace || kind == WorkloadSpec::Kind::kClusterStats;
}

/// What a recorded workload reads, with its article.
std::string recording_of(WorkloadSpec::Kind kind) {
  switch (kind) {
    case WorkloadSpec::Kind::kAccessLog:
      return "an access log";
    case WorkloadSpec::Kind::kKeyTrace:
      return "a key trace";
    case WorkloadSpec::Kind::kClusterStats:
      return "the statistics of cache clusters";
    default:
      return "a recording of requests per minute";
  }
}

/// Checks one scenario; the parts of check_scenario() share what they need.
class Check {
 public:
  Check(const Scenario& scenario, const Node& tree, Problems& problems)
      : scenario_(scenario), tree_(tree), problems_(problems) {}

  void run(bool check_files) {
    check_times();
    check_hosts();
    check_servers(*cluster(tree_, false), scenario_.app.servers);
    check_servers(*cluster(tree_, true), scenario_.balancers.servers);
    check_cluster_numbers();
    check_workload();
    check_recording(check_files);
    check_contenders();
    check_faults(scenario_, tree_, problems_);
    check_caches(scenario_, tree_, problems_);
    if (check_files) {
      check_distribution_files();
    }
  }

 private:
  void check_times() {
    const bool has_duration = tree_.find("duration") != nullptr;
    const bool ends = is_recorded(scenario_.workload.kind) &&
                      scenario_.workload.kind != WorkloadSpec::Kind::kClusterStats;
    if (!has_duration && !ends) {
      problems_.add(tree_.place, "the scenario needs 'duration'", "a duration such as 5min or 4h");
    }
    if (has_duration && scenario_.warm_up >= scenario_.duration) {
      problems_.add(tree_.value_place("warm_up"),
                    "warm_up is " + write(scenario_.warm_up) + ", the whole duration",
                    "less than " + write(scenario_.duration));
    }
    if (to_seconds(scenario_.duration) / to_seconds(scenario_.series_interval) > kSeriesRowsMax) {
      problems_.add(
          tree_.value_place("series_interval"),
          "series_interval is " + write(scenario_.series_interval) + ", more than 100,000 rows",
          "at least " + write(scenario_.duration / 100'000));
    }
  }

  void check_hosts() {
    const Node& hosts = *tree_.find("cloud")->find("hosts");
    std::set<std::string> names;
    std::size_t count = 0;
    for (std::size_t i = 0; i < hosts.keys.size(); ++i) {
      const HostGroup& group = scenario_.cloud.hosts[i];
      count += group.count;
      for (const std::string& name : host_names(group)) {
        if (!names.insert(name).second) {
          problems_.add(hosts.keys[i].place, "two hosts are called '" + name + "'",
                        "another name for one of the groups");
        }
      }
      check_power(group.power, *hosts.items[i].find("power"), "cloud.hosts." + group.name);
    }
    if (count > kHostsMax) {
      problems_.add(tree_.find("cloud")->place_of("hosts"), std::to_string(count) + " hosts in all",
                    "at most 20000");
    }
  }

  void check_power(const Power& power, const Node& node, const std::string& path) {
    if (power.busy_watts < power.idle_watts) {
      problems_.add(node.value_place("busy"),
                    path + ": busy power is " + write(Format::kPower, power.busy_watts),
                    "at least the idle " + write(Format::kPower, power.idle_watts));
    }
  }

  void check_servers(const Node& cluster_node, const std::vector<ServerGroup>& servers) {
    const Node& list = *cluster_node.find("servers");
    for (std::size_t i = 0; i < servers.size() && !problems_.full(); ++i) {
      const Node& node = list.kind == Node::Kind::kList ? list.items[i] : list;
      const Place place = node.find("hosts") == nullptr ? node.place : node.value_place("hosts");
      const std::string& name = servers[i].hosts;
      if (group_named(scenario_, name) == nullptr) {
        const std::vector<std::string> names = group_names(scenario_);
        problems_.add(place, "there is no host group '" + name.substr(0, 60) + "'",
                      "one of " + listed(names), nearest_name(name, names));
      } else if (!used_groups_.insert(name).second) {
        problems_.add(place, "the host group '" + name + "' has servers already",
                      "a group of its own for each list entry");
      }
    }
    const std::uint64_t count = server_count(scenario_, servers);
    if (count > balance::kServersMax) {
      problems_.add(cluster_node.place_of("servers"),
                    std::to_string(count) + " servers in one cluster", "at most 16384");
    }
  }

  void check_cluster_numbers() {
    const BalancerCluster& web = scenario_.balancers;
    if (web.recover_time_max < web.recover_time_min) {
      problems_.add(cluster(tree_, true)->value_place("recover_time_max"),
                    "recover_time_max is " + write(web.recover_time_max),
                    "at least recover_time_min, " + write(web.recover_time_min));
    }
    const std::uint64_t servers = server_count(scenario_, scenario_.app.servers);
    if (servers > 0 && scenario_.app.awake_min > servers) {
      problems_.add(cluster(tree_, false)->value_place("awake_min"),
                    "awake_min is " + std::to_string(scenario_.app.awake_min),
                    "at most the " + std::to_string(servers) + " servers");
    }
  }

  void check_workload() {
    const Node& node = *tree_.find("workload");
    const WorkloadSpec& load = scenario_.workload;
    const bool at_end = scenario_.duration > 0s && load.peak_at >= scenario_.duration;
    if (load.kind == WorkloadSpec::Kind::kFlashCrowd && at_end) {
      problems_.add(node.value_place("peak_at"), "workload.peak_at is after the end",
                    "less than the duration, " + write(scenario_.duration));
    }
    if (load.kind == WorkloadSpec::Kind::kFlashCrowd && load.peak_rate_per_s < load.rate_per_s) {
      problems_.add(node.value_place("peak_rate"), "workload.peak_rate is below workload.rate",
                    "at least " + write(Format::kRate, load.rate_per_s));
    }
    for (std::size_t i = 1; i < load.rates.size(); ++i) {
      if (load.rates[i].at <= load.rates[i - 1].at) {
        problems_.add(node.find("rates")->items[i].value_place("at"),
                      "workload.rates." + std::to_string(i) + ".at is not after the one before",
                      "more than " + write(load.rates[i - 1].at));
      }
    }
    check_any_rate(node);
  }

  void check_any_rate(const Node& node) {
    using Kind = WorkloadSpec::Kind;
    const WorkloadSpec& load = scenario_.workload;
    const bool none =
        load.rate_per_s == 0 && (load.kind == Kind::kPoisson || load.kind == Kind::kDiurnal ||
                                 load.kind == Kind::kKeyTrace);
    const bool no_rates = load.kind == Kind::kPiecewise &&
                          std::all_of(load.rates.begin(), load.rates.end(),
                                      [](const RatePoint& point) { return point.rate_per_s == 0; });
    if (none || no_rates) {
      problems_.add(node.value_place(none ? "rate" : "rates"), "the workload has no requests",
                    "a rate above 0/s");
    }
  }

  void check_recording(bool check_files) {
    const Node& node = *tree_.find("workload");
    const WorkloadSpec& load = scenario_.workload;
    if (!is_recorded(load.kind)) {
      return;
    }
    const auto from = parse(Format::kUtc, load.window_from);
    const auto to = parse(Format::kUtc, load.window_to);
    if (from && to && *from >= *to) {
      problems_.add(node.value_place("window_to"),
                    "workload.window_to is not after window_from, " + load.window_from,
                    "a later time in UTC");
    }
    if (!check_files) {
      return;
    }
    if (load.file.empty()) {
      problems_.add(node.value_place("kind"),
                    "needs " + recording_of(load.kind) + ": give one with --trace FILE");
    } else {
      check_file(load.file, node.value_place("file"));
    }
  }

  void check_file(const std::string& path, Place place) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found) {
      problems_.add(place, "there is no file '" + path + "'", "a file that can be read");
    } else if (error || status.type() == std::filesystem::file_type::directory ||
               !std::ifstream(path)) {
      problems_.add(place, "cannot read '" + path + "'", "a file that can be read");
    }
  }

  void check_distribution_files() {
    const Node& app = *tree_.find("application");
    const Node& load = *tree_.find("workload");
    std::vector<std::pair<const Node*, std::string>> all = {
        {app.find("service_time"), scenario_.application.service_time.file},
        {app.find("request_size"), scenario_.application.request_size.file},
        {app.find("answer_size"), scenario_.application.answer_size.file},
        {load.find("think_time"), scenario_.workload.think_time.file}};
    const Node& uses = *app.find("cache_use");
    for (std::size_t i = 0; i < uses.items.size(); ++i) {
      all.emplace_back(uses.items[i].find("value_size"),
                       scenario_.application.cache_use[i].value_size.file);
    }
    for (const auto& [node, file] : all) {
      if (!file.empty()) {
        check_file(file, node->value_place("file"));
      }
    }
  }

  void check_contenders() {
    const Node& list = *tree_.find("vary")->find("algorithm");
    const std::uint64_t servers = server_count(scenario_, scenario_.app.servers);
    std::set<std::string> labels;
    for (std::size_t i = 0; i < scenario_.contenders.size(); ++i) {
      const Contender& contender = scenario_.contenders[i];
      const Node& node = list.kind == Node::Kind::kList ? list.items[i] : list;
      if (!labels.insert(contender.label).second) {
        problems_.add(node.place, "two lines are called '" + contender.label + "'",
                      "a label of its own: {name: …, label: …}");
      }
      if (contender.policy.algorithm == balance::Algorithm::kMaglev) {
        check_maglev(contender.policy.maglev_table_size, node, servers);
      }
    }
  }

  void check_maglev(std::uint32_t size, const Node& node, std::uint64_t servers) {
    bool prime = size % 2 == 1;
    for (std::uint32_t divisor = 3; prime && divisor * divisor <= size; divisor += 2) {
      prime = size % divisor != 0;
    }
    if (!prime) {
      std::uint32_t next = size;
      for (bool found = false; !found;) {
        ++next;
        found = next % 2 == 1;
        for (std::uint32_t divisor = 3; found && divisor * divisor <= next; divisor += 2) {
          found = next % divisor != 0;
        }
      }
      problems_.add(node.value_place("maglev_table_size"),
                    "maglev_table_size is " + std::to_string(size) + ", no prime",
                    "a prime such as " + std::to_string(next));
    } else if (size <= servers) {
      problems_.add(node.value_place("maglev_table_size"),
                    "maglev_table_size is " + std::to_string(size),
                    "a prime above the " + std::to_string(servers) + " servers");
    }
  }

  const Scenario& scenario_;
  const Node& tree_;
  Problems& problems_;
  std::set<std::string> used_groups_;
};

}  // namespace

bool check_clusters(const Node& tree, Problems& problems) {
  const Node& clusters = *tree.find("clusters");
  std::vector<std::string> apps;
  std::size_t balancers = 0;
  for (std::size_t i = 0; i < clusters.items.size(); ++i) {
    const bool balances = clusters.items[i].find("balances") != nullptr;
    balancers += balances ? 1 : 0;
    if (!balances) {
      apps.push_back(clusters.keys[i].text);
    }
    if ((balances && balancers > 1) || (!balances && apps.size() > 1)) {
      problems.add(clusters.keys[i].place,
                   std::string("a second cluster of ") +
                       (balances ? "load balancers" : "application servers"),
                   balances ? "one with 'balances'" : "one without 'balances'");
      return false;
    }
  }
  const Place place = tree.place_of("clusters");
  if (apps.empty()) {
    problems.add(place, "no cluster of application servers", "one without 'balances'");
  }
  if (balancers == 0) {
    problems.add(place, "no cluster of load balancers", "one with 'balances: <cluster>'");
  }
  if (apps.empty() || balancers == 0) {
    return false;
  }
  const Node& balances = *cluster(tree, true)->find("balances");
  if (balances.text != apps[0]) {
    problems.add(balances.place,
                 "there is no application cluster '" + balances.text.substr(0, 60) + "'", apps[0],
                 nearest_name(balances.text, apps));
    return false;
  }
  return true;
}

void check_scenario(const Scenario& scenario, const Node& tree, bool check_files,
                    Problems& problems) {
  Check(scenario, tree, problems).run(check_files);
}

}  // namespace copal::scenario
