#include "core/cache/near_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "core/testing/allocation_count.h"
#include "core/testing/reference_eviction.h"

namespace copal {
namespace {

constexpr std::uint64_t kOverhead = NearCache::kOverheadBytes;

KeyHash numbered_key(std::uint32_t number) {
  const std::string text = "key " + std::to_string(number);
  return hash_key(1, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}
MNode numbered_mnode(std::uint32_t number, std::uint32_t user_flags = 0) {
  MNode mnode;
  mnode.key = numbered_key(number);
  mnode.user_flags = user_flags;
  return mnode;
}
Blob bytes_of(std::size_t size_bytes) {
  return Blob(std::vector<std::uint8_t>(size_bytes, 7));
}
TimePoint at(int seconds) {
  return TimePoint{std::chrono::seconds{seconds}};
}
/// With room for this many copies of values of 100 bytes.
NearCache cache_for(std::uint64_t count, Eviction eviction = NearCacheConfig{}.eviction) {
  return NearCache({.limit_bytes = count * (100 + kOverhead), .eviction = eviction});
}

TEST(NearCache, FindsWhatWasPutAndCountsHitsAndMisses) {
  NearCache cache = cache_for(100);
  EXPECT_EQ(cache.find(numbered_key(1)), nullptr);
  EXPECT_TRUE(cache.put(numbered_mnode(1, 5), bytes_of(100), at(3)));
  const NearCopy* copy = cache.find(numbered_key(1));
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(copy->mnode.key, numbered_key(1));
  EXPECT_EQ(copy->mnode.user_flags, 5u);
  EXPECT_EQ(copy->value, bytes_of(100));
  EXPECT_EQ(copy->checked, at(3));
  EXPECT_EQ(cache.peek(numbered_key(1)), copy);
  EXPECT_EQ(cache.peek(numbered_key(2)), nullptr);
  EXPECT_EQ(cache.counts().hits, 1u);
  EXPECT_EQ(cache.counts().misses, 1u);
  EXPECT_EQ(cache.count(), 1u);
  EXPECT_EQ(cache.size_bytes(), 100 + kOverhead);
  cache.check_invariants();
}

TEST(NearCache, ReplacingChargesTheNewValueAndSharesItsBytes) {
  NearCache cache = cache_for(100);
  const Blob value = bytes_of(50);
  cache.put(numbered_mnode(1, 1), bytes_of(100), at(1));
  EXPECT_TRUE(cache.put(numbered_mnode(1, 2), value, at(2)));
  EXPECT_EQ(cache.peek(numbered_key(1))->mnode.user_flags, 2u);
  EXPECT_EQ(cache.peek(numbered_key(1))->checked, at(2));
  EXPECT_EQ(cache.peek(numbered_key(1))->value.bytes().data(), value.bytes().data());
  EXPECT_EQ(cache.size_bytes(), 50 + kOverhead);
  EXPECT_TRUE(cache.put(numbered_mnode(1, 3), Blob(), at(2)));
  EXPECT_EQ(cache.size_bytes(), kOverhead);
  EXPECT_EQ(cache.count(), 1u);
  cache.check_invariants();
}

TEST(NearCache, ConfirmingNeverGoesBack) {
  NearCache cache = cache_for(100);
  EXPECT_FALSE(cache.confirm(numbered_key(1), kNoVersion, at(1)));
  cache.put(numbered_mnode(1), bytes_of(100), at(5));
  EXPECT_TRUE(cache.confirm(numbered_key(1), kNoVersion, at(4)));
  EXPECT_EQ(cache.peek(numbered_key(1))->checked, at(5));
  EXPECT_FALSE(cache.confirm(numbered_key(1), {1, 0, {}}, at(6))) << "another state";
  EXPECT_TRUE(cache.confirm(numbered_key(1), kNoVersion, at(6)));
  EXPECT_EQ(cache.peek(numbered_key(1))->checked, at(6));
  EXPECT_EQ(cache.peek(numbered_key(1))->mnode.accessed, at(6)) << "asking was a use";
}

TEST(NearCache, AnOutdatedCopyStaysAndIsOldUntilItIsConfirmed) {
  NearCache cache = cache_for(100);
  cache.outdate(numbered_key(1), at(4));
  EXPECT_EQ(cache.count(), 0u);
  cache.put(numbered_mnode(1), bytes_of(100), at(5));
  cache.outdate(numbered_key(1), at(6));
  ASSERT_NE(cache.peek_readable(numbered_key(1)), nullptr);
  EXPECT_GT(at(5) - cache.peek(numbered_key(1))->checked, std::chrono::hours{24 * 365 * 50});
  EXPECT_TRUE(cache.confirm(numbered_key(1), kNoVersion, at(5))) << "it is here";
  EXPECT_LT(cache.peek(numbered_key(1))->checked, at(0)) << "but that was asked before";
  EXPECT_TRUE(cache.confirm(numbered_key(1), kNoVersion, at(7)));
  EXPECT_EQ(cache.peek(numbered_key(1))->checked, at(7));
  cache.check_invariants();
}

TEST(NearCache, WhatHasItsBytesStandsBesideWhatHasNot) {
  const auto state = [](std::uint64_t counter) {
    MNode mnode = numbered_mnode(1);
    mnode.version.counter = counter;
    mnode.value_hash.bytes[0] = static_cast<std::uint8_t>(counter);
    return mnode;
  };
  const auto readable = [](const NearCache& cache) {
    const NearCopy* copy = cache.peek_readable(numbered_key(1));
    return copy == nullptr ? 0 : copy->mnode.version.counter;
  };
  NearCache cache = cache_for(100);
  EXPECT_TRUE(cache.put(state(4), Blob(), at(1)));
  EXPECT_EQ(readable(cache), 0u);
  EXPECT_TRUE(cache.put(state(5), bytes_of(100), at(1)));
  EXPECT_EQ(cache.size_bytes(), 100 + kOverhead);
  for (const std::uint64_t newer : {7u, 8u}) {
    EXPECT_TRUE(cache.put(state(newer), Blob(), at(2)));
    EXPECT_EQ(cache.peek(numbered_key(1))->mnode.version.counter, newer);
    EXPECT_EQ(readable(cache), 5u);
    EXPECT_EQ(cache.size_bytes(), 100 + kOverhead + sizeof(NearCopy)) << "both are charged";
    cache.check_invariants();
  }
  EXPECT_FALSE(cache.confirm(numbered_key(1), state(7).version, at(3))) << "no more here";
  EXPECT_TRUE(cache.confirm(numbered_key(1), state(8).version, at(3)));
  EXPECT_EQ(readable(cache), 5u);
  cache.outdate(numbered_key(1), at(4));
  EXPECT_TRUE(cache.confirm(numbered_key(1), state(5).version, at(3))) << "overtaken by an event";
  EXPECT_EQ(cache.peek(numbered_key(1))->mnode.version.counter, 8u);
  EXPECT_TRUE(cache.confirm(numbered_key(1), state(5).version, at(4))) << "the owner went back";
  EXPECT_EQ(cache.peek(numbered_key(1))->mnode.version.counter, 5u);
  EXPECT_EQ(cache.peek(numbered_key(1))->checked, at(4));
  EXPECT_EQ(cache.size_bytes(), 100 + kOverhead);
  EXPECT_TRUE(cache.put(state(8), Blob(), at(5)));
  EXPECT_TRUE(cache.put(state(8), bytes_of(90), at(5)));
  EXPECT_EQ(readable(cache), 8u);
  EXPECT_EQ(cache.size_bytes(), 90 + kOverhead);
  cache.check_invariants();
}

TEST(NearCache, ErasedAndClearedCopiesAreGone) {
  NearCache cache = cache_for(100);
  for (std::uint32_t i = 0; i < 10; ++i) {
    cache.put(numbered_mnode(i), bytes_of(100), at(1));
  }
  EXPECT_TRUE(cache.erase(numbered_key(3)));
  EXPECT_FALSE(cache.erase(numbered_key(3)));
  EXPECT_EQ(cache.peek(numbered_key(3)), nullptr);
  EXPECT_EQ(cache.size_bytes(), 9 * (100 + kOverhead));
  // The key that is erased may stand in the copy itself.
  EXPECT_TRUE(cache.erase(cache.peek(numbered_key(4))->mnode.key));
  cache.check_invariants();
  cache.clear();
  EXPECT_EQ(cache.count(), 0u);
  EXPECT_EQ(cache.size_bytes(), 0u);
  EXPECT_EQ(cache.peek(numbered_key(1)), nullptr);
  EXPECT_EQ(cache.counts().evictions, 0u);
  cache.put(numbered_mnode(1), bytes_of(100), at(1));
  cache.check_invariants();
}

TEST(NearCache, ALimitOfZeroKeepsNothing) {
  NearCache cache({.limit_bytes = 0});
  EXPECT_FALSE(cache.put(numbered_mnode(1), Blob(), at(1)));
  EXPECT_EQ(cache.find(numbered_key(1)), nullptr);
  EXPECT_EQ(cache.count(), 0u);
  EXPECT_EQ(cache.counts().too_large, 1u);
  cache.check_invariants();
}

TEST(NearCache, ACopyOfMoreThanATenthIsNotKeptAndTheOldOneGoes) {
  NearCache cache({.limit_bytes = 100'000});
  const std::size_t largest = 10'000 - kOverhead;
  EXPECT_TRUE(cache.put(numbered_mnode(1), bytes_of(largest), at(1)));
  EXPECT_FALSE(cache.put(numbered_mnode(1), bytes_of(largest + 1), at(2)));
  EXPECT_EQ(cache.peek(numbered_key(1)), nullptr);
  EXPECT_EQ(cache.count(), 0u);
  EXPECT_EQ(cache.counts().too_large, 1u);
  EXPECT_EQ(cache.counts().evictions, 0u);
  cache.check_invariants();
}

TEST(NearCache, ChargesAtLeastWhatACopyTakes) {
  EXPECT_GE(kOverhead, sizeof(EvictionItem) + sizeof(NearCopy));
  EXPECT_LE(kOverhead, 300u);  // a charge far above the truth would waste the limit
}

class NearCacheOfAnyPolicy : public ::testing::TestWithParam<Eviction> {};

TEST_P(NearCacheOfAnyPolicy, KeepsToItsLimitAndCountsWhatWasGivenUp) {
  NearCache cache = cache_for(50, GetParam());
  for (std::uint32_t i = 0; i < 200; ++i) {
    EXPECT_TRUE(cache.put(numbered_mnode(i), bytes_of(100), at(1)) ||
                cache.peek(numbered_key(i)) == nullptr);
  }
  EXPECT_EQ(cache.count(), 50u);
  EXPECT_EQ(cache.size_bytes(), cache.limit_bytes());
  EXPECT_EQ(cache.counts().evictions, 150u);
  cache.check_invariants();
}

TEST_P(NearCacheOfAnyPolicy, AHitAllocatesNothing) {
  NearCache cache = cache_for(1'000, GetParam());
  std::vector<KeyHash> keys;
  for (std::uint32_t i = 0; i < 2'000; ++i) {
    keys.push_back(numbered_key(i));
    cache.put(numbered_mnode(i), bytes_of(100), at(1));
  }
  const std::uint64_t before = testing::allocation_count();
  for (int round = 0; round < 20; ++round) {
    for (const KeyHash& key : keys) {
      cache.find(key);
      cache.confirm(key, kNoVersion, at(round));
    }
  }
  EXPECT_EQ(testing::allocation_count(), before);
  EXPECT_EQ(cache.counts().hits, 20'000u);
  EXPECT_EQ(cache.counts().misses, 20'000u);
}

TEST_P(NearCacheOfAnyPolicy, AgreesWithAModelOverRandomChanges) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Prng random(seed, "near cache");
    NearCache cache = cache_for(30, GetParam());
    // Newest contents of each key: whatever is here must be that; what is here is the policy's.
    std::map<std::uint32_t, NearCopy> model;
    NearCache::Counts counts;
    for (int step = 0; step < 5'000; ++step) {
      const std::uint32_t number = draw_below(random, 60) * draw_below(random, 60) / 60;
      const KeyHash key = numbered_key(number);
      const bool here = cache.peek(key) != nullptr;
      switch (draw_below(random, 8)) {
        case 0:
          ASSERT_EQ(cache.erase(key), here);
          ASSERT_EQ(cache.peek(key), nullptr);
          break;
        case 1:
          ASSERT_EQ(cache.confirm(key, kNoVersion, at(step)), here);
          model[number].checked = at(step);
          break;
        case 2:
        case 3:
        case 4: {
          const Blob value = bytes_of(draw_below(random, 500) * draw_below(random, 4));
          const std::uint64_t charge = value.size_bytes() + kOverhead;
          const MNode mnode = numbered_mnode(number, static_cast<std::uint32_t>(step));
          const bool kept = cache.put(mnode, value, at(step));
          counts.too_large += charge > cache.limit_bytes() / 10 ? 1 : 0;
          ASSERT_EQ(kept, cache.peek(key) != nullptr);
          ASSERT_FALSE(kept && charge > cache.limit_bytes() / 10);
          model[number] = {value, at(step), mnode};
          break;
        }
        default:
          ASSERT_EQ(cache.find(key) != nullptr, here);
          ++(here ? counts.hits : counts.misses);
      }
      if (const NearCopy* copy = cache.peek(key)) {
        ASSERT_EQ(copy->mnode.user_flags, model[number].mnode.user_flags);
        ASSERT_EQ(copy->value, model[number].value);
        ASSERT_EQ(copy->checked, model[number].checked);
      }
      ASSERT_LE(cache.size_bytes(), cache.limit_bytes());
      cache.check_invariants();
    }
    EXPECT_EQ(cache.counts().hits, counts.hits);
    EXPECT_EQ(cache.counts().misses, counts.misses);
    EXPECT_EQ(cache.counts().too_large, counts.too_large);
    EXPECT_GT(counts.hits, 100u);
    EXPECT_GT(counts.too_large, 10u);
  }
}

/// The cache hands its policy the right uses: the hits of random reads are those of the slow twin.
TEST_P(NearCacheOfAnyPolicy, HasTheHitsOfItsPolicyWhenReadThrough) {
  NearCache cache = cache_for(100, GetParam());
  Prng random(1, "near cache");
  std::uint64_t hits = 0;
  const auto twin = testing::make_reference(GetParam(), 100);
  for (int step = 0; step < 5'000; ++step) {
    const std::uint32_t number = draw_below(random, 600) * draw_below(random, 600) / 600;
    const bool hit = cache.find(numbered_key(number)) != nullptr;
    if (!hit) {
      cache.put(numbered_mnode(number), bytes_of(100), at(step));
    }
    hits += twin->request(number, 1) ? 1 : 0;
  }
  // The sketch counts by other bits of the key here, so its few collisions are others.
  const double tolerance = GetParam() == Eviction::kWTinyLfu ? 0.05 : 0;
  EXPECT_NEAR(static_cast<double>(cache.counts().hits), static_cast<double>(hits),
              tolerance * static_cast<double>(hits));
  EXPECT_GT(hits, 500u);
}

INSTANTIATE_TEST_SUITE_P(NearCache, NearCacheOfAnyPolicy,
                         ::testing::ValuesIn(testing::kEveryEviction), [](const auto& of) {
                           return std::string(eviction_names()[static_cast<std::size_t>(of.param)]);
                         });

}  // namespace
}  // namespace copal
