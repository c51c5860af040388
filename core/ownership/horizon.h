#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "core/base/time.h"
#include "core/mnode/owner_order.h"

namespace copal {

/// Below which version a member may forget tombstones: whatever was removed below it is known to
/// all, or so old that a member that does not know it has been cut off for tombstone_lifetime. It
/// counts by agreements and by this member's own clock since its start, never by times of others: a
/// clock a day ahead would else lift every horizon above every version. Rule: R4.1. Chosen: U7.
class Horizon {
 public:
  /// tombstone_lifetime  L: at least an hour in production.   now  the start.
  Horizon(Duration tombstone_lifetime, Slot self, SlotSet filled, TimePoint now);

  void on_filled(SlotSet filled);
  /// Two members are the same in this group, up to this reading of both their hybrid clocks.
  void on_agreed(Group group, Slot peer, std::uint64_t reading);
  /// What was agreed with an earlier generation of this member says nothing of this one.
  void on_replaced(Slot peer);

  /// To be called now and then, with this member's hybrid clock: remembers what it was.
  void on_time(TimePoint now, std::uint64_t reading);

  /// Tombstones with a counter below this may go.
  std::uint64_t droppable_below(Group group, std::uint64_t reading) const;
  std::uint64_t agreed(Group group, Slot peer) const { return agreed_[group.value][peer.value]; }

 private:
  static constexpr int kSamples = 24;  // in tombstone_lifetime

  struct Sample {
    TimePoint at{};
    std::uint64_t reading = 0;
  };

  Duration tombstone_lifetime_;
  Slot self_;
  SlotSet filled_;
  std::array<std::array<std::uint64_t, kSlots>, kGroups> agreed_{};
  std::deque<Sample> samples_;
  std::uint64_t lifetime_ago_ = 0;  // the hybrid clock then; 0: not up for so long
};

}  // namespace copal
