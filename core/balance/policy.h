#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/ports/random.h"
#include "core/protocol/message.h"

// The one interface between a balancer and the algorithm that chooses a server. A policy sees the
// servers and the request, and is told of starts, ends and reports. It sends nothing, knows no
// clock but the argument, and draws only from the Random it is given: the same object works in both
// worlds. Thread rule: belongs to one node, as everything in the core.

namespace copal::balance {

/// What the balancer knows of one server. The table's index of a server never changes during a run;
/// it follows the order of the configuration (the paper: the triad keeps the order).
struct ServerView {
  NodeId node;
  double weight = 1;         // > 0; twice the weight should mean twice the requests
  double share = 1;          // warm-up: 0 to 1 of what the weight says; see warm_up.h
  bool eligible = true;      // may get new work; false: never return this server
  std::uint32_t active = 0;  // requests of this balancer that wait for this server's answer
  LoadSample reported;       // the last the server said, by whatever message
  TimePoint reported_at{};   // when it came; TimePoint{} if never
};

/// What a choice may depend on.
struct Choice {
  std::uint64_t routing_key = 0;          // hash of the session, else of the address: affinity
  std::span<const std::size_t> excluded;  // servers already tried for this request; at most 3
};

/// How a request ended.
struct Outcome {
  Duration latency{};     // from the choice to the answer
  bool succeeded = true;  // false: failed, refused or given up on
};

/// How a load report came.
enum class ReportKind { kPeriodic, kAnswer, kProbe };

class Policy {
 public:
  virtual ~Policy() = default;

  /// Who is there, weights, shares or eligibility changed (not loads): rebuild what depends on
  /// them. Called before the first choice too. servers: never more than kServersMax; indices as in
  /// all other calls. May allocate.
  virtual void on_servers(std::span<const ServerView> servers, Now now) = 0;

  /// Returns the index of an eligible server that is not excluded; nothing only if there is none.
  /// Allocates nothing. servers: as in on_servers, with the loads of this moment.
  virtual std::optional<std::size_t> choose(const Choice& choice,
                                            std::span<const ServerView> servers, Now now,
                                            Random& random) = 0;

  /// Whether a request of a session that lives at this server goes there without asking choose().
  /// Most policies say yes; one that limits a server's load may send the session on. Allocates
  /// nothing.
  virtual bool keeps(std::size_t index, std::span<const ServerView> servers) const;

  /// One more request waits at a server: servers[index].active already counts it. Also called for
  /// requests that stickiness placed without asking choose(). Allocates nothing.
  virtual void on_start(std::size_t index, std::span<const ServerView> servers, Now now);

  /// A request ended: servers[index].active no longer counts it. Allocates nothing.
  virtual void on_end(std::size_t index, const Outcome& outcome,
                      std::span<const ServerView> servers, Now now);

  /// servers[index].reported is new. Allocates nothing.
  virtual void on_report(std::size_t index, ReportKind kind, std::span<const ServerView> servers,
                         Now now);

  /// Appends the servers to probe now; asked after each choice. Most policies want none.
  virtual void probe_targets(std::span<const ServerView> servers, Now now, Random& random,
                             std::vector<std::size_t>& targets);
};

/// A cluster has at most this many servers behind one balancer; larger ones are split into pods.
inline constexpr std::size_t kServersMax = 16384;

/// Whether this server may be returned for this choice.
inline bool may_choose(const Choice& choice, std::span<const ServerView> servers,
                       std::size_t index) {
  if (!servers[index].eligible) {
    return false;
  }
  for (const std::size_t tried : choice.excluded) {
    if (tried == index) {
      return false;
    }
  }
  return true;
}

}  // namespace copal::balance
