#include "core/cache/eviction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "core/cache/eviction_choice.h"
#include "core/testing/allocation_count.h"
#include "core/testing/eviction_replay.h"
#include "core/testing/reference_eviction.h"

// What all policies share, and each against its slow twin.

namespace copal {
namespace {

using testing::EvictionReplay;
using testing::make_reference;

std::string name_of(Eviction eviction) {
  return std::string(eviction_names()[static_cast<std::size_t>(eviction)]);
}

EvictionReplay replay(Eviction eviction, std::uint64_t limit_bytes) {
  return EvictionReplay(make_eviction_policy(eviction, limit_bytes));
}

/// A few keys often, many seldom, and now and then a scan: what tells policies apart.
class Traffic {
 public:
  Traffic(std::uint64_t seed, std::uint32_t keys) : random_(seed, "eviction"), keys_(keys) {}

  std::uint64_t next() {
    if (scan_left_ > 0) {
      --scan_left_;
      return 1'000'000 + scan_++;
    }
    if (draw_below(random_, 400) == 0) {
      scan_left_ = draw_below(random_, keys_);
    }
    const double skewed = draw_unit(random_) * draw_unit(random_) * draw_unit(random_);
    // What is popular moves on slowly.
    const std::uint64_t moved = ++count_ / 5'000 * 7;
    return moved + static_cast<std::uint64_t>(skewed * keys_);
  }
  Prng& random() { return random_; }

 private:
  Prng random_;
  std::uint32_t keys_;
  std::uint32_t scan_left_ = 0;
  std::uint64_t scan_ = 0;
  std::uint64_t count_ = 0;
};

class EveryEviction : public ::testing::TestWithParam<Eviction> {};

TEST_P(EveryEviction, HasTheSameHitsAsItsTwinWhenItemsAreCounted) {
  for (const std::uint64_t limit : {1u, 2u, 3u, 9u, 10u, 11u, 64u, 100u, 101u, 333u, 1'000u}) {
    Traffic traffic(limit, 3'000);
    EvictionReplay fast = replay(GetParam(), limit);
    const auto slow = make_reference(GetParam(), limit);
    std::uint64_t hits = 0;
    for (int i = 0; i < 30'000; ++i) {
      const std::uint64_t key = traffic.next();
      const bool hit = fast.request(key);
      ASSERT_EQ(hit, slow->request(key, 1)) << "limit " << limit << ", request " << i;
      hits += hit ? 1 : 0;
    }
    EXPECT_GT(hits, 0u);
    fast.policy().check_invariants();
    EXPECT_EQ(fast.count(), limit);
  }
}

TEST_P(EveryEviction, HoldsTheSameItemsAsItsTwinThroughSizesAndRemovals) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Traffic traffic(seed, 500);
    const std::uint64_t limit = 50 + draw_below(traffic.random(), 3'000);
    EvictionReplay fast = replay(GetParam(), limit);
    const auto slow = make_reference(GetParam(), limit);
    for (int i = 0; i < 4'000; ++i) {
      const std::uint64_t key = traffic.next();
      if (draw_below(traffic.random(), 20) == 0) {
        ASSERT_EQ(fast.remove(key), slow->remove(key));
      } else {
        // Mostly the key's own size; sometimes another, up to all there is.
        const bool other = draw_below(traffic.random(), 10) == 0;
        const std::uint32_t most = other ? static_cast<std::uint32_t>(limit) : 40;
        const std::uint32_t size = 1 + (other ? draw_below(traffic.random(), most)
                                              : static_cast<std::uint32_t>(mix64(key) % most));
        ASSERT_EQ(fast.request(key, size), slow->request(key, size))
            << "seed " << seed << ", request " << i;
      }
      ASSERT_EQ(fast.holds(key), slow->holds(key)) << "seed " << seed << ", request " << i;
      ASSERT_LE(fast.policy().size_bytes(), limit);
      if (i % 50 == 0) {
        fast.policy().check_invariants();
      }
    }
    for (std::uint64_t key = 0; key < 1'000; ++key) {
      ASSERT_EQ(fast.holds(key), slow->holds(key)) << "seed " << seed << ", key " << key;
    }
  }
}

TEST_P(EveryEviction, GivesNothingUpWhileAllFits) {
  EvictionReplay cache = replay(GetParam(), 1'000);
  for (std::uint64_t round = 0; round < 5; ++round) {
    for (std::uint64_t key = 0; key < 100; ++key) {
      EXPECT_EQ(cache.request(key, 10), round > 0);
    }
  }
  EXPECT_EQ(cache.policy().size_bytes(), 1'000u);
  EXPECT_EQ(cache.count(), 100u);
}

TEST_P(EveryEviction, KeepsOneItemAsLargeAsTheLimit) {
  EvictionReplay cache = replay(GetParam(), 100);
  EXPECT_FALSE(cache.request(1, 100));
  EXPECT_TRUE(cache.request(1, 100));
  EXPECT_TRUE(cache.request(1, 30));
  EXPECT_TRUE(cache.request(1, 100));
  EXPECT_EQ(cache.policy().size_bytes(), 100u);
}

TEST_P(EveryEviction, RefusesSizesThatCanNotBe) {
  EvictionReplay cache = replay(GetParam(), 100);
  EXPECT_DEATH(cache.request(1, 101), "size_bytes");
  EXPECT_DEATH(cache.request(1, 0), "size_bytes");
  cache.request(1, 100);
  EXPECT_DEATH(cache.request(1, 101), "size_bytes");
  EXPECT_DEATH(cache.request(1, 0), "size_bytes");
}

TEST_P(EveryEviction, AllocatesNothingForAHit) {
  EvictionReplay cache = replay(GetParam(), 1'000);
  Traffic traffic(1, 2'000);
  for (int i = 0; i < 20'000; ++i) {
    cache.request(traffic.next());
  }
  std::uint64_t hits = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t key = traffic.next();
    if (cache.holds(key)) {
      const std::uint64_t before = testing::allocation_count();
      ASSERT_TRUE(cache.request(key));
      ASSERT_EQ(testing::allocation_count(), before);
      ++hits;
    }
  }
  EXPECT_GT(hits, 1'000u);
}

TEST_P(EveryEviction, AScanDisplacesWhatIsUsedOnlyUnderLru) {
  EvictionReplay cache = replay(GetParam(), 100);
  for (int round = 0; round < 4; ++round) {
    for (std::uint64_t key = 0; key < 80; ++key) {
      cache.request(key);
    }
  }
  for (std::uint64_t key = 1'000; key < 2'000; ++key) {
    cache.request(key);
  }
  std::uint64_t kept = 0;
  for (std::uint64_t key = 0; key < 80; ++key) {
    kept += cache.holds(key) ? 1 : 0;
  }
  if (GetParam() == Eviction::kLru) {
    EXPECT_EQ(kept, 0u);
  } else {
    EXPECT_GE(kept, 75u);  // the sketch takes a few strangers for regulars
  }
}

INSTANTIATE_TEST_SUITE_P(Eviction, EveryEviction, ::testing::ValuesIn(testing::kEveryEviction),
                         [](const auto& of) { return name_of(of.param); });

TEST(EvictionChoice, NamesFollowTheEnumerators) {
  ASSERT_EQ(eviction_names().size(), testing::kEveryEviction.size());
  EXPECT_EQ(name_of(Eviction::kLru), "lru");
  EXPECT_EQ(name_of(Eviction::kS3Fifo), "s3_fifo");
  EXPECT_EQ(name_of(Eviction::kWTinyLfu), "w_tiny_lfu");
}

TEST(EvictionQueue, KeepsOrderCountAndSizes) {
  EvictionQueue queue;
  EvictionItem one{.size_bytes = 1};
  EvictionItem two{.size_bytes = 2};
  EvictionItem three{.size_bytes = 3};
  EXPECT_TRUE(queue.empty());
  for (EvictionItem* item : {&one, &two, &three}) {
    queue.push_newest(*item);
  }
  queue.check_invariants(0);
  queue.move_to_newest(three);
  queue.move_to_newest(one);
  EXPECT_EQ(queue.oldest(), &two);
  queue.resize(two, 20);
  queue.remove(three);
  EXPECT_EQ(queue.size_bytes(), 21u);
  EXPECT_EQ(queue.count(), 2u);
  queue.check_invariants(0);
  EXPECT_EQ(&queue.take_oldest(), &two);
  EXPECT_EQ(&queue.take_oldest(), &one);
  EXPECT_EQ(queue.size_bytes(), 0u);
  queue.check_invariants(0);
  EXPECT_DEATH(queue.take_oldest(), "oldest");
}

}  // namespace
}  // namespace copal
