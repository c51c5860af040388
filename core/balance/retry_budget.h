#pragma once

#include <algorithm>

#include "core/base/time.h"

namespace copal::balance {

/// Keeps retries a small part of all requests, so that a failing cluster is not beaten down by
/// them: each request earns a fraction of a retry, and a few a second are free.
/// Source: finagle, RetryBudget (20 % of requests, at least 10 a second, over the last 10 s). Here
/// as a bucket of tokens that holds what 10 s can earn.
class RetryBudget {
 public:
  /// ratio  retries a request earns.   per_second  free retries; both >= 0.
  RetryBudget(double ratio, double per_second) : ratio_(ratio), per_second_(per_second) {
    tokens_ = per_second_ * kWindowSeconds;
  }

  void on_request(Now now) {
    refill(now);
    earned_ += ratio_;
    tokens_ += ratio_;
  }

  /// Returns whether a retry may be made now, and if so counts it.
  bool try_retry(Now now) {
    refill(now);
    if (tokens_ < 1) {
      return false;
    }
    tokens_ -= 1;
    return true;
  }

 private:
  static constexpr double kWindowSeconds = 10;

  void refill(Now now) {
    const double passed = to_seconds(now.mono - refilled_at_);
    refilled_at_ = now.mono;
    // What requests earned fades within the window; so a quiet hour does not save up for a storm.
    const double kept = std::max(0.0, 1 - passed / kWindowSeconds);
    earned_ *= kept;
    tokens_ = std::min(tokens_ + per_second_ * passed, per_second_ * kWindowSeconds + earned_);
  }

  double ratio_;
  double per_second_;
  double tokens_ = 0;
  double earned_ = 0;
  TimePoint refilled_at_{};
};

}  // namespace copal::balance
