#pragma once

#include <array>
#include <cstdint>

#include "core/base/assert.h"
#include "core/base/ids.h"
#include "core/mnode/owner_order.h"

namespace copal {

/// The members, and which start of each, that may have done a change already: whom its server sent
/// it to without hearing what became of it, and whom a member passed it on to. Rule: R0.3.
class TriedMembers {
 public:
  /// start  of the member's process; Incarnation{} if it is not known.
  void add(Slot slot, Incarnation start) {
    COPAL_ASSERT(slot.value < kSlots);
    Incarnation& known = starts_[slot.value];
    known = start != Incarnation{} && (known == Incarnation{} || known == start) ? start : kSeveral;
  }
  void add(const TriedMembers& more) {
    for (std::uint8_t slot = 0; slot < kSlots; ++slot) {
      if (more.starts_[slot] != Incarnation{}) {
        add(Slot{slot}, more.starts_[slot]);
      }
    }
  }
  /// This start of that member knows of itself that it has not.
  void remove(Slot slot, Incarnation start) {
    COPAL_ASSERT(slot.value < kSlots);
    if (starts_[slot.value] == start) {
      starts_[slot.value] = Incarnation{};
    }
  }
  /// Whether it may have been done by any but this start of that member.
  bool elsewhere_than(Slot slot, Incarnation start) const {
    TriedMembers others = *this;
    others.remove(slot, start);
    return others != TriedMembers{};
  }

  bool operator==(const TriedMembers&) const = default;
  static constexpr void fields(auto& self, auto&& visit) {
    for (auto& start : self.starts_) {
      visit(start);
    }
  }

 private:
  static constexpr Incarnation kSeveral{~std::uint64_t{0}};

  std::array<Incarnation, kSlots> starts_{};  // by slot; Incarnation{}: not tried
};

}  // namespace copal
