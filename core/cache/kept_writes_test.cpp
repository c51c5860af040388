#include "core/cache/kept_writes.h"

#include "core/testing/local_bed.h"

namespace copal {
namespace {

/// On a LocalBed's link, with a store of kept writes of its own.
class KeptWritesTest : public LocalBed {
 protected:
  void SetUp() override { begin_kept(); }
  void begin_kept() {
    begin();
    kept_.emplace(config_, *link_, near_, next_);
  }

  void keep(const std::string& key, std::uint64_t counter, std::uint64_t position,
            std::uint8_t owner = 0, Incarnation start = Incarnation{1}) {
    effects_.clear();
    kept_->keep(mnode_of(key, counter, bytes(1)), key, bytes(1), Slot{owner}, start, position, now_,
                effects_);
    kept_->check_invariants();
  }
  void cover(std::uint8_t slot, std::uint64_t up_to) {
    replicated_up_to_[slot] = up_to;
    hear(slot);
    kept_->on_heartbeat(Slot{slot});
    kept_->check_invariants();
  }
  void change_owner(const std::string& key, std::uint8_t slot) {
    take_over(key_hash(key), slot);
    effects_.clear();
    kept_->on_owners_changed(now_, effects_);
    kept_->check_invariants();
  }
  void answer(std::uint64_t sequence, CacheStatus status, std::uint8_t from,
              std::uint64_t position = 0) {
    effects_.clear();
    EXPECT_TRUE(kept_->on_answer({.sequence = sequence,
                                  .status = status,
                                  .view = views_[group_of(key_hash(key_)).value],
                                  .incarnation = starts_[from],
                                  .position = position},
                                 now_));
    kept_->check_invariants();
  }
  void pass_kept(Duration time) {
    pass(time);
    effects_.clear();
    kept_->on_time(now_, effects_);
    kept_->check_invariants();
  }
  std::pair<NodeId, OfferEntry> offered() const {
    EXPECT_EQ(sent<OfferEntry>().size(), 1U);
    return sent<OfferEntry>().at(0);
  }

  const std::string key_ = key_at(0);
  std::uint64_t next_ = 1;
  NearCache near_{{}};
  std::optional<KeptWrites> kept_;
};

TEST_F(KeptWritesTest, BytesThatTheOwnerHasLostAreGivenBack) {
  const auto fetch = [this](const Blob& value) {
    effects_.clear();
    kept_->on_fetch(NodeId{0}, {hash_value(value.bytes())}, effects_);
    return sent<FetchedValue>().at(0).second;
  };
  EXPECT_FALSE(fetch(bytes(1)).found);
  keep(key_, 5, 1);
  EXPECT_EQ(fetch(bytes(1)).value, bytes(1));
  EXPECT_FALSE(fetch(bytes(2)).found);
  change_owner(key_, 1);
  EXPECT_EQ(kept_->count(), 1U);
  EXPECT_EQ(fetch(bytes(1)).value, bytes(1)) << "while it is offered as well";
}

TEST_F(KeptWritesTest, AWriteIsKeptUntilItsOwnerSaysThatAllHaveIt) {
  keep(key_at(0, 0), 5, 1);
  keep(key_at(0, 1), 6, 2);
  keep(key_at(1, 0), 7, 1, 1);
  EXPECT_EQ(kept_->count(), 3U);
  cover(0, 1);
  EXPECT_EQ(kept_->count(), 2U);
  cover(0, 2);
  EXPECT_EQ(kept_->count(), 1U) << "another owner's positions are its own";
  cover(1, 9);
  EXPECT_EQ(kept_->count(), 0U);
  EXPECT_EQ(kept_->size_bytes(), 0U);
  EXPECT_EQ(kept_->counts().offered, 0U);
}

TEST_F(KeptWritesTest, AnAnswerThatItsCoverHasOvertakenIsNotKept) {
  cover(0, 7);
  keep(key_, 5, 7);
  EXPECT_EQ(kept_->count(), 0U);
  keep(key_, 6, 8);
  EXPECT_EQ(kept_->count(), 1U);
  keep(key_, 7, 3, 0, Incarnation{2});
  EXPECT_EQ(kept_->count(), 2U) << "of another start, whose positions began anew";
}

TEST_F(KeptWritesTest, AnswersThatOvertookEachOtherAreCoveredAllTheSame) {
  keep(key_at(0, 0), 6, 2);
  keep(key_at(0, 1), 5, 1);
  cover(0, 1);
  EXPECT_EQ(kept_->count(), 1U);
}

TEST_F(KeptWritesTest, ANewOwnerIsOfferedTheSameVersion) {
  keep(key_, 5, 1);
  change_owner(key_, 2);
  const auto [to, offer] = offered();
  EXPECT_EQ(to, NodeId{2});
  EXPECT_EQ(offer.entry.mnode.version, mnode_of(key_, 5).version);
  EXPECT_EQ(offer.key_text, key_);
  EXPECT_EQ(offer.value, bytes(1));
  EXPECT_EQ(kept_->count(), 1U) << "until it is taken";
}

TEST_F(KeptWritesTest, TakenItIsKeptOnUntilTheNewOwnerCoversIt) {
  for (const CacheStatus status : {CacheStatus::kDone, CacheStatus::kNotModified}) {
    begin_kept();
    keep(key_, 5, 1);
    change_owner(key_, 2);
    answer(offered().second.sequence, status, 2, 40);
    EXPECT_EQ(kept_->count(), 1U);
    cover(2, 39);
    EXPECT_EQ(kept_->count(), 1U);
    cover(2, 40);
    EXPECT_EQ(kept_->count(), 0U);
    replicated_up_to_.fill(0);
  }
}

/// Who took it may be one of whom this server's views know nothing, as after its memory was lost.
TEST_F(KeptWritesTest, TakenByOneThatIsNotInChargeItIsOfferedAgainButNotAtOnce) {
  keep(key_, 5, 1);
  change_owner(key_, 2);
  const std::uint64_t sequence = offered().second.sequence;
  effects_.clear();
  EXPECT_TRUE(kept_->on_answer({.sequence = sequence,
                                .status = CacheStatus::kDone,
                                .view = {1, Slot{1}},
                                .incarnation = starts_[1],
                                .position = 40},
                               now_));
  kept_->check_invariants();
  EXPECT_EQ(kept_->count(), 1U);
  pass_kept(config_.retry_delay - 1ns);
  EXPECT_TRUE(sent<OfferEntry>().empty()) << "two would do nothing else";
  pass_kept(1ns);
  EXPECT_EQ(offered().first, NodeId{2});
}

TEST_F(KeptWritesTest, WhoActsUnderALowerViewIsOfferedItWhenTheHigherOnesMemberIsGone) {
  change_owner(key_, 0);
  keep(key_, 5, 1);
  // The other side of a split, which has acted under an earlier term all the while.
  views_[group_of(key_hash(key_)).value] = {1, Slot{1}};
  hear(1);
  effects_.clear();
  kept_->on_owners_changed(now_, effects_);
  EXPECT_TRUE(sent<OfferEntry>().empty()) << "who acknowledged it is there";
  silent_.set(0);
  pass_kept(4s);
  effects_.clear();
  kept_->on_owners_changed(now_, effects_);
  const auto [to, offer] = offered();
  EXPECT_EQ(to, NodeId{1});
  answer(offer.sequence, CacheStatus::kDone, 1, 7);
  pass_kept(1s);
  EXPECT_TRUE(sent<OfferEntry>().empty()) << "it is kept for that one now";
  EXPECT_EQ(kept_->count(), 1U);
  cover(1, 7);
  EXPECT_EQ(kept_->count(), 0U);
}

TEST_F(KeptWritesTest, RemovedSinceItIsLetGo) {
  keep(key_, 5, 1);
  change_owner(key_, 2);
  answer(offered().second.sequence, CacheStatus::kAbsent, 2);
  EXPECT_EQ(kept_->count(), 0U);
  EXPECT_EQ(kept_->size_bytes(), 0U);
  EXPECT_EQ(kept_->counts().obsolete, 1U);
}

TEST_F(KeptWritesTest, TheOldOwnersLaterStartIsOfferedItToo) {
  keep(key_, 5, 1);
  starts_[0] = Incarnation{2};
  hear(0);
  effects_.clear();
  kept_->on_owners_changed(now_, effects_);
  EXPECT_EQ(offered().first, NodeId{0});
}

TEST_F(KeptWritesTest, AnotherKeysNewOwnerChangesNothing) {
  keep(key_, 5, 1);
  std::string other = key_at(0, 1);
  for (int i = 2; group_of(key_hash(other)) == group_of(key_hash(key_)); ++i) {
    other = key_at(0, i);
  }
  change_owner(other, 2);
  EXPECT_TRUE(sent<OfferEntry>().empty());
}

TEST_F(KeptWritesTest, AnOfferIsRepeatedUntilItIsAnswered) {
  keep(key_, 5, 1);
  change_owner(key_, 2);
  const auto first = offered().second;
  answer(first.sequence, CacheStatus::kTryAgain, 2);
  pass_kept(24ms);
  EXPECT_TRUE(sent<OfferEntry>().empty());
  pass_kept(1ms);
  EXPECT_EQ(offered().second.sequence, first.sequence);
  pass_kept(1s);
  EXPECT_EQ(sent<OfferEntry>().size(), 1U) << "no answer at all";
}

TEST_F(KeptWritesTest, ALostMemberIsNotWaitedForLong) {
  keep(key_, 5, 1);
  change_owner(key_, 2);
  lose(2);
  effects_.clear();
  kept_->on_lost(NodeId{2}, now_);
  pass_kept(25ms);
  EXPECT_NE(offered().first, NodeId{2});
}

TEST_F(KeptWritesTest, BytesThatNobodyHasAreAskedForAWhileAndThenGivenUp) {
  effects_.clear();
  kept_->offer(mnode_of(key_, 5, bytes(1)), key_, {}, now_, effects_);  // read without its bytes
  const std::uint64_t sequence = offered().second.sequence;
  int asked = 0;
  while (kept_->count() > 0 && asked < 100) {
    answer(sequence, CacheStatus::kNeedValue, 0);
    ++asked;
    pass_kept(1s);
  }
  EXPECT_EQ(asked, 31);
  EXPECT_EQ(kept_->counts().obsolete, 1U);
}

TEST_F(KeptWritesTest, OneVersionIsOfferedOnceAtATime) {
  effects_.clear();
  kept_->offer(mnode_of(key_, 5, bytes(1)), key_, bytes(1), now_, effects_);
  kept_->offer(mnode_of(key_, 5, bytes(1)), key_, bytes(1), now_, effects_);
  EXPECT_EQ(sent<OfferEntry>().size(), 1U);
  kept_->offer(mnode_of(key_, 6, bytes(1)), key_, bytes(1), now_, effects_);
  EXPECT_EQ(sent<OfferEntry>().size(), 2U);
}

/// Found by the fuzzer (seed 1796135677807): a member acknowledged a write before anybody had heard
/// of its start, and lost its disk; its next start had the same number, and was offered nothing.
TEST_F(KeptWritesTest, WhatAnUnheardStartAcknowledgedIsOfferedToTheOneThatIsHeard) {
  keep(key_, 5, 1, 0, Incarnation{2});
  EXPECT_EQ(kept_->counts().offered, 0U);
  starts_[0] = Incarnation{2};
  cover(0, 1);
  EXPECT_EQ(kept_->count(), 1U) << "it may be another one's position";
  effects_.clear();
  kept_->on_owners_changed(now_, effects_);
  answer(offered().second.sequence, CacheStatus::kNotModified, 0, 1);
  EXPECT_EQ(kept_->count(), 0U);
}

TEST_F(KeptWritesTest, UsesThatOnlyTheLostOwnerWasToldOfGoWithTheOffer) {
  MNode mnode = mnode_of(key_, 5, bytes(1));
  mnode.idle_timeout_ms = 10'000;
  mnode.accessed = now_.mono;
  const auto age_offered = [&](const Version& read) {
    begin_kept();
    MNode copy = mnode;
    copy.version = read;
    near_.put(copy, bytes(1), mnode.accessed + 4s);
    kept_->keep(mnode, key_, bytes(1), Slot{0}, Incarnation{1}, 1, now_, effects_);
    change_owner(key_, 2);
    return offered().second.entry.accessed_age;
  };
  now_.mono += 5s;
  const auto now = now_;
  EXPECT_EQ(age_offered(mnode.version), 1s);
  now_ = now;
  EXPECT_EQ(age_offered(mnode_of(key_, 6).version), 5s) << "another state was used since";
}

// It would end before its time if its new owner knew of the write alone.
TEST_F(KeptWritesTest, AUseThatCameWhileItWasOfferedIsToldAfterwards) {
  MNode mnode = mnode_of(key_, 5, bytes(1));
  mnode.idle_timeout_ms = 10'000;
  effects_.clear();
  kept_->offer(mnode, key_, bytes(1), now_, effects_);
  const std::uint64_t sequence = offered().second.sequence;
  pass_kept(10ms);
  mnode.accessed = now_.mono;
  kept_->offer(mnode, key_, bytes(1), now_, effects_);
  EXPECT_EQ(sent<OfferEntry>().size(), 0U);
  answer(sequence, CacheStatus::kDone, 0, 7);
  EXPECT_EQ(kept_->next_deadline(), now_.mono);
  pass_kept(0s);
  EXPECT_EQ(offered().second.entry.accessed_age, 0s);
  EXPECT_EQ(offered().second.entry.modified_age, 10ms);
  answer(sequence, CacheStatus::kNotModified, 0, 8);
  pass_kept(1min);
  EXPECT_EQ(sent<OfferEntry>().size(), 0U) << "nothing is left to tell";
  cover(0, 7);
  EXPECT_EQ(kept_->count(), 1U) << "until its use is replicated";
  cover(0, 8);
  EXPECT_EQ(kept_->count(), 0U);
}

TEST_F(KeptWritesTest, AtTheBoundThereIsNoRoomUntilSomethingIsCovered) {
  config_.kept_max_bytes = 1'000;
  begin_kept();
  std::uint64_t position = 0;
  while (kept_->has_room()) {
    ++position;
    keep(key_at(0, static_cast<int>(position)), position, position);
  }
  EXPECT_GE(kept_->size_bytes(), 1'000U);
  EXPECT_EQ(kept_->counts().given_up, 0U);
  cover(0, 1);
  EXPECT_TRUE(kept_->has_room());
}

TEST_F(KeptWritesTest, WithNobodyToReplicateToTheOldestAreGivenUpAndCounted) {
  config_.kept_max_bytes = 1'000;
  begin_kept();
  alone_ = true;
  hear(0);
  for (std::uint64_t i = 1; i <= 50; ++i) {
    keep(key_at(0, static_cast<int>(i)), i, i);
    EXPECT_TRUE(kept_->has_room()) << "writing goes on";
  }
  EXPECT_GT(kept_->counts().given_up, 0U);
  EXPECT_EQ(kept_->counts().given_up + kept_->count(), 50U);
}

TEST_F(KeptWritesTest, AnAnswerToNothingIsNone) {
  EXPECT_FALSE(kept_->on_answer({.sequence = 99}, now_));
}

}  // namespace
}  // namespace copal
