#pragma once

namespace copal {

/// What a server can do relative to others. 1 unless configured.
struct Weight {
  double value = 1;

  /// Positive, finite, and no nonsense of a peer.
  constexpr bool is_valid() const { return value >= 1e-6 && value <= 1e6; }
  constexpr bool operator==(const Weight&) const = default;
};

}  // namespace copal
