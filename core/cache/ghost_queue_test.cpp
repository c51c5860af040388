#include "core/cache/ghost_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "core/base/prng.h"
#include "core/testing/allocation_count.h"

namespace copal {
namespace {

TEST(GhostQueue, TheOldestMakeRoom) {
  GhostQueue ghosts(10);
  for (std::uint64_t hash = 1; hash <= 5; ++hash) {
    ghosts.add(hash, 2);
  }
  EXPECT_EQ(ghosts.size_bytes(), 10u);
  ghosts.add(6, 3);
  EXPECT_EQ(ghosts.count(), 4u);
  EXPECT_FALSE(ghosts.take(1));
  EXPECT_FALSE(ghosts.take(2));
  EXPECT_TRUE(ghosts.take(3));
  EXPECT_FALSE(ghosts.take(3));
  EXPECT_EQ(ghosts.size_bytes(), 7u);
}

TEST(GhostQueue, WhatIsLargerThanAllOfItIsNotKept) {
  GhostQueue ghosts(10);
  ghosts.add(1, 2);
  ghosts.add(2, 11);
  EXPECT_FALSE(ghosts.take(2));
  EXPECT_TRUE(ghosts.take(1));
  ghosts.add(2, 10);
  EXPECT_TRUE(ghosts.take(2));
  GhostQueue none(0);
  none.add(1, 1);
  EXPECT_EQ(none.count(), 0u);
}

TEST(GhostQueue, AddedAgainIsTheNewest) {
  GhostQueue ghosts(3);
  ghosts.add(1, 1);
  ghosts.add(2, 1);
  ghosts.add(1, 1);
  ghosts.add(3, 1);
  ghosts.add(4, 1);
  EXPECT_FALSE(ghosts.take(2));
  EXPECT_TRUE(ghosts.take(1));
}

TEST(GhostQueue, AllocatesNothingOnceItWasFull) {
  GhostQueue ghosts(100);
  for (std::uint64_t hash = 0; hash < 1'000; ++hash) {
    ghosts.add(hash, 1);
  }
  const std::uint64_t before = testing::allocation_count();
  for (std::uint64_t hash = 1'000; hash < 3'000; ++hash) {
    ghosts.add(hash, 1);
    ghosts.take(hash - 50);
  }
  EXPECT_EQ(testing::allocation_count(), before);
  ghosts.check_invariants();
}

TEST(GhostQueue, AgreesWithAModelOverRandomChanges) {
  Prng random(1, "ghost queue");
  GhostQueue ghosts(60);
  std::deque<std::pair<std::uint64_t, std::uint32_t>> model;
  const auto model_size = [&model] {
    std::uint64_t size = 0;
    for (const auto& [hash, size_bytes] : model) {
      size += size_bytes;
    }
    return size;
  };
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t hash = draw_below(random, 40);
    const std::uint32_t size_bytes = 1 + draw_below(random, 20) / 10 * draw_below(random, 70);
    const auto held =
        std::ranges::find(model, hash, &std::pair<std::uint64_t, std::uint32_t>::first);
    const bool was_held = held != model.end();
    if (was_held) {
      model.erase(held);
    }
    if (draw_below(random, 3) == 0) {
      ASSERT_EQ(ghosts.take(hash), was_held);
    } else {
      ghosts.add(hash, size_bytes);
      if (size_bytes <= 60) {
        model.emplace_back(hash, size_bytes);
      }
      while (model_size() > 60) {
        model.pop_front();
      }
    }
    ASSERT_EQ(ghosts.size_bytes(), model_size());
    ASSERT_EQ(ghosts.count(), model.size());
    ghosts.check_invariants();
  }
  for (const auto& [hash, size_bytes] : model) {
    EXPECT_TRUE(ghosts.take(hash));
  }
}

}  // namespace
}  // namespace copal
