#include "core/base/blob.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/testing/allocation_count.h"

namespace copal {
namespace {

Blob blob_of(std::vector<std::uint8_t> bytes) {
  return Blob(bytes);
}

TEST(Blob, HoldsACopyOfTheBytes) {
  std::array<std::uint8_t, 3> source{1, 2, 3};
  const Blob blob(source);
  source[0] = 9;
  EXPECT_EQ(blob.size_bytes(), 3U);
  EXPECT_TRUE(std::ranges::equal(blob.bytes(), std::array{1, 2, 3}));
}

TEST(Blob, EmptyAllocatesNothing) {
  const auto before = testing::allocation_count();
  const Blob none;
  const Blob empty(std::span<const std::uint8_t>{});
  EXPECT_EQ(testing::allocation_count(), before);
  EXPECT_EQ(none, empty);
  EXPECT_TRUE(empty.bytes().empty());
}

TEST(Blob, HandlesShareTheBytesAndTheLastFreesThem) {  // the address sanitizer sees the rest
  Blob first = blob_of({1, 2, 3});
  const auto before = testing::allocation_count();
  Blob second = first;
  EXPECT_EQ(testing::allocation_count(), before);
  EXPECT_EQ(second.bytes().data(), first.bytes().data());
  first = Blob();
  EXPECT_EQ(second, blob_of({1, 2, 3}));
  const Blob third = std::move(second);
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move): promised
  EXPECT_EQ(second.size_bytes(), 0U);
  EXPECT_EQ(third.size_bytes(), 3U);
}

TEST(Blob, AssigningItselfKeepsIt) {
  Blob blob = blob_of({1, 2, 3});
  const Blob& same = blob;
  blob = same;
  EXPECT_EQ(blob, blob_of({1, 2, 3}));
}

TEST(Blob, MakeWritesInPlace) {
  const auto before = testing::allocation_count();
  const Blob blob = Blob::make(
      100, [](std::span<std::uint8_t> bytes) { std::ranges::fill(bytes, std::uint8_t{7}); });
  EXPECT_EQ(testing::allocation_count(), before + 1);
  EXPECT_EQ(std::ranges::count(blob.bytes(), 7), 100);
}

TEST(Blob, EqualBytesAreEqualBlobs) {
  EXPECT_EQ(blob_of({1, 2}), blob_of({1, 2}));
  EXPECT_NE(blob_of({1, 2}), blob_of({1, 3}));
  EXPECT_NE(blob_of({1, 2}), blob_of({1}));
}

}  // namespace
}  // namespace copal
