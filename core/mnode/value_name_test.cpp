#include "core/mnode/value_name.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace copal {
namespace {

std::vector<std::uint8_t> bytes_of_size(std::size_t size_bytes) {
  std::vector<std::uint8_t> bytes(size_bytes);
  for (std::size_t i = 0; i < size_bytes; ++i) {
    bytes[i] = static_cast<std::uint8_t>(i + 1);
  }
  return bytes;
}

TEST(ValueName, UpTo32BytesStandInTheName) {
  for (const std::size_t size_bytes : {0U, 1U, 31U, 32U}) {
    const auto bytes = bytes_of_size(size_bytes);
    const ValueName name = name_value(bytes);
    EXPECT_TRUE(name.is_inline);
    EXPECT_TRUE(std::ranges::equal(inline_bytes(name), bytes));
    EXPECT_FALSE(name.is_absent());
    EXPECT_TRUE(is_valid(name));
  }
}

TEST(ValueName, LongerOnesGoByTheirHash) {
  const auto bytes = bytes_of_size(33);
  const ValueName name = name_value(bytes);
  EXPECT_FALSE(name.is_inline);
  EXPECT_EQ(name.hash, hash_value(bytes));
  EXPECT_EQ(name.size_bytes, 33U);
  EXPECT_TRUE(is_valid(name));
  EXPECT_DEATH(inline_bytes(name), "is_inline");
}

TEST(ValueName, AnMNodeGivesBackTheNameItWasGiven) {
  MNode mnode;
  mnode.user_flags = 7;
  for (const std::size_t size_bytes : {40U, 5U, 40U, 0U}) {
    const ValueName name = name_value(bytes_of_size(size_bytes));
    set_value(mnode, name);
    EXPECT_EQ(value_name(mnode), name);
    EXPECT_EQ(mnode.user_flags, 7U);
    EXPECT_FALSE(mnode.is_tombstone());
  }
  set_value(mnode, ValueName{});
  EXPECT_TRUE(mnode.is_tombstone());
  EXPECT_TRUE(value_name(mnode).is_absent());
}

TEST(ValueName, NamesThatNoValueHasAreSeen) {
  ValueName long_inline = name_value(bytes_of_size(32));
  long_inline.size_bytes = 33;
  EXPECT_FALSE(is_valid(long_inline));
  ValueName dirty = name_value(bytes_of_size(5));
  dirty.hash.bytes[31] = 1;
  EXPECT_FALSE(is_valid(dirty));
  ValueName short_hash = name_value(bytes_of_size(33));
  short_hash.size_bytes = 32;
  EXPECT_FALSE(is_valid(short_hash));
  ValueName sized_absent;
  EXPECT_TRUE(is_valid(sized_absent));
  sized_absent.size_bytes = 1;
  EXPECT_FALSE(is_valid(sized_absent));
}

}  // namespace
}  // namespace copal
