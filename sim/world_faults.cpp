// The faults of a scenario's timeline, as they befall a World.

#include <algorithm>

#include "core/base/assert.h"
#include "sim/world.h"

namespace copal::sim {

void World::on_fault(const scenario::Fault& fault, bool begins) {
  const auto found = std::find(host_names_.begin(), host_names_.end(), fault.host);
  COPAL_ASSERT(found != host_names_.end());  // the loader has looked
  const auto host = static_cast<std::size_t>(found - host_names_.begin());
  if (fault.kind == scenario::Fault::Kind::kLinkDown) {
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
