#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>

// SHA-256 and the types of what it names. Keys and values are known by their hashes everywhere:
// equal hashes are equal bytes.

namespace copal {

namespace detail {
/// 32 bytes, ordered as a big-endian number, so that sorted tables and stores agree.
template <class Tag>
struct Hash256 {
  std::array<std::uint8_t, 32> bytes{};
  constexpr auto operator<=>(const Hash256&) const = default;
};
}  // namespace detail

/// Hash of (cache, key). Names an m-node; decides its owner order and its slice.
using KeyHash = detail::Hash256<struct KeyHashTag>;
/// Hash of a value's bytes. Names the bytes wherever they are; see kNoValue.
using ValueHash = detail::Hash256<struct ValueHashTag>;

/// The value hash of an m-node without a value: a tombstone.
inline constexpr ValueHash kNoValue{};

using Sha256Digest = std::array<std::uint8_t, 32>;

/// SHA-256 of the bytes, FIPS 180-4. Allocates nothing.
Sha256Digest sha256(std::span<const std::uint8_t> bytes);

/// SHA-256 of bytes that come in parts. Allocates nothing.
class Sha256 {
 public:
  Sha256();

  void add(std::span<const std::uint8_t> bytes);
  /// Returns the hash of all that was added, and begins anew.
  Sha256Digest finish();

 private:
  // As large as the library's state and as strictly aligned (asserted in sha256.cpp): its header
  // stays out of the core's.
  alignas(8) std::array<std::byte, 112> state_;
};

/// The key hash of a key in a cache: of the cache's id (4 bytes, little-endian; a cleared cache
/// has a new one) and the key's bytes.
KeyHash hash_key(std::uint32_t cache_id, std::span<const std::uint8_t> key);

/// The value hash of a value. Bytes never hash to kNoValue as far as anyone knows; asserted.
ValueHash hash_value(std::span<const std::uint8_t> value);

}  // namespace copal
