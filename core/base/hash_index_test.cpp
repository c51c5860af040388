#include "core/base/hash_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>

#include "core/base/prng.h"
#include "core/base/sha256.h"

namespace copal {
namespace {

struct Item {
  std::array<std::uint8_t, 32> hash{};
  const std::array<std::uint8_t, 32>& hash_bytes() const { return hash; }
};

TEST(HashIndex, FindsWhatIsInAndNothingElse) {
  HashIndex<Item> index;
  Item one{sha256(std::array<std::uint8_t, 1>{1})};
  const Item other{sha256(std::array<std::uint8_t, 1>{2})};
  EXPECT_EQ(index.find(one.hash), nullptr);
  index.insert(one);
  EXPECT_EQ(index.find(one.hash), &one);
  EXPECT_EQ(index.find(other.hash), nullptr);
  EXPECT_DEATH(index.erase(other), "");
  index.erase(one);
  EXPECT_EQ(index.find(one.hash), nullptr);
  EXPECT_EQ(index.size(), 0U);
  EXPECT_DEATH(index.erase(one), "count_");
}

/// Against a map, with hashes that fall together in few places, so that chains wrap and shift.
TEST(HashIndex, AgreesWithAMapOverRandomChanges) {
  Prng random(1, "hash_index");
  HashIndex<Item> index;
  std::map<std::array<std::uint8_t, 32>, std::unique_ptr<Item>> model;
  for (int i = 0; i < 20'000; ++i) {
    Item item;
    item.hash[24] = static_cast<std::uint8_t>(random.next() % 40);
    item.hash[23] = static_cast<std::uint8_t>(random.next() % 3);
    item.hash[0] = static_cast<std::uint8_t>(random.next() % 4);
    const auto at = model.find(item.hash);
    ASSERT_EQ(index.find(item.hash), at == model.end() ? nullptr : at->second.get());
    if (at == model.end()) {
      auto added = std::make_unique<Item>(item);
      index.insert(*added);
      model.emplace(item.hash, std::move(added));
    } else {
      index.erase(*at->second);
      model.erase(at);
    }
    ASSERT_EQ(index.size(), model.size());
  }
  for (const auto& [hash, item] : model) {
    EXPECT_EQ(index.find(hash), item.get());
  }
}

TEST(HashIndex, TakesAtMost24BytesAnItemBeyondTheFirst) {
  HashIndex<Item> index;
  std::vector<Item> items(100'000);
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].hash = sha256({reinterpret_cast<const std::uint8_t*>(&i), sizeof i});
    index.insert(items[i]);
    if (i > 16) {
      ASSERT_LE(index.memory_bytes(), 24 * (i + 1));
    }
  }
}

}  // namespace
}  // namespace copal
