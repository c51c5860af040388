#include "core/cache/local_changes.h"

#include "core/testing/local_bed.h"

namespace copal {
namespace {

class LocalChangesTest : public LocalBed {
 protected:
  void SetUp() override { begin(); }

  CacheChange sent_change() const {
    EXPECT_EQ(sent<CacheChange>().size(), 1U);
    return sent<CacheChange>().at(0).second;
  }
  NodeId sent_to() const { return sent<CacheChange>().at(0).first; }
  CacheAnswer answer_to(const CacheChange& change, CacheStatus status) const {
    return {.sequence = change.sequence,
            .attempt = change.attempt,
            .status = status,
            .view = views_[group_of(change.key).value],
            .incarnation = starts_[0]};
  }

  const std::string key_ = key_at(0);
};

TEST_F(LocalChangesTest, ASmallValueRidesAlong) {
  const CallId call = put(key_, bytes(1));
  EXPECT_EQ(sent_to(), NodeId{0});
  const CacheChange change = sent_change();
  EXPECT_EQ(change.key, key_hash(key_));
  EXPECT_EQ(change.key_text, key_);
  EXPECT_EQ(change.value, bytes(1));
  EXPECT_EQ(change.incarnation, link_->incarnation());
  EXPECT_EQ(change.tried, TriedMembers{});
  reply(done_answer(change.sequence, key_, 5, bytes(1), 1));
  const auto answers = told<AnswerCall>();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].call, call);
  EXPECT_EQ(answers[0].status, CacheStatus::kDone);
  EXPECT_EQ(answers[0].version.counter, 5U);
  EXPECT_EQ(cache_->changes().under_way(), 0U);
}

TEST_F(LocalChangesTest, WhatItWroteIsReadHereWithoutAsking) {
  put(key_, bytes(1));
  reply(done_answer(sent_change().sequence, key_, 5, bytes(1), 1));
  read(key_);
  EXPECT_EQ(told<AnswerCall>().at(0).value, bytes(1));
}

TEST_F(LocalChangesTest, ANewerCopyIsNotReplacedByALateAnswer) {
  put(key_, bytes(1));
  const auto first = sent_change();
  put(key_, bytes(2));
  const auto second = sent_change();
  reply(done_answer(second.sequence, key_, 6, bytes(2), 2));
  reply(done_answer(first.sequence, key_, 5, bytes(1), 1));
  read(key_);
  EXPECT_EQ(told<AnswerCall>().at(0).value, bytes(2));
}

TEST_F(LocalChangesTest, ThePreviousEntryIsHandedOn) {
  change(key_, {.wants_previous = true}, bytes(2));
  CacheAnswer answer = done_answer(sent_change().sequence, key_, 6, bytes(2), 1);
  answer.previous = aged(mnode_of(key_, 5, bytes(1)), now_.mono);
  answer.value = bytes(1);
  reply(answer);
  const AnswerCall told_call = told<AnswerCall>().at(0);
  EXPECT_EQ(told_call.previous->version.counter, 5U);
  EXPECT_EQ(told_call.value, bytes(1));
}

// ---- large values (P62, R0.4)

class LargeValue : public LocalChangesTest {
 protected:
  /// Bytes above what rides along, whose hash chooses this member first.
  static Blob large_at(std::uint8_t slot) {
    for (std::uint8_t i = 0;; ++i) {
      Blob value = bytes(i, 5'000);
      if (owner_order(hash_value(value.bytes())).slots()[0].value == slot) {
        return value;
      }
    }
  }
  /// Put, lacked by the owner, and left at member 1. Returns the first attempt.
  CacheChange put_and_leave(const Blob& value) {
    put(key_, value);
    const CacheChange first = sent_change();
    reply(answer_to(first, CacheStatus::kNeedValue));
    reply(ValueLeft{first.sequence, hash_value(value.bytes()), true}, 1);
    return first;
  }
  void expect_brought_elsewhere(const Blob& value) const {
    const bool to_owner = !sent<CacheChange>().empty();
    EXPECT_TRUE(to_owner ? sent_change().value == value
                         : sent<LeaveValue>().at(0).first != NodeId{1});
  }
};

TEST_F(LargeValue, IsNotSentIfTheOwnerHasIt) {
  const Blob value = large_at(1);
  put(key_, value);
  EXPECT_EQ(sent_change().value.size_bytes(), 0U);
  reply(done_answer(sent_change().sequence, key_, 5, value, 1));
  EXPECT_EQ(told_status(), CacheStatus::kDone);
  EXPECT_EQ(cache_->changes().counts().values_sent, 0U);
}

TEST_F(LargeValue, IsLeftWhereItsHashSaysAndThenNamed) {
  const Blob value = large_at(1);
  put(key_, value);
  const auto first = sent_change();
  reply(answer_to(first, CacheStatus::kNeedValue));
  ASSERT_EQ(sent<LeaveValue>().size(), 1U);
  EXPECT_EQ(sent<LeaveValue>()[0].first, NodeId{1});
  EXPECT_EQ(sent<LeaveValue>()[0].second.value, value);
  EXPECT_TRUE(sent<CacheChange>().empty()) << "the m-node follows its bytes";
  reply(ValueLeft{first.sequence, hash_value(value.bytes()), true}, 1);
  const auto second = sent_change();
  EXPECT_EQ(second.sequence, first.sequence);
  EXPECT_EQ(second.value_at, NodeId{1});
  EXPECT_EQ(second.value.size_bytes(), 0U);
  EXPECT_EQ(second.attempt, first.attempt + 1);
}

TEST_F(LargeValue, GoesWithTheChangeIfItsHashChoosesTheOwner) {
  const Blob value = large_at(0);
  put(key_, value);
  reply(answer_to(sent_change(), CacheStatus::kNeedValue));
  EXPECT_TRUE(sent<LeaveValue>().empty());
  EXPECT_EQ(sent_change().value, value);
}

TEST_F(LargeValue, GoesOnToTheNextPlaceIfThereIsNoRoomOrNobody) {
  const Blob value = large_at(1);
  const auto order = owner_order(hash_value(value.bytes())).slots();
  for (const bool lost : {false, true}) {
    begin();
    put(key_, value);
    const auto first = sent_change();
    reply(answer_to(first, CacheStatus::kNeedValue));
    if (lost) {
      lose(1);
      pass(25ms);
    } else {
      reply(ValueLeft{first.sequence, hash_value(value.bytes()), false}, 1);
    }
    if (order[1].value == 0) {
      EXPECT_EQ(sent_change().value, value) << "the owner itself";
    } else {
      ASSERT_EQ(sent<LeaveValue>().size(), 1U);
      EXPECT_EQ(sent<LeaveValue>()[0].first, NodeId{2});
    }
  }
}

TEST_F(LargeValue, LeftAndNotFoundThereItIsBroughtAgainElsewhere) {
  const Blob value = large_at(1);
  put_and_leave(value);
  reply(answer_to(sent_change(), CacheStatus::kNeedValue));
  expect_brought_elsewhere(value);
}

TEST_F(LargeValue, LeftWhereTheOwnerCanNotFetchItItIsBroughtAgainThoughAnotherAttemptIsUnderWay) {
  const Blob value = large_at(1);
  const auto first = put_and_leave(value);
  const auto second = sent_change();
  pass(1s);
  ASSERT_EQ(sent_change().attempt, second.attempt + 1);
  reply(answer_to(first, CacheStatus::kNeedValue));  // it named no place
  EXPECT_TRUE(effects_.empty());
  reply(answer_to(second, CacheStatus::kNeedValue));
  expect_brought_elsewhere(value);
}

TEST_F(LargeValue, AWordOfAnotherMemberOrAnotherValueIsIgnored) {
  const Blob value = large_at(1);
  put(key_, value);
  const auto first = sent_change();
  reply(answer_to(first, CacheStatus::kNeedValue));
  reply(ValueLeft{first.sequence, hash_value(value.bytes()), true}, 2);
  EXPECT_TRUE(effects_.empty());
  reply(ValueLeft{first.sequence, hash_value(bytes(99).bytes()), true}, 1);
  EXPECT_TRUE(effects_.empty());
}

TEST_F(LargeValue, ASmallOneThatWasNeededAllTheSameIsSentAgain) {
  put(key_, bytes(1));
  reply(answer_to(sent_change(), CacheStatus::kNeedValue));
  EXPECT_EQ(sent_change().value, bytes(1));
}

// ---- trying again (R0.3)

TEST_F(LocalChangesTest, TryAgainIsSettledAndTriedElsewhere) {
  put(key_, bytes(1));
  const auto first = sent_change();
  reply(answer_to(first, CacheStatus::kTryAgain));
  pass(25ms);
  const auto second = sent_change();
  EXPECT_NE(sent_to(), NodeId{0});
  EXPECT_EQ(second.sequence, first.sequence);
  EXPECT_EQ(second.attempt, first.attempt + 1);
  EXPECT_EQ(second.tried, TriedMembers{}) << "the first attempt did nothing";
}

TEST_F(LocalChangesTest, WithoutAnAnswerTheNextOneHearsWhomItWasSentTo) {
  put(key_, bytes(1));
  pass(1s);
  TriedMembers tried;
  tried.add(Slot{0}, starts_[0]);
  EXPECT_NE(sent_to(), NodeId{0});
  EXPECT_EQ(sent_change().tried, tried);
  tried.add(*link_->slot_of(sent_to()), starts_[sent_to().value]);
  pass(1s);
  EXPECT_EQ(sent_change().tried, tried) << "of all attempts, not of the last alone";
}

TEST_F(LocalChangesTest, AnAttemptAtAnEarlierStartIsNamedAsThat) {
  put(key_, bytes(1));
  TriedMembers tried;
  tried.add(Slot{0}, starts_[0]);
  starts_[0] = Incarnation{2};  // it began anew, and remembers no answers
  hear(0);
  take_over(key_hash(key_), 1);
  EXPECT_EQ(sent_change().tried, tried);
  EXPECT_TRUE(tried.elsewhere_than(Slot{0}, Incarnation{2}));
}

TEST_F(LocalChangesTest, OfManyAttemptsNoneIsForgotten) {
  put(key_, bytes(1), 60s);
  const NodeId first = sent_to();
  CacheChange last = sent_change();
  while (last.attempt < 20) {
    pass(1s);
    ASSERT_GT(sent_change().attempt, last.attempt);
    last = sent_change();
  }
  TriedMembers without = last.tried;
  without.remove(*link_->slot_of(first), starts_[first.value]);
  EXPECT_NE(without, last.tried);
}

TEST_F(LocalChangesTest, AtTheDeadlineItIsUnknownIfAnAttemptIsOpenAndTimedOutIfNot) {
  put(key_, bytes(1), 900ms);
  reply(answer_to(sent_change(), CacheStatus::kTryAgain));
  silent_.set();  // nobody to try it with
  now_.mono += 5s;
  effects_.clear();
  begin();
  put(key_, bytes(1), 900ms);
  pass(900ms);
  EXPECT_EQ(told_status(), CacheStatus::kOutcomeUnknown);
  EXPECT_EQ(cache_->changes().counts().unknown, 1U);
}

TEST_F(LocalChangesTest, WhatWasRefusedEverywhereCannotHappenAnyMore) {
  put(key_, bytes(1), 100ms);
  CacheChange last = sent_change();
  reply(answer_to(last, CacheStatus::kTryAgain));
  for (int i = 0; i < 3; ++i) {
    pass(25ms);
    last = sent_change();
    reply(answer_to(last, CacheStatus::kTryAgain), static_cast<std::uint8_t>(sent_to().value));
  }
  pass(25ms);
  EXPECT_EQ(told_status(), CacheStatus::kTimedOut);
}

TEST_F(LocalChangesTest, UnderANewIncarnationWhatIsUnderWayIsUnknown) {
  put(key_, bytes(1));
  const Incarnation before = link_->incarnation();
  MemberHeartbeat told_more{.beat = {.incarnation = starts_[0],
                                     .known = Incarnation{before.value + 5},
                                     .sequence = ++beats_[0]}};
  effects_.clear();
  cache_->on_link_news(link_->on_heartbeat(NodeId{0}, told_more, now_), now_, effects_);
  EXPECT_EQ(told_status(), CacheStatus::kOutcomeUnknown);
  put(key_, bytes(2));
  EXPECT_EQ(sent_change().incarnation, (Incarnation{before.value + 6}));
}

TEST_F(LocalChangesTest, AnErrorEndsItAndIsTold) {
  for (const CacheStatus status :
       {CacheStatus::kConditionFailed, CacheStatus::kAbsent, CacheStatus::kFull,
        CacheStatus::kNotANumber, CacheStatus::kSingleCopy, CacheStatus::kOutcomeUnknown}) {
    put(key_, bytes(1));
    reply(answer_to(sent_change(), status));
    EXPECT_EQ(told_status(), status);
  }
}

// ---- bounds

TEST_F(LocalChangesTest, BeyondTheMostUnderWayTheyWaitTheirTurn) {
  config_.changes_max = 2;
  begin();
  put(key_at(0, 0), bytes(1));
  const auto first = sent_change();
  put(key_at(0, 1), bytes(1));
  put(key_at(0, 2), bytes(1), 5s);
  EXPECT_TRUE(sent<CacheChange>().empty());
  put(key_at(0, 3), bytes(1));
  EXPECT_TRUE(sent<CacheChange>().empty());
  reply(done_answer(first.sequence, key_at(0, 0), 5, bytes(1), 1));
  EXPECT_EQ(sent_change().key, key_hash(key_at(0, 2))) << "in their order";
}

TEST_F(LocalChangesTest, OneThatWaitsPastItsTimeWasNeverSent) {
  config_.changes_max = 1;
  begin();
  put(key_at(0, 0), bytes(1));
  put(key_at(0, 1), bytes(1), 500ms);
  pass(500ms);
  EXPECT_EQ(told_status(), CacheStatus::kTimedOut);
  EXPECT_EQ(cache_->changes().under_way(), 1U);
}

TEST_F(LocalChangesTest, AFullRoomForKeptWritesHoldsBackTheNext) {  // R1.7
  config_.kept_max_bytes = 100;
  begin();
  put(key_at(0, 0), bytes(1));
  reply(done_answer(sent_change().sequence, key_at(0, 0), 5, bytes(1), 1));
  put(key_at(0, 1), bytes(1));
  EXPECT_TRUE(sent<CacheChange>().empty());
  replicated_up_to_[0] = 1;
  hear(0);
  pass(1ms);
  EXPECT_EQ(sent<CacheChange>().size(), 1U);
}

TEST_F(LocalChangesTest, AnsweredBelowNeverPassesOneThatIsNotAnswered) {
  std::vector<CacheChange> changes;
  for (int i = 0; i < 4; ++i) {
    put(key_at(0, i), bytes(1));
    changes.push_back(sent_change());
    EXPECT_EQ(changes.back().answered_below, changes.front().sequence);
  }
  reply(done_answer(changes[0].sequence, key_at(0, 0), 5, bytes(1), 1));
  reply(done_answer(changes[2].sequence, key_at(0, 2), 6, bytes(1), 2));
  put(key_at(0, 4), bytes(1));
  EXPECT_EQ(sent_change().answered_below, changes[1].sequence);
  put(key_at(1), bytes(1));
  EXPECT_EQ(sent_change().answered_below, changes[1].sequence) << "it may be sent there next";
}

TEST_F(LocalChangesTest, WhatCannotBeAskedIsRefusedAtOnce) {
  plain_.value_size_max_bytes = 150;
  begin();
  put(key_, bytes(1, 151));
  EXPECT_EQ(told_status(), CacheStatus::kValueTooLarge);
  put(std::string(kKeySizeMaxBytes + 1, 'k'), bytes(1));
  EXPECT_EQ(told_status(), CacheStatus::kKeyTooLong);
  change(key_, {}, bytes(1), 10s, CacheId{9});
  EXPECT_EQ(told_status(), CacheStatus::kUnknownCache);
}

}  // namespace
}  // namespace copal
