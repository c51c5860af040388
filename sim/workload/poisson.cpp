#include "sim/workload/poisson.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/math.h"
#include "sim/workload/sampler.h"

namespace copal::sim {

namespace {

constexpr TimePoint kStart{};

/// How far from its start the rate r + s x has gathered the area: the smaller root of
/// s/2 x^2 + r x = area, written so that it holds for s = 0 and loses no digits for small s.
double distance_to(double area, double rate, double slope) {
  const double root = math::sqrt(std::max(0.0, rate * rate + 2 * slope * area));
  return 2 * area / (rate + root);
}

}  // namespace

std::vector<RatePiece> constant_rate(double rate_per_s) {
  return {{kStart, kNever, rate_per_s, 0}};
}

std::vector<RatePiece> stepwise_rates(const std::vector<scenario::RatePoint>& points) {
  std::vector<RatePiece> pieces{{kStart, kNever, 0, 0}};
  for (const scenario::RatePoint& point : points) {
    pieces.back().to = kStart + point.at;
    pieces.push_back({kStart + point.at, kNever, point.rate_per_s, 0});
  }
  return pieces;
}

std::vector<RatePiece> flash_crowd_rates(const scenario::WorkloadSpec& spec) {
  const double low = spec.rate_per_s;
  const double high = spec.peak_rate_per_s;
  const TimePoint rise = kStart + spec.peak_at;
  const TimePoint top = rise + spec.rise_time;
  const TimePoint fall = top + spec.hold_time;
  const TimePoint end = fall + spec.fall_time;
  const auto slope = [&](Duration over) {
    return over > 0s ? (high - low) / to_seconds(over) : 0.0;
  };
  return {{kStart, rise, low, 0},
          {rise, top, low, slope(spec.rise_time)},
          {top, fall, high, 0},
          {fall, end, high, -slope(spec.fall_time)},
          {end, kNever, low, 0}};
}

PoissonProcess::PoissonProcess(std::vector<RatePiece> pieces, std::uint64_t seed)
    : pieces_(std::move(pieces)), random_(seed, "arrivals") {
  COPAL_ASSERT(!pieces_.empty() && pieces_.front().from == kStart);
  COPAL_ASSERT(pieces_.back().to == kNever && pieces_.back().slope_per_s2 == 0);
  for (std::size_t i = 1; i < pieces_.size(); ++i) {
    COPAL_ASSERT(pieces_[i].from == pieces_[i - 1].to);
  }
}

TimePoint PoissonProcess::next() {
  if (piece_ == pieces_.size()) {
    return kNever;
  }
  double area = draw_exponential(random_);
  for (; piece_ < pieces_.size(); ++piece_, offset_s_ = 0) {
    const RatePiece& piece = pieces_[piece_];
    const bool last = piece.to == kNever;
    const double rate = std::max(0.0, piece.rate_per_s + piece.slope_per_s2 * offset_s_);
    const double rest_s = last ? 0 : to_seconds(piece.to - piece.from) - offset_s_;
    const double rest_area = rest_s * (rate + piece.slope_per_s2 * rest_s / 2);
    if (last ? rate > 0 : area < rest_area) {
      offset_s_ += distance_to(area, rate, piece.slope_per_s2);
      // A rate of next to nothing: the arrival would not fit into a time.
      const bool in_reach = offset_s_ < 1e9;
      return in_reach ? std::min(piece.from + from_seconds(offset_s_), piece.to) : kNever;
    }
    area -= std::max(0.0, rest_area);
  }
  return kNever;
}

DiurnalProcess::DiurnalProcess(const scenario::WorkloadSpec& spec, std::uint64_t seed)
    : mean_per_s_(spec.rate_per_s),
      amplitude_(spec.amplitude),
      period_(spec.period),
      peak_at_(spec.peak_at),
      random_(seed, "arrivals") {
  COPAL_ASSERT(period_ > 0s && amplitude_ >= 0 && amplitude_ <= 1);
}

double DiurnalProcess::rate_per_s(TimePoint time) const {
  // The remainder is taken in whole nanoseconds: no digits are lost on long runs.
  const Duration phase = (time.time_since_epoch() - peak_at_) % period_;
  const double turns =
      static_cast<double>(phase.count()) / static_cast<double>(period_.count()) + 0.25;
  return mean_per_s_ * (1 + amplitude_ * math::sin_turns(turns));
}

TimePoint DiurnalProcess::next() {
  const double highest = mean_per_s_ * (1 + amplitude_);
  while (highest > 0 && now_ != kNever) {
    const double gap_s = draw_exponential(random_) / highest;
    if (gap_s > 1e9) {
      break;
    }
    now_ += from_seconds(gap_s);
    if (draw_unit(random_) * highest < rate_per_s(now_)) {
      return now_;
    }
  }
  now_ = kNever;
  return kNever;
}

}  // namespace copal::sim
