#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/prng.h"
#include "core/base/time.h"
#include "sim/fuzz/draw_plan.h"

// What the parts of a plan are drawn with, each from a stream of its own.

namespace copal::sim::fuzz {

/// Numbers from one stream, in the forms that a plan needs.
class Draw {
 public:
  Draw(std::uint64_t seed, std::string_view purpose) : random_(seed, purpose) {}

  std::uint32_t below(std::uint32_t count) { return draw_below(random_, count); }
  /// Both ends are possible.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low +
           static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(high - low + 1));
  }
  Duration between(Duration low, Duration high) {
    return Duration{between(low.count(), high.count())};
  }
  /// Small ones as likely as large ones: evenly over the powers of two.
  Duration spread(Duration low, Duration high) {
    Duration most = low;
    const std::uint32_t doublings = 1 + static_cast<std::uint32_t>(between(0, 31));
    for (std::uint32_t i = 0; i < doublings % 16 && most < high; ++i) {
      most *= 2;
    }
    return between(low, std::clamp(most, low, high));
  }
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  template <class Item, std::size_t kCount>
  Item one_of(const std::array<Item, kCount>& items) {
    return items[below(kCount)];
  }

 private:
  Prng random_;
};

/// The operations of a plan whose shape and faults are drawn.
void draw_operations(std::uint64_t seed, Plan& plan);
/// The faults of a plan whose shape is drawn.
void draw_faults(std::uint64_t seed, const Focus& focus, Plan& plan);

}  // namespace copal::sim::fuzz
