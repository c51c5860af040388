#include "core/values/hash_tree.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

#include "core/base/prng.h"
#include "core/ports/random.h"

namespace copal {
namespace {

KeyHash numbered_key(std::uint8_t number) {
  return hash_key(1, std::array{number});
}
Version numbered_version(std::uint64_t counter) {
  return {counter, 1, OwnerId(0, Slot{0}, 1)};
}

TEST(HashTree, EmptyIsZeroEverywhere) {
  const HashTree tree;
  EXPECT_EQ(tree.count(), 0U);
  EXPECT_EQ(tree.sum(), 0U);
  EXPECT_EQ(tree.buckets(), HashTree::Sums{});
  EXPECT_EQ(tree.leaves(17), HashTree::Sums{});
  EXPECT_DEATH(tree.leaves(256), "kFanout");
}

TEST(HashTree, OrderOfChangesDoesNotMatter) {
  HashTree one;
  HashTree other;
  for (int i = 0; i < 200; ++i) {
    one.add(numbered_key(static_cast<std::uint8_t>(i)), numbered_version(1));
    other.add(numbered_key(static_cast<std::uint8_t>(199 - i)), numbered_version(1));
  }
  EXPECT_EQ(one.sum(), other.sum());
  EXPECT_EQ(one.buckets(), other.buckets());
  EXPECT_NE(one.sum(), 0U);
}

TEST(HashTree, OneDifferenceShowsInItsBucketAndLeafOnly) {
  HashTree one;
  HashTree other;
  for (std::uint8_t i = 0; i < 200; ++i) {
    one.add(numbered_key(i), numbered_version(1));
    other.add(numbered_key(i), numbered_version(i == 77 ? 2 : 1));
  }
  const KeyHash differs = numbered_key(77);
  for (std::size_t i = 0; i < HashTree::kFanout; ++i) {
    EXPECT_EQ(one.buckets()[i] != other.buckets()[i], i == HashTree::bucket_of(differs)) << i;
    for (std::size_t j = 0; j < HashTree::kFanout; ++j) {
      EXPECT_EQ(one.leaves(i)[j] != other.leaves(i)[j],
                i == HashTree::bucket_of(differs) && j == HashTree::leaf_of(differs))
          << i << ", " << j;
    }
  }
}

TEST(HashTree, EachPartOfTheVersionCounts) {
  const KeyHash key = numbered_key(1);
  const Version version{5, 6, OwnerId(7, Slot{1}, 8)};
  HashTree tree;
  tree.add(key, version);
  for (const Version& other :
       {Version{6, 6, OwnerId(7, Slot{1}, 8)}, Version{5, 7, OwnerId(7, Slot{1}, 8)},
        Version{5, 6, OwnerId(8, Slot{1}, 8)}, Version{5, 6, OwnerId(7, Slot{2}, 8)},
        Version{5, 6, OwnerId(7, Slot{1}, 9)}}) {
    HashTree changed;
    changed.add(key, other);
    EXPECT_NE(changed.sum(), tree.sum());
  }
}

// Two keys that trade their versions are another state: the hash binds key and version.
TEST(HashTree, TradedVersionsAreSeen) {
  HashTree one;
  one.add(numbered_key(1), numbered_version(1));
  one.add(numbered_key(2), numbered_version(2));
  HashTree other;
  other.add(numbered_key(1), numbered_version(2));
  other.add(numbered_key(2), numbered_version(1));
  EXPECT_NE(one.sum(), other.sum());
}

TEST(HashTree, RemovingFromAnEmptyBucketStopsTheProgram) {
  HashTree tree;
  EXPECT_DEATH(tree.remove(numbered_key(1), numbered_version(1)), "count");
  EXPECT_DEATH(tree.change(numbered_key(1), numbered_version(1), numbered_version(2)), "count");
}

TEST(HashTree, RandomChangesEndAsIfBuiltAnew) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng random(seed, "hash tree");
    std::map<std::uint8_t, std::uint64_t> model;
    HashTree tree;
    for (int step = 0; step < 2'000; ++step) {
      const auto number = static_cast<std::uint8_t>(draw_below(random, 100));
      const std::uint64_t counter = 1 + draw_below(random, 1'000);
      const auto found = model.find(number);
      if (found == model.end()) {
        tree.add(numbered_key(number), numbered_version(counter));
        model[number] = counter;
      } else if (draw_below(random, 2) == 0) {
        tree.change(numbered_key(number), numbered_version(found->second),
                    numbered_version(counter));
        found->second = counter;
      } else {
        tree.remove(numbered_key(number), numbered_version(found->second));
        model.erase(found);
      }
    }
    tree.check_invariants();
    HashTree anew;
    for (const auto& [number, counter] : model) {
      anew.add(numbered_key(number), numbered_version(counter));
    }
    EXPECT_EQ(tree.count(), model.size());
    EXPECT_EQ(tree.buckets(), anew.buckets()) << "seed " << seed;
    for (std::size_t i = 0; i < HashTree::kFanout; ++i) {
      EXPECT_EQ(tree.leaves(i), anew.leaves(i)) << "seed " << seed << ", bucket " << i;
    }
  }
}

}  // namespace
}  // namespace copal
