#include "core/mnode/owner_order.h"

namespace copal {

namespace {

std::uint32_t big_endian(const std::array<std::uint8_t, 32>& bytes, std::size_t from) {
  std::uint32_t number = 0;
  for (std::size_t i = from; i < from + 4; ++i) {
    number = number << 8 | bytes[i];
  }
  return number;
}

}  // namespace

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
