#include "scenarios/build.h"

#include <string_view>
#include <utility>

#include "scenarios/build_cache.h"
#include "scenarios/read_keys.h"
#include "scenarios/units.h"

namespace copal::scenario {

namespace {

constexpr std::string_view kCpuNames[] = {"native", "simgrid"};
constexpr std::string_view kFidelityNames[] = {"latency", "flow"};
constexpr std::string_view kServiceFromNames[] = {"model", "log"};
constexpr std::string_view kWorkloadNames[] = {
    "poisson", "bursty",     "diurnal",    "flash_crowd", "piecewise",
    "closed",  "per_minute", "access_log", "key_trace",   "cluster_stats"};
constexpr std::string_view kFaultNames[] = {"crash",     "power_off", "freeze",    "slow",
                                            "link_down", "drain",     "errors",    "slow_start",
                                            "stop",      "lose_disk", "partition", "loss"};

HostGroup host_group(const std::string& name, const Node& node) {
  HostGroup group;
  group.name = name;
  group.numbered = node.find("count") != nullptr;
  read(node, "count", group.count);
  read(node, "cores", group.cores);
  read(node, "speed", group.speed);
  read(node, "boot_time", group.boot_time);
  const Node& power = *node.find("power");
  read(power, "idle", Format::kPower, group.power.idle_watts);
  read(power, "busy", Format::kPower, group.power.busy_watts);
  read(power, "off", Format::kPower, group.power.off_watts);
  read(power, "boot", Format::kPower, group.power.boot_watts);
  const Node& link = *node.find("link");
  read(link, "latency", group.link.latency);
  read(link, "bandwidth", Format::kBandwidth, group.link.bandwidth_bytes_per_s);
  read(link, "fidelity", kFidelityNames, group.link.fidelity);
  return group;
}

Cloud cloud(const Node& node) {
  Cloud result;
  read(node, "cpu", kCpuNames, result.cpu);
  const Node& hosts = *node.find("hosts");
  for (std::size_t i = 0; i < hosts.keys.size(); ++i) {
    result.hosts.push_back(host_group(hosts.keys[i].text, hosts.items[i]));
  }
  return result;
}

ServerGroup server_group(const Node& node) {
  ServerGroup group;
  if (node.kind == Node::Kind::kScalar) {
    group.hosts = node.text;
  }
  read(node, "hosts", group.hosts);
  read(node, "weight", group.weight);
  return group;
}

std::vector<ServerGroup> server_groups(const Node& node) {
  if (node.kind != Node::Kind::kList) {
    return {server_group(node)};
  }
  std::vector<ServerGroup> groups;
  for (const Node& item : node.items) {
    groups.push_back(server_group(item));
  }
  return groups;
}

AppCluster app_cluster(const Node& node) {
  AppCluster app;
  app.servers = server_groups(*node.find("servers"));
  read(node, "concurrency_max", app.concurrency_max);
  read(node, "queue_max", app.queue_max);
  read(node, "start_time", app.start_time);
  read(node, "report_interval", app.report_interval);
  read(node, "sleep_after", app.sleep_after);
  read(node, "awake_min", app.awake_min);
  read_caches(node, app);
  return app;
}

BalancerCluster balancer_cluster(const Node& node) {
  BalancerCluster web;
  read(node, "balances", web.balances);
  web.servers = server_groups(*node.find("servers"));
  read(node, "sticky", web.sticky);
  read(node, "warm_up_time", web.warm_up_time);
  read(node, "request_timeout", web.request_timeout);
  read(node, "attempts_max", web.attempts_max);
  read(node, "retry_budget_ratio", Format::kRatio, web.retry_budget_ratio);
  read(node, "retry_budget_per_s", web.retry_budget_per_s);
  read(node, "recover_time_min", web.recover_time_min);
  read(node, "recover_time_max", web.recover_time_max);
  read(node, "busy_recover_time", web.busy_recover_time);
  read(node, "dead_after", web.dead_after);
  return web;
}

Application application(const Node& node, const std::string& folder) {
  Application result;
  read_distribution(node, "service_time", Format::kDuration, folder, result.service_time);
  read_distribution(node, "request_size", Format::kSize, folder, result.request_size);
  read_distribution(node, "answer_size", Format::kSize, folder, result.answer_size);
  read(node, "error_ratio", Format::kRatio, result.error_ratio);
  read_cache_use(node, folder, result);
  if (const Node* cold = node.find("cold_start")) {
    read(*cold, "factor", result.cold_start.factor);
    read(*cold, "time", result.cold_start.time);
  }
  return result;
}

void read_rates(const Node& node, std::vector<RatePoint>& rates) {
  const Node* list = node.find("rates");
  for (std::size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
    RatePoint point;
    read(list->items[i], "at", point.at);
    read(list->items[i], "rate", Format::kRate, point.rate_per_s);
    rates.push_back(point);
  }
}

WorkloadSpec workload(const Node& node, const std::string& folder) {
  WorkloadSpec spec;
  read(node, "kind", kWorkloadNames, spec.kind);
  read(node, "rate", Format::kRate, spec.rate_per_s);
  read(node, "peak_rate", Format::kRate, spec.peak_rate_per_s);
  read(node, "burst_rate", Format::kRate, spec.peak_rate_per_s);
  read(node, "calm_time", spec.calm_time);
  read(node, "burst_time", spec.burst_time);
  read(node, "amplitude", Format::kRatio, spec.amplitude);
  read(node, "period", spec.period);
  read(node, "peak_at", spec.peak_at);
  read(node, "rise_time", spec.rise_time);
  read(node, "hold_time", spec.hold_time);
  read(node, "fall_time", spec.fall_time);
  read_rates(node, spec.rates);
  read(node, "users", spec.users);
  read_distribution(node, "think_time", Format::kDuration, folder, spec.think_time);
  if (const Node* sessions = node.find("sessions")) {
    read(*sessions, "count", spec.sessions.count);
    read(*sessions, "zipf_exponent", spec.sessions.zipf_exponent);
  }
  read_path(node, "file", folder, spec.file);
  read(node, "window_from", spec.window_from);
  read(node, "window_to", spec.window_to);
  read(node, "rate_scale", spec.rate_scale);
  read(node, "time_scale", spec.time_scale);
  read(node, "service_from", kServiceFromNames, spec.service_from);
  read(node, "cluster", spec.cluster);
  read(node, "key_count", spec.key_count);
  return spec;
}

void read_policy(const Node& node, balance::PolicyConfig& policy) {
  read(node, "name", balance::algorithm_names(), policy.algorithm);
  read(node, "choices", policy.choices);
  read(node, "with_replacement", policy.with_replacement);
  read(node, "cpu_weight", policy.cpu_weight);
  read(node, "latency_weight", policy.latency_weight);
  read(node, "fill_max", policy.fill_max);
  read(node, "fill_resume", Format::kRatio, policy.fill_resume);
  read(node, "ewma_decay", policy.ewma_decay);
  read(node, "ewma_default_latency", policy.ewma_default_latency);
  read(node, "probe_pool_max", policy.probe_pool_max);
  read(node, "probe_age_max", policy.probe_age_max);
  read(node, "probe_rate", policy.probe_rate);
  read(node, "probe_remove_rate", policy.probe_remove_rate);
  read(node, "hot_quantile", Format::kRatio, policy.hot_quantile);
  read(node, "probe_reuse_delta", policy.probe_reuse_delta);
  read(node, "load_bound", policy.load_bound);
  read(node, "ring_points", policy.ring_points);
  read(node, "maglev_table_size", policy.maglev_table_size);
}

Contender contender_named(std::string_view name, const std::string& suffix) {
  Contender contender;
  for (std::size_t i = 0; i < balance::algorithm_names().size(); ++i) {
    if (balance::algorithm_names()[i] == name) {
      contender.policy.algorithm = static_cast<balance::Algorithm>(i);
    }
  }
  contender.label = std::string(name) + suffix;
  return contender;
}

std::vector<Contender> contenders(const Node& algorithms, const std::string& suffix) {
  std::vector<Contender> result;
  if (algorithms.kind == Node::Kind::kScalar && algorithms.text != "all") {
    return {contender_named(algorithms.text, suffix)};
  }
  if (algorithms.kind == Node::Kind::kScalar) {
    for (const std::string_view name : balance::algorithm_names()) {
      result.push_back(contender_named(name, suffix));
    }
    return result;
  }
  for (const Node& item : algorithms.items) {
    const bool is_name = item.kind == Node::Kind::kScalar;
    result.push_back(contender_named(is_name ? item.text : item.find("name")->text, suffix));
    if (!is_name) {
      read_policy(item, result.back().policy);
      if (const Node* label = item.find("label")) {
        result.back().label = label->text + suffix;
      }
    }
  }
  return result;
}

void read_names(const Node& node, std::string_view key, std::vector<std::string>& names) {
  const Node* list = node.find(key);
  for (std::size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
    names.push_back(list->items[i].text);
  }
}

Fault fault(const Node& node) {
  Fault result;
  read(node, "kind", kFaultNames, result.kind);
  read(node, "at", result.at);
  read(node, "lasting", result.lasting);
  read(node, "host", result.host);
  read_names(node, "hosts", result.hosts);
  read_names(node, "from", result.from);
  read(node, "one_way", result.one_way);
  read(node, "factor", result.factor);
  return result;
}

Expectation expectation(const Node& node) {
  using Op = Expectation::Op;
  Expectation result;
  result.source_line = node.place.line;
  read(node, "metric", result.metric);
  read(node, "line", result.line);
  read(node, "ratio", result.ratio);
  if (node.find("below") != nullptr) {
    read(node, "below", result.high);
  } else if (node.find("above") != nullptr) {
    result.op = Op::kAbove;
    read(node, "above", result.low);
  } else if (const Node* between = node.find("between")) {
    result.op = Op::kBetween;
    result.low = parse_number(between->items[0].text).value_or(0);
    result.high = parse_number(between->items[1].text).value_or(0);
  } else if (node.find("below_line") != nullptr) {
    result.op = Op::kBelowLine;
    read(node, "below_line", result.other_line);
  } else {
    result.op = Op::kAboveLine;
    read(node, "above_line", result.other_line);
  }
  return result;
}

}  // namespace

const Node* cluster(const Node& tree, bool balancers) {
  for (const Node& candidate : tree.find("clusters")->items) {
    if ((candidate.find("balances") != nullptr) == balancers) {
      return &candidate;
    }
  }
  return nullptr;
}

Scenario build(const Node& tree, const std::string& folder, const std::string& suffix) {
  Scenario scenario;
  read(tree, "name", scenario.name);
  read(tree, "title", scenario.title);
  read(tree, "claim", scenario.claim);
  read(tree, "duration", scenario.duration);
  read(tree, "warm_up", scenario.warm_up);
  read(tree, "series_interval", scenario.series_interval);
  scenario.cloud = cloud(*tree.find("cloud"));
  const Node& clusters = *tree.find("clusters");
  for (std::size_t i = 0; i < clusters.keys.size(); ++i) {
    const bool balances = clusters.items[i].find("balances") != nullptr;
    if (balances) {
      scenario.balancers = balancer_cluster(clusters.items[i]);
    } else {
      scenario.app = app_cluster(clusters.items[i]);
    }
    (balances ? scenario.balancers.name : scenario.app.name) = clusters.keys[i].text;
  }
  scenario.application = application(*tree.find("application"), folder);
  scenario.workload = workload(*tree.find("workload"), folder);
  scenario.contenders = contenders(*tree.find("vary")->find("algorithm"), suffix);
  for (const Node& item : tree.find("faults")->items) {
    scenario.faults.push_back(fault(item));
  }
  for (const Node& item : tree.find("expect")->items) {
    scenario.expectations.push_back(expectation(item));
  }
  return scenario;
}

}  // namespace copal::scenario
