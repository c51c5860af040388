#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "core/cache/near_cache.h"
#include "core/testing/eviction_replay.h"
#include "core/testing/reference_eviction.h"
#include "sim/testing/data_folder.h"
#include "sim/workload/key_trace.h"

// Every eviction policy on the keys that a real site asked of its cache, against its slow twin that
// is written from the paper: the same hits, request by request.

namespace copal::sim {
namespace {

constexpr Eviction kAll[] = {Eviction::kLru, Eviction::kS3Fifo, Eviction::kWTinyLfu};

class EvictionOnATrace : public ::testing::TestWithParam<Eviction> {
 protected:
  void SetUp() override {
    const auto failure = load_key_trace(key_trace_data().path, keys_);
    ASSERT_FALSE(failure.has_value()) << *failure;
  }
  std::vector<std::uint32_t> keys_;
};

TEST_P(EvictionOnATrace, HasExactlyTheHitsOfItsTwin) {
  for (const std::uint64_t limit : {100u, 512u, 2'048u, 5'000u}) {
    testing::EvictionReplay fast(make_eviction_policy(GetParam(), limit));
    const auto slow = testing::make_reference(GetParam(), limit);
    std::uint64_t hits = 0;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const bool hit = fast.request(keys_[i]);
      ASSERT_EQ(hit, slow->request(keys_[i], 1)) << "limit " << limit << ", request " << i;
      hits += hit ? 1 : 0;
    }
    fast.policy().check_invariants();
    EXPECT_GT(hits, keys_.size() / 20) << "limit " << limit;
  }
}

TEST_P(EvictionOnATrace, HasExactlyTheHitsOfItsTwinWhenSizesDiffer) {
  constexpr std::uint64_t kLimit = 100'000;
  testing::EvictionReplay fast(make_eviction_policy(GetParam(), kLimit));
  const auto slow = testing::make_reference(GetParam(), kLimit);
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    // A key's own size, a few very large, and now and then another one.
    const std::uint64_t mixed = mix64(keys_[i], i % 50 == 0 ? i : 0);
    const auto size =
        static_cast<std::uint32_t>(1 + (mixed % 40 == 0 ? mixed % 8'000 : mixed % 100));
    ASSERT_EQ(fast.request(keys_[i], size), slow->request(keys_[i], size)) << "request " << i;
  }
  fast.policy().check_invariants();
}

/// Its policy looks at bytes 8 to 15 alone.
KeyHash near_key(std::uint64_t number) {
  KeyHash key;
  std::uint64_t hash = mix64(number);
  for (std::size_t i = 16; i-- > 8; hash >>= 8U) {
    key.bytes[i] = static_cast<std::uint8_t>(hash);
  }
  std::memcpy(key.bytes.data(), &number, sizeof number);  // lest two keys be the same
  std::memcpy(&key.bytes[24], &number, sizeof number);
  return key;
}

TEST_P(EvictionOnATrace, TheNearCacheItselfHasExactlyTheHitsOfItsPolicysTwin) {
  for (const std::uint64_t copies : {100u, 512u, 2'048u, 5'000u}) {
    const std::uint64_t limit = copies * NearCache::kOverheadBytes;
    NearCache cache({.limit_bytes = limit, .eviction = GetParam()});
    const auto slow = testing::make_reference(GetParam(), limit);
    std::uint64_t hits = 0;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      MNode mnode;
      mnode.key = near_key(keys_[i]);
      const bool hit = cache.find(mnode.key) != nullptr;
      if (!hit) {
        cache.put(mnode, {}, TimePoint{1s});
      }
      ASSERT_EQ(hit, slow->request(keys_[i], NearCache::kOverheadBytes))
          << copies << " copies, request " << i;
      hits += hit ? 1 : 0;
    }
    cache.check_invariants();
    EXPECT_EQ(cache.counts().hits, hits);
    EXPECT_GT(hits, keys_.size() / 20) << copies << " copies";
  }
}

INSTANTIATE_TEST_SUITE_P(NearCache, EvictionOnATrace, ::testing::ValuesIn(kAll),
                         [](const auto& of) {
                           return std::string(eviction_names()[static_cast<std::size_t>(of.param)]);
                         });

}  // namespace
}  // namespace copal::sim
