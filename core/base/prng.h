#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "core/base/hash.h"
#include "core/ports/random.h"

namespace copal {

/// A stream of random numbers that is the same on every machine: xoshiro256++.
/// Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021.
class Prng final : public Random {
 public:
  /// One stream per purpose, from the one seed of a run. index tells streams of one purpose apart.
  Prng(std::uint64_t seed, std::string_view purpose, std::uint64_t index = 0) {
    std::uint64_t state = mix64(mix64(seed, hash_bytes(purpose.data(), purpose.size())), index);
    for (std::uint64_t& word : state_) {
      state = mix64(state);
      word = state;
    }
  }

  std::uint64_t next() override {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

 private:
  std::uint64_t state_[4];
};

}  // namespace copal
