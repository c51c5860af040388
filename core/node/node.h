#pragma once

#include <memory>
#include <utility>
#include <variant>

#include "core/base/overloaded.h"
#include "core/base/time.h"
#include "core/node/balancer.h"
#include "core/node/dynamic_server.h"
#include "core/node/triad_server.h"
#include "core/protocol/effect.h"
#include "core/protocol/input.h"

namespace copal {

/// One member of an installation in one of its roles. Single-threaded; everything that happens to
/// it is an Input, everything it does is an Effect. It only dispatches: what is decided stands in
/// the roles, and what they are composed of.
class Node {
 public:
  explicit Node(const DynamicServerConfig& config)
      : role_(std::in_place_type<DynamicServer>, config) {}
  explicit Node(const TriadServerConfig& config) : role_(std::in_place_type<TriadServer>, config) {}
  Node(const BalancerConfig& config, Random& random,
       std::unique_ptr<balance::Policy> policy = nullptr)
      : role_(std::in_place_type<Balancer>, config, random, std::move(policy)) {}

  /// Decides. Appends to effects, in the order in which they are to be performed.
  void step(const Input& input, Now now, Effects& effects) {
    std::visit([&](auto& role) { role.step(input, now, effects); }, role_);
  }

  /// When the node wants a Wake; kNever if only for a message.
  TimePoint next_deadline() const {
    return std::visit([](const auto& role) { return role.next_deadline(); }, role_);
  }

  /// now  the last step's time.
  void check_invariants(TimePoint now) {
    std::visit(Overloaded{[](DynamicServer& role) { role.check_invariants(); },
                          [](Balancer& role) { role.check_invariants(); },
                          [now](TriadServer& role) { role.check_invariants(now); }},
               role_);
  }

  /// The role, or nothing if it is another one.
  const DynamicServer* server() const { return std::get_if<DynamicServer>(&role_); }
  const Balancer* balancer() const { return std::get_if<Balancer>(&role_); }
  const TriadServer* triad_server() const { return std::get_if<TriadServer>(&role_); }

 private:
  std::variant<DynamicServer, Balancer, TriadServer> role_;
};

}  // namespace copal
