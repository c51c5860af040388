#include "sim/fuzz/draw_plan.h"

#include <algorithm>
#include <array>

#include "sim/fuzz/draw.h"

namespace copal::sim::fuzz {

namespace {

PlannedCache draw_cache(Draw& draw) {
  PlannedCache cache;
  cache.consistency = draw.chance(50) ? Consistency::kAvailable : Consistency::kReplicated;
  cache.sync = draw.one_of(std::array{Sync::kInterval, Sync::kInterval, Sync::kInterval,
                                      Sync::kAlways, Sync::kAlways, Sync::kBySystem});
  cache.local_read_timeout = draw.one_of(std::array<Duration, 6>{0ms, 0ms, 10ms, 10ms, 200ms, 1s});
  cache.refuse_degraded = draw.chance(10);
  if (draw.chance(25)) {
    cache.expire_timeout = draw.between(2s, 12s);
    cache.expire_spread_percent = draw.chance(50) ? 1 + draw.below(90) : 0;
  }
  if (draw.chance(20)) {
    cache.idle_timeout_ms = static_cast<std::uint32_t>(
        draw.chance(50) ? draw.between(2'000, 8'000) : draw.between(15'000, 60'000));
  }
  return cache;
}

void draw_shape(std::uint64_t seed, Plan& plan) {
  Draw draw(seed, "plan shape");
  plan.seed = seed;
  const std::uint32_t triad = draw.below(100);
  plan.slots = triad < 80   ? 0b111
               : triad < 92 ? 0b111 ^ (1U << draw.below(3))
                            : 1U << draw.below(3);
  plan.servers = 2 + draw.below(3);
  plan.balancers = 1 + draw.below(2);
  for (std::uint32_t i = 0, count = 2 + draw.below(3); i < count; ++i) {
    plan.caches.push_back(draw_cache(draw));
  }
  plan.caches[0].expire_timeout = 0ns;  // one at least in which nothing ends by itself
  plan.caches[0].idle_timeout_ms = 0;
  plan.keys = 4 + draw.below(9);
  plan.latency = draw.spread(50us, 20ms);
  plan.compare_interval = draw.between(3s, 15s);
  if (draw.chance(12)) {
    plan.tombstone_lifetime = draw.between(15s, 40s);
  }
  if (draw.chance(15)) {
    plan.caches.back().evict = true;
    plan.values_max_bytes = static_cast<std::uint64_t>(draw.between(50'000, 300'000));
  }
  if (draw.chance(30)) {
    plan.memory_max_bytes = static_cast<std::uint64_t>(draw.between(1, 20'000));
  }
  if (draw.chance(20)) {
    plan.kept_max_bytes = static_cast<std::uint64_t>(draw.between(2'000, 50'000));
  }
  if (draw.chance(20)) {
    plan.replication_log_max = static_cast<std::uint32_t>(draw.between(4, 60));
  }
  plan.start_alone_timeout = draw.between(6s, 15s);
  plan.core_for = plan.start_alone_timeout + 30s;
  do {
    plan.core_mask = draw.below(1U << (3 + plan.servers));
  } while ((plan.core_mask & plan.slots) == 0 || plan.core_mask >> 3U == 0);
  plan.core_mask &= plan.slots | ~7U;
  for (std::uint32_t i = 0; i < plan.balancers; ++i) {
    plan.core_mask |= 1U << (3 + plan.servers + i);
  }
  // In the other half it is longer than the run, and what was kept is never too old.
  if (draw.chance(50)) {
    plan.kept_write_lifetime = draw.between(0s, 10s);
  }
  plan.kept_write_lifetime = std::min(plan.kept_write_lifetime, plan.tombstone_lifetime);
}

/// Round robin, or any. What a server says of its load, others go by.
void draw_algorithm(std::uint64_t seed, Plan& plan) {
  Draw draw(seed, "plan algorithm");
  const auto count = static_cast<std::uint32_t>(balance::algorithm_names().size());
  plan.algorithm = static_cast<balance::Algorithm>(draw.chance(50) ? 0 : draw.below(count));
}

}  // namespace

Plan draw_plan(std::uint64_t seed, const Focus& focus) {
  Plan plan;
  draw_shape(seed, plan);
  draw_algorithm(seed, plan);
  draw_faults(seed, focus, plan);
  draw_operations(seed, plan);
  return plan;
}

}  // namespace copal::sim::fuzz
