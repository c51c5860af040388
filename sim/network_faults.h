#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/base/prng.h"
#include "core/base/time.h"

namespace copal::sim {

/// What may be wrong with the way from one node to another. A ratio is the share of the frames that
/// it happens to.
struct LinkFaults {
  bool blocked = false;  // swallows all without a word
  double loss_ratio = 0;
  double duplicate_ratio = 0;
  double late_ratio = 0;  // late by up to late_max, overtaken by what follows
  double flip_ratio = 0;
  Duration delay_max{};  // more than usual, drawn for each frame
  Duration late_max = 50ms;
  TimePoint clogged_until{};         // nothing arrives before
  bool is_full = false;              // the sender's queue: it takes nothing, and says so
  bool refused = false;              // who sends is told at once that there is no connection
  double bandwidth_bytes_per_s = 0;  // less than usual; 0: as usual
  TimePoint slow_until{};            // from then on as usual
};

/// All that is wrong with a network, each direction of each pair of nodes by itself, with a stream
/// of random numbers for each family.
class NetworkFaults {
 public:
  NetworkFaults(std::uint64_t seed, std::uint32_t node_count);

  LinkFaults& link(NodeId from, NodeId to) { return links_[from.value * node_count_ + to.value]; }
  const LinkFaults& link(NodeId from, NodeId to) const {
    return links_[from.value * node_count_ + to.value];
  }
  /// Nothing is wrong any more; what waits on a slow link goes on waiting.
  void clear();

  /// What becomes of one frame.
  struct Fate {
    bool lost = false;
    bool twice = false;
    bool overtaken = false;  // does not keep its place among those of its connection
    bool flipped = false;
    bool refused = false;
    Duration more{};  // time on the way
  };
  Fate draw(NodeId from, NodeId to, TimePoint now);
  /// How long a frame takes to leave over a slow link, behind those before it; 0 over any other.
  Duration time_to_leave(NodeId from, NodeId to, TimePoint now, std::uint64_t size_bytes);
  /// What waited on the connection of two nodes is lost with it.
  void on_break(NodeId one, NodeId other);
  /// Which bit of so many is turned.
  std::uint64_t draw_bit(std::uint64_t count) { return flips_.next() % count; }

  struct Counts {
    std::uint64_t lost = 0;
    std::uint64_t twice = 0;
    std::uint64_t overtaken = 0;
    std::uint64_t flipped = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  std::uint32_t node_count_;
  std::vector<LinkFaults> links_;
  std::vector<TimePoint> free_at_;  // of each slow link: all that was sent has left
  Prng losses_;
  Prng duplicates_;
  Prng lates_;
  Prng flips_;
  Prng delays_;
  Counts counts_;
};

}  // namespace copal::sim
