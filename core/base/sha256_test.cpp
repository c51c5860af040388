#include "core/base/sha256.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace copal {
namespace {

std::vector<std::uint8_t> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

std::string hex(const Sha256Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// Source of the three values: NIST, "Examples with intermediate values", SHA-256, and FIPS 180-4.
TEST(Sha256, PublishedValues) {
  EXPECT_EQ(hex(sha256(bytes_of("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256(bytes_of(std::string(1'000'000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PartsHashLikeTheWhole) {
  const std::vector<std::uint8_t> whole = bytes_of(std::string(300, 'x'));
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    Sha256 hash;
    hash.add(std::span(whole).first(cut));
    hash.add(std::span(whole).subspan(cut));
    EXPECT_EQ(hash.finish(), sha256(whole)) << "cut at " << cut;
  }
}

TEST(Sha256, FinishBeginsAnew) {
  Sha256 hash;
  hash.add(bytes_of("something else"));
  hash.finish();
  hash.add(bytes_of("abc"));
  EXPECT_EQ(hash.finish(), sha256(bytes_of("abc")));
}

TEST(HashKey, DependsOnCacheAndKey) {
  const auto key = bytes_of("my-data");
  EXPECT_EQ(hash_key(1, key), hash_key(1, key));
  EXPECT_NE(hash_key(1, key), hash_key(2, key));
  EXPECT_NE(hash_key(1, key), hash_key(1, bytes_of("my-datum")));
  // The id's length is fixed: no key of one cache reads as another id and key.
  EXPECT_EQ(hash_key(0x04030201, key).bytes, sha256(bytes_of("\x01\x02\x03\x04"
                                                             "my-data")));
}

TEST(HashValue, IsTheHashOfTheBytes) {
  EXPECT_EQ(hash_value(bytes_of("abc")).bytes, sha256(bytes_of("abc")));
  EXPECT_NE(hash_value({}), kNoValue);
}

}  // namespace
}  // namespace copal
