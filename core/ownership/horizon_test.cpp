#include "core/ownership/horizon.h"

#include <gtest/gtest.h>

namespace copal {
namespace {

constexpr Slot kMe{0};
constexpr Slot kSlotB{1};
constexpr Slot kSlotC{2};
constexpr Group kHorizonGroup{5};
constexpr Duration kLifetime = std::chrono::hours{24};
constexpr Duration kKept = std::chrono::minutes{40};

class HorizonTest : public ::testing::Test {
 protected:
  void SetUp() override { pass(kKept + std::chrono::minutes{10}); }

  std::uint64_t below(Group group = kHorizonGroup) const { return horizon_.droppable_below(group); }
  /// How old the youngest removal is that may be forgotten.
  Duration age() const { return Duration{static_cast<std::int64_t>(reading() - below())}; }
  std::uint64_t reading() const {
    return static_cast<std::uint64_t>((now_.time_since_epoch() + ahead_).count());
  }
  void pass(Duration time) {
    for (; time > Duration::zero(); time -= std::chrono::minutes{10}) {
      now_ += std::chrono::minutes{10};
      horizon_.on_time(now_, reading());
    }
  }

  TimePoint now_{100s};
  Duration ahead_{};
  Horizon horizon_{
      {.tombstone_lifetime = kLifetime, .kept_write_lifetime = kKept}, kMe, SlotSet(0b111)};
};

TEST_F(HorizonTest, NothingIsDroppedBeforeAllOthersHaveAgreed) {
  EXPECT_EQ(below(), 0U);
  horizon_.on_agreed(kHorizonGroup, kSlotB, 500);
  EXPECT_EQ(below(), 0U);
  horizon_.on_agreed(kHorizonGroup, kSlotC, 300);
  EXPECT_EQ(below(), 300U) << "the lower of them";
  EXPECT_EQ(below(Group{6}), 0U) << "of this group alone";
}

TEST_F(HorizonTest, AnAgreementDoesNotGoBack) {
  horizon_.on_agreed(kHorizonGroup, kSlotB, 500);
  horizon_.on_agreed(kHorizonGroup, kSlotC, 500);
  horizon_.on_agreed(kHorizonGroup, kSlotB, 400);
  EXPECT_EQ(below(), 500U);
}

TEST_F(HorizonTest, WithAReplacedMemberNothingIsAgreed) {
  horizon_.on_agreed(kHorizonGroup, kSlotB, 500);
  horizon_.on_agreed(kHorizonGroup, kSlotC, 500);
  horizon_.on_replaced(kSlotC);
  EXPECT_EQ(below(), 0U);
  horizon_.on_agreed(kHorizonGroup, kSlotC, 200);
  EXPECT_EQ(below(), 200U);
}

TEST_F(HorizonTest, EmptySlotsHaveNoSay) {
  horizon_.on_agreed(kHorizonGroup, kSlotB, 500);
  horizon_.on_filled(SlotSet(0b011));
  EXPECT_EQ(below(), 500U);
  horizon_.on_filled(SlotSet(0b001));
  EXPECT_GE(age(), kKept) << "alone: its own clock, so long ago";
  EXPECT_LE(age(), kKept + std::chrono::minutes{20});
  horizon_.on_filled(SlotSet(0b111));
  EXPECT_EQ(below(), 0U) << "who comes anew has agreed to nothing";
}

TEST_F(HorizonTest, AfterTheLifetimeWithoutAgreementItsOwnClockOfThenCounts) {
  const TimePoint start = now_ - kKept - std::chrono::minutes{10};
  pass(kLifetime - kKept - std::chrono::minutes{20});
  EXPECT_EQ(below(), 0U) << "not up for so long";
  pass(std::chrono::minutes{40});
  EXPECT_GE(age(), kLifetime);
  EXPECT_LE(age(), now_ - start) << "nothing from before its start";
  pass(std::chrono::hours{10});
  EXPECT_GE(age(), kLifetime);
  EXPECT_LE(age(), kLifetime + std::chrono::minutes{70});
}

// Seed 400307: a lone member that had lost its disk took a removal from one server, forgot it at
// once, and refused the older write that another one had kept and offered a little later.
TEST_F(HorizonTest, WhatAllKnowIsRememberedForAsLongAsAKeptWriteLives) {
  Horizon young({.tombstone_lifetime = kLifetime, .kept_write_lifetime = kKept}, kMe,
                SlotSet(0b001));
  young.on_time(now_, reading());
  EXPECT_EQ(young.droppable_below(kHorizonGroup), 0U) << "alone, and not up for so long";

  horizon_.on_agreed(kHorizonGroup, kSlotB, reading());
  horizon_.on_agreed(kHorizonGroup, kSlotC, reading());
  EXPECT_GE(age(), kKept) << "not what was agreed just now";
  EXPECT_LE(age(), kKept + std::chrono::minutes{20});
}

TEST_F(HorizonTest, WithoutALifetimeOfKeptWritesAgreementIsEnough) {
  Horizon at_once({.tombstone_lifetime = kLifetime, .kept_write_lifetime = 0ns}, kMe,
                  SlotSet(0b011));
  at_once.on_time(now_, reading());
  at_once.on_agreed(kHorizonGroup, kSlotB, reading() - 7);
  EXPECT_EQ(at_once.droppable_below(kHorizonGroup), reading() - 7);
}

TEST(HorizonDeathTest, AKeptWriteLivesNoLongerThanARemoval) {
  EXPECT_DEATH(
      Horizon({.tombstone_lifetime = kKept, .kept_write_lifetime = kLifetime}, kMe, SlotSet(1)),
      "kept_write_lifetime");
}

// R4.1: never hybrid time minus L: a clock L ahead would lift every horizon above every version.
TEST_F(HorizonTest, AClockThatJumpsADayAheadLiftsNothing) {
  pass(std::chrono::hours{2});
  ahead_ = 2 * kLifetime;
  pass(std::chrono::hours{2});
  EXPECT_EQ(below(), 0U);
}

}  // namespace
}  // namespace copal
