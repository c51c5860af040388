#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/balance/policy.h"
#include "core/ports/random.h"

namespace copal::balance {

/// Draws servers at random, each as often as its effective weight says (weight.h), with or without
/// replacement: what all random policies share. A draw is one random number, a subtraction of those
/// already taken and a binary search over prefix sums; with equal weights no search.
///
/// Weights are kept as whole units, about 2^31 in all, at least one each: a share is exact to one
/// part in 2^31 of the total, and every machine rounds alike.
class WeightedDraw {
 public:
  /// Those that a draw leaves out: already drawn, or excluded. At most kTakenMax.
  class Taken {
   public:
    static constexpr std::size_t kTakenMax = 64;
    std::size_t count() const { return count_; }

   private:
    friend class WeightedDraw;
    std::array<std::uint32_t, kTakenMax> positions_;  // ascending
    std::uint32_t count_ = 0;
    std::uint32_t units_ = 0;
  };

  /// Takes the weights of all eligible servers. May allocate.
  void rebuild(std::span<const ServerView> servers);

  /// How many servers may be drawn.
  std::size_t count() const { return servers_.size(); }

  /// From now on the draws with `taken` leave this server out. Does nothing if they do already or
  /// if the server is not eligible. taken holds fewer than kTakenMax (asserted).
  void take(Taken& taken, std::size_t index) const;
  /// A Taken with the servers that this choice excludes.
  Taken without(const Choice& choice) const;

  /// Returns a server that is not taken; nothing if all are. Draws one number, allocates nothing.
  std::optional<std::size_t> draw(Random& random, const Taken& taken) const;

 private:
  static constexpr std::uint32_t kNoPosition = 0xffff'ffff;

  std::uint32_t start(std::size_t position) const {
    return equal_ ? static_cast<std::uint32_t>(position) : starts_[position];
  }
  std::uint32_t units(std::size_t position) const {
    return equal_ ? 1 : starts_[position + 1] - starts_[position];
  }
  std::size_t find(std::uint32_t unit) const;

  std::vector<std::uint32_t> servers_;   // eligible, by position, in the order of the list
  std::vector<std::uint32_t> position_;  // by server; kNoPosition if not eligible
  std::vector<std::uint32_t> starts_;    // first unit of each position, and the total at the end
  bool equal_ = true;
};

}  // namespace copal::balance
