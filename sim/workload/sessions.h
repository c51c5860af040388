#pragma once

#include <cstdint>

#include "core/base/ids.h"
#include "core/ports/random.h"
#include "scenarios/scenario.h"

namespace copal::sim {

/// Draws which session a request belongs to: number k of 1 to N with a probability proportional to
/// k^-s (Zipf's law); s = 0: all alike. Exact for every N and s, in constant time and without a
/// table, by inverting the area below x^-s and rejecting what the curve has beyond the steps (less
/// than every third draw is repeated, for large N hardly any).
/// Source: Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone discrete
/// distributions", ACM TOMACS 6(3), 1996.
class SessionLaw {
 public:
  /// No sessions.
  SessionLaw() = default;
  explicit SessionLaw(const scenario::Sessions& sessions);

  /// 0: requests have no session.
  std::uint32_t count() const { return count_; }
  bool even() const { return exponent_ == 0; }

  /// Returns a number from 1 to count(), the most popular first. count() > 0, asserted.
  std::uint32_t draw(Random& random) const;

 private:
  double area(double x) const;  // below x^-s, from 1 to x
  double area_inverse(double y) const;
  double height(double x) const;  // x^-s

  std::uint32_t count_ = 0;
  double exponent_ = 0;
  double area_first_ = 0;  // at 3/2, less the height of the first step: where the steps begin
  double area_last_ = 0;   // at N + 1/2
  double squeeze_ = 0;     // so near to its step's middle, a point is surely below the step
};

/// The id of a session by its number, and where affinity puts it: never kNoSession.
SessionId session_of(std::uint64_t number);
std::uint64_t routing_key_of(SessionId session);

}  // namespace copal::sim
