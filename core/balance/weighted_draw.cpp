#include "core/balance/weighted_draw.h"

#include <algorithm>

#include "core/balance/weight.h"
#include "core/base/assert.h"

namespace copal::balance {

void WeightedDraw::rebuild(std::span<const ServerView> servers) {
  constexpr double kUnitsTotal = 0x1p31;  // with one unit more a server still below 2^32
  servers_.clear();
  position_.assign(servers.size(), kNoPosition);
  double weight_total = 0;
  for (const ServerView& server : servers) {
    weight_total += eligible_weight(server);
  }
  equal_ = weights_equal(servers);
  starts_.assign(1, 0);
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (!servers[i].eligible) {
      continue;
    }
    const double exact = effective_weight(servers[i]) / weight_total * kUnitsTotal;
    const auto whole = std::max(1U, static_cast<std::uint32_t>(exact));
    position_[i] = static_cast<std::uint32_t>(servers_.size());
    servers_.push_back(static_cast<std::uint32_t>(i));
    starts_.push_back(starts_.back() + whole);
  }
}

void WeightedDraw::take(Taken& taken, std::size_t index) const {
  const std::uint32_t position = position_[index];
  const auto end = taken.positions_.begin() + taken.count_;
  const auto place = std::lower_bound(taken.positions_.begin(), end, position);
  if (position == kNoPosition || (place != end && *place == position)) {
    return;
  }
  COPAL_ASSERT(taken.count_ < Taken::kTakenMax);
  std::copy_backward(place, end, end + 1);
  *place = position;
  ++taken.count_;
  taken.units_ += units(position);
}

WeightedDraw::Taken WeightedDraw::without(const Choice& choice) const {
  Taken taken;
  for (const std::size_t index : choice.excluded) {
    take(taken, index);
  }
  return taken;
}

std::optional<std::size_t> WeightedDraw::draw(Random& random, const Taken& taken) const {
  const std::uint32_t left = start(servers_.size()) - taken.units_;
  if (left == 0) {
    return std::nullopt;
  }
  // A number among the units left; then the taken stretches before it are stepped over.
  std::uint32_t unit = draw_below(random, left);
  for (std::uint32_t i = 0; i < taken.count_; ++i) {
    const std::uint32_t position = taken.positions_[i];
    if (unit >= start(position)) {
      unit += units(position);
    }
  }
  return servers_[find(unit)];
}

std::size_t WeightedDraw::find(std::uint32_t unit) const {
  if (equal_) {
    return unit;
  }
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), unit);
  return static_cast<std::size_t>(after - starts_.begin()) - 1;
}

}  // namespace copal::balance
