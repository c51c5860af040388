#pragma once

#include <cstdint>

#include "core/base/ids.h"
#include "core/base/time.h"

namespace copal::sim {

/// One request as the outside world sends it.
struct Arrival {
  TimePoint at;
  std::uint64_t user = 0;         // who asks: a closed loop's user, else the session or address
  SessionId session;              // kNoSession where the workload has none
  std::uint64_t routing_key = 0;  // for affinity: hash of the session, else of the key asked for
  Duration work{};                // time on one idle core of speed 1
  std::uint32_t request_size_bytes = 0;
  std::uint32_t answer_size_bytes = 0;
  bool repeatable = true;       // safe to send again (GET, HEAD, …)
  bool fails = false;           // the application answers with an error, as the log says
  std::uint64_t cache_key = 0;  // what a recording of keys asks for; 0: none
};

/// Where requests come from. Draws from streams of its own, so that every algorithm under one seed
/// meets the very same arrivals (common random numbers).
class Workload {
 public:
  virtual ~Workload() = default;

  /// When the next request is due; kNever if none is, or none before an answer comes.
  virtual TimePoint next_at() = 0;

  /// Takes the request that is due at next_at(). Calling it when there is none is asserted.
  virtual Arrival take() = 0;

  /// A request of this user was answered, or given up on. Only closed loops care: next_at() may be
  /// earlier afterwards, never before now.
  virtual void on_answer(std::uint64_t user, TimePoint now) = 0;
};

}  // namespace copal::sim
