#include "sim/disk_image.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "core/base/prng.h"

namespace copal::sim {
namespace {

using Bytes = std::vector<std::uint8_t>;

StorageBatch::Change put(Family family, std::string_view key, std::string_view value) {
  return {family, true, DiskImage::bytes(key), DiskImage::bytes(value)};
}
StorageBatch::Change erase(Family family, std::string_view key) {
  return {family, false, DiskImage::bytes(key), {}};
}
std::optional<std::string_view> value(const DiskImage& image, Family family, std::string_view key) {
  const std::string* record = image.find(family, key);
  return record == nullptr ? std::nullopt : DiskImage::value_in(family, key, *record);
}

TEST(DiskChecksum, SeesEveryFlippedBitAndEveryLength) {
  Prng random(1, "disk checksum");
  for (std::size_t size_bytes = 0; size_bytes < 80; ++size_bytes) {
    Bytes bytes(size_bytes);
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random.next());
    }
    std::set<std::uint64_t> seen{disk_checksum(bytes, 1), disk_checksum(bytes, 2)};
    for (std::size_t bit = 0; bit < size_bytes * 8; ++bit) {
      bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      seen.insert(disk_checksum(bytes, 1));
      bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    }
    bytes.push_back(0);
    seen.insert(disk_checksum(bytes, 1));
    EXPECT_EQ(seen.size(), 3 + size_bytes * 8);
  }
}

TEST(DiskImage, KeepsFamiliesApartAndTakesChangesBack) {
  DiskImage image;
  EXPECT_FALSE(image.apply(put(Family::kState, "a", "1")).was_there);
  image.apply(put(Family::kValues, "a", "two"));
  EXPECT_EQ(value(image, Family::kState, "a"), "1");
  EXPECT_EQ(value(image, Family::kValues, "a"), "two");
  EXPECT_EQ(image.find(Family::kMNodes, "a"), nullptr);
  EXPECT_EQ(image.size_bytes(),
            image.size_bytes(Family::kState) + image.size_bytes(Family::kValues));
  EXPECT_EQ(image.size_bytes(Family::kValues), DiskImage::record_size_bytes(1, 3));
  DiskImage::Before before = image.apply(put(Family::kState, "a", ""));
  EXPECT_EQ(value(image, Family::kState, "a"), "");
  image.take_back(put(Family::kState, "a", ""), std::move(before));
  EXPECT_EQ(value(image, Family::kState, "a"), "1");
  before = image.apply(erase(Family::kState, "a"));
  EXPECT_EQ(image.find(Family::kState, "a"), nullptr);
  EXPECT_EQ(image.size_bytes(Family::kState), 0U);
  image.take_back(erase(Family::kState, "a"), std::move(before));
  EXPECT_EQ(value(image, Family::kState, "a"), "1");
  before = image.apply(erase(Family::kState, "not there"));
  image.take_back(erase(Family::kState, "not there"), std::move(before));
  EXPECT_EQ(image.find(Family::kState, "not there"), nullptr);
  image.check_invariants();
}

TEST(DiskImage, AFlippedBitIsFoundWhereverItIs) {
  Prng random(2, "flips");
  DiskImage image;
  int nameless = 0;
  for (int i = 0; i < 2000; ++i) {
    image.apply(put(Family::kMNodes, "some key", "some value"));
    ASSERT_TRUE(image.flip_bit(Family::kMNodes, "some key", random));
    EXPECT_FALSE(value(image, Family::kMNodes, "some key"));
    nameless += DiskImage::names(*image.find(Family::kMNodes, "some key"), "some key") ? 0 : 1;
  }
  EXPECT_GT(nameless, 100);
  EXPECT_LT(nameless, 1900);
  EXPECT_FALSE(image.flip_bit(Family::kMNodes, "another", random));
  EXPECT_FALSE(image.flip_bit(Family::kState, "some key", random));
}

TEST(DiskImage, AMisdirectedRecordIsFoundInBothPlaces) {
  Prng random(3, "misdirected");
  for (int count = 2; count < 12; ++count) {
    DiskImage image;
    for (int i = 0; i < count; ++i) {
      // One length and one value: only the key tells the records apart.
      image.apply(put(Family::kMNodes, std::string(4, static_cast<char>('a' + i)), "same"));
    }
    ASSERT_TRUE(image.misdirect(Family::kMNodes, "bbbb", random));
    EXPECT_FALSE(value(image, Family::kMNodes, "bbbb"));
    int damaged = 0;
    for (int i = 0; i < count; ++i) {
      damaged += value(image, Family::kMNodes, std::string(4, static_cast<char>('a' + i))) ? 0 : 1;
    }
    EXPECT_EQ(damaged, 2);
    image.check_invariants();
  }
  DiskImage image;
  image.apply(put(Family::kMNodes, "alone", "1"));
  EXPECT_FALSE(image.misdirect(Family::kMNodes, "alone", random));
  EXPECT_EQ(value(image, Family::kMNodes, "alone"), "1");
}

TEST(DiskImage, ARecordOfAnotherFamilyIsNotBelieved) {
  DiskImage image;
  image.apply(put(Family::kMNodes, "key", "value"));
  const std::string* record = image.find(Family::kMNodes, "key");
  EXPECT_TRUE(DiskImage::value_in(Family::kMNodes, "key", *record));
  EXPECT_FALSE(DiskImage::value_in(Family::kValues, "key", *record));
}

TEST(DiskImage, BytesThatNoRecordHasAreNotBelieved) {
  DiskImage image;
  image.apply(put(Family::kMNodes, "key", "value"));
  const std::string record = *image.find(Family::kMNodes, "key");
  for (std::size_t size_bytes = 0; size_bytes < record.size(); ++size_bytes) {
    EXPECT_FALSE(DiskImage::value_in(Family::kMNodes, "key", record.substr(0, size_bytes)));
  }
  EXPECT_FALSE(DiskImage::value_in(Family::kMNodes, "key", std::string(record.size(), '\0')));
}

}  // namespace
}  // namespace copal::sim
