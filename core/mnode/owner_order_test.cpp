#include "core/mnode/owner_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace copal {
namespace {

KeyHash numbered_key(std::uint32_t number) {
  const std::array<std::uint8_t, 4> bytes = {
      static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(number >> 8),
      static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 24)};
  return hash_key(1, bytes);
}

TEST(OwnerOrder, FirstFourBytesOfTheKeyHashDecide) {
  KeyHash key;
  key.bytes[3] = 7;
  EXPECT_EQ(owner_order(key).value, 1);
  key.bytes[0] = 0xff;  // 0xff000007 = 4278190087 = 6 * 713031681 + 1
  EXPECT_EQ(owner_order(key).value, 0xff00'0007U % 6);
  key.bytes[4] = 0xab;
  key.bytes[7] = 0x1d;
  EXPECT_EQ(owner_order(key).value, 0xff00'0007U % 6) << "the slice's bytes change no order";
  EXPECT_EQ(slice(key).value, 0x0d);
}

TEST(OwnerOrder, SixOrdersAreThePermutationsOfTheSlots) {
  std::set<std::vector<int>> seen;
  for (std::uint8_t order = 0; order < kOwnerOrders; ++order) {
    std::vector<int> slots;
    for (const Slot slot : OwnerOrder{order}.slots()) {
      slots.push_back(slot.value);
    }
    EXPECT_TRUE(std::ranges::is_permutation(slots, std::vector<int>{0, 1, 2}));
    seen.insert(slots);
  }
  EXPECT_EQ(seen.size(), kOwnerOrders);
}

// Rule: R5.6, the whole table: 6 orders x 7 sets of filled slots.
TEST(OwnerOrder, FilledSlotsTakeTheKeysOfEmptyOnes) {
  // Row: the set of filled slots, as bits 2 1 0; columns: who owns order 0 to 5.
  const std::map<unsigned long, std::array<int, 6>> owners = {
      {0b001, {0, 0, 0, 0, 0, 0}}, {0b010, {1, 1, 1, 1, 1, 1}}, {0b100, {2, 2, 2, 2, 2, 2}},
      {0b011, {0, 1, 0, 0, 1, 1}}, {0b101, {0, 2, 2, 0, 0, 2}}, {0b110, {1, 1, 2, 2, 1, 2}},
      {0b111, {0, 1, 2, 0, 1, 2}}};
  for (const auto& [filled, expected] : owners) {
    for (std::uint8_t order = 0; order < kOwnerOrders; ++order) {
      const auto owner = OwnerOrder{order}.first_of(SlotSet(filled));
      ASSERT_TRUE(owner.has_value());
      EXPECT_EQ(owner->value, expected[order]) << "order " << int{order} << ", filled " << filled;
    }
    // A set of n slots shares the six orders evenly.
    std::map<int, int> shares;
    for (const int owner : expected) {
      ++shares[owner];
    }
    for (const auto& [owner, share] : shares) {
      EXPECT_EQ(share, 6 / static_cast<int>(shares.size())) << "slot " << owner;
    }
  }
  EXPECT_FALSE(OwnerOrder{0}.first_of(SlotSet()).has_value());
}

// A third member takes its two orders over; all others keep their owner.
TEST(OwnerOrder, GrowingMovesKeysToTheNewMemberOnly) {
  for (std::uint8_t order = 0; order < kOwnerOrders; ++order) {
    const Slot of_two = *OwnerOrder{order}.first_of(SlotSet(0b011));
    const Slot of_three = *OwnerOrder{order}.first_of(SlotSet(0b111));
    EXPECT_TRUE(of_three == Slot{2} || of_three == of_two) << "order " << int{order};
  }
}

TEST(OwnerOrder, FailedOwnersKeysSpreadOverBothOthers) {
  std::map<int, int> heirs;
  constexpr std::uint32_t kKeys = 60'000;
  for (std::uint32_t i = 0; i < kKeys; ++i) {
    const OwnerOrder order = owner_order(numbered_key(i));
    if (order.slots()[0] == Slot{0}) {
      ++heirs[order.first_of(SlotSet(0b110))->value];
    }
  }
  // A sixth of the keys each; the standard deviation is 91.
  EXPECT_NEAR(heirs[1], 10'000, 400);
  EXPECT_NEAR(heirs[2], 10'000, 400);
}

TEST(OwnerOrder, EachSliceHasAllOrdersEvenly) {
  std::map<std::pair<int, int>, int> counts;
  constexpr std::uint32_t kKeys = 96'000;
  for (std::uint32_t i = 0; i < kKeys; ++i) {
    const KeyHash key = numbered_key(i);
    ++counts[{slice(key).value, owner_order(key).value}];
  }
  EXPECT_EQ(counts.size(), kSlices * kOwnerOrders);
  for (const auto& [group, count] : counts) {
    EXPECT_NEAR(count, 1'000, 150) << "slice " << group.first << ", order " << group.second;
  }
}

}  // namespace
}  // namespace copal
