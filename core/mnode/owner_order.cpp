#include "core/mnode/owner_order.h"

#include "core/base/assert.h"

namespace copal {

namespace {

using Order = std::array<Slot, kSlots>;
// In the product's sequence: A_B, B_C, C_A, A_C, B_A, C_B (resin-facts M6).
constexpr std::array<Order, kOwnerOrders> kOrders = {{{Slot{0}, Slot{1}, Slot{2}},
                                                      {Slot{1}, Slot{2}, Slot{0}},
                                                      {Slot{2}, Slot{0}, Slot{1}},
                                                      {Slot{0}, Slot{2}, Slot{1}},
                                                      {Slot{1}, Slot{0}, Slot{2}},
                                                      {Slot{2}, Slot{1}, Slot{0}}}};

std::uint32_t big_endian(const std::array<std::uint8_t, 32>& bytes, std::size_t from) {
  std::uint32_t number = 0;
  for (std::size_t i = from; i < from + 4; ++i) {
    number = number << 8 | bytes[i];
  }
  return number;
}

}  // namespace

std::array<Slot, kSlots> OwnerOrder::slots() const {
  COPAL_ASSERT(value < kOwnerOrders);
  return kOrders[value];
}

std::optional<Slot> OwnerOrder::first_of(SlotSet some) const {
  for (const Slot slot : slots()) {
    if (some.test(slot.value)) {
      return slot;
    }
  }
  return std::nullopt;
}

OwnerOrder owner_order(const KeyHash& key) {
  return {static_cast<std::uint8_t>(big_endian(key.bytes, 0) % kOwnerOrders)};
}

Slice slice(const KeyHash& key) {
  return {static_cast<std::uint8_t>(big_endian(key.bytes, 4) % kSlices)};
}

Group group_of(const KeyHash& key) {
  return {static_cast<std::uint8_t>(slice(key).value * kOwnerOrders + owner_order(key).value)};
}

OwnerOrder owner_order(const ValueHash& value) {
  return {static_cast<std::uint8_t>(big_endian(value.bytes, 0) % kOwnerOrders)};
}

}  // namespace copal
