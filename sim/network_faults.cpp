#include "sim/network_faults.h"

#include <algorithm>

namespace copal::sim {

namespace {
bool happens(Prng& random, double ratio) {
  return ratio > 0 && draw_unit(random) < ratio;
}
Duration up_to(Prng& random, Duration most) {
  return Duration{
      static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(most.count() + 1))};
}
}  // namespace

NetworkFaults::NetworkFaults(std::uint64_t seed, std::uint32_t node_count)
    : node_count_(node_count),
      links_(static_cast<std::size_t>(node_count) * node_count),
      free_at_(links_.size()),
      losses_(seed, "network loss"),
      duplicates_(seed, "network duplicate"),
      lates_(seed, "network late"),
      flips_(seed, "network flip"),
      delays_(seed, "network delay") {}

void NetworkFaults::clear() {
  std::ranges::fill(links_, LinkFaults{});
}

NetworkFaults::Fate NetworkFaults::draw(NodeId from, NodeId to, TimePoint now) {
  const LinkFaults& faults = link(from, to);
  Fate fate;
  fate.lost = faults.blocked || happens(losses_, faults.loss_ratio);
  fate.refused = faults.refused;
  fate.twice = happens(duplicates_, faults.duplicate_ratio);
  fate.overtaken = happens(lates_, faults.late_ratio);
  fate.flipped = happens(flips_, faults.flip_ratio);
  if (faults.delay_max > 0ns) {
    fate.more += up_to(delays_, faults.delay_max);
  }
  if (fate.overtaken) {
    fate.more += up_to(lates_, faults.late_max);
  }
  fate.more = std::max(fate.more, faults.clogged_until - now);
  counts_.lost += fate.lost ? 1 : 0;
  counts_.twice += fate.twice ? 1 : 0;
  counts_.overtaken += fate.overtaken ? 1 : 0;
  counts_.flipped += fate.flipped ? 1 : 0;
  return fate;
}

Duration NetworkFaults::time_to_leave(NodeId from, NodeId to, TimePoint now,
                                      std::uint64_t size_bytes) {
  const LinkFaults& faults = link(from, to);
  if (faults.bandwidth_bytes_per_s <= 0 || faults.slow_until <= now) {
    return 0ns;
  }
  TimePoint& free_at = free_at_[from.value * node_count_ + to.value];
  const double seconds = static_cast<double>(size_bytes) / faults.bandwidth_bytes_per_s;
  free_at = std::min(std::max(free_at, now) + from_seconds(seconds), faults.slow_until);
  return free_at - now;
}

void NetworkFaults::on_break(NodeId one, NodeId other) {
  free_at_[one.value * node_count_ + other.value] = {};
  free_at_[other.value * node_count_ + one.value] = {};
}

}  // namespace copal::sim
