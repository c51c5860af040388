#pragma once

#include <algorithm>
#include <span>

#include "core/balance/policy.h"

namespace copal::balance {

/// A server that may be chosen counts for at least this share of its weight, so that a share of 0
/// can divide nothing by zero and a lone server is still found.
inline constexpr double kShareMin = 1.0 / 1024;

/// What a server counts for now: its weight, scaled by the share its warm-up allows. > 0.
inline double effective_weight(const ServerView& server) {
  return server.weight * std::max(server.share, kShareMin);
}

/// As above for one that may be chosen, 0 for one that may not: what shares are made from.
inline double eligible_weight(const ServerView& server) {
  return server.eligible ? effective_weight(server) : 0;
}

/// Returns whether any server may be chosen and all that may have the same weight.
inline bool weights_equal(std::span<const ServerView> servers) {
  double first = 0;
  for (const ServerView& server : servers) {
    const double weight = eligible_weight(server);
    if (weight > 0 && first > 0 && weight != first) {
      return false;
    }
    first = weight > 0 ? weight : first;
  }
  return first > 0;
}

}  // namespace copal::balance
