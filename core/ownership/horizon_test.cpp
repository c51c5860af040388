#include "core/ownership/horizon.h"

#include <gtest/gtest.h>

namespace copal {
namespace {

constexpr Slot kMe{0};
constexpr Slot kB{1};
constexpr Slot kC{2};
constexpr Group kGroup{5};
constexpr Duration kLifetime = std::chrono::hours{24};

class HorizonTest : public testing::Test {
 protected:
  std::uint64_t below(Group group = kGroup) const {
    return horizon_.droppable_below(group, reading());
  }
  /// A clock a day ahead of this member's own.
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
  Horizon horizon_{kLifetime, kMe, SlotSet(0b111), now_};
};

TEST_F(HorizonTest, NothingIsDroppedBeforeAllOthersHaveAgreed) {
  EXPECT_EQ(below(), 0U);
  horizon_.on_agreed(kGroup, kB, 500);
  EXPECT_EQ(below(), 0U);
  horizon_.on_agreed(kGroup, kC, 300);
  EXPECT_EQ(below(), 300U) << "the lower of them";
  EXPECT_EQ(below(Group{6}), 0U) << "of this group alone";
}

TEST_F(HorizonTest, AnAgreementDoesNotGoBack) {
  horizon_.on_agreed(kGroup, kB, 500);
  horizon_.on_agreed(kGroup, kC, 500);
  horizon_.on_agreed(kGroup, kB, 400);
  EXPECT_EQ(below(), 500U);
}

TEST_F(HorizonTest, WithAReplacedMemberNothingIsAgreed) {
  horizon_.on_agreed(kGroup, kB, 500);
  horizon_.on_agreed(kGroup, kC, 500);
  horizon_.on_replaced(kC);
  EXPECT_EQ(below(), 0U);
  horizon_.on_agreed(kGroup, kC, 200);
  EXPECT_EQ(below(), 200U);
}

TEST_F(HorizonTest, EmptySlotsHaveNoSay) {
  horizon_.on_agreed(kGroup, kB, 500);
  horizon_.on_filled(SlotSet(0b011));
  EXPECT_EQ(below(), 500U);
  horizon_.on_filled(SlotSet(0b001));
  EXPECT_EQ(below(), reading()) << "alone: its own clock";
  horizon_.on_filled(SlotSet(0b111));
  EXPECT_EQ(below(), 0U) << "who comes anew has agreed to nothing";
}

TEST_F(HorizonTest, AfterTheLifetimeWithoutAgreementItsOwnClockOfThenCounts) {
  const std::uint64_t start = reading();
  pass(kLifetime - std::chrono::minutes{20});
  EXPECT_EQ(below(), 0U) << "not up for so long";
  pass(std::chrono::minutes{40});
  EXPECT_GE(below(), start);
  EXPECT_LT(below(), start + static_cast<std::uint64_t>(Duration{std::chrono::hours{2}}.count()));
  pass(std::chrono::hours{10});
  const auto age = Duration{static_cast<std::int64_t>(reading() - below())};
  EXPECT_GE(age, kLifetime);
  EXPECT_LE(age, kLifetime + std::chrono::minutes{70});
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
