#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "core/mnode/owner_order.h"

namespace copal {

/// Who acts for a group: the higher one wins. Chosen by nobody in common: two members may act under
/// different views for a while, never under the same one. Term 0: nobody has acted yet. Rule: R1.
struct View {
  std::uint32_t term = 0;
  Slot slot;
  constexpr auto operator<=>(const View&) const = default;
};
/// Terms above this are no member's: they grow by takeovers and restarts, not by requests. Who
/// reads a higher one from a peer has read nonsense, and drops it.
inline constexpr std::uint32_t kTermMax = 0xffff'0000;

/// What a triad member says about one group, in its heartbeat to another member or to a server.
struct GroupAnnouncement {
  View view;                // the highest it has seen
  bool owner_acts = false;  // the owner named in view acts: the sender itself, or it hears it do so
  bool ready = false;       // the sender holds what an acting owner must (R1.1)
  bool behind = false;      // the receiver missed changes that the sender made (R1.8)

  bool operator==(const GroupAnnouncement&) const = default;
  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.view);
    visit(self.owner_acts);
    visit(self.ready);
    visit(self.behind);
  }
};
/// By group number.
using Announcement = std::array<GroupAnnouncement, kGroups>;

/// Whether each slot and term is one that a member can have; what comes from a peer is checked
/// where it is decoded.
constexpr bool is_well_formed(const Announcement& announcement) {
  for (const GroupAnnouncement& group : announcement) {
    if (group.view.slot.value >= kSlots || group.view.term > kTermMax) {
      return false;
    }
  }
  return true;
}

}  // namespace copal
