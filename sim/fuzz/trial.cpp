#include "sim/fuzz/trial.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace copal::sim::fuzz {

Trial::Trial(const Plan& plan)
    : EventTarget(1),
      plan_(plan),
      network_faults_(plan.seed, plan.node_count()),
      fault_active_(plan.faults.size(), false),
      fault_ticks_(plan.faults.size(), 0),
      stopping_(plan.node_count(), false),
      broken_for_good_(plan.node_count(), false),
      was_cut_off_(plan.node_count(), false),
      gone_(plan.node_count(), false) {
  build();
}

Trial::~Trial() = default;

// ---- building

TriadServerConfig Trial::triad_config() const {
  TriadServerConfig config;
  config.registered = registered_;
  config.caches = caches_;
  config.compare_interval = plan_.compare_interval;
  config.horizon = {.tombstone_lifetime = plan_.tombstone_lifetime,
                    .kept_write_lifetime = plan_.kept_write_lifetime};
  config.ownership.start_alone_timeout = plan_.start_alone_timeout;
  config.replication.log_max = plan_.replication_log_max;
  config.upkeep.sweep_time = 2s;
  if (plan_.values_max_bytes > 0) {
    config.values_size_max_bytes = plan_.values_max_bytes;
  }
  if (plan_.memory_max_bytes > 0) {
    config.upkeep.memory_max_bytes = plan_.memory_max_bytes;
  }
  return config;
}

DynamicServerConfig Trial::server_config() const {
  DynamicServerConfig config;
  config.caches = caches_;
  config.cache.near.limit_bytes = std::uint64_t{8} << 20U;
  config.cache.kept_max_bytes = plan_.kept_max_bytes;
  config.report_interval = 500ms;
  return config;
}

void Trial::build() {
  const scenario::Link link{.latency = plan_.latency, .bandwidth_bytes_per_s = 1.25e8};
  network_ = std::make_unique<Network>(
      engine_, std::vector<scenario::Link>(plan_.node_count(), link), nullptr);
  network_->set_faults(&network_faults_);
  std::vector<CacheConfig> caches;
  for (const PlannedCache& planned : plan_.caches) {
    CacheConfig cache;
    cache.id = CacheId{static_cast<std::uint32_t>(caches.size() + 1)};
    cache.name = "cache " + std::to_string(cache.id.value);
    cache.consistency = planned.consistency;
    cache.sync = planned.sync;
    cache.local_read_timeout = planned.local_read_timeout;
    cache.expire_timeout = planned.expire_timeout;
    cache.expire_spread_percent = planned.expire_spread_percent;
    cache.idle_timeout_ms = planned.idle_timeout_ms;
    cache.refuse_degraded = planned.refuse_degraded;
    cache.evict = planned.evict;
    cache.value_size_max_bytes = 4U << 20U;
    caches.push_back(cache);
  }
  caches_ = std::make_shared<CacheCatalog>(caches);
  std::array<NodeId, kSlots> members{kNoNode, kNoNode, kNoNode};
  for (std::uint8_t slot = 0; slot < kSlots; ++slot) {
    triad_.push_back(std::make_unique<SimTriad>(engine_, *network_, "triad-" + std::to_string(slot),
                                                slot, Slot{slot}, DiskOptions{}, plan_.seed,
                                                NodeCosts{}));
    triad_.back()->member().watch(this);
    triad_.back()->on_end([this, id = triad_.back()->id()] { on_end(id); });
    if ((plan_.slots >> slot & 1U) != 0) {
      members[slot] = triad_.back()->id();
    }
  }
  for (std::uint32_t i = 0; i < plan_.servers; ++i) {
    servers_.push_back(std::make_unique<TrialServer>(engine_, *network_, 3 + i, server_config(),
                                                     *this, plan_.seed));
    servers_.back()->member().watch(this);
    servers_.back()->set_triad(members);
    registered_.push_back({servers_.back()->member().id(), 1, NodeRole::kDynamic, {}});
  }
  for (std::uint32_t i = 0; i < plan_.balancers; ++i) {
    TrialBalancer& balancer = balancers_.emplace_back();
    balancer.member = std::make_unique<Member>(engine_, *network_, 3 + plan_.servers + i,
                                               Member::World{.caller = this});
    balancer.member->watch(this);
    balancer.random = std::make_unique<Prng>(plan_.seed, "balancer", i);
    registered_.push_back({balancer.member->id(), 1, NodeRole::kBalancer, {}});
  }
  triad_link_.members = members;
  TriadServerConfig config = triad_config();
  config.members = members;
  for (auto& member : triad_) {
    config.self = member->id();
    config.slot = member->slot();
    if (members[config.slot.value] != kNoNode) {
      member->set_config(config);
    }
  }
  history_.ends.resize(plan_.node_count());
  changed_at_.resize(plan_.node_count());
  build_keys();
}

void Trial::build_keys() {
  for (std::uint32_t cache = 1; cache <= plan_.caches.size(); ++cache) {
    for (std::uint32_t key = 0; key < plan_.keys; ++key) {
      const KeyName name{cache, key};
      KeyHistory& history = history_.keys[name];
      history.text = key_text(name);
      const std::span bytes(reinterpret_cast<const std::uint8_t*>(history.text.data()),
                            history.text.size());
      history.hash = hash_key(cache, bytes);
      history.group = group_of(history.hash);
      for (auto& held : history.held) {
        held.push_back({});
      }
    }
  }
  for (auto& [name, history] : history_.keys) {
    tracked_.push_back(&history);
    by_hash_[std::string(DiskImage::text(history.hash.bytes))] = &history;
  }
}

void Trial::start_balancer(std::uint32_t index) {
  BalancerConfig config;
  config.triad = triad_link_;
  config.triad.role = NodeRole::kBalancer;
  config.policy.algorithm = plan_.algorithm;
  config.policy.maglev_table_size = 251;  // made anew at each change of the list
  config.request_timeout = kRequestTimeout;
  TrialBalancer& balancer = balancers_[index];
  if (balancer.member->node() == nullptr) {
    balancer.member->start(std::make_unique<Node>(config, *balancer.random, nullptr));
  }
}

const Balancer* Trial::balancer(std::uint32_t index) {
  Node* node = balancers_[index].member->node();
  return node == nullptr ? nullptr : node->balancer();
}

Member& Trial::member_of(std::uint32_t node) {
  if (plan_.is_member(node)) {
    return triad_[node]->member();
  }
  return plan_.is_server(node) ? servers_[node - 3]->member()
                               : *balancers_[node - 3 - plan_.servers].member;
}

// ---- running

void Trial::schedule(TimePoint at, Happening happening, std::uint64_t detail) {
  engine_.at(at, *this, detail << 8U | static_cast<std::uint64_t>(happening));
}

void Trial::run() {
  for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
    if (plan_.faults[i].kind == PlannedFault::Kind::kClockOffset) {
      on_fault(i, true);  // no process has read its clock yet
    } else {
      schedule(TimePoint{plan_.faults[i].at}, Happening::kFault, i);
    }
  }
  for (auto& member : triad_) {
    if ((plan_.slots >> member->slot().value & 1U) != 0) {
      member->start();
    }
  }
  for (auto& server : servers_) {
    server->start();
  }
  for (std::uint32_t i = 0; i < plan_.balancers; ++i) {
    start_balancer(i);
  }
  history_.operations.reserve(plan_.ops.size());
  for (std::size_t i = 0; i < plan_.ops.size(); ++i) {
    schedule(TimePoint{plan_.ops[i].at}, Happening::kOperation, i);
  }
  schedule(TimePoint{}, Happening::kLists);
  schedule(TimePoint{plan_.faults_for}, Happening::kCorePhase);
  schedule(TimePoint{plan_.faults_for + plan_.core_for}, Happening::kHealedPhase);
  schedule(TimePoint{plan_.whole()}, Happening::kEnd);
  engine_.run();
  sample_lists(false);
  for (std::uint32_t node = 0; node < plan_.node_count(); ++node) {
    collect_marks(node);
  }
  counts_.events = engine_.event_count();
}

void Trial::on_event(std::uint64_t argument) {
  const std::uint64_t detail = argument >> 8U;
  switch (static_cast<Happening>(argument & 0xffU)) {
    case Happening::kOperation:
      begin(detail);
      break;
    case Happening::kFault:
      on_fault(detail, true);
      break;
    case Happening::kFaultEnd:
      on_fault(detail, false);
      break;
    case Happening::kOrderEnd:
      on_order(plan_.faults[detail], false);
      break;
    case Happening::kOperatorLooks:
      on_operator_looks();
      break;
    case Happening::kFaultTick:
      on_fault_tick(detail);
      break;
    case Happening::kCorePhase:
      begin_core_phase();
      break;
    case Happening::kHealedPhase:
      begin_healed_phase();
      break;
    case Happening::kLists:
      look_at_lists();
      break;
    case Happening::kLook:
      look();
      break;
    case Happening::kNextPage:
      on_next_page();
      break;
    case Happening::kMemberGone:
      if (triad_[detail]->member().node() == nullptr) {
        watch_disk(static_cast<std::uint32_t>(detail));
      }
      break;
    case Happening::kEnd:
      engine_.stop();
      break;
  }
}

void Trial::set_trace(Network::Watcher* network, MemberWatcher* steps) {
  network_->watch(network);
  trace_ = steps;
}

}  // namespace copal::sim::fuzz
