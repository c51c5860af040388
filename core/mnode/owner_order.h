#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>

#include "core/base/assert.h"
#include "core/base/sha256.h"

// Which triad slot owns a key. The first four bytes of the key hash choose one of the six orders of
// the three slots: primary, secondary, tertiary, so that a failed owner's keys spread over both
// others. Slots are fixed: an empty or dead one is skipped, never renumbered, so a triad that grows
// or shrinks moves no key between the members that stay. Source: paper, section III; resin-facts
// M6. Chosen: U14. Rule: R0.5, R5.6.

namespace copal {

/// One of the triad's three places.
struct Slot {
  std::uint8_t value = 0;  // 0 to 2
  constexpr auto operator<=>(const Slot&) const = default;
};
inline constexpr std::size_t kSlots = 3;
/// Some of the slots: bit i stands for slot i.
using SlotSet = std::bitset<kSlots>;
inline constexpr std::array<Slot, kSlots> kAllSlots = {Slot{0}, Slot{1}, Slot{2}};

/// One of the six orders; with the slice the group of keys that has one acting owner (R1).
struct OwnerOrder {
  std::uint8_t value = 0;  // 0 to 5
  constexpr auto operator<=>(const OwnerOrder&) const = default;

  /// Primary, secondary, tertiary.
  constexpr const std::array<Slot, kSlots>& slots() const;
  /// The first of some slots in this order; nothing if there are none.
  std::optional<Slot> first_of(SlotSet some) const;
};
inline constexpr std::size_t kOwnerOrders = 6;

/// In the product's sequence: A_B, B_C, C_A, A_C, B_A, C_B (resin-facts M6).
inline constexpr std::array<std::array<Slot, kSlots>, kOwnerOrders> kSlotsInOrder = {
    {{Slot{0}, Slot{1}, Slot{2}},
     {Slot{1}, Slot{2}, Slot{0}},
     {Slot{2}, Slot{0}, Slot{1}},
     {Slot{0}, Slot{2}, Slot{1}},
     {Slot{1}, Slot{0}, Slot{2}},
     {Slot{2}, Slot{1}, Slot{0}}}};

constexpr const std::array<Slot, kSlots>& OwnerOrder::slots() const {
  COPAL_ASSERT(value < kOwnerOrders);
  return kSlotsInOrder[value];
}

/// One of 16 fixed parts of the key space; a shard runs whole slices (R0.5).
struct Slice {
  std::uint8_t value = 0;  // 0 to 15
  constexpr auto operator<=>(const Slice&) const = default;
};
inline constexpr std::size_t kSlices = 16;

/// From bytes 0 to 3, big-endian, modulo 6.
OwnerOrder owner_order(const KeyHash& key);
/// From bytes 4 to 7, big-endian, modulo 16: other bytes than the order's, else a slice would have
/// some of the orders only.
Slice slice(const KeyHash& key);
/// A slice and an owner order: the keys that have one acting owner (R1), one hash tree a cache and
/// one horizon (R4). Number: slice * 6 + order.
struct Group {
  std::uint8_t value = 0;  // 0 to 95
  constexpr auto operator<=>(const Group&) const = default;

  OwnerOrder order() const { return {static_cast<std::uint8_t>(value % kOwnerOrders)}; }
  Slice slice() const { return {static_cast<std::uint8_t>(value / kOwnerOrders)}; }
};
inline constexpr std::size_t kGroups = kSlices * kOwnerOrders;
Group group_of(const KeyHash& key);

/// The slots in the order in which they are asked for a value's bytes: those of its own hash, so
/// that the bytes of many keys of one owner spread over the triad. Source: paper, section III.
OwnerOrder owner_order(const ValueHash& value);

}  // namespace copal
