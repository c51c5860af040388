#include "core/balance/green.h"

#include <algorithm>
#include <bit>

#include "core/balance/weight.h"
#include "core/base/assert.h"

namespace copal::balance {

namespace {

constexpr std::size_t kWordBits = 64;

}  // namespace

Green::Green(double fill_max, double fill_resume) : fill_max_(fill_max), fill_resume_(fill_resume) {
  COPAL_ASSERT(fill_max > 0 && fill_resume > 0 && fill_resume <= 1);
}

void Green::on_servers(std::span<const ServerView> servers, Now) {
  full_.resize(servers.size(), false);
  room_.assign((servers.size() + kWordBits - 1) / kWordBits, 0);
  tree_.reset(servers.size());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    update_room(i, servers[i]);
    tree_.set_cost(i, cost_by_active(servers[i]));
  }
  tree_.rebuild();
}

std::optional<std::size_t> Green::choose(const Choice& choice, std::span<const ServerView>, Now,
                                         Random&) {
  const auto first = first_with_room(choice.excluded);
  return first ? first : tree_.lowest(choice.excluded);
}

bool Green::keeps(std::size_t index, std::span<const ServerView>) const {
  return !full_[index] || !first_with_room({}).has_value();
}

void Green::on_start(std::size_t index, std::span<const ServerView> servers, Now) {
  update_room(index, servers[index]);
  tree_.update_picked(index, cost_by_active(servers[index]));
}

void Green::on_end(std::size_t index, const Outcome&, std::span<const ServerView> servers, Now) {
  update_room(index, servers[index]);
  tree_.update(index, cost_by_active(servers[index]));
}

void Green::update_room(std::size_t index, const ServerView& server) {
  // A server of little weight still has room for one request, or it would never be used in turn.
  const double places = std::max(1.0, fill_max_ * effective_weight(server));
  if (server.active >= places) {
    full_[index] = true;
  } else if (server.active <= fill_resume_ * places) {
    full_[index] = false;
  }
  const std::uint64_t bit = std::uint64_t{1} << (index % kWordBits);
  if (server.eligible && !full_[index]) {
    room_[index / kWordBits] |= bit;
  } else {
    room_[index / kWordBits] &= ~bit;
  }
}

std::optional<std::size_t> Green::first_with_room(std::span<const std::size_t> excluded) const {
  for (std::size_t word = 0; word < room_.size(); ++word) {
    for (std::uint64_t bits = room_[word]; bits != 0; bits &= bits - 1) {
      const std::size_t index = word * kWordBits + static_cast<std::size_t>(std::countr_zero(bits));
      if (std::find(excluded.begin(), excluded.end(), index) == excluded.end()) {
        return index;
      }
    }
  }
  return std::nullopt;
}

}  // namespace copal::balance
