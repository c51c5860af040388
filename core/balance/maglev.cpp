#include "core/balance/maglev.h"

#include <algorithm>

#include "core/balance/weight.h"
#include "core/base/assert.h"
#include "core/base/hash.h"

namespace copal::balance {

namespace {

constexpr std::uint16_t kFree = 0xffff;
static_assert(kServersMax < kFree);

bool is_prime(std::uint32_t number) {
  for (std::uint32_t divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) {
      return false;
    }
  }
  return number >= 2;
}

}  // namespace

Maglev::Maglev(std::uint32_t table_size) : table_size_(table_size) {
  COPAL_ASSERT(table_size <= (1U << 24U) && is_prime(table_size));
}

void Maglev::on_servers(std::span<const ServerView> servers, Now) {
  std::vector<double> weights;
  for (const ServerView& server : servers) {
    weights.push_back(eligible_weight(server));
  }
  if (weights == weights_) {
    return;
  }
  weights_ = std::move(weights);
  table_.clear();
  std::vector<Filler> fillers;
  double highest = 0;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (weights_[i] > 0) {
      const std::uint32_t id = servers[i].node.value;
      const auto offset = static_cast<std::uint32_t>(mix64(id, 0) % table_size_);
      const auto skip = static_cast<std::uint32_t>(mix64(id, 1) % (table_size_ - 1) + 1);
      fillers.push_back({static_cast<std::uint16_t>(i), offset, skip, 0, weights_[i]});
      highest = std::max(highest, weights_[i]);
    }
  }
  for (Filler& filler : fillers) {
    filler.weight /= highest;
  }
  if (!fillers.empty()) {
    fill(fillers);
  }
}

void Maglev::fill(std::vector<Filler>& fillers) {
  table_.assign(table_size_, kFree);
  for (std::uint32_t filled = 0;;) {
    for (Filler& filler : fillers) {
      filler.turns += filler.weight;
      if (filler.turns < 1) {
        continue;
      }
      filler.turns -= 1;
      take_entry(filler);
      if (++filled == table_size_) {
        return;
      }
    }
  }
}

void Maglev::take_entry(Filler& filler) {
  std::uint32_t entry = filler.entry;
  while (table_[entry] != kFree) {
    entry = (entry + filler.skip) % table_size_;
  }
  table_[entry] = filler.server;
  filler.entry = (entry + filler.skip) % table_size_;
}

std::optional<std::size_t> Maglev::choose(const Choice& choice, std::span<const ServerView> servers,
                                          Now, Random&) {
  if (table_.empty()) {
    return std::nullopt;
  }
  std::uint64_t hash = choice.routing_key;
  for (std::uint64_t i = 0; i < kHashesMax; ++i) {
    hash = mix64(hash);
    const std::size_t server = table_[hash % table_size_];
    if (may_choose(choice, servers, server)) {
      return server;
    }
  }
  for (std::size_t server = 0; server < servers.size(); ++server) {
    if (may_choose(choice, servers, server)) {
      return server;
    }
  }
  return std::nullopt;
}

}  // namespace copal::balance
