#pragma once

#include <cstdint>

#include "core/base/ids.h"

namespace copal {

struct AnswerCall;
struct AnswerEntries;
struct AnswerKeys;
struct TellListener;

/// A request that a server's application works on; unique in this start of the server.
using WorkId = detail::Id<struct WorkIdTag, std::uint64_t>;

/// What stands behind a dynamic server: the application and the machine it runs on. In the
/// simulator a model of them, in production a child process and the operating system.
///
/// Contract: start_work() is followed by one WorkEnded input, unless cancel_work() came first or
/// the machine died. Each call of the cache that is an input is answered exactly once, unless the
/// process dies first. None of the calls below answers before it has returned.
class Application {
 public:
  virtual ~Application() = default;

  /// tag  what came with the client's request: the world's own name for what is to be done.
  virtual void start_work(WorkId work, std::uint64_t tag) = 0;
  virtual void cancel_work(WorkId work) = 0;
  /// Asks for a CpuReading input: the share of all cores that was busy since the last reading.
  virtual void read_cpu() = 0;
  /// The server is idle and may be put in low power; a PowerOn from a balancer starts it again.
  virtual void power_down() = 0;

  /// What became of an operation on the cache.
  virtual void answer_call(const AnswerCall& answer) = 0;
  virtual void answer_entries(const AnswerEntries& answer) = 0;
  virtual void answer_keys(const AnswerKeys& answer) = 0;
  virtual void tell_listener(const TellListener& news) = 0;
};

}  // namespace copal
