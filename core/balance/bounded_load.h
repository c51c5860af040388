#pragma once

#include <cstdint>
#include <vector>

#include "core/balance/cost_tree.h"
#include "core/balance/policy.h"

namespace copal::balance {

/// Consistent hashing with bounded loads: a key goes to the first server behind it on the ring that
/// is below its bound,
///   active_i + 1 <= ceil(c * (total + 1) * w_i / sum w)
/// with total = all requests of this balancer at servers that may be chosen, w = weight * share. So
/// a key keeps its server while that has room, and no server gets far above its part.
/// A server has ring_points * weight * share points, at hashes of its node id and the point's
/// number: another server's coming and going, and a step of warm-up, move only what they must.
/// Source: Mirrokni, Thorup, Zadimoghaddam, "Consistent hashing with bounded loads", SODA 2018
/// (2016 as a preprint); points and ring: Karger et al., STOC 1997; HAProxy's hash-balance-factor.
/// Chosen: after kStepsMax points without room (c near 1, or most of the cluster excluded) the
/// server of the lowest active / w takes it. Below the bound there always is one, and it is that
/// one, unless a retry excludes it; then the bound gives way, as a request must go somewhere.
class BoundedLoad final : public Policy {
 public:
  /// bound_factor  c, > 1.   ring_points  of a server of weight 1, >= 1. Asserted.
  BoundedLoad(double bound_factor, std::uint32_t ring_points);

  void on_servers(std::span<const ServerView> servers, Now now) override;
  std::optional<std::size_t> choose(const Choice& choice, std::span<const ServerView> servers,
                                    Now now, Random& random) override;
  void on_start(std::size_t index, std::span<const ServerView> servers, Now now) override;
  void on_end(std::size_t index, const Outcome& outcome, std::span<const ServerView> servers,
              Now now) override;

 private:
  static constexpr std::size_t kStepsMax = 128;

  struct Point {
    std::uint64_t hash = 0;
    std::uint32_t server = 0;
    std::uint32_t number = 0;  // of the server's points; those below live_[server] are on the ring
  };

  void place_points(std::span<const ServerView> servers);
  bool update_live(std::span<const ServerView> servers);
  void rebuild_ring();
  std::size_t first_point(std::uint64_t hash) const;

  double bound_factor_;
  std::uint32_t ring_points_;
  std::vector<Point> points_;               // of all servers at their full share, by (hash, server)
  std::vector<double> full_weights_;        // by server: what points_ were made from …
  std::vector<std::uint32_t> full_points_;  // … and how many points that made
  std::vector<std::uint32_t> live_;         // by server: points on the ring; 0: not eligible
  std::vector<std::uint64_t> hashes_;       // the ring, ascending …
  std::vector<std::uint32_t> owners_;       // … and whose each point is
  std::vector<std::uint32_t> guide_;        // by a hash's upper bits: the first point from there on
  std::uint32_t guide_shift_ = 63;          // hash >> this: index of guide_
  std::vector<double> weights_;             // by server: w; 0: not eligible
  double weight_total_ = 0;
  std::uint64_t active_total_ = 0;
  CostTree tree_;  // active / w
};

}  // namespace copal::balance
