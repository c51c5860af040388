#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/time.h"
#include "core/cache/owner_cache.h"
#include "core/ownership/horizon.h"
#include "core/protocol/effect.h"
#include "core/values/replica.h"

namespace copal {

struct UpkeepConfig {
  Duration interval = 100ms;
  Duration sweep_time = 60s;                           // for one walk through everything
  std::size_t step_min = 256;                          // entries looked at each interval, at least
  std::uint64_t memory_max_bytes = ~std::uint64_t{0};  // of values; others stay on the disk alone
};

/// Walks a member's m-nodes again and again, a few at a time: drops the tombstones that may be
/// forgotten (Horizon) and what was cleared, and removes what is past its time if this member
/// acts for it. So nothing that is dead stays, and no step is long. Rule: R0.7, R4.1. Source:
/// resin-facts T2.
class Upkeep {
 public:
  /// All it is given outlives it.
  Upkeep(const UpkeepConfig& config, Replica& replica, HybridClock& clock, const Horizon& horizon)
      : config_(config), replica_(replica), clock_(clock), horizon_(horizon) {}

  /// Does as much as the time since the last call asks for.
  void on_time(OwnerCache& owner, Now now, Effects& effects);
  TimePoint next_deadline() const { return next_; }

  struct Counts {
    std::uint64_t sweeps = 0;
    std::uint64_t tombstones_dropped = 0;
    std::uint64_t cleared_dropped = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  std::size_t look_at_bucket(std::size_t looks_max, OwnerCache& owner, Now now, Effects& effects);
  void look_at(const MNodeEntry& entry, Group group, std::uint64_t droppable_below,
               OwnerCache& owner, Now now, Effects& effects);
  void go_on();

  UpkeepConfig config_;
  Replica& replica_;
  HybridClock& clock_;
  const Horizon& horizon_;
  std::size_t group_ = 0;
  CacheId cache_;  // in the group: the first one not below this
  std::size_t bucket_ = 0;
  TimePoint next_{};
  Counts counts_;
};

}  // namespace copal
