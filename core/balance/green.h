#pragma once

#include <cstdint>
#include <vector>

#include "core/balance/cost_tree.h"
#include "core/balance/policy.h"

namespace copal::balance {

/// Fills the servers in the order of the list, so that those at its end stay idle and may sleep:
///   full(i)    from active_i >= fill_max * w_i   until active_i <= fill_resume * fill_max * w_i
///   choose     the first server that is not full; when all are, the lowest (active + 1) / w
///   keeps(i)   a session stays at its server unless that one is full and another has room
/// with w = weight * share and active = requests of this balancer; equals go in turn (cost_tree.h).
/// The gap between the two thresholds keeps a server at the edge from changing sides with every
/// request, and so the next one from being woken for a moment's work.
///
/// Source: the paper, "Resin 4.0 Load Balancer", green; the same as HAProxy's "first" and as the
/// packing of AutoScale (Gandhi et al., ACM TOCS 2012).
/// Departs: the product (resin-facts L7) took, among the servers up to the first that was not full,
/// the least loaded, which spills onto full ones; here a full server gets nothing before the last
/// one is full. It kept sessions where they were, whatever the load there: the first servers, which
/// a quiet night had given all sessions, then stayed overloaded through the day. It had no
/// hysteresis, and its threshold was in connections of one server, off by default; here it is in
/// requests, for a weight of 1.
class Green final : public Policy {
 public:
  /// fill_max  requests at a server of weight 1, > 0.   fill_resume  in (0, 1]; 1: no hysteresis.
  /// Asserted.
  Green(double fill_max, double fill_resume);

  void on_servers(std::span<const ServerView> servers, Now now) override;
  std::optional<std::size_t> choose(const Choice& choice, std::span<const ServerView> servers,
                                    Now now, Random& random) override;
  bool keeps(std::size_t index, std::span<const ServerView> servers) const override;
  void on_start(std::size_t index, std::span<const ServerView> servers, Now now) override;
  void on_end(std::size_t index, const Outcome& outcome, std::span<const ServerView> servers,
              Now now) override;

 private:
  void update_room(std::size_t index, const ServerView& server);
  std::optional<std::size_t> first_with_room(std::span<const std::size_t> excluded) const;

  double fill_max_;
  double fill_resume_;
  std::vector<std::uint64_t> room_;  // a bit a server: eligible and not full
  std::vector<bool> full_;           // kept while a server is away
  CostTree tree_;
};

}  // namespace copal::balance
