#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

// Hashes that are not for security: the same on every machine, for rings, tables and traces.

namespace copal {

/// Spreads the bits of a number over all 64 bits; a bijection.
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014 (splitmix64).
constexpr std::uint64_t mix64(std::uint64_t value) {
  value += 0x9e37'79b9'7f4a'7c15u;
  value = (value ^ (value >> 30)) * 0xbf58'476d'1ce4'e5b9u;
  value = (value ^ (value >> 27)) * 0x94d0'49bb'1331'11ebu;
  return value ^ (value >> 31);
}

/// One hash of two numbers; the order matters.
constexpr std::uint64_t mix64(std::uint64_t first, std::uint64_t second) {
  return mix64(mix64(first) ^ (second * 0xff51'afd7'ed55'8ccdu));
}

/// FNV-1a over the bytes, then mixed.
/// Source: Fowler, Noll, Vo, http://www.isthe.com/chongo/tech/comp/fnv/
constexpr std::uint64_t hash_bytes(const char* bytes, std::size_t size_bytes,
                                   std::uint64_t seed = 0) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325u ^ mix64(seed);
  for (std::size_t i = 0; i < size_bytes; ++i) {
    hash ^= static_cast<unsigned char>(bytes[i]);
    hash *= 0x0000'0100'0000'01b3u;
  }
  return mix64(hash);
}

}  // namespace copal
