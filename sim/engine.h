#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/time.h"

namespace copal::sim {

/// Something that events happen to.
class EventTarget {
 public:
  /// trace_id  tells targets apart in the event hash: the same in every run of a scenario, so never
  /// an address.
  explicit EventTarget(std::uint32_t trace_id) : trace_id_(trace_id) {}
  EventTarget(const EventTarget&) = delete;
  EventTarget& operator=(const EventTarget&) = delete;
  virtual ~EventTarget() = default;

  /// argument  as given to Engine::at().
  virtual void on_event(std::uint64_t argument) = 0;

  std::uint32_t trace_id() const { return trace_id_; }

 private:
  std::uint32_t trace_id_;
};

/// What needs SimGrid's physics for a while, seen from the event loop; see simgrid_cloud.h.
class Physics {
 public:
  virtual ~Physics() = default;
  /// Whether activities are under way or wait to be started.
  virtual bool live() const = 0;
  /// Runs events (through Engine::run_due) and activities in their common order until nothing is
  /// live or the engine was stopped.
  virtual void run() = 0;
};

/// The order of everything: one heap of events keyed (time, sequence number). SimGrid's own timers
/// are not first-in first-out at equal dates (simulation-facts 4.2), so it holds at most the head
/// of this heap, and while it has no activity it does not run at all. Every event goes into a hash;
/// two runs with the same hash took the same way.
class Engine {
 public:
  TimePoint now() const { return now_; }

  /// Lets target.on_event(argument) happen at a time that has not passed (asserted). Events of one
  /// time happen in the order in which they were asked for.
  void at(TimePoint time, EventTarget& target, std::uint64_t argument);

  /// Runs until nothing is left or stop() is called.
  void run();
  /// Ends run() after the current event.
  void stop() { stopped_ = true; }

  /// Whatever else decides about a run: messages' bytes, for one.
  void mix_into_hash(std::uint64_t value) {
    hash_ = (hash_ ^ value) * 0x9fb2'1c65'1e98'df25u;
    hash_ ^= hash_ >> 32U;
  }
  std::uint64_t hash() const { return hash_; }
  std::uint64_t event_count() const { return event_count_; }

  void set_physics(Physics* physics) { physics_ = physics; }

  // For Physics only.
  bool stopped() const { return stopped_; }
  TimePoint next_time() const { return heap_.empty() ? kNever : heap_.front().time(); }
  /// Runs all events up to and including `time`, while nothing else ends the run.
  void run_due(TimePoint time);

 private:
  /// Time in the upper half, sequence number in the lower: one comparison without a branch, which
  /// is what a heap spends its time on.
  __extension__ using Key = unsigned __int128;

  struct Event {
    Key key = 0;
    EventTarget* target = nullptr;
    std::uint64_t argument = 0;

    TimePoint time() const {
      return TimePoint{Duration{static_cast<std::int64_t>(static_cast<std::uint64_t>(key >> 64U))}};
    }
  };

  void run_next();
  void pop();
  std::size_t least_of_four(std::size_t first) const;
  std::size_t least_of(std::size_t first, std::size_t end) const;

  std::vector<Event> heap_;  // four children each: fewer cache misses than two
  TimePoint now_{};
  std::uint64_t next_sequence_ = 0;
  std::uint64_t event_count_ = 0;
  std::uint64_t hash_ = 0xc0a1'c0a1'c0a1'c0a1u;
  Physics* physics_ = nullptr;
  bool stopped_ = false;
};

}  // namespace copal::sim
