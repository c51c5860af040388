#include "scenarios/check_cache.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/build.h"
#include "scenarios/nearest.h"
#include "scenarios/units.h"

namespace copal::scenario {

namespace {

std::string quoted(const std::string& name) {
  return "'" + name.substr(0, 60) + "'";
}

class CacheCheck {
 public:
  CacheCheck(const Scenario& scenario, const Node& tree, Problems& problems)
      : scenario_(scenario),
        tree_(tree),
        app_(*cluster(tree, false)),
        uses_(*tree.find("application")->find("cache_use")),
        problems_(problems) {
    for (const CacheConfig& cache : scenario.app.caches) {
      names_.push_back(cache.name);
    }
  }

  void run() {
    if (const Node* node = app_.find("triad")) {
      check_triad(*node);
    }
    check_triad_names();
    for (std::size_t i = 0; i < names_.size(); ++i) {
      check_cache(scenario_.app.caches[i], app_.find("caches")->items[i]);
    }
    for (std::size_t i = 0; i < uses_.items.size() && !problems_.full(); ++i) {
      check_use(scenario_.application.cache_use[i], uses_.items[i],
                "application.cache_use." + std::to_string(i));
    }
    check_trace_is_used();
    check_expectations();
  }

 private:
  void check_triad(const Node& node) {
    const Triad& triad = scenario_.app.triad;
    if (!triad.hosts.empty()) {
      check_triad_hosts(node);
    }
    if (triad.suspect_after > triad.dead_after) {
      problems_.add(node.value_place("suspect_after"),
                    "suspect_after is " + write(triad.suspect_after),
                    "at most dead_after, " + write(triad.dead_after));
    }
    if (triad.dead_after < 2 * triad.heartbeat_interval) {
      problems_.add(node.value_place("dead_after"), "dead_after is " + write(triad.dead_after),
                    "at least two heartbeat_interval, " + write(2 * triad.heartbeat_interval));
    }
  }

  void check_triad_hosts(const Node& node) {
    std::vector<std::string> groups;
    for (const HostGroup& group : scenario_.cloud.hosts) {
      groups.push_back(group.name);
    }
    const std::string& name = scenario_.app.triad.hosts;
    const Place place = node.value_place("hosts");
    if (!contains(groups, name)) {
      problems_.add(place, "there is no host group " + quoted(name), "one of " + listed(groups),
                    nearest_name(name, groups));
      return;
    }
    const std::uint32_t count = triad_group(scenario_).count;
    if (count > kSlots) {
      problems_.add(place, "the host group '" + name + "' has " + std::to_string(count) + " hosts",
                    "1 to 3, one a member");
    }
    for (const auto* servers : {&scenario_.app.servers, &scenario_.balancers.servers}) {
      for (const ServerGroup& group : *servers) {
        if (group.hosts == name) {
          problems_.add(place, "the host group '" + name + "' has servers already",
                        "a group of its own for the triad");
        }
      }
    }
  }

  /// The machines that nobody named must not be called as others are.
  void check_triad_names() {
    if (!scenario_.app.triad.hosts.empty() || names_.empty()) {
      return;
    }
    const std::vector<std::string> own = host_names(triad_group(scenario_));
    const Node& hosts = *tree_.find("cloud")->find("hosts");
    for (std::size_t i = 0; i < hosts.keys.size(); ++i) {
      for (const std::string& name : host_names(scenario_.cloud.hosts[i])) {
        if (contains(own, name)) {
          problems_.add(hosts.keys[i].place, "a member of the triad is called '" + name + "' too",
                        "another name, or the triad's hosts: triad: {hosts: …}");
        }
      }
    }
  }

  void check_cache(const CacheConfig& cache, const Node& node) {
    if (cache.refuse_degraded && cache.consistency == Consistency::kAvailable) {
      problems_.add(node.value_place("degraded"),
                    "clusters." + scenario_.app.name + ".caches." + cache.name +
                        ".degraded has no use: an available cache never waits for a second copy",
                    "consistency: replicated beside it");
    }
  }

  void check_use(const CacheUse& use, const Node& node, const std::string& path) {
    if (!contains(names_, use.cache)) {
      problems_.add(node.value_place("cache"), path + ": there is no cache " + quoted(use.cache),
                    names_.empty() ? "caches in the application's cluster: caches: {" +
                                         use.cache.substr(0, 60) + ": {}}"
                                   : "one of " + listed(names_),
                    nearest_name(use.cache, names_));
    }
    if (use.read_share + use.remove_share > 1) {
      problems_.add(node.value_place("remove_share"),
                    path + ": reads and removals are more than all operations",
                    "together at most 100%");
    }
    const WorkloadSpec& load = scenario_.workload;
    const bool sessions = load.sessions.count > 0 || load.kind == WorkloadSpec::Kind::kAccessLog;
    if (use.keys == CacheUse::Keys::kSession && !sessions) {
      problems_.add(node.value_place("keys"), path + ".keys is session, and requests have none",
                    "workload.sessions, or keys: {count: …}");
    }
    if (use.keys == CacheUse::Keys::kTrace && !has_keys()) {
      problems_.add(node.value_place("keys"), path + ".keys is trace, and the workload has no keys",
                    "workload.kind key_trace or cluster_stats, or keys: {count: …}");
    }
  }

  bool has_keys() const {
    return scenario_.workload.kind == WorkloadSpec::Kind::kKeyTrace ||
           scenario_.workload.kind == WorkloadSpec::Kind::kClusterStats;
  }

  void check_trace_is_used() {
    const auto& uses = scenario_.application.cache_use;
    const bool used = std::any_of(uses.begin(), uses.end(), [](const CacheUse& use) {
      return use.keys == CacheUse::Keys::kTrace;
    });
    if (has_keys() && !used) {
      problems_.add(tree_.find("workload")->value_place("kind"),
                    "nothing asks for the keys of the recording",
                    "application.cache_use: [{cache: …, keys: trace}]");
    }
  }

  void check_expectations() {
    constexpr std::string_view kOfCaches[] = {"cache_",      "replica_",     "stale",
                                              "loss_",       "lost_writes",  "recovery_",
                                              "overwritten", "acknowledged", "single_copy"};
    const Node& list = *tree_.find("expect");
    for (std::size_t i = 0; i < list.items.size() && names_.empty(); ++i) {
      const std::string& name = scenario_.expectations[i].metric;
      if (std::any_of(std::begin(kOfCaches), std::end(kOfCaches),
                      [&](std::string_view of) { return name.starts_with(of); })) {
        problems_.add(list.items[i].value_place("metric"),
                      "expect." + std::to_string(i) + ": " + name + " is about caches",
                      "caches in the application's cluster");
      }
    }
  }

  const Scenario& scenario_;
  const Node& tree_;
  const Node& app_;
  const Node& uses_;
  Problems& problems_;
  std::vector<std::string> names_;
};

class FaultCheck {
 public:
  FaultCheck(const Scenario& scenario, const Node& tree, Problems& problems)
      : scenario_(scenario),
        list_(*tree.find("faults")),
        problems_(problems),
        members_(host_names(triad_group(scenario))) {
    for (const auto* servers : {&scenario_.app.servers, &scenario_.balancers.servers}) {
      for (const ServerGroup& group : *servers) {
        add_hosts_of(group.hosts);
      }
    }
    all_ = servers_;
    all_.insert(all_.end(), members_.begin(), members_.end());
  }

  void run() {
    for (std::size_t i = 0; i < list_.items.size() && !problems_.full(); ++i) {
      check(scenario_.faults[i], list_.items[i], "faults." + std::to_string(i));
    }
  }

 private:
  void add_hosts_of(const std::string& name) {
    for (const HostGroup& group : scenario_.cloud.hosts) {
      if (group.name == name) {
        const std::vector<std::string> more = host_names(group);
        servers_.insert(servers_.end(), more.begin(), more.end());
      }
    }
  }

  void check(const Fault& fault, const Node& node, const std::string& path) {
    using Kind = Fault::Kind;
    if (fault.kind == Kind::kPartition || fault.kind == Kind::kLoss) {
      check_sides(fault, node, path);
    } else {
      const bool of_members = fault.kind == Kind::kStop || fault.kind == Kind::kLoseDisk;
      const bool of_servers = fault.kind == Kind::kDrain || fault.kind == Kind::kErrors ||
                              fault.kind == Kind::kSlowStart;
      const std::string what = of_members   ? "no member of the triad"
                               : of_servers ? "no server"
                                            : "nothing";
      check_host(fault.host,
                 of_members   ? members_
                 : of_servers ? servers_
                              : all_,
                 what, node.value_place("host"), path);
    }
    if (scenario_.duration > 0s && fault.at >= scenario_.duration) {
      problems_.add(node.value_place("at"), path + ".at is " + write(fault.at) + ", after the end",
                    "less than the duration, " + write(scenario_.duration));
    }
  }

  void check_host(const std::string& host, const std::vector<std::string>& known,
                  const std::string& what, Place place, const std::string& path) {
    if (!contains(known, host)) {
      problems_.add(place, path + ": " + what + " runs on a host " + quoted(host),
                    "one of " + listed(known), nearest_name(host, known));
    }
  }

  void check_sides(const Fault& fault, const Node& node, const std::string& path) {
    for (const char* key : {"hosts", "from"}) {
      const Node* side = node.find(key);
      for (std::size_t i = 0; side != nullptr && i < side->items.size(); ++i) {
        const Node& host = side->items[i];
        check_host(host.text, all_, "nothing", host.place, path);
        if (key == std::string("from") && contains(fault.hosts, host.text)) {
          problems_.add(host.place, path + ": " + quoted(host.text) + " is on both sides",
                        "each host on one");
        }
      }
    }
  }

  const Scenario& scenario_;
  const Node& list_;
  Problems& problems_;
  std::vector<std::string> servers_;
  std::vector<std::string> members_;
  std::vector<std::string> all_;
};

}  // namespace

void check_caches(const Scenario& scenario, const Node& tree, Problems& problems) {
  CacheCheck(scenario, tree, problems).run();
}

void check_faults(const Scenario& scenario, const Node& tree, Problems& problems) {
  FaultCheck(scenario, tree, problems).run();
}

}  // namespace copal::scenario
