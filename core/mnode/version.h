#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>

#include "core/base/assert.h"
#include "core/base/mutant.h"
#include "core/base/time.h"
#include "core/mnode/owner_order.h"

// The total order of an m-node's states, and the clock that makes its counters. Versions are
// assigned by the acting owner, never by the writer: a writer with a bad clock neither loses its
// writes nor pins a key. Rule: R6. Chosen: U2, U3.

namespace copal {

/// Who assigned a version: pod (0 to 4095), slot, and the generation of the member in that slot
/// (1 to 2^18 - 1; a replaced or wiped member is the next one). In one number, ordered, 4 bytes.
class OwnerId {
 public:
  static constexpr std::uint32_t kPodMax = 4'095;
  static constexpr std::uint32_t kGenerationMax = (1U << 18) - 1;

  /// No owner: below all others.
  constexpr OwnerId() = default;
  /// Within the limits above, asserted: generations count operator's acts, 262,143 are enough.
  OwnerId(std::uint32_t pod, Slot slot, std::uint32_t generation)
      : number_(pod << 20 | static_cast<std::uint32_t>(slot.value) << 18 | generation) {
    COPAL_ASSERT(pod <= kPodMax && slot.value < kSlots);
    COPAL_ASSERT(generation >= 1 && generation <= kGenerationMax);
  }
  /// From bytes of a peer: any number, also one that no member has.
  static constexpr OwnerId from_number(std::uint32_t number) {
    OwnerId owner;
    owner.number_ = number;
    return owner;
  }

  constexpr auto operator<=>(const OwnerId&) const = default;
  constexpr std::uint32_t number() const { return number_; }
  constexpr std::uint32_t pod() const { return number_ >> 20; }
  constexpr Slot slot() const { return {static_cast<std::uint8_t>(number_ >> 18 & 3)}; }
  constexpr std::uint32_t generation() const { return number_ & kGenerationMax; }
  /// The same place in the same pod, in whatever generation.
  constexpr bool is_same_member(OwnerId other) const {
    return number_ >> 18 == other.number_ >> 18;
  }

 private:
  std::uint32_t number_ = 0;
};

/// Orders the states of one m-node. Two members never issue the same one: the owner is in it.
struct Version {
  std::uint64_t counter = 0;  // reading of the issuer's hybrid clock
  std::uint32_t epoch = 0;    // the term in which it acted (R1)
  OwnerId owner;

  constexpr auto operator<=>(const Version&) const = default;
};
static_assert(sizeof(Version) == 16);

/// Below every version that was ever issued.
inline constexpr Version kNoVersion{};

/// Makes counters that grow with time and are never below one seen: mono + offset, in nanoseconds.
/// The offset is set from the wall clock once, at start, and after that only grows, so a step of
/// the wall clock changes nothing. It orders; nothing times out by it.
class HybridClock {
 public:
  /// now       the time of the start.
  /// reserved  no reading of an earlier start was higher (it is kept on disk); 0 if there was none.
  HybridClock(Now now, std::uint64_t reserved);

  /// The reading. Never below an earlier one.
  std::uint64_t reading(TimePoint now) const;

  /// A peer showed this reading or counter: from now on readings are not below it, however far
  /// ahead it is. now: the step's time.
  void observe(std::uint64_t seen, TimePoint now);

  /// The counter of the version that follows one with this counter.
  std::uint64_t next_counter(std::uint64_t previous, TimePoint now);

  /// Readings below this are reserved on disk: only those may become versions.
  void set_reserved(std::uint64_t below) { reserved_below_ = below; }
  std::uint64_t reserved_below() const { return reserved_below_; }
  /// Whether the version after one with this counter would be a reserved one.
  bool may_issue(std::uint64_t previous, TimePoint now) const {
    return std::max(reading(now), previous + 1) < reserved_below_;
  }

 private:
  void raise(std::uint64_t seen, TimePoint now);

  std::uint64_t offset_ = 0;
  std::uint64_t reserved_below_ = ~std::uint64_t{0};
};

}  // namespace copal
