#include "core/cache/local_reads.h"

#include "core/testing/local_bed.h"

namespace copal {
namespace {

class LocalReadsTest : public LocalBed {
 protected:
  void SetUp() override { begin(); }

  /// A read that is answered with this; afterwards a copy is here.
  void fill(std::uint64_t counter, const Blob& value) {
    read(key_);
    const auto asked = sent<CacheGet>();
    ASSERT_EQ(asked.size(), 1U);
    reply(entry_answer(asked[0].second.sequence, key_, counter, value));
    ASSERT_EQ(told_status(), CacheStatus::kDone);
  }
  CacheGet question() const {
    EXPECT_EQ(sent<CacheGet>().size(), 1U);
    return sent<CacheGet>().at(0).second;
  }
  CacheAnswer status_answer(std::uint64_t sequence, CacheStatus status) const {
    return {.sequence = sequence, .status = status, .view = views_[group_of(key_hash(key_)).value]};
  }

  const std::string key_ = key_at(0);
};

TEST_F(LocalReadsTest, AsksTheOwnerOnceAndAnswersWithWhatComes) {
  const CallId call = read(key_);
  ASSERT_EQ(sent<CacheGet>().size(), 1U);
  EXPECT_EQ(sent<CacheGet>()[0].first, NodeId{0});
  EXPECT_EQ(question().key, key_hash(key_));
  EXPECT_EQ(question().held, kNoVersion);
  EXPECT_EQ(question().time_left, 10s);
  EXPECT_EQ(question().view, (View{1, Slot{0}}));
  reply(entry_answer(question().sequence, key_, 5, bytes(1)));
  const auto answers = told<AnswerCall>();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].call, call);
  EXPECT_EQ(answers[0].status, CacheStatus::kDone);
  EXPECT_EQ(answers[0].entry->version.counter, 5U);
  EXPECT_EQ(answers[0].value, bytes(1));
  EXPECT_EQ(cache_->reads().under_way(), 0U);
}

TEST_F(LocalReadsTest, WithinTheTimeoutOfTheQuestionACopyIsUsedWithoutAsking) {
  read(key_);
  const auto asked = question();
  pass(4ms);
  reply(entry_answer(asked.sequence, key_, 5, bytes(1)));
  pass(6ms);
  read(key_);
  EXPECT_TRUE(sent<CacheGet>().empty());
  EXPECT_EQ(told<AnswerCall>().at(0).value, bytes(1));
  pass(1ns);
  read(key_);
  EXPECT_EQ(question().held.counter, 5U);
  EXPECT_EQ(cache_->reads().counts().local, 1U);
}

TEST_F(LocalReadsTest, NotModifiedServesTheCopyAndMakesItFresh) {
  fill(5, bytes(1));
  pass(1s);
  read(key_);
  reply(status_answer(question().sequence, CacheStatus::kNotModified));
  EXPECT_EQ(told<AnswerCall>().at(0).value, bytes(1));
  read(key_);
  EXPECT_TRUE(sent<CacheGet>().empty());
}

TEST_F(LocalReadsTest, ConcurrentReadsOfOneKeyAreOneQuestion) {
  read(key_);
  const auto asked = question();
  for (int i = 0; i < 9; ++i) {
    read(key_);
    EXPECT_TRUE(sent<CacheGet>().empty());
  }
  read(key_at(0, 1));
  EXPECT_EQ(sent<CacheGet>().size(), 1U) << "another key";
  reply(entry_answer(asked.sequence, key_, 5, bytes(1)));
  EXPECT_EQ(told<AnswerCall>().size(), 10U);
  EXPECT_EQ(cache_->reads().counts().joined, 9U);
}

// An answer to a question of long ago may be older than the read may return.
TEST_F(LocalReadsTest, AReadDoesNotJoinAQuestionOlderThanTheTimeout) {
  read(key_);
  const auto first = question();
  pass(10ms + 1ns);
  const CallId late = read(key_);
  EXPECT_TRUE(sent<CacheGet>().empty()) << "it waits for the next one";
  reply(entry_answer(first.sequence, key_, 5, bytes(1)));
  ASSERT_EQ(told<AnswerCall>().size(), 1U);
  const auto second = question();
  EXPECT_EQ(second.held.counter, 5U);
  reply(entry_answer(second.sequence, key_, 6, bytes(2)));
  ASSERT_EQ(told<AnswerCall>().size(), 1U);
  EXPECT_EQ(told<AnswerCall>()[0].call, late);
  EXPECT_EQ(told<AnswerCall>()[0].value, bytes(2));
}

TEST_F(LocalReadsTest, WhoWantsTheValueDoesNotJoinAQuestionForTheMNode) {
  read(key_, false);
  const auto first = question();
  EXPECT_FALSE(first.wants_value);
  read(key_, true);
  EXPECT_TRUE(sent<CacheGet>().empty());
  reply(entry_answer(first.sequence, key_, 5, {}));
  EXPECT_TRUE(question().wants_value);
}

TEST_F(LocalReadsTest, AnAnswerWithoutTheBytesThatWereWantedIsNone) {
  read(key_);
  CacheAnswer bare = entry_answer(question().sequence, key_, 5, bytes(1));
  bare.value = Blob();
  reply(bare);
  EXPECT_TRUE(told<AnswerCall>().empty());
  pass(1s);
  EXPECT_EQ(sent<CacheGet>().size(), 1U) << "it is asked again in time";
}

// ---- absent

TEST_F(LocalReadsTest, AMissIsKeptLikeACopy) {
  read(key_);
  CacheAnswer nothing = status_answer(question().sequence, CacheStatus::kAbsent);
  nothing.absent = {7, 1, {}};
  reply(nothing);
  EXPECT_EQ(told_status(), CacheStatus::kAbsent);
  read(key_);
  EXPECT_EQ(told_status(), CacheStatus::kAbsent) << "without a message";
  pass(11ms);
  read(key_);
  EXPECT_EQ(question().held.counter, 7U);
}

TEST_F(LocalReadsTest, WithNoLocalReadTimeoutNothingIsUsedWithoutAsking) {
  plain_.local_read_timeout = 0s;
  begin();
  fill(5, bytes(1));
  read(key_);
  const auto asked = question();
  EXPECT_EQ(asked.held.counter, 5U);
  read(key_);
  EXPECT_TRUE(sent<CacheGet>().empty()) << "nor does it join";
  CacheAnswer nothing = status_answer(asked.sequence, CacheStatus::kAbsent);
  nothing.absent = {6, 1, {}};
  reply(nothing);
  EXPECT_EQ(told<AnswerCall>().size(), 1U);
  EXPECT_EQ(question().held, nothing.absent) << "what is gone is remembered of a key that was";
}

TEST_F(LocalReadsTest, WithNoLocalReadTimeoutNothingIsKeptOfAMiss) {
  plain_.local_read_timeout = 0s;
  begin();
  read(key_);
  CacheAnswer nothing = status_answer(question().sequence, CacheStatus::kAbsent);
  nothing.absent = {6, 1, {}};
  reply(nothing);
  read(key_);
  EXPECT_EQ(question().held, kNoVersion);
}

// ---- members that do not answer (R1.4)

TEST_F(LocalReadsTest, TryAgainIsTriedAgainElsewhereAfterAMoment) {
  read(key_);
  const auto first = question();
  reply(status_answer(first.sequence, CacheStatus::kTryAgain));
  EXPECT_TRUE(sent<CacheGet>().empty());
  pass(24ms);
  EXPECT_TRUE(sent<CacheGet>().empty());
  pass(1ms);
  ASSERT_EQ(sent<CacheGet>().size(), 1U);
  EXPECT_NE(sent<CacheGet>()[0].first, NodeId{0});
  EXPECT_EQ(question().sequence, first.sequence);
}

TEST_F(LocalReadsTest, ALostConnectionIsAskedElsewhereAMomentLater) {
  read(key_);
  lose(0);
  EXPECT_TRUE(sent<CacheGet>().empty()) << "the next connection may break at once as well";
  pass(25ms);
  ASSERT_EQ(sent<CacheGet>().size(), 1U);
  EXPECT_NE(sent<CacheGet>()[0].first, NodeId{0});
}

TEST_F(LocalReadsTest, ANewOwnerIsAskedAsSoonAsItSaysSo) {
  read(key_);
  take_over(key_hash(key_), 2);
  ASSERT_EQ(sent<CacheGet>().size(), 1U);
  EXPECT_EQ(sent<CacheGet>()[0].first, NodeId{2});
  EXPECT_EQ(question().view, (View{2, Slot{2}}));
}

TEST_F(LocalReadsTest, SilenceIsAskedElsewhereAndEndsAtTheDeadline) {
  read(key_, true, 3s);
  pass(1s);
  ASSERT_EQ(sent<CacheGet>().size(), 1U);
  EXPECT_NE(sent<CacheGet>()[0].first, NodeId{0});
  EXPECT_EQ(question().time_left, 2s);
  pass(1s);
  pass(999ms);
  EXPECT_TRUE(told<AnswerCall>().empty());
  pass(1ms);
  EXPECT_EQ(told_status(), CacheStatus::kTimedOut);
  EXPECT_EQ(cache_->reads().under_way(), 0U);
  reply(entry_answer(1, key_, 5, bytes(1)));
  EXPECT_TRUE(told<AnswerCall>().empty()) << "too late";
}

TEST_F(LocalReadsTest, OneThatGivesUpDoesNotEndTheQuestionOfOthers) {
  read(key_, true, 500ms);
  const auto asked = question();
  read(key_, true, 5s);
  pass(500ms);
  EXPECT_EQ(told_status(), CacheStatus::kTimedOut);
  reply(entry_answer(asked.sequence, key_, 5, bytes(1)));
  EXPECT_EQ(told_status(), CacheStatus::kDone);
}

// ---- never back

TEST_F(LocalReadsTest, AnOwnerThatIsBehindWhatIsHeldIsOfferedIt) {
  fill(9, bytes(2));
  pass(1s);
  take_over(key_hash(key_), 1);
  read(key_);
  reply(entry_answer(question().sequence, key_, 5, bytes(1)), 1);
  EXPECT_EQ(told<AnswerCall>().at(0).value, bytes(2)) << "reads do not go back";
  ASSERT_EQ(sent<OfferEntry>().size(), 1U);
  EXPECT_EQ(sent<OfferEntry>()[0].first, NodeId{1});
  EXPECT_EQ(sent<OfferEntry>()[0].second.entry.mnode.version.counter, 9U);
  EXPECT_EQ(sent<OfferEntry>()[0].second.value, bytes(2));
  EXPECT_EQ(sent<OfferEntry>()[0].second.entry.accessed_age, 0ns) << "the read is a use";
  EXPECT_EQ(cache_->reads().counts().went_back, 1U);
}

/// Found by the fuzzer (seed 1796135676137): an owner that had forgotten a removed entry was
/// offered what was before it, as if a read that found nothing had used it.
TEST_F(LocalReadsTest, WhatIsPastItsTimeIsNotOfferedAsUsed) {
  read(key_);
  CacheAnswer answer = entry_answer(question().sequence, key_, 9, bytes(2));
  answer.entry->mnode.idle_timeout_ms = 1'000;
  reply(answer);
  pass(5s);
  take_over(key_hash(key_), 1);
  read(key_);
  reply(status_answer(question().sequence, CacheStatus::kAbsent), 1);
  EXPECT_EQ(told_status(), CacheStatus::kAbsent);
  ASSERT_EQ(sent<OfferEntry>().size(), 1U);
  EXPECT_EQ(sent<OfferEntry>()[0].second.entry.accessed_age, 5s);
  // Nor is the copy used again because its owner has something older.
  for (const std::uint64_t counter : {5, 6}) {
    read(key_);
    reply(entry_answer(question().sequence, key_, counter, bytes(1)), 1);
    EXPECT_EQ(told_status(), CacheStatus::kAbsent);
  }
}

/// Of the newer state only its version is known here: the bytes of the older one can still be read.
TEST_F(LocalReadsTest, BehindANewerStateWithoutItsBytesReadsDoNotGoBackEither) {
  fill(9, bytes(2));
  pass(1s);
  read(key_, false);
  CacheAnswer bare = entry_answer(question().sequence, key_, 12, bytes(4));
  bare.value = Blob();
  reply(bare);
  EXPECT_EQ(told<AnswerCall>().at(0).entry->version.counter, 12U);
  read(key_, false);
  EXPECT_EQ(told<AnswerCall>().at(0).entry->version.counter, 12U);
  read(key_);
  EXPECT_EQ(question().held.counter, 9U) << "what is newer is asked for";
  take_over(key_hash(key_), 1);
  reply(entry_answer(question().sequence, key_, 5, bytes(1)), 1);
  EXPECT_EQ(told<AnswerCall>().at(0).value, bytes(2)) << "reads do not go back";
  read(key_);
  EXPECT_EQ(told<AnswerCall>().at(0).value, bytes(2)) << "and here is the copy again";
}

TEST_F(LocalReadsTest, AnAnswerWithoutBytesThatAreHereIsWhole) {
  read(key_, false);
  const auto asked = question();
  put(key_, bytes(3));
  reply(done_answer(sent<CacheChange>().at(0).second.sequence, key_, 8, bytes(3), 1));
  CacheAnswer bare = entry_answer(asked.sequence, key_, 8, bytes(3));
  bare.value = Blob();
  reply(bare);
  read(key_);
  EXPECT_EQ(told<AnswerCall>().at(0).value, bytes(3)) << "without asking";
}

TEST_F(LocalReadsTest, AWriteOfThisServerWhileItAskedIsNotReadOver) {
  read(key_);
  const auto asked = question();
  put(key_, bytes(3));
  const std::uint64_t change = sent<CacheChange>().at(0).second.sequence;
  reply(done_answer(change, key_, 8, bytes(3), 1));
  reply(entry_answer(asked.sequence, key_, 5, bytes(1)));
  EXPECT_EQ(told<AnswerCall>().at(0).value, bytes(3));
  EXPECT_TRUE(sent<OfferEntry>().empty()) << "the owner answered before it had it";
}

TEST_F(LocalReadsTest, AnAbsenceOlderThanTheCopyIsNotBelieved) {
  fill(9, bytes(2));
  pass(1s);
  read(key_);
  CacheAnswer nothing = status_answer(question().sequence, CacheStatus::kAbsent);
  nothing.absent = {3, 1, {}};
  reply(nothing);
  EXPECT_EQ(told<AnswerCall>().at(0).value, bytes(2));
  pass(1s);
  read(key_);
  nothing = status_answer(question().sequence, CacheStatus::kAbsent);
  nothing.absent = {10, 1, {}};
  reply(nothing);
  EXPECT_EQ(told_status(), CacheStatus::kAbsent);
}

// ---- limits of copies

TEST_F(LocalReadsTest, ACopyWithAnIdleTimeoutServesNoLongerThanUsesMayBeKeptBack) {  // R0.7
  plain_.local_read_timeout = 1min;
  begin();
  read(key_);
  CacheAnswer answer = entry_answer(question().sequence, key_, 5, bytes(1));
  answer.entry->mnode.idle_timeout_ms = 32'000;
  reply(answer);
  pass(1s);
  read(key_);
  EXPECT_TRUE(sent<CacheGet>().empty());
  pass(1ns);
  read(key_);
  EXPECT_EQ(sent<CacheGet>().size(), 1U);
}

TEST_F(LocalReadsTest, AnEntryThatLivesByReadsAloneStaysHere) {
  read(key_);
  CacheAnswer answer = entry_answer(question().sequence, key_, 5, bytes(1));
  answer.entry->mnode.idle_timeout_ms = 32'000;
  reply(answer);
  for (int i = 0; i < 5; ++i) {
    pass(30s);
    read(key_);
    reply(status_answer(question().sequence, CacheStatus::kNotModified));
    EXPECT_EQ(told_status(), CacheStatus::kDone) << i;
  }
}

TEST_F(LocalReadsTest, AfterAClearOfThisServerCopiesOfBeforeAreAskedFor) {
  plain_.local_read_timeout = 1min;
  begin();
  fill(5, bytes(1));
  pass(1s);
  call(ClearEntries{CallId{900}, kPlain});
  const auto clears = sent<ClearCache>();
  for (const auto& [to, clear] : clears) {
    reply(CacheCleared{clear.sequence, CacheStatus::kDone, clear.groups});
  }
  read(key_);
  EXPECT_EQ(sent<CacheGet>().size(), 1U);
}

TEST_F(LocalReadsTest, WhatCannotBeAskedIsRefusedAtOnce) {
  read("key", true, 10s, CacheId{9});
  EXPECT_EQ(told_status(), CacheStatus::kUnknownCache);
  read(std::string(kKeySizeMaxBytes + 1, 'k'));
  EXPECT_EQ(told_status(), CacheStatus::kKeyTooLong);
  read(std::string(kKeySizeMaxBytes, 'k'));
  EXPECT_TRUE(told<AnswerCall>().empty());
  config_.calls_max = 2;
  begin();
  read(key_at(0, 0));
  read(key_at(0, 1));
  read(key_at(0, 2));
  EXPECT_EQ(told_status(), CacheStatus::kOverloaded);
  read(key_at(0, 1));
  EXPECT_TRUE(told<AnswerCall>().empty()) << "it joins";
}

TEST_F(LocalReadsTest, AnErrorOfTheOwnerIsTold) {
  read(key_);
  reply(status_answer(question().sequence, CacheStatus::kNotAllowed));
  EXPECT_EQ(told_status(), CacheStatus::kNotAllowed);
}

}  // namespace
}  // namespace copal
