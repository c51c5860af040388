// The faults of a scenario's timeline, as they befall a World.

#include <algorithm>

#include "core/base/assert.h"
#include "sim/world.h"

namespace copal::sim {

void World::on_fault(std::size_t index, bool begins) {
  using Kind = scenario::Fault::Kind;
  const scenario::Fault& fault = scenario_.faults[index];
  if (!begins && fault.kind == Kind::kStop && is_stopping(fault.host)) {
    schedule(kLookInterval, Happening::kFaultEnd, index);  // it still hands over
    return;
  }
  note_fault(fault, begins);
  if (fault.kind == Kind::kPartition || fault.kind == Kind::kLoss) {
    on_link_fault(fault, begins);
    return;
  }
  const auto found = std::find(host_names_.begin(), host_names_.end(), fault.host);
  COPAL_ASSERT(found != host_names_.end());  // the loader has looked
  const auto host = static_cast<std::size_t>(found - host_names_.begin());
  if (fault.kind == Kind::kLinkDown) {
    network_->set_link(host, !begins);
    return;
  }
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (server_hosts_[i] == host) {
      on_server_fault(*servers_[i], fault, begins);
    }
  }
  for (std::size_t i = 0; i < balancers_.size(); ++i) {
    if (balancers_[i].host == host) {
      on_balancer_fault(i, fault, begins);
    }
  }
  for (const auto& member : triad_) {
    if (member->host() == host) {
      on_triad_fault(*member, index, begins);
    }
  }
}

/// Whether the member on a host still runs.
bool World::is_stopping(const std::string& host) const {
  return std::any_of(triad_.begin(), triad_.end(), [&](const auto& member) {
    return host_names_[member->host()] == host && member->member().node() != nullptr;
  });
}

void World::note_fault(const scenario::Fault& fault, bool begins) {
  if (!caches_) {
    return;
  }
  if (begins) {
    caches_->recovery().on_fault(fault.lasting > Duration::zero(), engine_.now());
  } else {
    caches_->recovery().on_fault_end(engine_.now());
  }
}

void World::on_triad_fault(SimTriad& member, std::size_t index, bool begins) {
  using Kind = scenario::Fault::Kind;
  const scenario::Fault& fault = scenario_.faults[index];
  switch (fault.kind) {
    case Kind::kCrash:
      begins ? member.crash() : member.start();
      break;
    case Kind::kPowerOff:
    case Kind::kLoseDisk:
      begins ? member.power_off() : member.power_on();
      if (begins && fault.kind == Kind::kLoseDisk) {
        member.lose_disk();
      }
      break;
    case Kind::kFreeze:
      begins ? member.freeze() : member.thaw();
      break;
    case Kind::kStop:
      begins ? member.stop() : member.start();
      break;
    case Kind::kSlow: {
      const double factor = begins ? 1 / fault.factor : 1;
      member.member().set_costs({from_seconds(to_seconds(triad_costs_.message) * factor),
                                 from_seconds(to_seconds(triad_costs_.kilobyte) * factor)});
      break;
    }
    case Kind::kSlowStart:  // these are the servers', or the network's
    case Kind::kDrain:
    case Kind::kErrors:
    case Kind::kLinkDown:
    case Kind::kPartition:
    case Kind::kLoss:
      break;
  }
}

std::vector<NodeId> World::nodes_on(const std::vector<std::string>& hosts) const {
  std::vector<NodeId> nodes;
  const auto is_on = [&](std::size_t host) {
    return std::find(hosts.begin(), hosts.end(), host_names_[host]) != hosts.end();
  };
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (is_on(server_hosts_[i])) {
      nodes.push_back(servers_[i]->id());
    }
  }
  for (const SimBalancer& balancer : balancers_) {
    if (is_on(balancer.host)) {
      nodes.push_back(balancer.member->id());
    }
  }
  for (const auto& member : triad_) {
    if (is_on(member->host())) {
      nodes.push_back(member->id());
    }
  }
  return nodes;
}

void World::on_link_fault(const scenario::Fault& fault, bool begins) {
  std::vector<std::string> others = fault.from;
  if (others.empty()) {
    for (const std::string& name : host_names_) {
      if (std::find(fault.hosts.begin(), fault.hosts.end(), name) == fault.hosts.end()) {
        others.push_back(name);
      }
    }
  }
  const auto set = [&](NodeId from, NodeId to) {
    LinkFaults& link = network_faults_->link(from, to);
    if (fault.kind == scenario::Fault::Kind::kPartition) {
      link.blocked = begins;
    } else {
      link.loss_ratio = begins ? fault.factor : 0;
    }
  };
  for (const NodeId one : nodes_on(fault.hosts)) {
    for (const NodeId other : nodes_on(others)) {
      set(one, other);
      if (!fault.one_way) {
        set(other, one);
      }
    }
  }
}

void World::on_server_fault(SimServer& server, const scenario::Fault& fault, bool begins) {
  using Kind = scenario::Fault::Kind;
  switch (fault.kind) {
    case Kind::kCrash:
      begins ? server.crash() : server.restart(1);
      break;
    case Kind::kSlowStart:
      begins ? server.crash() : server.restart(fault.factor);
      break;
    case Kind::kPowerOff:
      begins ? server.power_off() : server.power_on();
      break;
    case Kind::kFreeze:
      begins ? server.freeze() : server.thaw();
      break;
    case Kind::kSlow:
      server.set_speed_factor(begins ? fault.factor : 1);
      break;
    case Kind::kDrain:
      server.drain(begins);
      break;
    case Kind::kErrors:
      server.set_error_ratio(begins ? fault.factor : 0);
      break;
    case Kind::kLinkDown:
    case Kind::kStop:
    case Kind::kLoseDisk:
    case Kind::kPartition:
    case Kind::kLoss:
      break;
  }
}

void World::on_balancer_fault(std::size_t index, const scenario::Fault& fault, bool begins) {
  using Kind = scenario::Fault::Kind;
  Member& member = *balancers_[index].member;
  switch (fault.kind) {
    case Kind::kCrash:
    case Kind::kSlowStart:
    case Kind::kPowerOff: {
      const bool machine_is_on = fault.kind != Kind::kPowerOff;
      if (begins && member.node() != nullptr) {
        end_balancer(index, machine_is_on);
        member.set_machine_on(machine_is_on);
      } else if (!begins && member.node() == nullptr) {
        member.set_machine_on(true);
        start_balancer(index);
      }
      break;
    }
    case Kind::kFreeze:
      begins ? member.freeze() : member.thaw();
      break;
    case Kind::kSlow:  // a balancer's own work is not modelled
    case Kind::kDrain:
    case Kind::kErrors:
    case Kind::kLinkDown:
    case Kind::kStop:
    case Kind::kLoseDisk:
    case Kind::kPartition:
    case Kind::kLoss:
      break;
  }
}

/// The clients of a balancer that dies see their connections break.
void World::end_balancer(std::size_t index, bool machine_is_on) {
  SimBalancer& balancer = balancers_[index];
  const BalancerCounts& counts = balancer.member->node()->balancer()->counts();
  balancer.counts.retries += counts.retries;
  balancer.counts.sessions_moved += counts.sessions_moved;
  balancer.member->kill(machine_is_on);
  for (const std::uint64_t id : underway_.ids()) {
    if (underway_.find(id)->balancer == index) {
      answer_client({ClientId{id}, ClientStatus::kLost, kNoNode, 0});
    }
  }
}

}  // namespace copal::sim
