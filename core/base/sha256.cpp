#include "core/base/sha256.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core/base/assert.h"

// The functions used here are called deprecated; their replacement (EVP) looks its algorithm up and
// allocates at every call, which makes the hash of a short key five to ten times slower.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace copal {

namespace {
static_assert(sizeof(SHA256_CTX) == 112 && alignof(SHA256_CTX) <= 8);
static_assert(std::is_trivially_copyable_v<SHA256_CTX>);

Sha256Digest finish_context(SHA256_CTX& context) {
  Sha256Digest digest;
  COPAL_ASSERT(SHA256_Final(digest.data(), &context) == 1);
  return digest;
}
}  // namespace

Sha256Digest sha256(std::span<const std::uint8_t> bytes) {
  SHA256_CTX context;
  COPAL_ASSERT(SHA256_Init(&context) == 1);
  COPAL_ASSERT(SHA256_Update(&context, bytes.data(), bytes.size()) == 1);
  return finish_context(context);
}

Sha256::Sha256() {
  SHA256_CTX context;
  COPAL_ASSERT(SHA256_Init(&context) == 1);
  std::memcpy(state_.data(), &context, sizeof context);
}

void Sha256::add(std::span<const std::uint8_t> bytes) {
  SHA256_CTX context;
  std::memcpy(&context, state_.data(), sizeof context);
  COPAL_ASSERT(SHA256_Update(&context, bytes.data(), bytes.size()) == 1);
  std::memcpy(state_.data(), &context, sizeof context);
}

Sha256Digest Sha256::finish() {
  SHA256_CTX context;
  std::memcpy(&context, state_.data(), sizeof context);
  const Sha256Digest digest = finish_context(context);
  *this = Sha256();
  return digest;
}

KeyHash hash_key(std::uint32_t cache_id, std::span<const std::uint8_t> key) {
  std::array<std::uint8_t, 4> id{};
  for (std::size_t i = 0; i < id.size(); ++i) {
    id[i] = static_cast<std::uint8_t>(cache_id >> (8 * i));
  }
  // Not by a Sha256: moving its state to and fro takes as long as hashing a short key.
  SHA256_CTX context;
  COPAL_ASSERT(SHA256_Init(&context) == 1);
  COPAL_ASSERT(SHA256_Update(&context, id.data(), id.size()) == 1);
  COPAL_ASSERT(SHA256_Update(&context, key.data(), key.size()) == 1);
  return {finish_context(context)};
}

ValueHash hash_value(std::span<const std::uint8_t> value) {
  const ValueHash hash{sha256(value)};
  COPAL_ASSERT(hash != kNoValue);
  return hash;
}

}  // namespace copal
