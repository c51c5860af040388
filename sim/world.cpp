#include "sim/world.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace copal::sim {

namespace {

/// Whether SimGrid has to be there at all: many runs need neither its executions nor its flows.
bool needs_simgrid(const scenario::Scenario& scenario) {
  const auto& hosts = scenario.cloud.hosts;
  return scenario.cloud.cpu == scenario::Cloud::Cpu::kSimgrid ||
         std::any_of(hosts.begin(), hosts.end(), [](const scenario::HostGroup& group) {
           return group.link.fidelity == scenario::Fidelity::kFlow;
         });
}

std::vector<double> slow_factors(const scenario::Scenario& scenario) {
  std::vector<double> factors;
  for (const scenario::Fault& fault : scenario.faults) {
    if (fault.kind == scenario::Fault::Kind::kSlow &&
        std::find(factors.begin(), factors.end(), fault.factor) == factors.end()) {
      factors.push_back(fault.factor);
    }
  }
  return factors;
}

bool has_link_faults(const scenario::Scenario& scenario) {
  return std::any_of(scenario.faults.begin(), scenario.faults.end(), [](const auto& fault) {
    return fault.kind == scenario::Fault::Kind::kPartition ||
           fault.kind == scenario::Fault::Kind::kLoss;
  });
}

}  // namespace

World::World(const scenario::Scenario& scenario, const scenario::Contender& contender,
             std::uint64_t seed, Workload& workload, PolicyMaker policy_maker)
    : EventTarget(1),
      scenario_(scenario),
      contender_(contender),
      triad_group_(scenario::triad_group(scenario)),
      seed_(seed),
      workload_(workload),
      policy_maker_(std::move(policy_maker)),
      recorder_(TimePoint{scenario.warm_up}) {
  build_hosts();
  if (!scenario.app.caches.empty()) {
    caches_ = std::make_unique<CacheScene>(scenario, engine_, *network_, seed);
  }
  build_servers();
  build_balancers();
  build_triad();
  if (has_link_faults(scenario)) {
    const std::size_t nodes = servers_.size() + balancers_.size() + triad_.size();
    network_faults_ = std::make_unique<NetworkFaults>(seed, static_cast<std::uint32_t>(nodes));
    network_->set_faults(network_faults_.get());
  }
}

void World::build_hosts() {
  std::vector<scenario::Link> links;
  std::vector<SimgridHost> simgrid_hosts;
  const auto add = [&](const scenario::HostGroup& group) {
    for (const std::string& name : scenario::host_names(group)) {
      host_names_.push_back(name);
      host_specs_.push_back(&group);
      links.push_back(group.link);
      simgrid_hosts.push_back(
          {name, group.cores, group.speed, group.link, group.power, slow_factors(scenario_)});
    }
  };
  for (const scenario::HostGroup& group : scenario_.cloud.hosts) {
    add(group);
  }
  if (scenario_.app.triad.hosts.empty()) {
    add(triad_group_);
  }
  if (needs_simgrid(scenario_)) {
    cloud_ = std::make_unique<SimgridCloud>(engine_, simgrid_hosts);
  }
  network_ = std::make_unique<Network>(engine_, std::move(links), cloud_.get());
}

std::vector<std::size_t> World::hosts_of(const std::string& group) const {
  std::vector<std::size_t> hosts;
  for (std::size_t host = 0; host < host_names_.size(); ++host) {
    const bool is_it =
        group.empty() ? host_specs_[host] == &triad_group_ : host_specs_[host]->name == group;
    if (is_it) {
      hosts.push_back(host);
    }
  }
  return hosts;
}

World::~World() = default;

void World::build_servers() {
  const scenario::AppCluster& app = scenario_.app;
  model_.node.concurrency_max = app.concurrency_max;
  model_.node.queue_max = app.queue_max;
  model_.node.report_interval = app.report_interval;
  model_.start_time = app.start_time;
  model_.cold_start = scenario_.application.cold_start;
  if (caches_) {
    model_.node.caches = caches_->catalog();
    model_.node.cache.near.limit_bytes = static_cast<std::uint64_t>(app.near_cache.size_bytes);
    model_.node.cache.near.eviction = app.near_cache.eviction;
    model_.node.cache.kept_max_bytes =
        static_cast<std::uint64_t>(app.near_cache.kept_writes_max_bytes);
  }
  SimgridCloud* cpu_cloud =
      scenario_.cloud.cpu == scenario::Cloud::Cpu::kSimgrid ? cloud_.get() : nullptr;
  for (const scenario::ServerGroup& group : app.servers) {
    for (const std::size_t host : hosts_of(group.hosts)) {
      ServerModel model = model_;
      model.node.sleep_after = servers_.size() < app.awake_min ? 0s : app.sleep_after;
      servers_.push_back(std::make_unique<SimServer>(engine_, *network_, *this, model,
                                                     *host_specs_[host], host_names_[host], host,
                                                     seed_, cpu_cloud));
      if (caches_) {
        servers_.back()->set_cache_client(caches_->client_model(),
                                          static_cast<std::uint32_t>(servers_.size() - 1));
        caches_->watch_server(servers_.back()->member());
      }
      server_weights_.push_back(group.weight);
      server_hosts_.push_back(host);
    }
  }
  marks_.resize(servers_.size());
}

void World::build_balancers() {
  for (const scenario::ServerGroup& group : scenario_.balancers.servers) {
    for (const std::size_t host : hosts_of(group.hosts)) {
      SimBalancer& balancer = balancers_.emplace_back();
      balancer.member =
          std::make_unique<Member>(engine_, *network_, host, Member::World{.caller = this});
      balancer.random = std::make_unique<Prng>(seed_, "balancer", balancers_.size());
      balancer.host = host;
    }
  }
}

TriadServerConfig World::triad_config() const {
  const scenario::Triad& triad = scenario_.app.triad;
  TriadServerConfig config;
  config.caches =
      caches_ ? caches_->catalog() : std::make_shared<CacheCatalog>(std::vector<CacheConfig>{});
  config.heartbeat_interval = triad.heartbeat_interval;
  config.detector = {.suspect_after = triad.suspect_after, .dead_after = triad.dead_after};
  config.ownership.start_alone_timeout = triad.start_alone_timeout;
  // The store is one for all caches: it syncs for those that want it.
  if (std::all_of(scenario_.app.caches.begin(), scenario_.app.caches.end(),
                  [](const CacheConfig& cache) { return cache.sync == Sync::kBySystem; }) &&
      caches_) {
    config.store.sync_interval = kNoSync;
  }
  if (triad.values_max_bytes > 0) {
    config.values_size_max_bytes = static_cast<std::uint64_t>(triad.values_max_bytes);
  }
  if (triad.entries_max > 0) {
    config.entries_max = triad.entries_max;
  }
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    config.registered.push_back(
        {servers_[i]->id(), 1, NodeRole::kDynamic, Weight{server_weights_[i]}});
  }
  for (const SimBalancer& balancer : balancers_) {
    config.registered.push_back({balancer.member->id(), 1, NodeRole::kBalancer, {}});
  }
  return config;
}

/// Nodes are numbered as they are made: servers, balancers, the triad. All know the triad's.
void World::build_triad() {
  const scenario::Disk& disk = scenario_.app.triad.disk;
  const DiskOptions disk_options{.open_time = disk.open_time,
                                 .write_time = disk.write_time,
                                 .sync_time = disk.sync_time,
                                 .read_time = disk.read_time,
                                 .bandwidth_bytes_per_s = disk.bandwidth_bytes_per_s,
                                 .capacity_bytes = static_cast<std::uint64_t>(disk.capacity_bytes)};
  if (caches_) {
    triad_costs_ = {scenario_.app.triad.message_cost, scenario_.app.triad.kilobyte_cost};
  }
  TriadServerConfig config = triad_config();
  for (const std::size_t host : hosts_of(scenario_.app.triad.hosts)) {
    const Slot slot{static_cast<std::uint8_t>(triad_.size())};
    triad_.push_back(std::make_unique<SimTriad>(engine_, *network_, host_names_[host], host, slot,
                                                disk_options, seed_, triad_costs_));
    config.members[slot.value] = triad_.back()->id();
    if (caches_) {
      caches_->watch(*triad_.back());
    }
  }
  for (const auto& member : triad_) {
    config.self = member->id();
    config.slot = member->slot();
    member->set_config(config);
  }
  for (const auto& server : servers_) {
    server->set_triad(config.members);
  }
  triad_link_.members = config.members;
}

void World::start_balancer(std::size_t index) {
  const scenario::BalancerCluster& spec = scenario_.balancers;
  BalancerConfig config;
  config.triad = triad_link_;
  config.triad.role = NodeRole::kBalancer;
  config.policy = contender_.policy;
  config.health.warm_up_time = spec.warm_up_time;
  config.health.recover_time_min = spec.recover_time_min;
  config.health.recover_time_max = spec.recover_time_max;
  config.health.busy_recover_time = spec.busy_recover_time;
  config.health.dead_after = spec.dead_after;
  config.sticky = spec.sticky;
  config.request_timeout = spec.request_timeout;
  config.attempts_max = spec.attempts_max;
  config.retry_budget_ratio = spec.retry_budget_ratio;
  config.retry_budget_per_s = spec.retry_budget_per_s;
  SimBalancer& balancer = balancers_[index];
  balancer.member->start(
      std::make_unique<Node>(config, *balancer.random, policy_maker_ ? policy_maker_() : nullptr));
}

RunResult World::run(const std::function<void(TimePoint)>& progress) {
  progress_ = progress;
  for (auto& member : triad_) {
    member->start();
  }
  for (auto& server : servers_) {
    server->start_running();
  }
  for (std::size_t i = 0; i < balancers_.size(); ++i) {
    start_balancer(i);
  }
  schedule(kFormedAt.time_since_epoch(), Happening::kFormed);
  engine_.run();
  return result();
}

/// The scenario's time begins.
void World::on_formed() {
  counts_formed_ = network_->counts();
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    marks_[i].formed = servers_[i]->meter().read(engine_.now());
    marks_[i].joules_formed = servers_[i]->joules();
    marks_[i].interval = marks_[i].formed;
  }
  for (std::size_t i = 0; i < scenario_.faults.size(); ++i) {
    const scenario::Fault& fault = scenario_.faults[i];
    schedule(fault.at, Happening::kFault, i);
    if (fault.lasting > Duration::zero()) {
      schedule(fault.at + fault.lasting, Happening::kFaultEnd, i);
    }
  }
  schedule(scenario_.warm_up, Happening::kWarm);
  if (caches_) {
    schedule(kLookInterval, Happening::kLook);
  }
  schedule(scenario_.series_interval, Happening::kInterval);
  if (scenario_.duration > Duration::zero()) {
    end_ = TimePoint{scenario_.duration};
    schedule(scenario_.duration, Happening::kEnd);
  }
  schedule_arrival();
}

void World::on_event(std::uint64_t argument) {
  const std::uint64_t detail = argument >> 8U;
  switch (static_cast<Happening>(argument & 0xffU)) {
    case Happening::kArrival:
      scheduled_arrival_ = kNever;
      on_arrival();
      break;
    case Happening::kInterval:
      if (!ended_) {
        on_interval();
        schedule(scenario_.series_interval, Happening::kInterval);
      }
      break;
    case Happening::kWarm:
      for (std::size_t i = 0; i < servers_.size(); ++i) {
        marks_[i].warm = servers_[i]->meter().read(engine_.now());
        marks_[i].tasks_warm = servers_[i]->tasks_started();
      }
      if (caches_) {
        caches_->on_warm();
      }
      break;
    case Happening::kEnd:
      on_end();
      break;
    case Happening::kFormed:
      on_formed();
      break;
    case Happening::kGiveUp:
      engine_.stop();
      break;
    case Happening::kLook:
      on_look();
      break;
    case Happening::kFault:
      on_fault(detail, true);
      break;
    case Happening::kFaultEnd:
      on_fault(detail, false);
      break;
  }
}

/// after  from now.
void World::schedule(Duration after, Happening happening, std::uint64_t detail) {
  engine_.at(engine_.now() + after, *this, (detail << 8U) | static_cast<std::uint64_t>(happening));
}

void World::schedule_arrival() {
  if (ended_) {
    return;
  }
  const TimePoint next = workload_.next_at();
  if (next == kNever) {
    if (end_ == kNever && underway_.size() == 0) {
      on_end();  // a trace that sets the duration itself is over
    }
    return;
  }
  if (next < end_ && next < scheduled_arrival_) {
    scheduled_arrival_ = std::max(next, now());
    schedule(scheduled_arrival_ - now(), Happening::kArrival);
  }
}

void World::on_arrival() {
  if (!ended_ && workload_.next_at() <= now()) {
    admit(workload_.take());
  }
  schedule_arrival();
}

void World::admit(const Arrival& arrival) {
  ++requests_arrived_;
  recorder_.on_arrival(now());
  const std::size_t index = pick_balancer(arrival);
  const std::uint64_t id = underway_.insert({.arrival = arrival, .balancer = index}, kNever);
  if (caches_) {
    underway_.find(id)->operations = caches_->draw(arrival, requests_arrived_);
  }
  underway_.find(id)->arrival.at = now();
  Member& member = *balancers_[index].member;
  if (member.state() != Endpoint::State::kUp && member.state() != Endpoint::State::kFrozen) {
    answer_client({ClientId{id}, ClientStatus::kLost, kNoNode, 0});
    return;
  }
  const std::uint32_t* stuck_to = stuck_to_.find(arrival.session.value);
  member.input(ClientRequest{.client = ClientId{id},
                             .session = arrival.session,
                             .routing_key = arrival.routing_key,
                             .stuck_to = stuck_to == nullptr ? kNoNode : NodeId{*stuck_to},
                             .tag = id,
                             .body_size_bytes = arrival.request_size_bytes,
                             .answer_size_bytes = arrival.answer_size_bytes,
                             .repeatable = arrival.repeatable});
}

/// A user keeps to one balancer, as a resolver's answer does, unless it is down.
std::size_t World::pick_balancer(const Arrival& arrival) const {
  const std::size_t count = balancers_.size();
  const std::size_t home = mix64(arrival.user) % count;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t index = (home + i) % count;
    if (balancers_[index].member->up()) {
      return index;
    }
  }
  return home;
}

void World::answer_client(const AnswerClient& answer) {
  const Underway& underway = *underway_.find(answer.client.value);
  const Arrival arrival = underway.arrival;
  underway_.erase(answer.client.value);
  if (arrival.session != kNoSession && answer.server != kNoNode) {
    stuck_to_[arrival.session.value] = answer.server.value;
  }
  recorder_.on_answer(answer.status, arrival.at, now());
  if (caches_ && answer.status != ClientStatus::kDone) {
    caches_->recovery().on_error(engine_.now());
  }
  if (ended_) {
    finish_if_drained();
  } else {
    workload_.on_answer(arrival.user, now());
    schedule_arrival();
  }
}

void World::power_on(NodeId server) {
  servers_[server.value]->power_on();
}

Task World::task(std::uint64_t tag) const {
  const Underway* underway = underway_.find(tag);
  return underway == nullptr ? Task{}
                             : Task{.work = underway->arrival.work,
                                    .fails = underway->arrival.fails,
                                    .operations = underway->operations};
}

void World::on_interval() {
  Gauges gauges;
  gauges.in_flight = underway_.size();
  double busy = 0;
  double cores = 0;
  double joules = 0;
  const double seconds = to_seconds(scenario_.series_interval);
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const PowerMeter::Reading& read = servers_[i]->meter().read(engine_.now());
    const PowerMeter::Reading& then = marks_[i].interval;
    const double server_busy = read.busy_core_s - then.busy_core_s;
    const double server_cores = read.core_s - then.core_s;
    busy += server_busy;
    cores += server_cores;
    joules += read.joules - then.joules;
    if (server_cores > 0) {
      gauges.cpu_ratio_max = std::max(gauges.cpu_ratio_max, server_busy / server_cores);
    }
    gauges.servers_active += read.working_s > then.working_s ? 1 : 0;
    gauges.servers_on += servers_[i]->meter().state() != PowerMeter::State::kOff ? 1 : 0;
    marks_[i].interval = read;
  }
  gauges.cpu_ratio_mean = cores > 0 ? busy / cores : 0;
  gauges.power_watts = joules / seconds;
  recorder_.on_interval(gauges, now());
  if (progress_) {
    progress_(now());
  }
}

void World::on_end() {
  if (ended_) {
    return;
  }
  ended_ = true;
  end_ = now();
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    at_end_.push_back(servers_[i]->meter().read(engine_.now()));
    joules_at_end_.push_back(servers_[i]->joules() - marks_[i].joules_formed);
  }
  if (caches_) {
    caches_->on_end();
  }
  // What is under way ends at the latest when its balancer gives up on it.
  const Duration settle_time = caches_ ? kSettleTime : 0s;
  schedule(scenario_.balancers.request_timeout + 1s + settle_time, Happening::kGiveUp);
  finish_if_drained();
}

void World::finish_if_drained() {
  if (underway_.size() == 0 && !caches_) {
    engine_.stop();
  }
}

/// With caches a run ends when members have become alike, too.
void World::on_look() {
  caches_->look();
  if (ended_ && underway_.size() == 0 && caches_->is_settled()) {
    engine_.stop();
    return;
  }
  schedule(kLookInterval, Happening::kLook);
}

}  // namespace copal::sim
