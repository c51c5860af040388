// OwnerCache: a cache is cleared.

#include "core/cache/owner_cache.h"
#include "core/testing/owner_bed.h"

namespace copal {
namespace {

class OwnerClear : public OwnerBed {
 protected:
  void SetUp() override { begin(); }

  /// Returns the answer, if there is one at once.
  std::optional<CacheCleared> clear(const GroupSet& groups = ~GroupSet{}, CacheId cache = kPlain,
                                    std::uint64_t sequence = 5) {
    effects_.clear();
    owner_->on_clear(kServer, {sequence, cache, groups}, now_, effects_);
    owner_->check_invariants();
    return cleared();
  }
  std::optional<CacheCleared> cleared() const {
    const auto answers = sent<CacheCleared>();
    EXPECT_LE(answers.size(), 1U);
    return answers.empty() ? std::nullopt : std::optional(answers[0].second);
  }
  CacheStatus status_of_clear() const {
    return cleared() ? cleared()->status : CacheStatus::kTimedOut;
  }
  std::array<Duty, kGroups> duties_but(std::uint8_t group, const Duty& other) const {
    std::array<Duty, kGroups> duties;
    duties.fill(duty_);
    duties.at(group) = other;
    return duties;
  }
};

TEST_F(OwnerClear, ItRemovesWhatIsThereAndNotWhatComesAfter) {
  put("old", bytes(1));
  set_ready({});
  const auto answer = clear();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, CacheStatus::kDone);
  EXPECT_TRUE(answer->groups.all());
  EXPECT_EQ(status(get("old")), CacheStatus::kAbsent);
  EXPECT_EQ(status(put("new", bytes(2))), CacheStatus::kDone);
  EXPECT_EQ(status(put("old", bytes(3))), CacheStatus::kDone);
  EXPECT_EQ(status(get("new")), CacheStatus::kDone);
  EXPECT_EQ(status(get("old")), CacheStatus::kDone);
}

TEST_F(OwnerClear, ItIsReplicatedInItsPlaceAmongTheChanges) {
  put("key", bytes(1));
  const Group group = group_of(key_hash("key"));
  clear(GroupSet{}.set(group.value));
  EXPECT_EQ(log_.last_position(), 2U);
  Effects copies;
  log_.send(now_, copies);
  int clears = 0;
  for (const Effect& effect : copies) {
    if (const auto* copy = std::get_if<ReplicateClear>(&std::get<Send>(effect).message)) {
      ++clears;
      EXPECT_EQ(copy->cleared, replica_.cleared(group, kPlain));
      EXPECT_EQ(copy->position, 2U);
    }
  }
  EXPECT_EQ(clears, 2);
}

/// Found by the fuzzer (seed 960370): who asked keeps nothing of it, so that it was lost with its
/// owner, and what it had removed came back.
TEST_F(OwnerClear, ItIsAnsweredWhenAnotherReadyMemberHasAllOfIt) {
  for (const CacheId cache : {kPlain, kSafe}) {
    EXPECT_FALSE(clear(~GroupSet{}, cache).has_value());
    acknowledge(kPeer, log_.last_position() - 1);
    EXPECT_FALSE(cleared().has_value());
    acknowledge(kPeer, log_.last_position());
    EXPECT_EQ(status_of_clear(), CacheStatus::kDone);
    EXPECT_TRUE(cleared()->groups.all());
    EXPECT_EQ(owner_->waiting_count(), 0U);
  }
}

TEST_F(OwnerClear, WithNobodyElseItIsSaidToBeSingleWhereThatMatters) {
  EXPECT_FALSE(clear().has_value());
  EXPECT_FALSE(clear(~GroupSet{}, kSafe, 6).has_value());
  set_ready({});
  const auto answers = sent<CacheCleared>();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].second.status, CacheStatus::kDone);
  EXPECT_EQ(answers[1].second.status, CacheStatus::kSingleCopy);
}

TEST_F(OwnerClear, ACacheThatRefusesToBeDegradedIsNotCleared) {
  safe_.refuse_degraded = true;
  begin();
  put("key", bytes(1), kSafe);
  EXPECT_FALSE(clear(~GroupSet{}, kSafe, 6).has_value());
  set_ready({});
  EXPECT_EQ(status_of_clear(), CacheStatus::kOutcomeUnknown) << "it has begun";
  put("other", bytes(1));
  const std::uint64_t position = log_.last_position();
  EXPECT_EQ(clear(~GroupSet{}, kSafe, 7)->status, CacheStatus::kDegraded);
  EXPECT_EQ(log_.last_position(), position);
  EXPECT_EQ(clear(~GroupSet{}, kPlain, 8)->status, CacheStatus::kDone);
}

TEST_F(OwnerClear, AskedAgainItIsNotDoneAgain) {
  clear();
  const std::uint64_t position = log_.last_position();
  pass(9s);
  EXPECT_FALSE(clear().has_value());
  EXPECT_EQ(log_.last_position(), position);
  acknowledge(kPeer, position);
  EXPECT_EQ(status_of_clear(), CacheStatus::kDone);
  // Its answer is lost, or on its way; meanwhile something is written.
  put("key", bytes(1));
  ASSERT_TRUE(clear().has_value());
  EXPECT_TRUE(cleared()->groups.all());
  EXPECT_EQ(status(get("key")), CacheStatus::kDone);
  EXPECT_FALSE(clear(~GroupSet{}, kPlain, 6).has_value()) << "another one";
  EXPECT_EQ(status(get("key")), CacheStatus::kAbsent);
}

TEST_F(OwnerClear, WhatWasLeftThenIsDone) {
  set_ready({});
  EXPECT_EQ(clear(GroupSet{}.set(3))->groups, GroupSet{}.set(3));
  EXPECT_EQ(clear(GroupSet{}.set(3).set(4))->groups, GroupSet{}.set(3).set(4));
  EXPECT_EQ(log_.last_position(), 2U);
}

TEST_F(OwnerClear, WhatNobodyAsksForIsForgotten) {
  clear();
  pass(10s);
  EXPECT_EQ(owner_->waiting_count(), 1U);
  EXPECT_EQ(owner_->next_deadline(), now_.mono + 1ns);
  pass(1ns);
  EXPECT_EQ(owner_->waiting_count(), 0U);
  EXPECT_EQ(owner_->next_deadline(), kNever);
}

TEST_F(OwnerClear, SoManyAtATimeAreKept) {
  constexpr std::uint64_t kMany = 4096;
  for (std::uint64_t sequence = 1; sequence <= kMany; ++sequence) {
    clear({}, kPlain, sequence);
  }
  EXPECT_FALSE(clear(GroupSet{}.set(3), kPlain, kMany + 1).has_value())
      << "an answered one makes room";
  for (std::uint64_t sequence = kMany + 2; sequence <= 2 * kMany; ++sequence) {
    EXPECT_FALSE(clear(GroupSet{}.set(3), kPlain, sequence).has_value());
  }
  EXPECT_TRUE(clear(GroupSet{}.set(3), kPlain, 2 * kMany + 1)->groups.none()) << "try again";
}

TEST_F(OwnerClear, AGroupThatIsAnothersByThenIsLeftToIt) {
  clear();
  EXPECT_FALSE(owner_->is_idle(Group{4}));
  set_duties(duties_but(4, {.view = {9, Slot{1}}}));
  EXPECT_FALSE(cleared().has_value());
  acknowledge(kThird, log_.last_position());
  EXPECT_EQ(cleared()->groups, (~GroupSet{}).reset(4));
  EXPECT_TRUE(owner_->is_idle(Group{5}));
}

TEST_F(OwnerClear, WhatIsFromBeforeTheStreamOfAReadyMemberGoesToItOnceMore) {
  clear(GroupSet{}.set(3));
  set_duties(duties_but(3, {.acts = true, .prepared = true, .view = kMyView, .ready_replicas = 4}));
  log_.start(kThird);
  acknowledge(kThird, log_.last_position());
  EXPECT_FALSE(cleared().has_value());
  set_ready(SlotSet(0b100));
  EXPECT_FALSE(cleared().has_value());
  acknowledge(kThird, log_.last_position());
  EXPECT_EQ(status_of_clear(), CacheStatus::kDone);
}

TEST_F(OwnerClear, WhereItIsAlwaysSyncedTheAnswerWaitsForThat) {
  for (const Sync sync : {Sync::kInterval, Sync::kAlways}) {
    plain_.sync = sync;
    begin();
    set_ready({});
    clear();
    const auto answer = std::ranges::find_if(effects_, [](const Effect& effect) {
      const auto* send = std::get_if<Send>(&effect);
      return send != nullptr && std::holds_alternative<CacheCleared>(send->message);
    });
    ASSERT_NE(answer, effects_.end());
    EXPECT_EQ(std::get<Send>(*answer).after_sync, sync == Sync::kAlways);
  }
}

TEST_F(OwnerClear, OnlyGroupsThatAreAskedForAndActedForAreCleared) {
  set_ready({});
  set_duties(duties_but(4, {.view = {9, Slot{1}}}));
  const GroupSet done = clear(GroupSet{}.set(3).set(4).set(5))->groups;
  EXPECT_EQ(done, GroupSet{}.set(3).set(5));
  EXPECT_EQ(replica_.cleared(Group{4}, kPlain), kNoVersion);
  EXPECT_EQ(replica_.cleared(Group{6}, kPlain), kNoVersion);
  EXPECT_TRUE(clear({}, kPlain, 6)->groups.none());
}

TEST_F(OwnerClear, AnUnknownCacheIsNotCleared) {
  EXPECT_EQ(clear(~GroupSet{}, CacheId{9})->status, CacheStatus::kUnknownCache);
}

}  // namespace
}  // namespace copal
