#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/cache/cache_config.h"
#include "core/protocol/effect.h"
#include "scenarios/scenario.h"
#include "sim/engine.h"
#include "sim/member.h"
#include "sim/workload/cache_operations.h"

namespace copal::sim {

/// An operation that is over, as the application saw it. Times are the engine's.
struct CacheOutcome {
  std::uint32_t server = 0;  // index of the application's server
  CacheOperation::Kind kind = CacheOperation::Kind::kRead;
  CacheId cache;
  KeyHash key;
  bool expires = false;  // it asked for an expire timeout of its own
  TimePoint asked{};
  TimePoint answered{};
  CacheStatus status = CacheStatus::kTimedOut;
  Version version;     // of the entry read, or after the change; kNoVersion: none
  bool local = false;  // answered at once, without a message

  bool failed() const {
    return status != CacheStatus::kDone && status != CacheStatus::kAbsent &&
           status != CacheStatus::kSingleCopy;
  }
};

/// Told of every operation that is over.
class CacheWitness {
 public:
  virtual ~CacheWitness() = default;
  virtual void on_operation(const CacheOutcome& outcome) = 0;
  /// The process of an application's server ended, and with it the copies it kept.
  virtual void on_server_end(std::uint32_t server) = 0;
};

/// What all servers' applications have in common.
struct CacheClientModel {
  std::vector<scenario::CacheUse> uses;
  std::vector<CacheId> caches;  // of each use
  scenario::CacheCost cost;
  CacheWitness* witness = nullptr;  // outlives the clients
};

/// The part of one server's application that uses the caches: does a request's operations one after
/// another through the server's node, and says what each costs the processor. A read that finds
/// nothing may have its value loaded from elsewhere and put.
/// Invariants: 1. a request has at most one operation under way; 2. each operation is told to the
/// witness once, also if its request has been given up or its process ends.
class CacheClient final : public EventTarget {
 public:
  CacheClient(Engine& engine, std::uint32_t trace_id, Member& member, const CacheClientModel& model,
              std::uint32_t server)
      : EventTarget(trace_id), engine_(engine), member_(member), model_(model), server_(server) {}

  /// A request that has operations begins its own work.
  void plan(std::uint64_t work, std::vector<CacheOperation> operations);

  enum class Next { kWaits, kDone, kFailed };
  /// The processor is done with what the request has given it: asks for the next operation.
  /// Returns what becomes of the request. Must not be called from within the node's step.
  Next go_on(std::uint64_t work);

  /// Work for the processor, after which go_on() is due.
  struct Piece {
    std::uint64_t work = 0;
    Duration amount{};
  };
  /// An operation was answered. Returns what the answer costs, or nothing if nobody waits for it.
  std::optional<Piece> on_answer(const AnswerCall& answer);

  /// The request was given up.
  void cancel(std::uint64_t work) { works_.erase(work); }
  /// The process ended.
  void clear();

  /// A value has been loaded: puts it.
  void on_event(std::uint64_t load) override;

 private:
  struct Work {
    std::vector<CacheOperation> operations;
    std::size_t next = 0;
    bool failed = false;
  };
  struct Call {
    std::uint64_t work = 0;
    CacheOperation operation;
    CacheOutcome outcome;
  };

  void ask(std::uint64_t work, const CacheOperation& operation);
  Duration cost_of(const CacheOperation& operation, bool moved_value) const;

  Engine& engine_;
  Member& member_;
  const CacheClientModel& model_;
  std::uint32_t server_;
  std::map<std::uint64_t, Work> works_;
  std::map<std::uint64_t, Call> calls_;           // by CallId
  std::map<std::uint64_t, std::uint64_t> loads_;  // number -> work
  std::uint64_t next_call_ = 1;
  std::uint64_t next_load_ = 1;
  std::uint64_t asking_ = 0;  // the call that the node is being told of
};

}  // namespace copal::sim
