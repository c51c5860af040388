#include "core/values/m_node_table.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/base/prng.h"
#include "core/ports/random.h"

namespace copal {
namespace {

MNode table_mnode(std::uint32_t cache, const std::string& key, std::uint64_t counter) {
  MNode mnode;
  mnode.cache = CacheId{cache};
  mnode.key = hash_key(cache, {reinterpret_cast<const std::uint8_t*>(key.data()), key.size()});
  mnode.version = {counter, 1, OwnerId(0, Slot{0}, 1)};
  return mnode;
}

TEST(MNodeTable, KeepsTheRecordAndTheKeysText) {
  MNodeTable table;
  const MNode mnode = table_mnode(3, "cart:17", 5);
  EXPECT_EQ(table.find(mnode.key), nullptr);
  const MNodeEntry& entry = table.put(mnode, "cart:17");
  EXPECT_EQ(table.find(mnode.key), &entry);
  EXPECT_EQ(entry.key_text(), "cart:17");
  EXPECT_EQ(entry.mnode().version.counter, 5U);
  table.put(table_mnode(3, "cart:17", 6), "not taken");
  EXPECT_EQ(entry.mnode().version.counter, 6U);
  EXPECT_EQ(entry.key_text(), "cart:17");
  EXPECT_EQ(table.size(), 1U);
}

TEST(MNodeTable, HasOneTreeForEachCacheWithEntries) {
  MNodeTable table;
  table.put(table_mnode(9, "a", 1), "a");
  const MNodeEntry& other = table.put(table_mnode(2, "a", 1), "a");
  EXPECT_EQ(table.caches(), (std::vector{CacheId{2}, CacheId{9}}));
  EXPECT_EQ(table.tree(CacheId{2})->count(), 1U);
  EXPECT_EQ(table.tree(CacheId{3}), nullptr);
  table.erase(other);
  EXPECT_EQ(table.caches(), (std::vector{CacheId{9}}));
  EXPECT_EQ(table.tree(CacheId{2}), nullptr);
}

TEST(MNodeTable, LongestKeyFits) {
  MNodeTable table;
  const std::string key(kKeySizeMaxBytes, 'k');
  EXPECT_EQ(table.put(table_mnode(1, key, 1), key).key_text(), key);
  EXPECT_DEATH(table.put(table_mnode(1, key + "k", 1), key + "k"), "kKeySizeMaxBytes");
}

TEST(MNodeTable, ErasingWhatIsNotInStopsTheProgram) {
  MNodeTable table;
  MNodeTable other;
  table.put(table_mnode(1, "a", 1), "a");
  const MNodeEntry& foreign = other.put(table_mnode(1, "a", 1), "a");
  EXPECT_DEATH(table.erase(foreign), "mine");
}

TEST(MNodeTable, AgreesWithAMapOverRandomChanges) {
  Prng random(1, "m-node table");
  MNodeTable table;
  std::map<std::string, std::uint64_t> model;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint32_t cache = 1 + draw_below(random, 3);
    const std::string key = std::to_string(draw_below(random, 500));
    const std::string name = std::to_string(cache) + "/" + key;
    const MNode mnode = table_mnode(cache, key, 1 + draw_below(random, 1'000));
    const MNodeEntry* found = table.find(mnode.key);
    ASSERT_EQ(found != nullptr, model.contains(name));
    if (found != nullptr) {
      ASSERT_EQ(found->mnode().version.counter, model[name]);
      ASSERT_EQ(found->key_text(), key);
    }
    if (found != nullptr && draw_below(random, 2) == 0) {
      table.erase(*found);
      model.erase(name);
    } else {
      table.put(mnode, key);
      model[name] = mnode.version.counter;
    }
    if (step % 500 == 0) {
      table.check_invariants();
    }
  }
  EXPECT_EQ(table.size(), model.size());
}

TEST(MNodeTable, TakesAtMost220BytesAnEntryBeyondItsKey) {
  MNodeTable table;
  const std::size_t count = 10'000;
  std::size_t keys_bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string key = std::to_string(i);
    keys_bytes += key.size();
    table.put(table_mnode(1, key, 1), key);
  }
  EXPECT_LE(table.memory_bytes(), keys_bytes + count * 220);
}

}  // namespace
}  // namespace copal
