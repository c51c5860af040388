#include "core/node/node.h"

#include <utility>

#include "core/base/overloaded.h"

namespace copal {

Node::Node(const DynamicServerConfig& config) : role_(std::in_place_type<DynamicServer>, config) {}
Node::Node(const TriadServerConfig& config) : role_(std::in_place_type<TriadServer>, config) {}
Node::Node(const BalancerConfig& config, Random& random, std::unique_ptr<balance::Policy> policy)
    : role_(std::in_place_type<Balancer>, config, random, std::move(policy)) {}
Node::~Node() = default;

void Node::step(const Input& input, Now now, Effects& effects) {
  std::visit([&](auto& role) { role.step(input, now, effects); }, role_);
}

TimePoint Node::next_deadline() const {
  return std::visit([](const auto& role) { return role.next_deadline(); }, role_);
}

void Node::check_invariants(TimePoint now) {
  std::visit(Overloaded{[](DynamicServer& role) { role.check_invariants(); },
                        [](Balancer& role) { role.check_invariants(); },
                        [now](TriadServer& role) { role.check_invariants(now); }},
             role_);
}

}  // namespace copal
