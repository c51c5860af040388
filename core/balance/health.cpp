#include "core/balance/health.h"

#include <algorithm>

#include "core/balance/warm_up.h"

namespace copal::balance {

void Health::on_listed(ServerPhase phase, Now now) {
  reported_at_ = now.mono;
  switch (phase) {
    case ServerPhase::kReady:
      state_ = HealthState::kActive;
      in_service_since_ = now.mono;
      warm_since_ = now.mono - config_.warm_up_time;
      break;
    case ServerPhase::kStarting:
      state_ = HealthState::kStarting;
      break;
    case ServerPhase::kDraining:
      state_ = HealthState::kDraining;
      break;
    case ServerPhase::kSleeping:
      state_ = HealthState::kStopped;
      break;
    case ServerPhase::kAbsent:
      state_ = HealthState::kFailed;  // until it reports
      break;
  }
}

void Health::on_report(ServerPhase phase, Incarnation incarnation, Now now) {
  const bool restarted = incarnation != incarnation_;
  if (incarnation < incarnation_) {
    return;  // from before the restart that is already known
  }
  incarnation_ = incarnation;
  reported_at_ = now.mono;
  reported_since_failure_ = true;
  switch (phase) {
    case ServerPhase::kStarting:
      state_ = HealthState::kStarting;
      return;
    case ServerPhase::kDraining:
      state_ = HealthState::kDraining;
      return;
    case ServerPhase::kSleeping:
      state_ = HealthState::kStopped;
      return;
    case ServerPhase::kAbsent:
      return;  // nobody says this of itself
    case ServerPhase::kReady:
      break;
  }
  const bool out = state_ == HealthState::kStopped || state_ == HealthState::kStarting;
  const bool restart_seen = restarted && incarnation.value > 1;
  if (out || restart_seen) {
    // A new process owes nothing for the old one's failures, but has to warm up.
    failures_ = 0;
    errors_ = 0;
    enter_service(now);
  } else if (state_ == HealthState::kDraining) {
    state_ = HealthState::kActive;  // re-enabled: it never cooled down
  } else {
    on_time(now);
  }
}

void Health::on_called(Now now) {
  if (state_ == HealthState::kStopped) {
    state_ = HealthState::kStarting;
    reported_at_ = now.mono + config_.boot_time_max - config_.dead_after;
  }
}

void Health::on_success(TimePoint sent_at) {
  errors_ = 0;
  if (sent_at >= in_service_since_) {
    failures_ = 0;
  }
}

void Health::on_busy(Now now) {
  if (state_ == HealthState::kWarming || state_ == HealthState::kActive ||
      state_ == HealthState::kBusy) {
    state_ = HealthState::kBusy;
    until_ = now.mono + config_.busy_recover_time;
  }
}

void Health::on_error(TimePoint sent_at, Now now) {
  if (sent_at < in_service_since_) {
    return;
  }
  if (++errors_ >= config_.errors_max) {
    fail(now);
  }
}

void Health::on_link_down(Now now) {
  fail(now);
}

void Health::on_time(Now now) {
  const bool expected = state_ != HealthState::kStopped && state_ != HealthState::kFailed;
  if (expected && now.mono - reported_at_ >= config_.dead_after) {
    fail(now);
  }
  switch (state_) {
    case HealthState::kStopped:
    case HealthState::kStarting:
    case HealthState::kActive:
    case HealthState::kDraining:
      return;
    case HealthState::kBusy:
      if (now.mono >= until_) {
        // Back to where it was: a ramp under way goes on.
        state_ = HealthState::kWarming;
      }
      break;
    case HealthState::kFailed:
      // It has served its time, has spoken since it failed, and not too long ago.
      if (now.mono >= until_ && reported_since_failure_ &&
          now.mono - reported_at_ < config_.dead_after) {
        enter_service(now);
      }
      break;
    case HealthState::kWarming:
      break;
  }
  if (state_ == HealthState::kWarming && now.mono - warm_since_ >= config_.warm_up_time) {
    state_ = HealthState::kActive;
  }
}

bool Health::takes_new() const {
  return state_ == HealthState::kWarming || state_ == HealthState::kActive;
}

bool Health::takes_sticky() const {
  return takes_new() || state_ == HealthState::kDraining;
}

double Health::share(Now now) const {
  return state_ == HealthState::kWarming
             ? warm_up_share(now.mono - warm_since_, config_.warm_up_time)
             : 1.0;
}

TimePoint Health::next_change(Now now) const {
  switch (state_) {
    case HealthState::kStopped:
      return kNever;
    case HealthState::kStarting:
    case HealthState::kActive:
    case HealthState::kDraining:
      return reported_at_ + config_.dead_after;
    case HealthState::kBusy:
      return std::min(until_, reported_at_ + config_.dead_after);
    case HealthState::kFailed:
      return until_ > now.mono ? until_ : kNever;  // else it is for the next report to change
    case HealthState::kWarming:
      return std::min(warm_since_ + next_warm_up_step(now.mono - warm_since_, config_.warm_up_time),
                      reported_at_ + config_.dead_after);
  }
  return kNever;
}

void Health::fail(Now now) {
  if (state_ == HealthState::kFailed || state_ == HealthState::kStopped) {
    return;  // failures of one moment count once
  }
  Duration recover_time = config_.recover_time_min;
  for (std::uint32_t i = 0; i < failures_ && recover_time < config_.recover_time_max; ++i) {
    recover_time *= 2;
  }
  recover_time = std::min(recover_time, config_.recover_time_max);
  ++failures_;
  errors_ = 0;
  state_ = HealthState::kFailed;
  until_ = now.mono + recover_time;
  reported_since_failure_ = false;
}

void Health::enter_service(Now now) {
  in_service_since_ = now.mono;
  warm_since_ = now.mono;
  state_ = config_.warm_up_time > Duration::zero() ? HealthState::kWarming : HealthState::kActive;
}

}  // namespace copal::balance
