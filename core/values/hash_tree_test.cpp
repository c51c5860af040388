#include "core/values/hash_tree.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

#include "core/base/prng.h"
#include "core/ports/random.h"

namespace copal {
namespace {

Version numbered_version(std::uint64_t counter) {
  return {counter, 1, OwnerId(0, Slot{0}, 1)};
}

MNode numbered_mnode(int number, const Version& version) {
  MNode mnode;
  mnode.key = hash_key(1, std::array{static_cast<std::uint8_t>(number)});
  mnode.version = version;
  return mnode;
}

/// A tree and the entries in it, by number.
class Grove {
 public:
  HashTree tree;

  void add(int number, const Version& version) {
    entries_[number] = &tree.add(MNodeEntry::make(numbered_mnode(number, version), ""));
  }
  void add(int number, std::uint64_t counter) { add(number, numbered_version(counter)); }
  void change(int number, std::uint64_t counter) {
    tree.change(*entries_.at(number), numbered_mnode(number, numbered_version(counter)));
  }
  void remove(int number) {
    tree.remove(*entries_.at(number));
    entries_.erase(number);
  }
  bool has(int number) const { return entries_.contains(number); }

 private:
  std::map<int, MNodeEntry*> entries_;
};

TEST(HashTree, EmptyIsZeroEverywhere) {
  const HashTree tree;
  EXPECT_EQ(tree.count(), 0U);
  EXPECT_EQ(tree.sum(), 0U);
  EXPECT_EQ(tree.buckets(), HashTree::Sums{});
  EXPECT_EQ(tree.leaves(17), HashTree::Sums{});
  EXPECT_TRUE(tree.entries(17).empty());
  EXPECT_DEATH(tree.leaves(256), "kFanout");
  EXPECT_DEATH(tree.entries(256), "kFanout");
}

TEST(HashTree, OrderOfChangesDoesNotMatter) {
  Grove one;
  Grove other;
  for (int i = 0; i < 200; ++i) {
    one.add(i, 1);
    other.add(199 - i, 1);
  }
  EXPECT_EQ(one.tree.sum(), other.tree.sum());
  EXPECT_EQ(one.tree.buckets(), other.tree.buckets());
  EXPECT_NE(one.tree.sum(), 0U);
}

TEST(HashTree, OneDifferenceShowsInItsBucketAndLeafOnly) {
  Grove one;
  Grove other;
  for (int i = 0; i < 200; ++i) {
    one.add(i, 1);
    other.add(i, i == 77 ? 2 : 1);
  }
  const KeyHash differs = numbered_mnode(77, {}).key;
  for (std::size_t i = 0; i < HashTree::kFanout; ++i) {
    EXPECT_EQ(one.tree.buckets()[i] != other.tree.buckets()[i], i == HashTree::bucket_of(differs))
        << i;
    const auto leaves = one.tree.leaves(i);
    const auto other_leaves = other.tree.leaves(i);
    for (std::size_t j = 0; j < HashTree::kFanout; ++j) {
      EXPECT_EQ(leaves[j] != other_leaves[j],
                i == HashTree::bucket_of(differs) && j == HashTree::leaf_of(differs))
          << i << ", " << j;
    }
  }
}

TEST(HashTree, EachPartOfTheVersionCounts) {
  Grove grove;
  grove.add(1, {5, 6, OwnerId(7, Slot{1}, 8)});
  for (const Version& version :
       {Version{6, 6, OwnerId(7, Slot{1}, 8)}, Version{5, 7, OwnerId(7, Slot{1}, 8)},
        Version{5, 6, OwnerId(8, Slot{1}, 8)}, Version{5, 6, OwnerId(7, Slot{2}, 8)},
        Version{5, 6, OwnerId(7, Slot{1}, 9)}}) {
    Grove changed;
    changed.add(1, version);
    EXPECT_NE(changed.tree.sum(), grove.tree.sum());
  }
}

// Two keys that trade their versions are another state: the hash binds key and version.
TEST(HashTree, TradedVersionsAreSeen) {
  Grove one;
  one.add(1, 1);
  one.add(2, 2);
  Grove other;
  other.add(1, 2);
  other.add(2, 1);
  EXPECT_NE(one.tree.sum(), other.tree.sum());
}

TEST(HashTree, TimesAndLeasesAreNotInIt) {
  HashTree tree;
  MNodeEntry& entry = tree.add(MNodeEntry::make(numbered_mnode(1, numbered_version(1)), ""));
  const std::uint64_t before = tree.sum();
  MNode touched = entry.mnode();
  touched.accessed += 1s;
  touched.modified += 1s;
  touched.holder = NodeId{4};
  tree.change(entry, touched);
  EXPECT_EQ(tree.sum(), before);
  EXPECT_EQ(entry.mnode().holder, NodeId{4});
}

TEST(HashTree, EntriesOfABucketComeInTheOrderOfTheirKeys) {
  Grove grove;
  std::size_t found = 0;
  for (int i = 0; i < 256; ++i) {
    grove.add(i, 1);
  }
  for (std::size_t bucket = 0; bucket < HashTree::kFanout; ++bucket) {
    const auto entries = grove.tree.entries(bucket);
    found += entries.size();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ(HashTree::bucket_of(entries[i]->mnode().key), bucket);
      EXPECT_TRUE(i == 0 ||
                  HashTree::precedes(entries[i - 1]->mnode().key, entries[i]->mnode().key));
    }
  }
  EXPECT_EQ(found, 256U);
}

TEST(HashTree, WhatIsInNoTreeStopsTheProgram) {
  HashTree tree;
  const auto outside = MNodeEntry::make(numbered_mnode(1, numbered_version(1)), "");
  EXPECT_DEATH(tree.remove(*outside), "reference_");
  EXPECT_DEATH(tree.change(*outside, outside->mnode()), "reference_");
  MNodeEntry& entry = tree.add(MNodeEntry::make(numbered_mnode(1, numbered_version(1)), ""));
  EXPECT_DEATH(tree.change(entry, numbered_mnode(2, numbered_version(1))), "key");
  EXPECT_EQ(tree.remove(entry).get(), &entry);
  EXPECT_EQ(tree.count(), 0U);
}

TEST(HashTree, RandomChangesEndAsIfBuiltAnew) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng random(seed, "hash tree");
    std::map<int, std::uint64_t> model;
    Grove grove;
    for (int step = 0; step < 2'000; ++step) {
      const auto number = static_cast<int>(draw_below(random, 100));
      const std::uint64_t counter = 1 + draw_below(random, 1'000);
      if (!grove.has(number)) {
        grove.add(number, counter);
        model[number] = counter;
      } else if (draw_below(random, 2) == 0) {
        grove.change(number, counter);
        model[number] = counter;
      } else {
        grove.remove(number);
        model.erase(number);
      }
    }
    grove.tree.check_invariants();
    Grove anew;
    for (const auto& [number, counter] : model) {
      anew.add(number, counter);
    }
    EXPECT_EQ(grove.tree.count(), model.size());
    EXPECT_EQ(grove.tree.buckets(), anew.tree.buckets()) << "seed " << seed;
    for (std::size_t i = 0; i < HashTree::kFanout; ++i) {
      EXPECT_EQ(grove.tree.leaves(i), anew.tree.leaves(i)) << "seed " << seed << ", bucket " << i;
    }
  }
}

}  // namespace
}  // namespace copal
