#include "core/testing/acting_owner_bed.h"

// ActingOwner's hand-overs, freezes, members that are behind, comparisons and slots.

namespace copal {
namespace {

// ---- R1.5: hand-over ----

TEST_F(ActingOwnerTest, TheReadyPrimaryAsksAndAsksAgain) {
  begin_ready(kA);
  const GroupAnnouncement said{.view = {9, kC}, .owner_acts = true, .ready = true};
  hear(kC, said);
  ASSERT_EQ(events(Kind::kAskHandOver, kABC).size(), 1U);
  EXPECT_EQ(events(Kind::kAskHandOver, kABC)[0].peer, kC);
  EXPECT_EQ(events(Kind::kAskHandOver, kABC)[0].view, said.view);
  EXPECT_TRUE(events(Kind::kAskHandOver, kCAB).empty()) << "C is the primary";
  hear(kC, said);
  EXPECT_TRUE(events(Kind::kAskHandOver, kABC).empty());
  EXPECT_EQ(owner_->next_deadline(now_), now_ + 1s);
  pass(1s);
  EXPECT_EQ(events(Kind::kAskHandOver, kABC).size(), 1U);
}

TEST_F(ActingOwnerTest, TheSecondAsksNobodyWhileTheFirstIsReady) {
  begin_ready(kB);
  hear(kC, {.view = {9, kC}, .owner_acts = true, .ready = true});
  EXPECT_TRUE(events(Kind::kAskHandOver, kABC).empty());
  hear(kA, {});
  EXPECT_EQ(events(Kind::kAskHandOver, kABC).size(), 1U);
}

class HandOverTest : public ActingOwnerTest {
 protected:
  /// B acts for A's groups, and A is back.
  void SetUp() override {
    begin_ready(kB);
    states(kDead, kUnknown, kAlive);
    compare(kC, true);
    hear(kA, {});
    compare(kA, false);
    mine_ = owner_->view(kABC);
  }
  View mine_;
};

TEST_F(HandOverTest, TheOneThatActsDrainsThenHandsOver) {
  owner_->on_hand_over_asked(kABC, kA, mine_, now_, fresh());
  ASSERT_EQ(events(Kind::kDrain, kABC).size(), 1U);
  EXPECT_FALSE(owner_->acts(kABC));
  EXPECT_EQ(owner_->owner(kABC), kB);
  EXPECT_TRUE(owner_->announcement(kC)[kABC.value].owner_acts) << "else C would take over";
  owner_->on_drained(kABC, now_, fresh());
  ASSERT_EQ(events(Kind::kHandOver, kABC).size(), 1U);
  EXPECT_EQ(events(Kind::kHandOver, kABC)[0].peer, kA);
  EXPECT_EQ(events(Kind::kHandOver, kABC)[0].view, mine_);
  EXPECT_TRUE(events(Kind::kHandOver, kABC)[0].prepared);
  hear(kA, {.view = {mine_.term + 1, kA}, .owner_acts = true, .ready = true});
  EXPECT_EQ(events(Kind::kStopped, kABC).size(), 1U);
  EXPECT_EQ(owner_->owner(kABC), kA);
}

TEST_F(HandOverTest, NotTakenInTimeItIsTakenBackTwoTermsHigher) {
  owner_->on_hand_over_asked(kABC, kA, mine_, now_, fresh());
  owner_->on_drained(kABC, now_, fresh());
  EXPECT_EQ(owner_->next_deadline(now_), now_ + 1s);
  pass(1s - 1ns);
  EXPECT_FALSE(owner_->acts(kABC));
  pass(1ns);
  EXPECT_TRUE(owner_->is_prepared(kABC));
  EXPECT_EQ(owner_->view(kABC), (View{mine_.term + 2, kB}));
  hear(kA, {.view = {mine_.term + 1, kA}, .owner_acts = true, .ready = true});
  EXPECT_TRUE(owner_->acts(kABC)) << "the hand-over had arrived, and is void";
  owner_->on_drained(kABC, now_, fresh());
  EXPECT_TRUE(events_.empty()) << "too late";
}

/// It may not know yet that it is.
TEST_F(HandOverTest, IsNotGivenToWhoIsBehind) {
  owner_->on_behind(kABC, kA, now_);
  owner_->on_hand_over_asked(kABC, kA, mine_, now_, fresh());
  EXPECT_TRUE(events_.empty());
  compare(kA, true);
  owner_->on_hand_over_asked(kABC, kA, mine_, now_, fresh());
  EXPECT_EQ(events(Kind::kDrain, kABC).size(), 1U);
}

TEST_F(HandOverTest, IsNotGivenForAnOldViewNorToWhoComesLater) {
  owner_->on_hand_over_asked(kABC, kA, {mine_.term - 1, kB}, now_, fresh());
  owner_->on_hand_over_asked(kABC, kC, mine_, now_, events_);
  owner_->on_hand_over_asked(kABC, kB, mine_, now_, events_);
  EXPECT_TRUE(events_.empty());
  states(kDead, kUnknown, kAlive);
  owner_->on_hand_over_asked(kABC, kA, mine_, now_, fresh());
  EXPECT_TRUE(events_.empty()) << "A is dead again";
}

TEST_F(ActingOwnerTest, TakesAHandOverAsItWasPrepared) {
  for (const bool prepared : {true, false}) {
    begin_ready(kA);
    hear(kC, {.view = {9, kC}, .owner_acts = true, .ready = true});
    owner_->on_handed_over(kABC, kC, {9, kC}, prepared, {}, now_, fresh());
    EXPECT_EQ(owner_->view(kABC), (View{10, kA}));
    EXPECT_EQ(owner_->is_prepared(kABC), prepared);
  }
}

/// Who acts next must know: the third may hear nothing of the giver, and think that it is ready.
TEST_F(HandOverTest, SaysWhoIsBehind) {
  owner_->on_behind(kABC, kC, now_);
  owner_->on_hand_over_asked(kABC, kA, mine_, now_, fresh());
  owner_->on_drained(kABC, now_, fresh());
  ASSERT_EQ(events(Kind::kHandOver, kABC).size(), 1U);
  EXPECT_EQ(events(Kind::kHandOver, kABC)[0].behind, SlotSet(0b100));
}

TEST_F(ActingOwnerTest, WhoWasBehindTheGiverIsBehindTheTaker) {
  begin_ready(kA);
  hear(kC, {.view = {9, kC}, .owner_acts = true, .ready = true});
  owner_->on_handed_over(kABC, kC, {9, kC}, true, SlotSet(0b111), now_, fresh());
  EXPECT_EQ(owner_->ready_replicas(kABC), SlotSet(0b100)) << "but not who has given it";
  EXPECT_TRUE(owner_->announcement(kB)[kABC.value].behind);
  owner_->on_compared(kABC, kB, true, now_, now_, fresh());
  EXPECT_EQ(owner_->ready_replicas(kABC), SlotSet(0b110));
}

TEST_F(ActingOwnerTest, TakesNoHandOverThatIsOldOrWhenNotReady) {
  begin_ready(kA);
  hear(kC, {.view = {9, kC}, .owner_acts = true, .ready = true});
  owner_->on_handed_over(kABC, kC, {8, kC}, true, {}, now_, fresh());
  owner_->on_handed_over(kABC, kC, {9, kB}, true, {}, now_, events_);
  EXPECT_TRUE(events_.empty());
  hear(kC, {.view = {9, kC}, .owner_acts = true, .ready = true, .behind = true});
  EXPECT_FALSE(owner_->is_ready(kABC));
  owner_->on_handed_over(kABC, kC, {9, kC}, true, {}, now_, fresh());
  EXPECT_TRUE(events_.empty());
}

TEST_F(ActingOwnerTest, APlannedStopHandsOverToTheNextReadyOneInOrder) {
  begin_ready(kA);
  owner_->on_planned_stop(now_, fresh());
  ASSERT_EQ(events(Kind::kDrain, kABC).size(), 1U);
  EXPECT_EQ(events(Kind::kDrain, kABC)[0].peer, kB);
  EXPECT_EQ(events(Kind::kDrain, Group{3})[0].peer, kC) << "order 3: A, C, B";
  EXPECT_FALSE(owner_->announcement(kB)[kABC.value].ready);
  EXPECT_EQ(owner_->acting_count(), kGroups / 3);
  const View mine = owner_->view(kABC);
  owner_->on_drained(kABC, now_, fresh());
  pass(1s);
  ASSERT_EQ(events(Kind::kDrain, kABC).size(), 1U);
  EXPECT_EQ(events(Kind::kDrain, kABC)[0].peer, kC) << "B did not take it";
  hear(kC, {.view = {mine.term + 3, kC}, .owner_acts = true, .ready = true});
  EXPECT_FALSE(owner_->acts(kABC));
  EXPECT_TRUE(events(Kind::kAskHandOver, kABC).empty());
}

TEST_F(ActingOwnerTest, WithNoneReadyAPlannedStopActsOn) {
  begin_ready(kA);
  hear(kB, {});
  states(kUnknown, kAlive, kDead);
  owner_->on_planned_stop(now_, fresh());
  EXPECT_TRUE(events(Kind::kDrain, kABC).empty());
  EXPECT_TRUE(owner_->acts(kABC));
}

// ---- R1.6: frozen ----

TEST_F(ActingOwnerTest, FrozenItStopsAndIsNotReady) {
  begin_ready(kA);
  now_ += 4s;
  owner_->on_frozen(now_, fresh());
  EXPECT_EQ(owner_->acting_count(), 0U);
  EXPECT_EQ(events(Kind::kStopped, kABC).size(), 1U);
  EXPECT_FALSE(owner_->is_ready(kABC));
  EXPECT_TRUE(owner_->reachable().none());
  hear(kB, {.ready = true});
  states(kUnknown, kAlive, kDead);
  EXPECT_FALSE(owner_->is_ready(kABC));
  compare(kB, true);
  EXPECT_TRUE(owner_->acts(kABC));
}

TEST_F(ActingOwnerTest, FrozenAndThenAloneItIsReadyWhenTheOthersAreGivenUp) {
  begin_ready(kA);
  now_ += 4s;
  owner_->on_frozen(now_, fresh());
  pass(3s);
  states(kUnknown, kDead, kDead);
  EXPECT_EQ(owner_->acting_count(), kGroups);
}

TEST_F(ActingOwnerTest, FrozenBeforeItWasReadyItWaitsFromAnew) {
  begin(kA);
  now_ += 60s;
  owner_->on_frozen(now_, fresh());
  states(kUnknown, kDead, kDead);
  pass(30s - 1ns);
  EXPECT_EQ(owner_->acting_count(), 0U);
  pass(1ns);
  EXPECT_EQ(owner_->acting_count(), kGroups);
}

// ---- R1.8: behind ----

TEST_F(ActingOwnerTest, AMarkOfBehindIsToldToThatPeerUntilALaterComparison) {
  begin_ready(kA);
  EXPECT_EQ(owner_->ready_replicas(kABC), SlotSet(0b110));
  now_ += 1s;
  owner_->on_behind(kABC, kB, now_);
  EXPECT_EQ(owner_->ready_replicas(kABC), SlotSet(0b100));
  EXPECT_TRUE(owner_->announcement(kB)[kABC.value].behind);
  EXPECT_FALSE(owner_->announcement(kC)[kABC.value].behind);
  owner_->on_compared(kABC, kB, true, now_ - 1ns, now_, fresh());
  EXPECT_TRUE(owner_->announcement(kB)[kABC.value].behind) << "it began before the mark";
  owner_->on_compared(kABC, kB, true, now_, now_, fresh());
  EXPECT_FALSE(owner_->announcement(kB)[kABC.value].behind);
}

TEST_F(ActingOwnerTest, ToldThatItIsBehindItIsNotReadyUntilCompared) {
  begin_ready(kB);
  const GroupAnnouncement said{.view = {9, kA}, .owner_acts = true, .ready = true, .behind = true};
  hear(kA, said);
  EXPECT_EQ(events(Kind::kNotReady, kABC).size(), 1U);
  const TimePoint began = now_;
  now_ += 1s;
  hear(kA, said);  // still, while the comparison goes on
  owner_->on_compared(kABC, kA, true, began, now_, fresh());
  owner_->on_compared(kABC, kC, true, began, now_, events_);
  EXPECT_TRUE(owner_->is_ready(kABC));
}

TEST_F(ActingOwnerTest, WhoActsHeedsNoMarkOfBehind) {
  begin_ready(kA);
  hear(kB, {.ready = true, .behind = true});
  EXPECT_TRUE(owner_->acts(kABC));
}

TEST_F(ActingOwnerTest, APeerThatWasDeadToTheOwnerIsBehind) {
  begin_ready(kA);
  states(kUnknown, kDead, kAlive);
  hear(kB, {.ready = true});
  EXPECT_TRUE(owner_->announcement(kB)[kABC.value].behind);
  EXPECT_TRUE(owner_->announcement(kB)[4].behind) << "A took it over";
  EXPECT_FALSE(owner_->announcement(kB)[kCAB.value].behind) << "C acts there, if anyone";
  EXPECT_FALSE(owner_->announcement(kC)[kABC.value].behind);
}

// ---- Comparisons, slots ----

TEST_F(ActingOwnerTest, ComparisonsAreBoundedAndThoseThatRequestsWaitForComeFirst) {
  begin(kB);
  hear(kC, {.ready = true});
  hear(kA, {});
  EXPECT_EQ(owner_->comparisons_wanted(now_, 8).size(), 8U);
  EXPECT_EQ(owner_->comparisons_wanted(now_, 1'000).size(), 2 * kGroups);
  for (const Slot peer : {kA, kC}) {
    owner_->on_compared(kBCA, peer, true, now_, now_, fresh());
  }
  EXPECT_TRUE(owner_->acts(kBCA));
  EXPECT_EQ(owner_->comparisons_wanted(now_, 1)[0], (ActingOwner::Comparison{kBCA, kC}));
}

TEST_F(ActingOwnerTest, AnEmptiedSlotIsForgottenAndANewOneIsWaitedFor) {
  begin_ready(kB);
  owner_->on_filled(SlotSet(0b110), now_, fresh());
  EXPECT_TRUE(owner_->acts(kABC));
  EXPECT_EQ(owner_->reachable(), SlotSet(0b100));
  owner_->on_filled(SlotSet(0b111), now_, fresh());
  EXPECT_TRUE(owner_->acts(kABC)) << "until A is ready, and asks";
  hear(kA, {});
  EXPECT_TRUE(owner_->acts(kABC));
}

}  // namespace
}  // namespace copal
