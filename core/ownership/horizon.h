#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "core/base/time.h"
#include "core/mnode/owner_order.h"

namespace copal {

/// What a hybrid clock read a span ago, by the mono clock, to within a 24th of the span.
class ReadingAgo {
 public:
  explicit ReadingAgo(Duration span) : span_(span) {}

  void on_time(TimePoint now, std::uint64_t reading);
  /// At least the span ago; 0: not up for so long.
  std::uint64_t value() const { return value_; }

 private:
  static constexpr int kSamples = 24;

  struct Sample {
    TimePoint at{};
    std::uint64_t reading = 0;
  };

  Duration span_;
  std::deque<Sample> samples_;
  std::uint64_t value_ = 0;
};

struct HorizonConfig {
  /// L: members know of a removal for so long, though another was cut off. At least an hour in
  /// production.
  Duration tombstone_lifetime = std::chrono::hours{24};
  /// M: though all members know of a removal, they remember it for so long: what a server kept
  /// (R1.7) is taken back by a member that lacks it until then. Not above L; 0: until all agreed.
  Duration kept_write_lifetime = std::chrono::minutes{10};
};

/// Below which version a member may forget tombstones: it knows all that any other has below it,
/// for they have compared since, so that what it then lacks was removed; and that is older than a
/// kept write that is still taken back, or so old that whoever does not know it has been cut off
/// for tombstone_lifetime. (Others need not know the removal: it may have come from a third since
/// they compared, and what they have below the horizon goes when they compare again.) It counts by
/// agreements and by this member's own clock since its start, never by times of others: a clock a
/// day ahead would else lift every horizon above every version. Rule: R4.1. Chosen: U7. Departs:
/// kept_write_lifetime; with agreements alone a lone member forgot a removal at once, and refused
/// what servers brought after its disk was lost.
class Horizon {
 public:
  Horizon(const HorizonConfig& config, Slot self, SlotSet filled);

  void on_filled(SlotSet filled);
  /// Two members are the same in this group, up to this reading of both their hybrid clocks.
  void on_agreed(Group group, Slot peer, std::uint64_t reading);
  /// What was agreed with an earlier generation of this member says nothing of this one.
  void on_replaced(Slot peer);

  /// To be called now and then, with this member's hybrid clock: remembers what it was.
  void on_time(TimePoint now, std::uint64_t reading);

  /// Tombstones with a counter below this may go.
  std::uint64_t droppable_below(Group group) const;
  std::uint64_t agreed(Group group, Slot peer) const { return agreed_[group.value][peer.value]; }

 private:
  Slot self_;
  SlotSet filled_;
  std::array<std::array<std::uint64_t, kSlots>, kGroups> agreed_{};
  ReadingAgo tombstone_lifetime_ago_;
  ReadingAgo kept_write_lifetime_ago_;
};

}  // namespace copal
