#include "sim/cache_judge.h"

#include <gtest/gtest.h>

namespace copal::sim {
namespace {

using Kind = CacheOperation::Kind;

constexpr Slot kFirst{0};
constexpr Slot kSecond{1};
constexpr Slot kThird{2};

Version version(std::uint64_t counter, Slot owner = kFirst) {
  return {counter, 1, OwnerId(0, owner, 1)};
}

KeyHash key(std::uint8_t number = 1) {
  KeyHash hash;
  hash.bytes[0] = number;
  return hash;
}

TimePoint at(std::int64_t milliseconds) {
  return TimePoint{std::chrono::milliseconds{milliseconds}};
}

/// value  0: a tombstone.
MNode mnode(const Version& what, std::uint64_t value) {
  MNode made;
  made.key = key();
  made.version = what;
  made.cache = CacheId{1};
  if (value != 0) {
    made.flags = MNode::kInline;
    made.value_size_bytes = 1;
    made.value_hash.bytes[0] = static_cast<std::uint8_t>(value);
  }
  return made;
}

/// A history of one cache, told by hand; all counts from the first moment on.
class CacheJudgeTest : public ::testing::Test {
 protected:
  CacheJudgeTest() : judge_({CacheConfig{.id = CacheId{1}, .name = "cache"}}) {
    judge_.begin_measuring(at(0));
  }

  void written(Slot member, const Version& what, std::int64_t when, bool is_tombstone = false) {
    judge_.on_written(member, mnode(what, is_tombstone ? 0 : what.counter), at(when));
  }
  void everywhere(const Version& what, std::int64_t when) {
    for (const Slot slot : {what.owner.slot(), kFirst, kSecond, kThird}) {
      written(slot, what, when);
    }
  }
  void acknowledged(const Version& what, std::int64_t when, std::uint32_t server = 0,
                    CacheStatus status = CacheStatus::kDone) {
    tell({.server = server, .kind = Kind::kPut, .status = status, .version = what}, when, when);
  }
  void read(const Version& what, std::int64_t asked, std::int64_t answered, bool local = false) {
    tell({.status = CacheStatus::kDone, .version = what, .local = local}, asked, answered);
  }
  void read_nothing(std::int64_t asked) { tell({.status = CacheStatus::kAbsent}, asked, asked); }
  void tell(CacheOutcome outcome, std::int64_t asked, std::int64_t answered) {
    outcome.cache = CacheId{1};
    outcome.key = key();
    outcome.asked = at(asked);
    outcome.answered = at(answered);
    judge_.on_operation(outcome);
  }
  const CacheFigures& finish(std::int64_t when = 10'000) { return judge_.finish(0b111, at(when)); }

  CacheJudge judge_;
};

TEST_F(CacheJudgeTest, AReadIsAsStaleAsTheFirstNewerAcknowledgementIsOld) {
  everywhere(version(1), 10);
  acknowledged(version(1), 11);
  everywhere(version(2), 20);
  acknowledged(version(2), 21);
  everywhere(version(3), 30);
  acknowledged(version(3), 31);
  read(version(1), 50, 51);  // behind version 2 since 21
  read(version(2), 50, 51);  // behind version 3 since 31
  read(version(3), 50, 51);
  read(version(2), 31, 40);  // version 3 was acknowledged when it was asked, not before
  const CacheFigures& figures = finish();
  EXPECT_EQ(figures.reads, 4U);
  EXPECT_EQ(figures.stale, 2U);
  EXPECT_EQ(figures.staleness_ns.count(), 4U);
  EXPECT_EQ(figures.staleness_ns.max(), 29'000'000U);
  EXPECT_DOUBLE_EQ(figures.staleness_ns.mean(), (29e6 + 19e6) / 4);
}

TEST_F(CacheJudgeTest, ANewerVersionOfTheSameValueMakesNobodyStale) {
  everywhere(version(1), 10);
  acknowledged(version(1), 11);
  for (const Slot slot : {kFirst, kSecond, kThird}) {
    judge_.on_written(slot, mnode(version(2), 1), at(20));
  }
  acknowledged(version(2), 21);
  read(version(1), 30, 30);
  everywhere(version(3), 40);
  acknowledged(version(3), 41);
  read(version(1), 50, 50);  // behind version 3, not behind version 2
  const CacheFigures& figures = finish();
  EXPECT_EQ(figures.stale, 1U);
  EXPECT_EQ(figures.staleness_ns.max(), 9'000'000U);
}

TEST_F(CacheJudgeTest, WhatIsNotAcknowledgedMakesNobodyStale) {
  everywhere(version(1), 10);
  acknowledged(version(1), 11);
  everywhere(version(2), 20);
  read(version(1), 50, 51);
  EXPECT_EQ(finish().stale, 0U);
}

TEST_F(CacheJudgeTest, AnAbsentEntryThatWasWrittenIsStaleUnlessItWasRemoved) {
  everywhere(version(1), 10);
  acknowledged(version(1), 11);
  read_nothing(20);  // 9 ms behind
  written(kFirst, version(2), 30, true);
  tell({.kind = Kind::kRemove, .status = CacheStatus::kDone, .version = version(2)}, 30, 31);
  read_nothing(40);
  const CacheFigures& figures = finish();
  EXPECT_EQ(figures.stale, 1U);
  EXPECT_EQ(figures.staleness_ns.max(), 9'000'000U);
  EXPECT_EQ(figures.lost, 0U);
}

TEST_F(CacheJudgeTest, WhereEntriesEndByThemselvesAnAbsentOneProvesNothing) {
  everywhere(version(1), 10);
  tell({.kind = Kind::kPut, .expires = true, .status = CacheStatus::kDone, .version = version(1)},
       11, 11);
  read_nothing(20);
  EXPECT_EQ(finish().stale, 0U);
}

TEST_F(CacheJudgeTest, HitsAreCountedByWhoAnswered) {
  everywhere(version(1), 10);
  read(version(1), 20, 20, true);
  read(version(1), 21, 22);
  read_nothing(23);
  tell({.status = CacheStatus::kTimedOut}, 24, 25);
  tell({.kind = Kind::kPut, .status = CacheStatus::kOutcomeUnknown}, 26, 27);
  const CacheFigures& figures = finish();
  EXPECT_EQ(figures.operations, 5U);
  EXPECT_EQ(figures.failed, 2U);
  EXPECT_EQ(figures.unknown, 1U);
  EXPECT_EQ(figures.reads, 3U);
  EXPECT_EQ(figures.local, 1U);
  EXPECT_EQ(figures.asked, 2U);
  EXPECT_EQ(figures.asked_found, 1U);
}

TEST_F(CacheJudgeTest, TheLossWindowEndsWhenASecondMemberHasIt) {
  written(kFirst, version(1), 10);
  acknowledged(version(1), 12);
  written(kFirst, version(2), 14);
  acknowledged(version(2), 15);
  written(kSecond, version(2), 20);  // and so has what it replaced: 8 ms and 5 ms
  written(kFirst, version(3), 30);
  written(kThird, version(3), 31);
  acknowledged(version(3), 32);  // replicated before: 0
  const CacheFigures& figures = finish();
  EXPECT_EQ(figures.loss_window_ns.count(), 3U);
  EXPECT_EQ(figures.loss_window_ns.max(), 8'000'000U);
  EXPECT_DOUBLE_EQ(figures.loss_window_ns.mean(), 13e6 / 3);
}

TEST_F(CacheJudgeTest, WhatNoMemberHasAtTheEndIsLost) {
  everywhere(version(1), 10);
  acknowledged(version(1), 11);
  written(kFirst, version(2), 20);
  acknowledged(version(2), 21);
  judge_.on_server_end(0);
  judge_.on_dropped(kFirst, key());
  read(version(1), 50, 51);
  const CacheFigures& figures = finish();
  EXPECT_EQ(figures.lost, 1U);
  EXPECT_EQ(figures.acknowledged, 2U);
  EXPECT_EQ(figures.stale, 0U) << "what was lost makes nobody stale";
}

TEST_F(CacheJudgeTest, ADeadMembersCopyIsNoCopy) {
  written(kFirst, version(1), 10);
  acknowledged(version(1), 11);
  EXPECT_EQ(judge_.finish(0b110, at(100)).lost, 1U);
}

TEST_F(CacheJudgeTest, AnOwnerThatWritesOverWhatItNeverHadLosesIt) {
  written(kFirst, version(1), 10);
  acknowledged(version(1), 11);
  judge_.on_server_end(0);
  judge_.on_dropped(kFirst, key());           // its disk is lost
  written(kSecond, version(5, kSecond), 30);  // the next owner never had version 1
  acknowledged(version(5, kSecond), 31, 1);
  written(kFirst, version(5, kSecond), 32);
  const CacheFigures& figures = finish();
  EXPECT_EQ(figures.lost, 1U);
  EXPECT_EQ(figures.overwritten, 0U);
}

TEST_F(CacheJudgeTest, IfTheWriterLivesItIsOverwritten) {
  written(kFirst, version(1), 10);
  acknowledged(version(1), 11);
  judge_.on_dropped(kFirst, key());
  written(kSecond, version(5, kSecond), 30);
  acknowledged(version(5, kSecond), 31, 1);
  const CacheFigures& figures = finish();
  EXPECT_EQ(figures.lost, 0U);
  EXPECT_EQ(figures.overwritten, 1U);
}

TEST_F(CacheJudgeTest, WhatOnlyADeadMemberHadIsLostUnlessItComesBack) {
  for (const bool comes_back : {true, false}) {
    CacheJudge judge({CacheConfig{.id = CacheId{1}, .name = "cache"}});
    judge.begin_measuring(at(0));
    judge.on_written(kFirst, mnode(version(1), 1), at(10));
    judge.on_operation({.kind = Kind::kPut,
                        .cache = CacheId{1},
                        .key = key(),
                        .asked = at(9),
                        .answered = at(11),
                        .status = CacheStatus::kDone,
                        .version = version(1)});
    judge.on_server_end(0);
    judge.set_running(0b110);
    judge.on_written(kSecond, mnode(version(5, kSecond), 5), at(30));
    if (comes_back) {
      judge.on_written(kFirst, mnode(version(5, kSecond), 5), at(50));
    }
    const CacheFigures& figures = judge.finish(comes_back ? 0b111 : 0b110, at(100));
    EXPECT_EQ(figures.lost, comes_back ? 0U : 1U);
    EXPECT_EQ(figures.overwritten, comes_back ? 1U : 0U);
  }
}

TEST_F(CacheJudgeTest, ASplitOverwritesWhatTheLowerSideAcknowledged) {
  everywhere(version(1), 10);
  acknowledged(version(1), 11);
  written(kFirst, version(4), 20);  // one side
  acknowledged(version(4), 21);
  written(kSecond, version(6, kSecond), 22);  // the other: it knows of 1
  acknowledged(version(6, kSecond), 23, 1);
  written(kFirst, version(5), 24);  // below what the other side has
  acknowledged(version(5), 25);
  written(kFirst, version(6, kSecond), 40);  // they meet
  written(kThird, version(6, kSecond), 40);
  const CacheFigures& figures = finish();
  EXPECT_EQ(figures.overwritten, 2U);
  EXPECT_EQ(figures.lost, 0U);
}

TEST_F(CacheJudgeTest, WritingInTurnOverwritesNothing) {
  everywhere(version(1), 10);
  acknowledged(version(1), 11);
  everywhere(version(2, kSecond), 20);
  acknowledged(version(2, kSecond), 21);
  everywhere(version(3), 30);
  acknowledged(version(3), 31);
  const CacheFigures& figures = finish();
  EXPECT_EQ(figures.overwritten, 0U);
  EXPECT_EQ(figures.lost, 0U);
}

TEST_F(CacheJudgeTest, MembersAreAlikeWhenAllHaveWhatIsOldEnough) {
  everywhere(version(1), 10);
  EXPECT_TRUE(judge_.all_alike(0b111, at(100)));
  written(kFirst, version(2), 50);
  EXPECT_TRUE(judge_.all_alike(0b111, at(49))) << "it is on its way";
  EXPECT_FALSE(judge_.all_alike(0b111, at(50)));
  EXPECT_TRUE(judge_.all_alike(0b001, at(100))) << "alone";
  written(kSecond, version(2), 60);
  EXPECT_FALSE(judge_.all_alike(0b111, at(100)));
  written(kThird, version(2), 61);
  EXPECT_TRUE(judge_.all_alike(0b111, at(100)));
}

TEST_F(CacheJudgeTest, ATombstoneMayBeForgotten) {
  everywhere(version(1), 10);
  for (const Slot slot : {kFirst, kSecond, kThird}) {
    written(slot, version(2), 20, true);
  }
  judge_.on_dropped(kThird, key());
  EXPECT_TRUE(judge_.all_alike(0b111, at(100)));
}

TEST_F(CacheJudgeTest, OperationsOfTheWarmUpCountForNothingButTheFateOfWrites) {
  CacheJudge judge({CacheConfig{.id = CacheId{1}, .name = "cache"}});
  judge.on_written(kFirst, mnode(version(1), 1), at(10));
  judge.on_operation({.kind = Kind::kPut,
                      .cache = CacheId{1},
                      .key = key(),
                      .asked = at(9),
                      .answered = at(11),
                      .status = CacheStatus::kDone,
                      .version = version(1)});
  judge.begin_measuring(at(100));
  judge.on_server_end(0);
  const CacheFigures& figures = judge.finish(0b110, at(200));
  EXPECT_EQ(figures.operations, 0U);
  EXPECT_EQ(figures.acknowledged, 0U);
  EXPECT_EQ(figures.loss_window_ns.count(), 0U);
  EXPECT_EQ(figures.lost, 1U);
}

}  // namespace
}  // namespace copal::sim
