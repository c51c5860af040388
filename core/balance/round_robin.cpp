#include "core/balance/round_robin.h"

#include <algorithm>
#include <array>
#include <limits>

#include "core/balance/weight.h"
#include "core/base/assert.h"

namespace copal::balance {

namespace {

constexpr std::size_t kBlock = 16;  // servers scanned at a time; the arrays are padded to it
// Currents stay within the sum of the weights, give or take what absent servers keep; so a quarter
// of the range of their type leaves room.
constexpr double kUnitsTotalMax = 0x1p29;
constexpr std::int32_t kNeverBest = std::numeric_limits<std::int32_t>::min() / 2;

/// Units of a weight of 1: a power of two, so that currents keep their meaning when it changes.
double scale_for(std::span<const ServerView> servers) {
  double weight_total = 0;
  for (const ServerView& server : servers) {
    weight_total += server.weight;
  }
  double scale = 0x1p40;
  while (scale * weight_total > kUnitsTotalMax) {
    scale /= 2;
  }
  return scale;
}

}  // namespace

void RoundRobin::on_servers(std::span<const ServerView> servers, Now) {
  for (std::size_t position = 0; position < servers_.size(); ++position) {
    kept_[servers_[position]] = currents_[position];
  }
  kept_.resize(servers.size());
  const double scale = scale_for(servers);
  if (scale != scale_) {
    std::fill(kept_.begin(), kept_.end(), 0);  // other weights: nothing owed carries over
    scale_ = scale;
  }
  position_.assign(servers.size(), kNoPosition);
  servers_.clear();
  weights_.clear();
  currents_.clear();
  total_ = 0;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (!servers[i].eligible) {
      continue;
    }
    const auto units = static_cast<std::int32_t>(effective_weight(servers[i]) * scale_ + 0.5);
    position_[i] = static_cast<std::uint32_t>(servers_.size());
    servers_.push_back(static_cast<std::uint32_t>(i));
    weights_.push_back(std::max(units, 1));
    currents_.push_back(kept_[i]);
    total_ += weights_.back();
  }
  const std::size_t padded = (servers_.size() + kBlock - 1) / kBlock * kBlock;
  weights_.resize(padded, 0);
  currents_.resize(padded, kNeverBest);
}

std::optional<std::size_t> RoundRobin::choose(const Choice& choice, std::span<const ServerView>,
                                              Now, Random&) {
  if (servers_.empty()) {
    return std::nullopt;
  }
  if (!choice.excluded.empty()) {
    return advance_without(choice.excluded);
  }
  const std::size_t best = advance();
  currents_[best] -= total_;
  return servers_[best];
}

/// Adds the weights and returns the first position with the highest current. Both loops are vector
/// instructions: the first a running maximum, the second a block's equality at a time.
std::size_t RoundRobin::advance() {
  const std::size_t count = currents_.size();
  std::int32_t* const currents = currents_.data();
  const std::int32_t* const weights = weights_.data();
  std::int32_t highest = std::numeric_limits<std::int32_t>::min();
  for (std::size_t i = 0; i < count; ++i) {
    currents[i] += weights[i];
    highest = std::max(highest, currents[i]);
  }
  std::size_t block = 0;
  for (;; block += kBlock) {
    std::int32_t found = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      found |= static_cast<std::int32_t>(currents[block + i] == highest);
    }
    if (found != 0) {
      break;
    }
  }
  while (currents[block] != highest) {
    ++block;
  }
  return block;
}

/// Lays the excluded servers aside for one advance: weight 0 and a current that never wins.
std::optional<std::size_t> RoundRobin::advance_without(std::span<const std::size_t> excluded) {
  struct Aside {
    std::size_t position = 0;
    std::int32_t weight = 0;
    std::int32_t current = 0;
  };
  std::array<Aside, kExcludedMax> asides;
  std::size_t aside_count = 0;
  std::int32_t total = total_;
  for (const std::size_t index : excluded) {
    const std::uint32_t position = position_[index];
    if (position == kNoPosition || weights_[position] == 0) {
      continue;  // not there, or named twice
    }
    COPAL_ASSERT(aside_count < kExcludedMax);
    asides[aside_count++] = {position, weights_[position], currents_[position]};
    total -= weights_[position];
    weights_[position] = 0;
    currents_[position] = kNeverBest;
  }
  std::optional<std::size_t> chosen;
  if (aside_count < servers_.size()) {
    const std::size_t best = advance();
    currents_[best] -= total;
    chosen = servers_[best];
  }
  for (std::size_t i = 0; i < aside_count; ++i) {
    weights_[asides[i].position] = asides[i].weight;
    currents_[asides[i].position] = asides[i].current;
  }
  return chosen;
}

}  // namespace copal::balance
