#include "core/base/flat_map.h"

#include <gtest/gtest.h>

#include <map>

#include "core/base/prng.h"

namespace copal {
namespace {

TEST(FlatMap, FindsWhatWasPutAndNothingElse) {
  FlatMap<int> map;
  EXPECT_EQ(map.find(1), nullptr);
  map[1] = 10;
  map[2] = 20;
  ASSERT_NE(map.find(1), nullptr);
  EXPECT_EQ(*map.find(1), 10);
  EXPECT_EQ(map.find(3), nullptr);
  EXPECT_TRUE(map.erase(1));
  EXPECT_FALSE(map.erase(1));
  EXPECT_EQ(map.find(1), nullptr);
  EXPECT_EQ(*map.find(2), 20);
}

TEST(FlatMap, AgreesWithAnOrderedMapOverRandomOperations) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng random(seed, "flat map");
    FlatMap<std::uint64_t> map;
    std::map<std::uint64_t, std::uint64_t> model;
    // Few keys, so that runs of full slots form and break up all the time.
    const std::uint32_t keys = 1 + draw_below(random, 300);
    for (int i = 0; i < 20'000; ++i) {
      const std::uint64_t key = draw_below(random, keys);
      if (draw_below(random, 2) == 0) {
        map[key] = model[key] = random.next();
      } else {
        EXPECT_EQ(map.erase(key), model.erase(key) == 1);
      }
      ASSERT_EQ(map.size(), model.size());
    }
    for (std::uint64_t key = 0; key < keys; ++key) {
      const auto expected = model.find(key);
      const std::uint64_t* found = map.find(key);
      ASSERT_EQ(found != nullptr, expected != model.end()) << seed;
      if (found != nullptr) {
        EXPECT_EQ(*found, expected->second);
      }
    }
  }
}

}  // namespace
}  // namespace copal
