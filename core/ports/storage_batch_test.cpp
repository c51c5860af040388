#include "core/ports/storage_batch.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "core/base/prng.h"

namespace copal {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(StorageBatch, GivesBackItsChangesInOrder) {
  StorageBatch batch;
  EXPECT_TRUE(batch.empty());
  EXPECT_TRUE(StorageChanges(batch.bytes()).done());
  batch.put(Family::kState, Bytes{1, 2}, Bytes{3});
  batch.erase(Family::kValues, Bytes{4});
  EXPECT_FALSE(batch.empty());
  EXPECT_EQ(batch.size_bytes(), 8U + 3 + 8 + 1);
  StorageChanges changes(batch.bytes());
  const StorageBatch::Change put = changes.next();
  EXPECT_TRUE(put.is_put);
  EXPECT_EQ(put.family, Family::kState);
  EXPECT_EQ(Bytes(put.key.begin(), put.key.end()), (Bytes{1, 2}));
  EXPECT_EQ(Bytes(put.value.begin(), put.value.end()), Bytes{3});
  const StorageBatch::Change erase = changes.next();
  EXPECT_FALSE(erase.is_put);
  EXPECT_EQ(erase.family, Family::kValues);
  EXPECT_EQ(Bytes(erase.key.begin(), erase.key.end()), Bytes{4});
  EXPECT_TRUE(erase.value.empty());
  EXPECT_TRUE(changes.done());
}

TEST(StorageBatch, AnyChangesComeBackAsTheyWerePut) {
  Prng random(1, "storage batch");
  StorageBatch batch;
  for (int round = 0; round < 200; ++round) {
    batch.clear();
    std::vector<std::tuple<Family, bool, Bytes, Bytes>> expected;
    for (std::uint32_t i = draw_below(random, 20); i > 0; --i) {
      const auto family = static_cast<Family>(draw_below(random, kFamilyCount));
      const auto byte = static_cast<std::uint8_t>(draw_below(random, 256));
      const Bytes key(1 + draw_below(random, kStorageKeyMaxBytes), byte);
      const Bytes value(draw_below(random, 300), static_cast<std::uint8_t>(byte + 1));
      if (draw_below(random, 2) == 0) {
        batch.put(family, key, value);
        expected.emplace_back(family, true, key, value);
      } else {
        batch.erase(family, key);
        expected.emplace_back(family, false, key, Bytes{});
      }
    }
    StorageChanges changes(batch.bytes());
    for (const auto& [family, is_put, key, value] : expected) {
      const StorageBatch::Change change = changes.next();
      EXPECT_EQ(change.family, family);
      EXPECT_EQ(change.is_put, is_put);
      EXPECT_EQ(Bytes(change.key.begin(), change.key.end()), key);
      EXPECT_EQ(Bytes(change.value.begin(), change.value.end()), value);
    }
    EXPECT_TRUE(changes.done());
  }
}

TEST(StorageBatch, WhatDoesNotFitStopsTheProgram) {
  StorageBatch batch;
  EXPECT_DEATH(batch.put(Family::kState, {}, Bytes{1}), "key");
  EXPECT_DEATH(batch.erase(Family::kState, Bytes(kStorageKeyMaxBytes + 1)), "key");
  EXPECT_DEATH(batch.put(Family::kState, Bytes{1}, Bytes(kStorageValueMaxBytes + 1)), "value");
  const Bytes largest(kStorageValueMaxBytes);
  batch.put(Family::kValues, Bytes(kStorageKeyMaxBytes), largest);
  EXPECT_DEATH(batch.put(Family::kValues, Bytes{1}, largest), "kStorageBatchMaxBytes");
  const Bytes cut(batch.bytes().begin(), batch.bytes().begin() + 100);
  EXPECT_DEATH(StorageChanges(cut).next(), "size_bytes");
}

}  // namespace
}  // namespace copal
