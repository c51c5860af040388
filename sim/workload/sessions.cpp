#include "sim/workload/sessions.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/base/math.h"

namespace copal::sim {

SessionLaw::SessionLaw(const scenario::Sessions& sessions)
    : count_(sessions.count), exponent_(sessions.zipf_exponent) {
  if (count_ == 0 || even()) {
    return;
  }
  area_first_ = area(1.5) - 1;
  area_last_ = area(count_ + 0.5);
  squeeze_ = 2 - area_inverse(area(2.5) - height(2));
}

double SessionLaw::height(double x) const {
  return math::exp(-exponent_ * math::log(x));
}

double SessionLaw::area(double x) const {
  const double log_x = math::log(x);
  const double power = (1 - exponent_) * log_x;
  // Near s = 1 the closed form (x^(1-s) - 1)/(1-s) loses all digits; the series of (e^p - 1)/p
  // does not.
  if (power > -1e-4 && power < 1e-4) {
    return log_x * (1 + power / 2 * (1 + power / 3 * (1 + power / 4)));
  }
  return (math::exp(power) - 1) / (1 - exponent_);
}

double SessionLaw::area_inverse(double y) const {
  // ln(1 + t)/(1 - s) with t = y (1 - s), at least -1 but for rounding; the series as above.
  const double t = std::max(y * (1 - exponent_), -1 + 0x1p-53);
  if (t > -1e-4 && t < 1e-4) {
    return math::exp(y * (1 - t / 2 * (1 - t * 2 / 3 * (1 - t * 3 / 4))));
  }
  return math::exp(math::log(1 + t) / (1 - exponent_));
}

std::uint32_t SessionLaw::draw(Random& random) const {
  COPAL_ASSERT(count_ > 0);
  if (even()) {
    return 1 + draw_below(random, count_);
  }
  for (;;) {
    const double y = area_last_ + draw_unit(random) * (area_first_ - area_last_);
    const double x = area_inverse(y);
    const double nearest =
        std::clamp(static_cast<double>(static_cast<std::uint64_t>(std::min(x, 4.3e9) + 0.5)), 1.0,
                   static_cast<double>(count_));
    if (nearest - x <= squeeze_ || y >= area(nearest + 0.5) - height(nearest)) {
      return static_cast<std::uint32_t>(nearest);
    }
  }
}

SessionId session_of(std::uint64_t number) {
  // mix64 maps one number to 0.
  const std::uint64_t id = mix64(number);
  return SessionId{id == 0 ? 1 : id};
}

std::uint64_t routing_key_of(SessionId session) {
  return mix64(session.value, 0x6b65'79);
}

}  // namespace copal::sim
