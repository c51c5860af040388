#include "core/ownership/acting_owner.h"

#include "core/testing/acting_owner_bed.h"
// When a member is ready, when it acts, and under which view.

namespace copal {
namespace {

// ---- R1.1: ready, may act ----

TEST_F(ActingOwnerTest, ATriadOfOneIsReadyAndActsAtOnce) {
  begin(kB, SlotSet(0b010));
  pass(0ns);
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    EXPECT_TRUE(owner_->is_prepared({i}));
    EXPECT_EQ(owner_->owner({i}), kB);
  }
  EXPECT_EQ(owner_->next_deadline(now_), kNever);
}

TEST_F(ActingOwnerTest, ComparedWithAllFilledSlotsIsReady) {
  begin(kA);
  hear(kB, {});
  hear(kC, {});
  compare(kB, false);
  EXPECT_FALSE(owner_->is_ready(kABC));
  compare(kC, false);
  EXPECT_TRUE(owner_->is_ready(kABC));
  EXPECT_EQ(events(Kind::kReady, kABC).size(), 1U);
  EXPECT_TRUE(owner_->acts(kABC));
  EXPECT_TRUE(owner_->acts(kCAB)) << "C says that it is not ready, and A is next";
  hear(kC, {.ready = true});
  EXPECT_TRUE(owner_->acts(kCAB)) << "until C asks";
}

TEST_F(ActingOwnerTest, OneReadyPeerIsEnoughOnceTheOtherIsGivenUp) {
  begin(kA);
  hear(kB, {.ready = true});
  compare(kB, true);
  EXPECT_FALSE(owner_->is_ready(kABC)) << "C may be alive";
  states(kUnknown, kAlive, kDead);
  EXPECT_TRUE(owner_->is_ready(kABC));
}

TEST_F(ActingOwnerTest, PeersThatWereNotReadyAreNotEnoughUntilStartAloneTimeout) {
  begin(kA);
  hear(kB, {});
  states(kUnknown, kAlive, kDead);
  compare(kB, false);
  EXPECT_EQ(owner_->next_deadline(now_), now_ + 30s);
  pass(30s - 1ns);
  EXPECT_FALSE(owner_->is_ready(kABC));
  pass(1ns);
  EXPECT_TRUE(owner_->acts(kABC));
}

TEST_F(ActingOwnerTest, AloneItWaitsForStartAloneTimeout) {
  begin(kC);
  states(kDead, kDead, kUnknown);
  pass(30s - 1ns);
  EXPECT_EQ(owner_->acting_count(), 0U);
  pass(1ns);
  EXPECT_EQ(owner_->acting_count(), kGroups);
  EXPECT_TRUE(owner_->is_prepared(kABC));
}

TEST_F(ActingOwnerTest, AfterTheTimeoutAPeerThatLivesIsComparedStill) {
  begin(kA);
  hear(kB, {});
  states(kUnknown, kAlive, kDead);
  pass(60s);
  EXPECT_FALSE(owner_->is_ready(kABC));
  compare(kB, false);
  EXPECT_TRUE(owner_->is_ready(kABC));
}

TEST_F(ActingOwnerTest, AComparisonFromBeforeTheContactCountsForNothing) {
  begin(kA, SlotSet(0b011));
  now_ += 1s;
  hear(kB, {.ready = true});
  owner_->on_compared(kBCA, kB, true, now_ - 1ns, now_, fresh());
  EXPECT_FALSE(owner_->is_ready(kBCA));
  EXPECT_TRUE(wants(kBCA, kB));
  owner_->on_compared(kBCA, kB, true, now_, now_, fresh());
  EXPECT_TRUE(owner_->is_ready(kBCA));
  EXPECT_FALSE(wants(kBCA, kB));
}

TEST_F(ActingOwnerTest, APeerThatWasAwayIsComparedAgain) {
  begin(kA);
  hear(kB, {});
  hear(kC, {});
  compare(kB, false);
  states(kUnknown, kDead, kAlive);
  hear(kB, {});
  compare(kC, false);
  EXPECT_FALSE(owner_->is_ready(kABC));
  compare(kB, false);
  EXPECT_TRUE(owner_->is_ready(kABC));
}

TEST_F(ActingOwnerTest, LosingTheLastPeerDoesNotEndReadinessTheFirstContactDoes) {
  begin_ready(kB);
  hear(kA, {.view = {5, kA}, .owner_acts = true});
  hear(kC, {.view = {5, kA}, .owner_acts = true, .ready = true});
  // Not ready peers before it, or dead ones: it would act, but for A, which acts.
  EXPECT_FALSE(owner_->acts(kABC));
  now_ += 1s;
  states(kUnknown, kUnknown, kUnknown);
  EXPECT_TRUE(owner_->is_ready(kABC));
  hear(kC, {.view = {5, kA}, .ready = true});
  EXPECT_FALSE(owner_->is_ready(kABC));
  EXPECT_FALSE(owner_->acts(kABC));
}

TEST_F(ActingOwnerTest, WhoActsStaysReadyAtAFirstContactAndPreparesAgain) {
  begin_ready(kA);
  states(kUnknown, kDead, kDead);
  EXPECT_TRUE(owner_->is_prepared(kABC));
  now_ += 10s;
  hear(kB, {.ready = true});
  EXPECT_TRUE(owner_->acts(kABC));
  EXPECT_FALSE(owner_->is_prepared(kABC));
  compare(kB, true);
  EXPECT_TRUE(owner_->is_prepared(kABC));
}

TEST_F(ActingOwnerTest, OnlyWhomNobodyReadyPrecedesMayAct) {
  begin_ready(kB);
  EXPECT_FALSE(owner_->acts(kABC));
  EXPECT_TRUE(owner_->acts(kBCA));
  EXPECT_FALSE(owner_->acts(kCAB));
  hear(kA, {});
  EXPECT_TRUE(owner_->acts(kABC)) << "A is not ready";
  EXPECT_FALSE(owner_->acts(kCAB)) << "C is";
  states(kAlive, kUnknown, kDead);
  EXPECT_TRUE(owner_->acts(kCAB)) << "C is dead, A not ready";
}

TEST_F(ActingOwnerTest, ASuspectOrUnknownPredecessorKeepsItsPlace) {
  for (const PeerState state : {PeerState::kSlow, PeerState::kSuspect, kUnknown}) {
    begin_ready(kB);
    states(state, kUnknown, kAlive);
    EXPECT_FALSE(owner_->acts(kABC)) << int(state);
  }
  for (const PeerState state : {kDead, PeerState::kFrozen}) {
    begin_ready(kB);
    states(state, kUnknown, kAlive);
    EXPECT_TRUE(owner_->acts(kABC)) << int(state);
  }
}

// ---- R1.2: to start ----

TEST_F(ActingOwnerTest, StartsUnderTheNextTermAndSaysSo) {
  begin_ready(kB);
  hear(kA, {.view = {7, kA}, .owner_acts = true, .ready = true});
  hear(kC, {.view = {7, kA}, .ready = true});
  states(kDead, kUnknown, kAlive);
  ASSERT_EQ(events(Kind::kStarted, kABC).size(), 1U);
  EXPECT_EQ(owner_->view(kABC), (View{8, kB}));
  const GroupAnnouncement said = owner_->announcement(kC)[kABC.value];
  EXPECT_EQ(said.view, (View{8, kB}));
  EXPECT_TRUE(said.owner_acts && said.ready);
}

TEST_F(ActingOwnerTest, PreparesForReplicatedWithThoseAliveAndReady) {
  begin_ready(kB);
  now_ += 1s;
  states(kDead, kUnknown, kAlive);
  EXPECT_TRUE(owner_->acts(kABC));
  EXPECT_FALSE(owner_->is_prepared(kABC));
  EXPECT_TRUE(wants(kABC, kC));
  owner_->on_compared(kABC, kC, true, now_ - 1ns, now_, fresh());
  EXPECT_FALSE(owner_->is_prepared(kABC)) << "it began before the takeover";
  compare(kC, true);
  EXPECT_TRUE(owner_->is_prepared(kABC));
  EXPECT_EQ(events(Kind::kPrepared, kABC).size(), 1U);
}

TEST_F(ActingOwnerTest, PreparingWaitsForNoneThatIsNotReadyOrDead) {
  begin_ready(kB);
  hear(kC, {});
  states(kDead, kUnknown, kAlive);
  EXPECT_TRUE(owner_->is_prepared(kABC));
  begin_ready(kB);
  states(kDead, kUnknown, kAlive);
  EXPECT_FALSE(owner_->is_prepared(kABC));
  states(kDead, kUnknown, kDead);
  EXPECT_TRUE(owner_->is_prepared(kABC));
}

TEST_F(ActingOwnerTest, WhoWasReadyIsComparedThoughItsReadinessEnds) {
  begin_ready(kB);
  states(kDead, kUnknown, kAlive);
  hear(kC, {.view = owner_->view(kABC), .ready = false});
  EXPECT_FALSE(owner_->is_prepared(kABC));
}

TEST_F(ActingOwnerTest, APeerThatDoesNotHearUsIsGivenUpForComparisons) {
  begin_ready(kB);
  states(kDead, kUnknown, PeerState::kSlow);
  EXPECT_EQ(owner_->next_deadline(now_), now_ + 30s);
  pass(30s - 1ns);
  states(kDead, kUnknown, PeerState::kSlow);
  EXPECT_FALSE(owner_->is_prepared(kABC));
  pass(1ns);
  EXPECT_TRUE(owner_->is_prepared(kABC));
}

TEST_F(ActingOwnerTest, DoesNotActWhileAPeerHearsTheOwner) {
  begin_ready(kB);
  hear(kA, {.view = {7, kA}, .owner_acts = true, .ready = true});
  hear(kC, {.view = {7, kA}, .owner_acts = true, .ready = true});
  states(kDead, kUnknown, kAlive);
  EXPECT_FALSE(owner_->acts(kABC));
  EXPECT_EQ(owner_->owner(kABC), kA);
  hear(kC, {.view = {7, kA}, .owner_acts = false, .ready = true});
  EXPECT_TRUE(owner_->acts(kABC));
}

TEST_F(ActingOwnerTest, OfAPeerThatIsHeardNobodyElsesWordCounts) {
  begin_ready(kB);
  hear(kA, {.view = {7, kA}});  // it restarted
  hear(kC, {.view = {7, kA}, .owner_acts = true, .ready = true});
  EXPECT_TRUE(owner_->acts(kABC));
}

TEST_F(ActingOwnerTest, SaysOfAnotherThatItActsOnlyWhileItHearsIt) {
  begin_ready(kB);
  hear(kA, {.view = {7, kA}, .owner_acts = true, .ready = true});
  EXPECT_TRUE(owner_->announcement(kC)[kABC.value].owner_acts);
  hear(kC, {.view = {8, kC}, .ready = true});
  EXPECT_FALSE(owner_->announcement(kC)[kABC.value].owner_acts) << "C's view is the higher one";
  hear(kA, {.view = {9, kA}, .owner_acts = true, .ready = true});
  EXPECT_TRUE(owner_->announcement(kC)[kABC.value].owner_acts);
  states(kDead, kUnknown, kAlive);
  EXPECT_FALSE(owner_->announcement(kC)[kCAB.value].owner_acts);
}

// ---- Terms ----

TEST_F(ActingOwnerTest, UsesNoTermOfAnEarlierStart) {
  begin(kA, SlotSet(0b001), {500, 501});
  pass(0ns);
  EXPECT_EQ(owner_->view(kABC), (View{500, kA}));
}

TEST_F(ActingOwnerTest, ActsOnlyUnderTermsThatAreOnDisk) {
  begin(kA, SlotSet(0b001), {500, 500});
  pass(0ns);
  EXPECT_EQ(owner_->acting_count(), 0U);
  ASSERT_EQ(std::ranges::count(events_, Kind::kReserveTerms, &OwnerEvent::kind), 1);
  const auto asked = std::ranges::find(events_, Kind::kReserveTerms, &OwnerEvent::kind);
  owner_->on_terms_reserved(asked->view.term, now_, fresh());
  EXPECT_EQ(owner_->acting_count(), kGroups);
}

// ---- R1.3: the higher view wins ----

TEST_F(ActingOwnerTest, AHigherViewStopsItAndALowerOneDoesNot) {
  begin_ready(kB);
  const View mine = owner_->view(kBCA);
  hear(kA, {.view = {mine.term, kA}, .owner_acts = true, .ready = true});
  EXPECT_TRUE(owner_->acts(kBCA)) << "same term, lower slot";
  hear(kC, {.view = {mine.term, kC}, .owner_acts = true, .ready = true});
  EXPECT_FALSE(owner_->acts(kBCA));
  ASSERT_EQ(events(Kind::kStopped, kBCA).size(), 1U);
  EXPECT_EQ(events(Kind::kStopped, kBCA)[0].peer, kC);
  EXPECT_EQ(owner_->owner(kBCA), kC);
  EXPECT_EQ(owner_->view(kBCA), (View{mine.term, kC}));
}

TEST_F(ActingOwnerTest, AViewNeverGoesBack) {
  begin_ready(kA);
  hear(kB, {.view = {9, kB}, .owner_acts = true, .ready = true});
  hear(kC, {.view = {8, kC}, .owner_acts = true, .ready = true});
  EXPECT_EQ(owner_->view(kBCA), (View{9, kB}));
  EXPECT_EQ(owner_->owner(kBCA), kB);
}

/// Its disk, and whoever else knew, have lost that it acted under it; a server has not.
TEST_F(ActingOwnerTest, AViewOfItsOwnThatItHasForgottenIsOutbid) {
  begin_ready(kA);
  const View mine = owner_->view(kABC);
  owner_->on_view(kABC, {mine.term + 50, kA}, now_, fresh());
  EXPECT_EQ(owner_->view(kABC), (View{mine.term + 51, kA}));
  EXPECT_TRUE(owner_->acts(kABC));
  EXPECT_EQ(events(Kind::kStarted, kABC).size(), 1U);
  owner_->on_view(kABC, mine, now_, fresh());
  EXPECT_TRUE(events_.empty());
}

TEST_F(ActingOwnerTest, StoppedWhilePreparingItIsNotReady) {
  begin_ready(kA);
  states(kUnknown, kDead, kDead);
  now_ += 10s;
  hear(kB, {.view = {99, kB}, .owner_acts = true, .ready = true});
  EXPECT_FALSE(owner_->acts(kABC));
  EXPECT_FALSE(owner_->is_ready(kABC));
  EXPECT_TRUE(events(Kind::kAskHandOver, kABC).empty());
}

TEST_F(ActingOwnerTest, AHigherViewUnderWhichNobodyActsIsOutbid) {
  begin_ready(kA);
  hear(kC, {.view = {9, kB}, .ready = true});
  EXPECT_EQ(owner_->view(kABC), (View{10, kA}));
  EXPECT_EQ(events(Kind::kStopped, kABC).size(), 1U);
}

}  // namespace
}  // namespace copal
