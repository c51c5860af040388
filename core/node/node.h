#pragma once

#include <memory>
#include <variant>

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
  explicit Node(const DynamicServerConfig& config);
  explicit Node(const TriadServerConfig& config);
  Node(const BalancerConfig& config, Random& random,
       std::unique_ptr<balance::Policy> policy = nullptr);
  ~Node();

  /// Decides. Appends to effects, in the order in which they are to be performed.
  void step(const Input& input, Now now, Effects& effects);

  /// When the node wants a Wake; kNever if only for a message.
  TimePoint next_deadline() const;

  /// now  the last step's time.
  void check_invariants(TimePoint now);

  /// The role, or nothing if it is another one.
  const DynamicServer* server() const { return std::get_if<DynamicServer>(&role_); }
  const Balancer* balancer() const { return std::get_if<Balancer>(&role_); }
  const TriadServer* triad_server() const { return std::get_if<TriadServer>(&role_); }

 private:
  std::variant<DynamicServer, Balancer, TriadServer> role_;
};

}  // namespace copal
