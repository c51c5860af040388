#include "core/balance/bounded_load.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include "core/balance/weight.h"
#include "core/base/assert.h"
#include "core/base/hash.h"

namespace copal::balance {

namespace {

// More points than this cost memory (16 bytes each) and make shares no evener.
constexpr double kPointsTotalMax = 0x1p22;
// Rounding may put a bound that is a whole number a hair above it; a request is no such hair.
constexpr double kRoundingSlack = 1e-9;

std::uint32_t whole_points(double exact) {
  return std::max(1U, static_cast<std::uint32_t>(exact + 0.5));
}

double load_of(const ServerView& server) {
  return server.eligible ? server.active / effective_weight(server) : CostTree::kNotChoosable;
}

}  // namespace

BoundedLoad::BoundedLoad(double bound_factor, std::uint32_t ring_points)
    : bound_factor_(bound_factor), ring_points_(ring_points) {
  COPAL_ASSERT(bound_factor > 1 && ring_points >= 1);
}

void BoundedLoad::on_servers(std::span<const ServerView> servers, Now) {
  bool same_weights = full_weights_.size() == servers.size();
  for (std::size_t i = 0; same_weights && i < servers.size(); ++i) {
    same_weights = full_weights_[i] == servers[i].weight;
  }
  if (!same_weights) {
    place_points(servers);
  }
  weights_.resize(servers.size());
  weight_total_ = 0;
  active_total_ = 0;
  tree_.reset(servers.size());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    weights_[i] = eligible_weight(servers[i]);
    weight_total_ += weights_[i];
    active_total_ += servers[i].eligible ? servers[i].active : 0;
    tree_.set_cost(i, load_of(servers[i]));
  }
  tree_.rebuild();
  if (update_live(servers) || !same_weights) {
    rebuild_ring();
  }
}

/// Returns whether any server has more or fewer points on the ring than before.
bool BoundedLoad::update_live(std::span<const ServerView> servers) {
  bool changed = live_.size() != servers.size();
  live_.resize(servers.size());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const double exact = full_points_[i] * std::min(servers[i].share, 1.0);
    const std::uint32_t live =
        servers[i].eligible ? std::min(whole_points(exact), full_points_[i]) : 0;
    changed = changed || live != live_[i];
    live_[i] = live;
  }
  return changed;
}

/// Lays the points of all servers at their full weight: sorted once, filtered at each change.
void BoundedLoad::place_points(std::span<const ServerView> servers) {
  double points_total = 0;
  full_weights_.clear();
  for (const ServerView& server : servers) {
    points_total += ring_points_ * server.weight;
    full_weights_.push_back(server.weight);
  }
  const double points_per_weight = ring_points_ * std::min(1.0, kPointsTotalMax / points_total);
  points_.clear();
  full_points_.clear();
  for (std::size_t i = 0; i < servers.size(); ++i) {
    full_points_.push_back(whole_points(points_per_weight * servers[i].weight));
    for (std::uint32_t number = 0; number < full_points_.back(); ++number) {
      points_.push_back(
          {mix64(servers[i].node.value, number), static_cast<std::uint32_t>(i), number});
    }
  }
  std::sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) {
    return std::tie(a.hash, a.server, a.number) < std::tie(b.hash, b.server, b.number);
  });
}

void BoundedLoad::rebuild_ring() {
  hashes_.clear();
  owners_.clear();
  for (const Point& point : points_) {
    if (point.number < live_[point.server]) {
      hashes_.push_back(point.hash);
      owners_.push_back(point.server);
    }
  }
  const std::size_t buckets = std::bit_ceil(std::max<std::size_t>(hashes_.size(), 2));
  guide_shift_ = static_cast<std::uint32_t>(64 - std::countr_zero(buckets));
  guide_.resize(buckets);
  std::uint32_t point = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    while (point < hashes_.size() && (hashes_[point] >> guide_shift_) < bucket) {
      ++point;
    }
    guide_[bucket] = point;
  }
}

std::optional<std::size_t> BoundedLoad::choose(const Choice& choice,
                                               std::span<const ServerView> servers, Now, Random&) {
  if (hashes_.empty()) {
    return std::nullopt;
  }
  const double bound_per_weight =
      bound_factor_ * static_cast<double>(active_total_ + 1) / weight_total_;
  std::size_t point = first_point(mix64(choice.routing_key));
  for (std::size_t step = 0; step < std::min(kStepsMax, hashes_.size()); ++step) {
    const std::uint32_t server = owners_[point];
    // For whole numbers a + 1 <= ceil(x) says the same as a < x.
    const bool has_room =
        servers[server].active < bound_per_weight * weights_[server] - kRoundingSlack;
    if (has_room && may_choose(choice, servers, server)) {
      return server;
    }
    point = point + 1 < hashes_.size() ? point + 1 : 0;
  }
  return tree_.lowest(choice.excluded);
}

void BoundedLoad::on_start(std::size_t index, std::span<const ServerView> servers, Now) {
  active_total_ += servers[index].eligible ? 1 : 0;
  tree_.update_picked(index, load_of(servers[index]));
}

void BoundedLoad::on_end(std::size_t index, const Outcome&, std::span<const ServerView> servers,
                         Now) {
  active_total_ -= servers[index].eligible ? 1 : 0;
  tree_.update(index, load_of(servers[index]));
}

std::size_t BoundedLoad::first_point(std::uint64_t hash) const {
  std::size_t point = guide_[hash >> guide_shift_];
  while (point < hashes_.size() && hashes_[point] < hash) {
    ++point;
  }
  return point < hashes_.size() ? point : 0;
}

}  // namespace copal::balance
