#pragma once

#include <cstdint>
#include <vector>

#include "core/base/flat_map.h"
#include "sim/cpu.h"
#include "sim/engine.h"

namespace copal::sim {

/// Processor sharing without SimGrid. All work proceeds at one rate, min(1, cores / active) *
/// speed, so one clock of "service received by each" orders all endings: a piece of work ends when
/// that clock has advanced by its amount, and a heap over those ends does the rest in O(log n).
/// Source: the virtual time of fair queueing (Parekh and Gallager, 1993).
class NativeCpu final : public Cpu, public EventTarget {
 public:
  /// engine and listener outlive it.   cores  >= 1.   speed  > 0.
  NativeCpu(Engine& engine, std::uint32_t trace_id, std::uint32_t cores, double speed,
            CpuListener& listener);

  void start(std::uint64_t work, Duration amount) override;
  void cancel(std::uint64_t work) override;
  void clear() override;
  void set_speed_factor(double factor) override;
  std::uint32_t active() const override { return active_; }

  void on_event(std::uint64_t) override;

 private:
  struct Job {
    double ends = 0;             // reading of service_ at which it is done
    std::uint64_t sequence = 0;  // first in, first out among equals
    std::uint64_t work = 0;
  };
  static bool later(const Job& a, const Job& b) {
    return a.ends > b.ends || (a.ends == b.ends && a.sequence > b.sequence);
  }

  /// Service that each piece of work receives per second.
  double rate() const;
  void advance();
  void schedule();
  void drop_cancelled();

  Engine& engine_;
  CpuListener& listener_;
  double cores_;
  double speed_;
  double factor_ = 1;
  std::vector<Job> jobs_;           // a heap; cancelled ones stay until they come up
  FlatMap<std::uint64_t> running_;  // work -> its job's sequence number
  std::uint32_t active_ = 0;
  std::uint64_t next_sequence_ = 0;
  double service_ = 0;  // seconds of service each has received since it was idle
  TimePoint advanced_at_{};
  TimePoint scheduled_{kNever};  // earliest event still to come
};

}  // namespace copal::sim
