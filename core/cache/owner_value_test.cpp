// OwnerCache: changes whose bytes are missing, and changes for which there is no room.

#include "core/cache/owner_cache.h"
#include "core/testing/owner_bed.h"

namespace copal {
namespace {

class OwnerValue : public OwnerBed {
 protected:
  void SetUp() override { begin(); }
  /// A put whose bytes do not come along.
  CacheChange bare_put(const std::string& key, const Blob& value, NodeId value_at = kNoNode) {
    CacheChange change = put_of(key, value);
    change.value = Blob();
    change.value_at = value_at;
    return change;
  }
};

TEST_F(OwnerValue, BytesThatTheOwnerHasNeedNotCome) {
  put("key", bytes(1));
  EXPECT_EQ(status(ask(bare_put("another", bytes(1)))), CacheStatus::kDone);
  EXPECT_EQ(status(ask(bare_put("third", bytes(2)))), CacheStatus::kNeedValue);
  EXPECT_EQ(replica_.find(key_hash("third")), nullptr);
}

TEST_F(OwnerValue, NeedValueIsNoAnswerToRememberButSettlesTheAttempt) {
  CacheChange change = bare_put("key", bytes(1));
  change.attempt = 4;
  const auto needs = ask(change);
  EXPECT_EQ(needs->attempt, 4U);
  change.value = bytes(1);
  EXPECT_EQ(status(ask(change)), CacheStatus::kDone) << "under the same sequence";
}

TEST_F(OwnerValue, BytesLeftWithAnotherMemberAreFetchedThereBeforeItIsDone) {  // R0.4
  EXPECT_FALSE(ask(bare_put("key", bytes(1), kThird)).has_value());
  ASSERT_EQ(sent<FetchValue>().size(), 1U);
  EXPECT_EQ(sent<FetchValue>()[0].first, kThird);
  EXPECT_EQ(replica_.find(key_hash("key")), nullptr) << "m-nodes follow their bytes";
  EXPECT_FALSE(owner_->is_idle(group_of(key_hash("key"))));
  receive(bytes(1));
  EXPECT_EQ(status(answer()), CacheStatus::kDone);
  EXPECT_EQ(*replica_.values().find(hash(bytes(1))), bytes(1));
  EXPECT_EQ(replica_.values().reference_count(hash(bytes(1))), 1U);
  replica_.check_invariants();
}

TEST_F(OwnerValue, BytesLeftWithAnEarlierStartOfThisOneOrWithAStrangerAreNowhere) {
  EXPECT_EQ(status(ask(bare_put("key", bytes(1), kSelf))), CacheStatus::kNeedValue);
  EXPECT_EQ(status(ask(bare_put("key", bytes(1), NodeId{77}))), CacheStatus::kNeedValue);
  EXPECT_TRUE(sent<FetchValue>().empty());
}

TEST_F(OwnerValue, HeldAndComeAgainItIsHeldOnce) {
  const CacheChange change = bare_put("key", bytes(1), kThird);
  ask(change);
  ask(change);
  EXPECT_EQ(owner_->waiting_count(), 1U);
  receive(bytes(1));
  EXPECT_EQ(sent<CacheAnswer>().size(), 1U);
}

TEST_F(OwnerValue, BytesThatAreNowhereMustBeBroughtAgain) {
  ask(bare_put("key", bytes(1), kThird));
  pass(2s);
  EXPECT_FALSE(answer().has_value());
  pass(1ns);
  EXPECT_EQ(status(answer()), CacheStatus::kNeedValue);
  EXPECT_EQ(owner_->waiting_count(), 0U);
  EXPECT_EQ(replica_.values().count(), 0U) << "the pin is gone with it";
}

/// The newest has found a way; there may be none back by that of the first.
TEST_F(OwnerValue, BytesThatAreNowhereAreAskedForInAnswerToTheNewestAttempt) {
  CacheChange change = bare_put("key", bytes(1), kThird);
  for (const std::uint32_t attempt : {1U, 3U, 2U}) {
    change.attempt = attempt;
    ask(change);
  }
  pass(2001ms);
  const auto needs = answer();
  ASSERT_TRUE(needs.has_value());
  EXPECT_EQ(needs->status, CacheStatus::kNeedValue);
  EXPECT_EQ(needs->attempt, 3U);
}

TEST_F(OwnerValue, OfTwoThatWaitForTheSameBytesBothAreDone) {
  ask(bare_put("one", bytes(1), kThird));
  ask(bare_put("two", bytes(1), kThird));
  receive(bytes(1));
  EXPECT_EQ(sent<CacheAnswer>().size(), 2U);
  EXPECT_EQ(replica_.values().reference_count(hash(bytes(1))), 2U);
}

TEST_F(OwnerValue, AnAppendWaitsForTheBytesThatItAppendsTo) {
  replica_.install(foreign("key", 5, bytes(1)), "key");
  EXPECT_FALSE(ask(change_of("key", {.action = Action::kAppend}, bytes(2, 60))).has_value());
  receive(bytes(1));
  ASSERT_EQ(status(answer()), CacheStatus::kDone);
  EXPECT_EQ(mnode("key").value_size_bytes, 160U);
}

TEST_F(OwnerValue, SoDoesWhoeverWantsThePreviousValue) {
  replica_.install(foreign("key", 5, bytes(1)), "key");
  EXPECT_FALSE(ask(change_of("key", {.wants_previous = true}, bytes(2))).has_value());
  receive(bytes(1));
  ASSERT_EQ(status(answer()), CacheStatus::kDone);
  EXPECT_EQ(answer()->value, bytes(1));
}

TEST_F(OwnerValue, WhoWaitsForBytesThatNobodyWantsAnyMoreTakesWhatIsThereThen) {
  replica_.install(foreign("key", 5, bytes(1)), "key");
  EXPECT_FALSE(ask(change_of("key", {.wants_previous = true}, bytes(2))).has_value());
  put("key", bytes(3));
  now_.mono += 500ms;
  effects_.clear();
  const std::vector<ValueHash> gone = fetch_.on_time(now_.mono, effects_);
  ASSERT_EQ(gone, std::vector{hash(bytes(1))});
  owner_->on_value(gone[0], now_, effects_);
  EXPECT_EQ(owner_->waiting_count(), 0U);
  ASSERT_EQ(status(answer()), CacheStatus::kDone);
  EXPECT_EQ(answer()->value, bytes(3));
}

TEST_F(OwnerValue, OverwritingAMissingValueWaitsForNothing) {
  replica_.install(foreign("key", 5, bytes(1)), "key");
  EXPECT_EQ(status(put("key", bytes(2))), CacheStatus::kDone);
  EXPECT_EQ(replica_.values().missing_count(), 0U);
}

TEST_F(OwnerValue, OnlyWhatTheTriadMayLackIsReplicatedWithItsBytes) {
  put("key", bytes(1));
  put("another", bytes(1));
  Effects copies;
  log_.send(now_, copies);
  std::vector<std::size_t> sizes;
  for (const Effect& effect : copies) {
    const auto& send = std::get<Send>(effect);
    if (send.to == kPeer) {
      sizes.push_back(std::get<Replicate>(send.message).value.size_bytes());
    }
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{100, 0}));
}

// ---- no room (R0.7)

TEST_F(OwnerValue, ValuesAboveTheCachesLimitAreRefusedAndSoAreAppendsBeyondIt) {
  plain_.value_size_max_bytes = 150;
  begin();
  EXPECT_EQ(status(put("key", bytes(1, 151))), CacheStatus::kValueTooLarge);
  EXPECT_EQ(status(put("key", bytes(1, 150))), CacheStatus::kDone);
  EXPECT_EQ(status(ask(change_of("key", {.action = Action::kAppend}, bytes(2, 40)))),
            CacheStatus::kValueTooLarge);
}

TEST_F(OwnerValue, WithoutEvictionAFullMemberRefusesAndKeepsAll) {
  limits_.entries_max = 2;
  limits_.values_size_max_bytes = 300;
  begin();
  put("a", bytes(1));
  put("b", bytes(2));
  EXPECT_EQ(status(put("c", bytes(3))), CacheStatus::kFull) << "entries";
  EXPECT_EQ(status(put("a", bytes(3))), CacheStatus::kDone) << "no new entry";
  EXPECT_EQ(status(put("a", bytes(4, 250))), CacheStatus::kFull) << "bytes";
  EXPECT_EQ(status(put("a", bytes(2))), CacheStatus::kDone) << "bytes that are here";
  EXPECT_EQ(status(ask(change_of("b", {.action = Action::kRemove}))), CacheStatus::kDone);
  EXPECT_EQ(status(put("c", bytes(3))), CacheStatus::kDone) << "a tombstone is no entry";
  EXPECT_EQ(owner_->counts().evicted, 0U);
}

TEST_F(OwnerValue, WithEvictionTheColdestGoAsReplicatedRemovals) {
  plain_.evict = true;
  limits_.entries_max = 4;
  begin();
  for (const char* key : {"a", "b", "c", "d"}) {
    put(key, bytes(1));
    pass(1s);
  }
  get("a");
  EXPECT_EQ(status(put("e", bytes(2))), CacheStatus::kDone);
  EXPECT_TRUE(mnode("b").is_tombstone()) << "of four all are looked at";
  EXPECT_FALSE(mnode("a").is_tombstone()) << "it was used";
  EXPECT_EQ(mnode("b").version.owner, me_);
  EXPECT_EQ(log_.last_position(), 6U) << "four puts, the removal, the fifth";
  EXPECT_EQ(owner_->counts().evicted, 1U);
}

TEST_F(OwnerValue, TheOnlyEntryOfACacheCanBeGivenUp) {
  plain_.evict = true;
  limits_.entries_max = 1;
  begin();
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(status(put("key " + std::to_string(i), bytes(1))), CacheStatus::kDone) << i;
  }
  EXPECT_EQ(owner_->counts().evicted, 49U);
}

TEST_F(OwnerValue, OnlyEntriesOfTheSameCacheAreGivenUp) {
  plain_.evict = true;
  limits_.entries_max = 1;
  begin();
  put("safe", bytes(1), kSafe);
  EXPECT_EQ(status(put("key", bytes(2))), CacheStatus::kFull);
  EXPECT_FALSE(mnode("safe", kSafe).is_tombstone());
}

TEST_F(OwnerValue, AFullDiskRefusesWhatNeedsRoomAndRemovesStill) {
  put("key", bytes(1));
  store_.on_completion(WriteFailed{StoreSequence{1}, StoreSequence{1}, WriteError::kFull}, now_,
                       effects_);
  EXPECT_EQ(status(put("key", bytes(2))), CacheStatus::kFull);
  EXPECT_EQ(status(ask(change_of("key", {.action = Action::kTouch}))), CacheStatus::kFull);
  EXPECT_EQ(status(get("key")), CacheStatus::kDone);
  EXPECT_EQ(status(ask(change_of("key", {.action = Action::kRemove}))), CacheStatus::kDone);
}

}  // namespace
}  // namespace copal
