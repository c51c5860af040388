#pragma once

#include <cstdint>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/protocol/message.h"

// What a balancer believes of one server: one state machine, fed by what the server says of itself
// and by how its requests end. Departs: the product left all to failed requests (resin-facts L2,
// L10); here a server's reports count too, so that a silent death is seen without losing requests.
//
// Invariants, held by health_test.cpp over random event sequences:
// 1. Never stuck: a server that reports ready and answers is warming or active at the latest
//    recover_time_max after its last failure, and one report after it.
// 2. Never starved: in those states takes_new() is true and share() is at least 1/16.
// 3. A server that is silent for dead_after takes nothing.

namespace copal::balance {

enum class HealthState : std::uint8_t {
  kStopped,   // asleep, or never heard of
  kStarting,  // its application is not ready
  kWarming,   // takes a growing share
  kActive,
  kBusy,      // said 503 a moment ago
  kFailed,    // broke connections, erred again and again, or fell silent
  kDraining,  // keeps its sessions, takes no new ones
};

struct HealthConfig {
  Duration warm_up_time = 0s;
  Duration recover_time_min = 1s;   // after a first failure; doubles with each further one …
  Duration recover_time_max = 15s;  // … up to this. Source: resin-facts L10
  Duration busy_recover_time = 1s;
  Duration dead_after = 3s;
  Duration boot_time_max = 5min;  // a server that was called and says nothing for so long failed
  std::uint32_t errors_max = 5;   // so many in a row are a failure. Source: Envoy's default for
                                  // consecutive 5xx
};

class Health {
 public:
  explicit Health(const HealthConfig& config) : config_(config) {}

  /// The first list of servers that this balancer got says in which phase the server is.
  void on_listed(ServerPhase phase, Now now);
  void on_report(ServerPhase phase, Incarnation incarnation, Now now);
  /// A sleeping server was asked to wake up: from now on it counts as one that is on its way.
  void on_called(Now now);
  /// A request that was sent at `sent_at` was answered well.
  void on_success(TimePoint sent_at);
  /// The server said 503.
  void on_busy(Now now);
  /// A request sent at `sent_at` ended in an error or in nothing. Older failures than the last
  /// recovery say nothing about now. Source: resin-facts L10
  void on_error(TimePoint sent_at, Now now);
  /// The connection broke or was refused: it leaves at once.
  void on_link_down(Now now);
  /// Applies what time alone changes. Idempotent; call it before asking anything.
  void on_time(Now now);

  HealthState state() const { return state_; }
  bool takes_new() const;
  /// Whether a session that lives there may still be sent there.
  bool takes_sticky() const;
  /// Warm-up: the share of its weight that the server takes now; see warm_up.h.
  double share(Now now) const;
  /// When on_time() or share() will next say something else; kNever if time changes nothing.
  TimePoint next_change(Now now) const;

 private:
  void fail(Now now);
  void enter_service(Now now);

  HealthConfig config_;
  HealthState state_ = HealthState::kStopped;
  Incarnation incarnation_;
  TimePoint reported_at_{};
  TimePoint until_{};       // kBusy, kFailed: not before
  TimePoint warm_since_{};  // kWarming
  TimePoint in_service_since_{};
  bool reported_since_failure_ = false;
  std::uint32_t failures_ = 0;  // since the last success
  std::uint32_t errors_ = 0;    // in a row
};

}  // namespace copal::balance
