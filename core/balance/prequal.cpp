#include "core/balance/prequal.h"

#include <algorithm>
#include <limits>

#include "core/base/assert.h"

namespace copal::balance {

namespace {

constexpr std::uint64_t kNothingHot = std::numeric_limits<std::uint64_t>::max();

}  // namespace

Prequal::Prequal(const PrequalConfig& config) : config_(config) {
  COPAL_ASSERT(config.pool_max >= 2 && config.pool_max <= kPoolMax);
  COPAL_ASSERT(config.age_max > Duration::zero());
  COPAL_ASSERT(config.probe_rate >= 0 && config.probe_rate <= 32 && config.remove_rate >= 0);
  COPAL_ASSERT(config.hot_quantile >= 0 && config.hot_quantile <= 1);
  COPAL_ASSERT(config.reuse_delta > -1);
}

double Prequal::reuse_budget(const PrequalConfig& config, std::size_t server_count) {
  const double pool_share = config.pool_max / static_cast<double>(server_count);
  const double gain = (1 - pool_share) * config.probe_rate - config.remove_rate;
  if (gain <= 0) {
    return std::numeric_limits<double>::infinity();
  }
  return std::max(1.0, (1 + config.reuse_delta) / gain);
}

void Prequal::on_servers(std::span<const ServerView> servers, Now) {
  draw_.rebuild(servers);
  budget_ = reuse_budget(config_, std::max<std::size_t>(draw_.count(), 1));
  for (std::size_t i = pool_count_; i-- > 0;) {
    if (!servers[pool_[i].server].eligible) {
      remove(i);
    }
  }
}

std::optional<std::size_t> Prequal::choose(const Choice& choice,
                                           std::span<const ServerView> servers, Now now,
                                           Random& random) {
  remove_old(now);
  std::size_t usable_count = 0;
  std::size_t best = 0;
  for (std::size_t i = 0; i < pool_count_; ++i) {
    if (!may_choose(choice, servers, pool_[i].server)) {
      continue;
    }
    if (usable_count == 0 || is_better(pool_[i], pool_[best])) {
      best = i;
    }
    ++usable_count;
  }
  if (usable_count < 2) {
    return draw_.draw(random, draw_.without(choice));
  }
  const std::size_t chosen = pool_[best].server;
  ++pool_[best].rif;
  if (--pool_[best].uses_left == 0) {
    remove(best);
  }
  remove_due();
  return chosen;
}

void Prequal::on_report(std::size_t index, ReportKind kind, std::span<const ServerView> servers,
                        Now now) {
  if (kind != ReportKind::kProbe || !servers[index].eligible) {
    return;
  }
  const LoadSample& reported = servers[index].reported;
  see(reported.active);
  remove_server(index);
  if (pool_count_ == config_.pool_max) {
    remove(0);
  }
  pool_[pool_count_++] = {static_cast<std::uint32_t>(index), reported.active,
                          reported.latency.count(), now.mono, next_uses()};
}

void Prequal::probe_targets(std::span<const ServerView>, Now, Random& random,
                            std::vector<std::size_t>& targets) {
  WeightedDraw::Taken taken;
  for (probe_due_ += config_.probe_rate; probe_due_ >= 1; probe_due_ -= 1) {
    const auto drawn = draw_.draw(random, taken);
    if (!drawn) {
      probe_due_ = 0;  // all are asked already
      return;
    }
    targets.push_back(*drawn);
    draw_.take(taken, *drawn);
  }
}

/// Hot or cold decides first, then the signal of that class; the other one breaks ties.
bool Prequal::is_better(const Probed& a, const Probed& b) const {
  const bool a_is_hot = is_hot(a);
  if (a_is_hot != is_hot(b)) {
    return !a_is_hot;
  }
  const bool rif_first = a_is_hot ? a.rif != b.rif : a.latency_ns == b.latency_ns;
  return rif_first ? a.rif < b.rif : a.latency_ns < b.latency_ns;
}

void Prequal::remove(std::size_t position) {
  std::copy(pool_.begin() + position + 1, pool_.begin() + pool_count_, pool_.begin() + position);
  --pool_count_;
}

void Prequal::remove_server(std::size_t index) {
  for (std::size_t i = 0; i < pool_count_; ++i) {
    if (pool_[i].server == index) {
      remove(i);
      return;  // a server has one probe in the pool at most
    }
  }
}

void Prequal::remove_old(Now now) {
  std::size_t old_count = 0;
  while (old_count < pool_count_ && now.mono - pool_[old_count].at >= config_.age_max) {
    ++old_count;
  }
  std::copy(pool_.begin() + old_count, pool_.begin() + pool_count_, pool_.begin());
  pool_count_ -= old_count;
}

void Prequal::remove_worst() {
  std::size_t worst = 0;
  for (std::size_t i = 1; i < pool_count_; ++i) {
    if (is_better(pool_[worst], pool_[i])) {
      worst = i;
    }
  }
  remove(worst);
}

void Prequal::remove_due() {
  for (remove_due_ += config_.remove_rate; remove_due_ >= 1; remove_due_ -= 1) {
    if (pool_count_ == 0) {
      remove_due_ = 0;
      return;
    }
    if (worst_next_) {
      remove_worst();
    } else {
      remove(0);
    }
    worst_next_ = !worst_next_;
  }
}

/// Takes one more RIF into the window of the last kSeen and moves the threshold.
void Prequal::see(std::uint32_t rif) {
  const std::size_t slot = seen_count_ % kSeen;
  std::size_t count = std::min(seen_count_, kSeen);
  if (count == kSeen) {
    const auto gone = std::lower_bound(sorted_.begin(), sorted_.end(), seen_[slot]);
    std::copy(gone + 1, sorted_.end(), gone);
    --count;
  }
  const auto end = sorted_.begin() + count;
  const auto place = std::upper_bound(sorted_.begin(), end, rif);
  std::copy_backward(place, end, end + 1);
  *place = rif;
  seen_[slot] = rif;
  ++seen_count_;
  ++count;
  if (config_.hot_quantile <= 0) {
    hot_from_ = 0;
  } else if (config_.hot_quantile >= 1) {
    hot_from_ = kNothingHot;
  } else {
    // The quantile is the smallest RIF that at least this share of the window does not exceed.
    const double share = config_.hot_quantile * static_cast<double>(count);
    auto rank = static_cast<std::size_t>(share);
    rank += share > static_cast<double>(rank) ? 1 : 0;
    hot_from_ = std::uint64_t{sorted_[std::max<std::size_t>(rank, 1) - 1]} + 1;
  }
}

std::uint32_t Prequal::next_uses() {
  if (budget_ >= 0x1p31) {
    return std::numeric_limits<std::uint32_t>::max();
  }
  uses_due_ += budget_;
  const auto uses = static_cast<std::uint32_t>(uses_due_);
  uses_due_ -= uses;
  return uses;
}

}  // namespace copal::balance
