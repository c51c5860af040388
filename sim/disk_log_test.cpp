#include "sim/disk_log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/prng.h"

namespace copal::sim {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// A log over an image. Batch number n puts n under the key "last" and under a key of its own, and
/// erases that of the batch before.
struct Bed {
  DiskImage image;
  DiskLog log;

  static Bytes key(std::uint64_t number) { return {'k', static_cast<std::uint8_t>(number)}; }
  void append(TimePoint written_at = {}) {
    const std::uint64_t number = log.newest().value + 1;
    const Bytes value(20 + number, static_cast<std::uint8_t>(number));
    StorageBatch batch;
    batch.put(Family::kState, DiskImage::bytes("last"), value);
    batch.put(Family::kState, key(number), value);
    batch.erase(Family::kState, key(number - 1));
    log.append(image, StoreSequence{number}, written_at, batch.bytes());
  }
  void append_all(int count) {
    for (int i = 0; i < count; ++i) {
      append();
    }
    log.settle({});
  }
  /// Whether the image shows all batches up to this one and no other.
  void expect_shows(std::uint64_t number) const {
    EXPECT_EQ(log.newest().value, number);
    const std::string expected(20 + number, static_cast<char>(number));
    const std::string* last = image.find(Family::kState, "last");
    ASSERT_EQ(last != nullptr, number > 0);
    if (last != nullptr) {
      EXPECT_EQ(DiskImage::value_in(Family::kState, "last", *last), expected);
    }
    for (std::uint64_t i = 1; i < 100; ++i) {
      EXPECT_EQ(image.find(Family::kState, DiskImage::text(key(i))) != nullptr, i == number) << i;
    }
    image.check_invariants();
  }
};

TEST(DiskLog, APowerLossLeavesWhatIsSafeAndWhatWasKept) {
  for (std::size_t kept = 0; kept <= 5; ++kept) {
    Bed bed;
    bed.append_all(3);
    bed.log.make_safe(StoreSequence{3});
    bed.append_all(5);
    bed.expect_shows(8);
    EXPECT_EQ(bed.log.safe(), StoreSequence{3});
    EXPECT_FALSE(bed.log.lose_power(bed.image, {.kept_count = kept}));
    bed.expect_shows(3 + kept);
    EXPECT_EQ(bed.log.safe(), bed.log.newest());
    bed.append_all(1);
    bed.expect_shows(4 + kept);
  }
}

TEST(DiskLog, ATornBatchIsFoundWhereverItIsTorn) {
  Bed sizes;
  sizes.append_all(3);
  for (std::size_t torn = 1; torn < sizes.log.frame_size_bytes(1); ++torn) {
    for (const bool later_kept : {false, true}) {
      Bed bed;
      bed.append_all(3);
      const PowerLoss loss{.kept_count = 1, .torn_size_bytes = torn, .later_kept = later_kept};
      EXPECT_TRUE(bed.log.lose_power(bed.image, loss)) << torn;
      bed.expect_shows(1);
    }
  }
}

TEST(DiskLog, ABatchThatIsMissingHidesThoseBehindIt) {
  Bed bed;
  bed.append_all(5);
  EXPECT_TRUE(bed.log.lose_power(bed.image, {.kept_count = 2, .later_kept = true}));
  bed.expect_shows(2);
}

TEST(DiskLog, WhatWaitsIsLostWithTheProcessAndWithThePower) {
  for (const bool power : {false, true}) {
    Bed bed;
    for (int i = 1; i <= 5; ++i) {
      bed.append(TimePoint{Duration{i}});
    }
    bed.log.settle(TimePoint{3ns});
    EXPECT_EQ(bed.log.waiting_count(), 2U);
    EXPECT_EQ(bed.log.written_count(), 3U);
    if (power) {
      EXPECT_FALSE(bed.log.lose_power(bed.image, {.kept_count = 5, .later_kept = true}));
    } else {
      bed.log.drop_waiting(bed.image);
      EXPECT_EQ(bed.log.safe(), StoreSequence{0});
    }
    EXPECT_EQ(bed.log.waiting_size_bytes(), 0U);
    bed.expect_shows(3);
  }
}

TEST(DiskLog, TheOldestBecomeSafeWhenTooManyAreNot) {
  Bed bed;
  bed.append_all(10);
  bed.append(TimePoint{1s});
  bed.log.make_oldest_safe(4, 1'000'000);
  EXPECT_EQ(bed.log.safe(), StoreSequence{7});
  bed.log.make_oldest_safe(4, 0);
  EXPECT_EQ(bed.log.safe(), StoreSequence{10}) << "the last one still waits";
  bed.log.lose_power(bed.image, {});
  bed.expect_shows(10);
}

TEST(DiskLog, NumbersWithAGapAndTimesThatGoBackStopTheProgram) {
  Bed bed;
  bed.append(TimePoint{2s});
  StorageBatch batch;
  batch.erase(Family::kState, Bytes{1});
  EXPECT_DEATH(bed.log.append(bed.image, StoreSequence{3}, TimePoint{3s}, batch.bytes()), "newest");
  EXPECT_DEATH(bed.log.append(bed.image, StoreSequence{2}, TimePoint{1s}, batch.bytes()),
               "written_at");
}

}  // namespace
}  // namespace copal::sim
