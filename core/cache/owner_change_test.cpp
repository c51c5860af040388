// OwnerCache: changes.

#include "core/cache/owner_cache.h"
#include "core/testing/owner_bed.h"

namespace copal {
namespace {

class OwnerChange : public OwnerBed {
 protected:
  void SetUp() override { begin(); }
};

// ---- versions (R6)

TEST_F(OwnerChange, EachChangeHasAHigherVersionOfThisOwnerAndItsTerm) {
  Version newest = kNoVersion;
  for (std::uint8_t i = 0; i < 5; ++i) {  // the clock stands still
    const auto done = put("key", bytes(i));
    ASSERT_EQ(status(done), CacheStatus::kDone);
    EXPECT_GT(done->entry->mnode.version, newest);
    newest = done->entry->mnode.version;
    EXPECT_EQ(newest.epoch, kMyView.term);
    EXPECT_EQ(newest.owner, me_);
    EXPECT_EQ(done->position, i + 1U);
  }
}

TEST_F(OwnerChange, AVersionIsAboveWhateverWasThereBefore) {
  replica_.install(foreign("key", 900'000'000'000'000, bytes(1)), "key");
  EXPECT_EQ(put("key", bytes(2))->entry->mnode.version.counter, 900'000'000'000'001U);
  replica_.raise_horizon(group_of(key_hash("new")), {900'000'000'000'005, 0, {}});
  EXPECT_GT(put("new", bytes(2))->entry->mnode.version.counter, 900'000'000'000'005U);
}

TEST_F(OwnerChange, TheBaseIsTheNewestForeignVersionThatWasKnown) {
  replica_.install(foreign("key", 5, bytes(1)), "key");
  const Version theirs = mnode("key").version;
  EXPECT_EQ(put("key", bytes(2))->entry->mnode.base, theirs);
  EXPECT_EQ(put("key", bytes(3))->entry->mnode.base, theirs) << "mine in between is no base";
}

TEST_F(OwnerChange, NothingIsIssuedAboveWhatIsReservedOnDisk) {
  clock_.set_reserved(clock_.reading(now_.mono) + 1);
  EXPECT_EQ(status(put("key", bytes(1))), CacheStatus::kDone);
  EXPECT_EQ(status(put("key", bytes(2))), CacheStatus::kTryAgain);
  clock_.set_reserved(clock_.reading(now_.mono) + 100);
  EXPECT_EQ(status(put("key", bytes(2))), CacheStatus::kDone);
}

// ---- what comes again (R0.3)

TEST_F(OwnerChange, AChangeThatComesAgainIsAnsweredAgainAndNotDoneAgain) {
  const CacheChange change = change_of("counter", {.action = Action::kIncrement, .delta = 1});
  const auto first = ask(change);
  const auto again = ask(change);
  ASSERT_EQ(status(again), CacheStatus::kDone);
  EXPECT_EQ(again->entry->mnode.version, first->entry->mnode.version);
  EXPECT_EQ(again->position, first->position);
  EXPECT_EQ(owner_->counts().changes, 1U);
  EXPECT_EQ(owner_->counts().repeated, 1U);
}

TEST_F(OwnerChange, WhileItWaitsTheAnswerGoesWhereItCameFromLast) {
  CacheChange change = put_of("key", bytes(1), kSafe);
  EXPECT_FALSE(ask(change).has_value());
  change.origin = kServer;
  EXPECT_FALSE(ask(change, kThird).has_value()) << "relayed by a member this time";
  acknowledge(kPeer, 1);
  ASSERT_EQ(sent<CacheAnswer>().size(), 1U);
  EXPECT_EQ(sent<CacheAnswer>()[0].first, kThird);
  EXPECT_EQ(sent<CacheAnswer>()[0].second.origin, kServer);
  EXPECT_EQ(owner_->counts().changes, 1U);
}

TEST_F(OwnerChange, WhatAServerHasTheAnswerToIsNotAnsweredAnyMore) {
  const CacheChange old = put_of("key", bytes(1));
  ask(old);
  CacheChange next = put_of("key", bytes(2));
  next.answered_below = next.sequence;
  ask(next);
  EXPECT_FALSE(ask(old).has_value());
  EXPECT_EQ(mnode("key").value_hash, hash(bytes(2)));
}

TEST_F(OwnerChange, TriedElsewhereAPlainChangeIsDoneAgainAndAnotherIsUnknown) {
  const auto elsewhere = [&](CacheChange change) {
    change.tried.add(Slot{1}, Incarnation{2});
    return ask(change);
  };
  EXPECT_EQ(status(elsewhere(put_of("key", bytes(1)))), CacheStatus::kDone);
  const Version version = mnode("key").version;
  EXPECT_EQ(status(elsewhere(change_of("key", {.action = Action::kIncrement, .delta = 1}))),
            CacheStatus::kOutcomeUnknown);
  EXPECT_EQ(status(elsewhere(change_of("key", {.condition = Condition::kAbsent}, bytes(2)))),
            CacheStatus::kOutcomeUnknown);
  EXPECT_EQ(status(elsewhere(change_of("key", {.wants_previous = true}, bytes(2)))),
            CacheStatus::kOutcomeUnknown);
  EXPECT_EQ(mnode("key").version, version) << "none of them was done";
}

TEST_F(OwnerChange, AnEarlierStartOfThisMemberIsElsewhereToo) {
  CacheChange change = change_of("key", {.action = Action::kIncrement, .delta = 1});
  change.tried.add(Slot{0}, kStart);
  EXPECT_EQ(status(ask(change)), CacheStatus::kDone) << "this very start knows what it did";
  change = change_of("key", {.action = Action::kIncrement, .delta = 1});
  change.tried.add(Slot{0}, Incarnation{kStart.value - 1});
  EXPECT_EQ(status(ask(change)), CacheStatus::kOutcomeUnknown);
}

TEST_F(OwnerChange, WhatHappenedElsewhereWaitsForASecondCopyToo) {
  const auto happened = [&](const std::string& key) {
    CacheChange change = change_of(key, {.condition = Condition::kAbsent}, bytes(1), kSafe);
    change.tried.add(Slot{0}, Incarnation{kStart.value - 1});
    MNode mine = foreign(key, 5, bytes(1), kSafe);
    mine.change = {kServer, change.incarnation, change.sequence};
    replica_.install(mine, key);
    return ask(change);
  };
  EXPECT_FALSE(happened("key").has_value()) << "whether another member has it is not known here";
  acknowledge(kPeer, 1);
  ASSERT_EQ(sent<CacheAnswer>().size(), 1U);
  EXPECT_EQ(sent<CacheAnswer>()[0].second.status, CacheStatus::kDone);
  set_ready(SlotSet());
  EXPECT_EQ(status(happened("other")), CacheStatus::kSingleCopy);
}

TEST_F(OwnerChange, WhatWasPassedOnMayHaveHappenedThere) {
  CacheChange change = change_of("key", {.action = Action::kIncrement, .delta = 1});
  change.tried.add(Slot{0}, kStart);  // by an attempt that this member knows nothing of
  const CacheChange on = pass_on(change, Slot{1}, Incarnation{2}).at(0);
  EXPECT_EQ(on.tried, TriedMembers{}) << "this member has not done it, and says so";
  EXPECT_EQ(on.origin, kServer);
  // Its server comes again, and another member acts by now.
  TriedMembers peer;
  peer.add(Slot{1}, Incarnation{2});
  EXPECT_EQ(pass_on(change, Slot{2}, Incarnation{3}).at(0).tried, peer);
  // And again, when this one acts.
  EXPECT_EQ(status(ask(change)), CacheStatus::kOutcomeUnknown);
  EXPECT_EQ(status(ask(change_of("key", {.action = Action::kIncrement, .delta = 1}))),
            CacheStatus::kDone);
}

TEST_F(OwnerChange, WhatWasDoneHereIsAnsweredAndNotPassedOn) {
  const CacheChange change = change_of("key", {.action = Action::kIncrement, .delta = 1});
  ASSERT_EQ(status(ask(change)), CacheStatus::kDone);
  EXPECT_TRUE(pass_on(change, Slot{1}, Incarnation{2}).empty());
  ASSERT_EQ(sent<CacheAnswer>().size(), 1U);
  EXPECT_EQ(sent<CacheAnswer>()[0].second.status, CacheStatus::kDone);
}

TEST_F(OwnerChange, WhatWaitsHereIsPassedOnAsPerhapsDone) {
  const CacheChange change =
      change_of("key", {.action = Action::kIncrement, .delta = 1}, {}, kSafe);
  EXPECT_FALSE(ask(change).has_value()) << "it waits for another member";
  TriedMembers here;
  here.add(Slot{0}, kStart);
  EXPECT_EQ(pass_on(change, Slot{1}, Incarnation{2}).at(0).tried, here);
}

TEST_F(OwnerChange, TheEntrysLastChangeTellsThatItHappenedElsewhere) {
  CacheChange change = change_of("key", {.condition = Condition::kAbsent}, bytes(1));
  change.tried.add(Slot{1}, Incarnation{2});
  MNode theirs = foreign("key", 5, bytes(1));
  theirs.change = {kServer, change.incarnation, change.sequence};
  replica_.install(theirs, "key");
  const auto answered = ask(change);
  ASSERT_EQ(status(answered), CacheStatus::kDone);
  EXPECT_EQ(answered->entry->mnode.version, theirs.version);
  EXPECT_EQ(owner_->counts().changes, 0U);
  EXPECT_EQ(*replica_.values().find(hash(bytes(1))), bytes(1)) << "they came with the question";
}

/// Its server keeps it as one that happened here (R1.7): a removal by its version, what was
/// appended with the bytes that came of it.
TEST_F(OwnerChange, OfWhatHappenedElsewhereAllIsToldThatItsServerKeeps) {
  CacheChange removal = change_of("key", {.action = Action::kRemove});
  removal.tried.add(Slot{1}, Incarnation{2});
  MNode removed = foreign("key", 5);
  removed.change = {kServer, removal.incarnation, removal.sequence};
  replica_.install(removed, "key");
  auto answered = ask(removal);
  ASSERT_EQ(status(answered), CacheStatus::kDone);
  ASSERT_TRUE(answered->entry.has_value());
  EXPECT_EQ(answered->entry->mnode.version, removed.version);
  EXPECT_EQ(answered->absent, removed.version);

  CacheChange append = change_of("other", {.action = Action::kAppend}, bytes(2));
  append.tried.add(Slot{1}, Incarnation{2});
  MNode appended = foreign("other", 6, bytes(3));
  appended.change = {kServer, append.incarnation, append.sequence};
  replica_.install(appended, "other");
  replica_.values().provide(appended.value_hash, bytes(3));
  answered = ask(append);
  ASSERT_EQ(status(answered), CacheStatus::kDone);
  EXPECT_EQ(answered->entry->mnode.version, appended.version);
  EXPECT_EQ(answered->value, bytes(3));
}

// ---- copies (R1.7, R1.8; DESIGN section 5)

TEST_F(OwnerChange, ReplicatedWaitsForOneReadyMember) {
  EXPECT_FALSE(put("key", bytes(1), kSafe).has_value());
  EXPECT_FALSE(owner_->is_idle(group_of(key_hash("key", kSafe))));
  acknowledge(kThird, 1);
  EXPECT_EQ(status(answer()), CacheStatus::kDone);
  EXPECT_TRUE(owner_->is_idle(group_of(key_hash("key", kSafe))));
}

TEST_F(OwnerChange, ACopyAtAMemberThatIsNotReadyDoesNotCount) {
  set_ready(SlotSet(0b010));
  put("key", bytes(1), kSafe);
  acknowledge(kThird, 1);
  EXPECT_FALSE(answer().has_value());
  acknowledge(kPeer, 1);
  EXPECT_EQ(status(answer()), CacheStatus::kDone);
}

TEST_F(OwnerChange, AnswersLeaveInTheOrderOfTheirPositions) {
  for (std::uint8_t i = 0; i < 4; ++i) {
    put("key " + std::to_string(i), bytes(i), kSafe);
  }
  acknowledge(kPeer, 3);
  ASSERT_EQ(sent<CacheAnswer>().size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(sent<CacheAnswer>()[i].second.position, i + 1);
  }
  EXPECT_EQ(owner_->waiting_count(), 1U);
}

TEST_F(OwnerChange, WithNobodyReadyTheAnswerSaysSingleCopy) {
  set_ready({});
  EXPECT_EQ(status(put("key", bytes(1), kSafe)), CacheStatus::kSingleCopy);
  EXPECT_EQ(status(put("key", bytes(1))), CacheStatus::kDone) << "`available` promises no copy";
  EXPECT_EQ(owner_->counts().single_copy, 1U);
}

TEST_F(OwnerChange, LosingTheLastReadyMemberAnswersWhatWaitedForIt) {
  put("key", bytes(1), kSafe);
  set_ready(SlotSet(0b100));
  EXPECT_FALSE(answer().has_value()) << "the other one may still have it";
  set_ready({});
  EXPECT_EQ(status(answer()), CacheStatus::kSingleCopy);
}

TEST_F(OwnerChange, OneGroupsLossLeavesTheWaitsOfOthersAlone) {
  put("key", bytes(1), kSafe);
  put("another key", bytes(1), kSafe);
  const Group group = group_of(key_hash("key", kSafe));
  ASSERT_NE(group, group_of(key_hash("another key", kSafe)));
  std::array<Duty, kGroups> duties;
  duties.fill(duty_);
  duties[group.value].ready_replicas.reset();
  set_duties(duties);
  EXPECT_EQ(status(answer()), CacheStatus::kSingleCopy);
  EXPECT_EQ(answer()->sequence, 1U);
  EXPECT_EQ(owner_->waiting_count(), 1U);
}

TEST_F(OwnerChange, AnAppendTakesBytesThatCameAnotherWay) {
  put("key", bytes(1, 50));
  CacheChange change = change_of("key", {.action = Action::kAppend}, bytes(2, 60));
  change.value = Blob();
  change.value_at = kPeer;
  EXPECT_FALSE(ask(change).has_value());
  receive(bytes(2, 60));
  ASSERT_EQ(status(answer()), CacheStatus::kDone);
  EXPECT_EQ(mnode("key").value_size_bytes, 110U);
  put("with these bytes", bytes(3, 70));
  change = change_of("key", {.action = Action::kPrepend}, bytes(3, 70));
  change.value = Blob();
  EXPECT_EQ(status(ask(change)), CacheStatus::kDone) << "they are here";
  EXPECT_EQ(mnode("key").value_size_bytes, 180U);
}

TEST_F(OwnerChange, WhoStopsActingCannotSayThatThereIsNoCopy) {
  put("key", bytes(1), kSafe);
  set_duty({.view = {8, Slot{1}}});
  EXPECT_FALSE(answer().has_value());
  pass(10s + 1ns);
  EXPECT_EQ(owner_->waiting_count(), 0U);
  EXPECT_FALSE(answer().has_value());
}

class OwnerChangeOfRefusingCache : public OwnerBed {
 protected:
  void SetUp() override {
    safe_.refuse_degraded = true;
    begin();
  }
};

TEST_F(OwnerChangeOfRefusingCache, DegradedIsAnErrorBeforeAnythingIsDone) {
  set_ready({});
  EXPECT_EQ(status(put("key", bytes(1), kSafe)), CacheStatus::kDegraded);
  EXPECT_EQ(replica_.find(key_hash("key", kSafe)), nullptr);
}

TEST_F(OwnerChangeOfRefusingCache, LostWhileItWaitedTheOutcomeIsUnknown) {
  put("key", bytes(1), kSafe);
  set_ready({});
  EXPECT_EQ(status(answer()), CacheStatus::kOutcomeUnknown);
}

TEST_F(OwnerChange, AlwaysSyncedMeansThatTheAnswerWaitsForTheDisk) {  // R0.2
  for (const auto& [sync, waits] : {std::pair{Sync::kInterval, false}, {Sync::kAlways, true}}) {
    plain_.sync = sync;
    begin();
    const CacheChange change = put_of("key", bytes(1));
    for (int again = 0; again < 2; ++again) {
      ask(change);
      for (const Effect& effect : effects_) {
        const auto& send = std::get<Send>(effect);
        EXPECT_EQ(send.after_sync, waits) << "repeated: " << again;
      }
    }
  }
}

// ---- conditions

TEST_F(OwnerChange, WhatIsNotDoneHasNeitherVersionNorPosition) {
  const Version version = put("key", bytes(1))->entry->mnode.version;
  const auto failed = ask(change_of("key", {.condition = Condition::kAbsent}, bytes(2)));
  EXPECT_EQ(status(failed), CacheStatus::kConditionFailed);
  EXPECT_EQ(failed->position, 0U);
  EXPECT_FALSE(failed->entry.has_value());
  const auto nothing = ask(change_of("none", {.action = Action::kRemove}));
  EXPECT_EQ(status(nothing), CacheStatus::kAbsent);
  EXPECT_EQ(mnode("key").version, version);
  EXPECT_EQ(log_.last_position(), 1U);
}

TEST_F(OwnerChange, ThePreviousEntryComesWithItsBytes) {
  const Version version = put("key", bytes(1))->entry->mnode.version;
  const auto done = ask(change_of("key", {.wants_previous = true}, bytes(2)));
  ASSERT_EQ(status(done), CacheStatus::kDone);
  ASSERT_TRUE(done->previous.has_value());
  EXPECT_EQ(done->previous->mnode.version, version);
  EXPECT_EQ(done->value, bytes(1));
  EXPECT_GT(done->entry->mnode.version, version);
  EXPECT_FALSE(ask(change_of("new", {.wants_previous = true}, bytes(2)))->previous.has_value());
}

TEST_F(OwnerChange, AnAppendIsAnsweredWithTheWholeValue) {
  put("key", bytes(1, 50));
  const auto done = ask(change_of("key", {.action = Action::kAppend}, bytes(2, 60)));
  ASSERT_EQ(status(done), CacheStatus::kDone);
  EXPECT_EQ(done->value.size_bytes(), 110U);
  EXPECT_EQ(hash(done->value), mnode("key").value_hash);
}

}  // namespace
}  // namespace copal
