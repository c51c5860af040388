// When entries were used last, which no sum shows: comparisons exchange it (R0.7).

#include <gtest/gtest.h>

#include "core/testing/catch_up_bed.h"

namespace copal {
namespace {

class CatchUpUsesTest : public CatchUpBed {};

TEST_F(CatchUpUsesTest, BothSidesTakeTheLaterUse) {
  const std::uint32_t here = install_idle(mine_, 0, 10s);
  install_idle(theirs_, 0, 50s);
  const std::uint32_t there = install_idle(mine_, 1'000, 40s);
  install_idle(theirs_, 1'000, 20s);
  theirs_.replica.take_changes();
  mine_.replica.take_changes();
  EXPECT_EQ(compare(), 6) << "open, opened, uses, used, close, closed";
  for (Side* side : {&mine_, &theirs_}) {
    EXPECT_EQ(used_ago(*side, here), 10s);
    EXPECT_EQ(used_ago(*side, there), 20s);
  }
  EXPECT_EQ(mine_.replica.take_changes().keys, std::vector{key_hash_of(there)}) << "for the disk";
  EXPECT_EQ(theirs_.replica.take_changes().keys, std::vector{key_hash_of(here)});
}

TEST_F(CatchUpUsesTest, OnlyUsesThatOneSideMayNotKnowOfAreExchanged) {
  const std::uint32_t old = install_idle(mine_, 0, 90s);
  install_idle(theirs_, 0, 45s);
  const std::uint32_t late = install_idle(mine_, 1'000, 90s);
  install_idle(theirs_, 1'000, 30s);
  my_uses_within_ = 5s;
  their_uses_within_ = 30s;
  compare();
  EXPECT_EQ(used_ago(mine_, old), 90s);
  EXPECT_EQ(used_ago(mine_, late), 30s);
}

TEST_F(CatchUpUsesTest, UsesGrowOlderWhileTheRestIsCompared) {
  const std::uint32_t number = install_idle(mine_, 0, 90s, 1'000'000);
  install_idle(theirs_, 0, 29s, 1'000'000);
  install(theirs_, 2'000, 6);
  my_uses_within_ = 30s;
  const TimePoint began = now_.mono;
  want();
  while (!wire_.empty()) {
    now_.mono += 9s;
    deliver();
  }
  ASSERT_TRUE(done_.has_value());
  EXPECT_LE(used_ago(mine_, number), 29s + (now_.mono - began));
}

TEST_F(CatchUpUsesTest, UsesThatAreSaidAgainAreAsOldAsTheyAre) {
  const std::uint32_t number = install_idle(mine_, 0, 10s);
  install_idle(theirs_, 0, 90s);
  want();
  deliver();
  deliver();
  ASSERT_TRUE(std::holds_alternative<CompareUses>(wire_.front()));
  for (int lost = 0; lost < 2; ++lost) {
    wire_.clear();
    now_.mono += 4s;
    Effects effects;
    catch_up_->on_time(now_, effects);
    take(effects, kAsker);
  }
  deliver();
  EXPECT_EQ(used_ago(theirs_, number), 18s);
}

TEST_F(CatchUpUsesTest, WhatAUseGainsOnItsWayIsNotWritten) {
  const std::uint32_t number = install_idle(mine_, 0, 10s);
  install_idle(theirs_, 0, 10s - 30ms);
  mine_.replica.take_changes();
  compare();
  EXPECT_EQ(used_ago(mine_, number), 10s - 30ms);
  EXPECT_TRUE(mine_.replica.take_changes().keys.empty());
}

TEST_F(CatchUpUsesTest, UsesOfOneLeafThatAreTooManyForAFrameComeInParts) {
  constexpr std::uint32_t kMany = 4'000;
  for (std::uint32_t i = 0; i < kMany; ++i) {
    MNode mnode = crowded(i);
    mnode.idle_timeout_ms = 100'000;
    for (Side* side : {&mine_, &theirs_}) {
      mnode.accessed = now_.mono - ((i % 2 == 0) == (side == &mine_) ? 5s : 90s);
      side->replica.install(mnode, "key");
    }
  }
  compare();
  for (const Side* side : {&mine_, &theirs_}) {
    const HashTree& tree = *side->replica.table(kGroup).tree(CacheId{1});
    for (const MNodeEntry* entry : tree.entries(HashTree::bucket_of(crowded(0).key))) {
      EXPECT_EQ(entry->mnode().accessed, now_.mono - 5s);
    }
  }
}

TEST_F(CatchUpUsesTest, UsesOfWhatIsMissingOrPastItsTimeAreNone) {
  install_idle(mine_, 0, 90s);  // will be gone when its use comes
  install_idle(theirs_, 0, 5s);
  const std::uint32_t past = install_idle(mine_, 1'000, 500s);
  install_idle(theirs_, 1'000, 400s);
  want();
  while (!wire_.empty()) {
    if (std::holds_alternative<CompareUsed>(wire_.front())) {
      mine_.replica.drop(*find(mine_, key_in(kGroup, 0)));
    }
    deliver();
  }
  EXPECT_EQ(used_ago(mine_, past), 500s);
  mine_.replica.check_invariants();
}

TEST_F(CatchUpUsesTest, ManyUsesTakeSeveralMessagesOfBoundedSize) {
  constexpr std::uint32_t kMany = 6'000;
  std::vector<std::uint32_t> numbers;
  std::uint32_t key = 0;
  for (std::uint32_t i = 0; i < kMany; ++i) {
    key = install_idle(mine_, key, 90s);
    install_idle(theirs_, key, i % 2 == 0 ? 5s : 95s);
    numbers.push_back(key++);
  }
  EXPECT_GT(compare(), 4 + 2 * static_cast<int>(kMany * 40 / kMessageSizeMaxBytes));
  for (std::uint32_t i = 0; i < kMany; ++i) {
    EXPECT_EQ(used_ago(mine_, numbers[i]), i % 2 == 0 ? 5s : 90s);
    EXPECT_EQ(used_ago(theirs_, numbers[i]), i % 2 == 0 ? 5s : 90s);
  }
}

TEST_F(CatchUpUsesTest, UsesThatFitInOneMessageAreNotLookedForWithoutEnd) {
  constexpr std::uint32_t kMany = 9'000;  // entries to look at, one of them used lately
  std::uint32_t key = 0;
  for (std::uint32_t i = 0; i < kMany; ++i) {
    key = install_idle(mine_, key, 90s);
    install_idle(theirs_, key, 90s);
    ++key;
  }
  my_uses_within_ = 10s;
  EXPECT_GE(compare(), 4 + 2 * 3) << "at most 4,096 and a bucket are looked at for a message";
}

TEST_F(CatchUpUsesTest, UsesOfAnotherGroupOrRangeAreNotHeeded) {
  const std::uint32_t number = install_idle(theirs_, 0, 90s);
  Effects effects;
  CompareUses uses{.at = {Group{6}, 1, 2},
                   .cache = CacheId{1},
                   .last = HashTree::last_key(),
                   .within = 100s,
                   .uses = {{key_hash_of(number), 1s}}};
  answer_->on_uses(kAsker, uses, now_, effects);
  EXPECT_EQ(used_ago(theirs_, number), 90s);
  uses.at.group = kGroup;
  uses.after = HashTree::last_key();
  effects.clear();
  answer_->on_uses(kAsker, uses, now_, effects);
  EXPECT_TRUE(effects.empty());
}

TEST_F(CatchUpUsesTest, UsesThatWouldNeverEndAreNotBelieved) {
  install_idle(mine_, 0, 5s);
  install_idle(theirs_, 0, 5s);
  expect_disbelief([](Message& message) {
    if (auto* used = std::get_if<CompareUsed>(&message)) {
      used->last = {};
    }
  });
}

}  // namespace
}  // namespace copal
