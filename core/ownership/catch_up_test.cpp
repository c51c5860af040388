// CatchUp and CompareAnswer together: two replicas, and the wire in between.

#include "core/ownership/catch_up.h"

#include <gtest/gtest.h>

#include <set>

#include "core/base/prng.h"
#include "core/ports/random.h"
#include "core/protocol/codec.h"
#include "core/testing/catch_up_bed.h"

namespace copal {
namespace {

constexpr CacheId kOther{2};

class CatchUpTest : public CatchUpBed {};

TEST_F(CatchUpTest, EqualSidesNeedFourMessages) {
  for (Side* side : {&mine_, &theirs_}) {
    install(*side, 0, 5);
    install(*side, 1'000, 6);
  }
  EXPECT_EQ(compare(), 4) << "open, opened, close, closed";
  EXPECT_EQ(done_->peer, kPeer);
  EXPECT_EQ(done_->compared.group, kGroup);
  EXPECT_TRUE(done_->compared.peer_was_ready);
  ASSERT_TRUE(done_there_.has_value());
  EXPECT_FALSE(done_there_->peer_was_ready);
  EXPECT_EQ(done_there_->agreed, done_->compared.agreed);
}

TEST_F(CatchUpTest, WhatOneSideLacksIsCopiedAndOfTwoVersionsTheNewer) {
  const std::uint32_t only_mine = install(mine_, 0, 5);
  const std::uint32_t only_theirs = install(theirs_, 2'000, 6, filled_bytes(2));
  const std::uint32_t newer_here = install(mine_, 4'000, 9, filled_bytes(3));
  install(theirs_, 4'000, 7);
  const std::uint32_t newer_there = install(theirs_, 6'000, 9, Blob());  // a tombstone
  install(mine_, 6'000, 7);
  compare();
  EXPECT_TRUE(same());
  EXPECT_EQ(find(theirs_, only_mine)->key_text(), "key " + std::to_string(only_mine));
  EXPECT_EQ(find(mine_, only_theirs)->mnode().value_hash, hash_of(filled_bytes(2)));
  EXPECT_EQ(find(theirs_, newer_here)->mnode().version.counter, 9U);
  EXPECT_TRUE(find(mine_, newer_there)->mnode().is_tombstone());
  EXPECT_EQ(catch_up_->counts().given, 2U);
  EXPECT_EQ(catch_up_->counts().taken, 2U);
}

TEST_F(CatchUpTest, OtherGroupsAndWhatIsEqualAreLeftAlone) {
  for (std::uint32_t key = 0; key < 3'000; ++key) {
    mine_.replica.install(mnode_of(key, 5, filled_bytes(1)), "k");
    if (group_of(key_hash_of(key)) != kGroup) {
      continue;
    }
    theirs_.replica.install(mnode_of(key, 5, filled_bytes(1)), "k");
  }
  install(theirs_, 5'000, 9);
  compare();
  EXPECT_TRUE(same());
  EXPECT_FALSE(same(Group{6}));
  EXPECT_EQ(catch_up_->counts().taken, 1U);
  EXPECT_EQ(catch_up_->counts().given, 0U);
}

TEST_F(CatchUpTest, TimesOfUseAndAgesTravelAlong) {
  MNode mnode = mnode_of(key_in(kGroup), 5, filled_bytes(1));
  mnode.modified = now_.mono - 30s;
  mnode.accessed = now_.mono - 10s;
  theirs_.replica.install(mnode, "k");
  compare();
  EXPECT_EQ(mine_.replica.find(mnode.key)->mnode().modified, now_.mono - 30s);
  EXPECT_EQ(mine_.replica.find(mnode.key)->mnode().accessed, now_.mono - 10s);
}

TEST_F(CatchUpTest, OfALeafThatDiffersOnlyWhatDiffersTravels) {
  const MNode equal = mnode_of(key_in(kGroup), 5, filled_bytes(1));
  MNode beside = equal;  // in the same leaf
  beside.key.bytes[31] ^= 1U;
  for (Side* side : {&mine_, &theirs_}) {
    side->replica.install(equal, "equal");
  }
  mine_.replica.install(beside, "beside");
  compare();
  EXPECT_TRUE(same());
  EXPECT_EQ(catch_up_->counts().given, 1U);
  EXPECT_EQ(catch_up_->counts().taken, 0U);
}

TEST_F(CatchUpTest, EntriesOfAnotherGroupAreNotTakenFromAnExchange) {
  const MNode stray = mnode_of(key_in(Group{6}), 5, filled_bytes(1));
  Effects effects;
  answer_->on_exchange(kAsker, {.at = {kGroup, 1, 2}, .give = {{aged(stray, now_.mono), "k"}}},
                       now_, effects);
  EXPECT_EQ(theirs_.replica.size(), 0U);
  install(theirs_, 0, 5);
  want();
  while (!wire_.empty()) {
    if (auto* exchanged = std::get_if<CompareExchanged>(&wire_.front())) {
      exchanged->taken.push_back({aged(stray, now_.mono), "k"});
    }
    deliver();
  }
  EXPECT_EQ(mine_.replica.size(), 1U);
}

// ---- horizons (R4.3, R4.4)

TEST_F(CatchUpTest, WhatIsBelowTheOthersHorizonWasRemovedThere) {
  const std::uint32_t mine = install(mine_, 0, 5);
  const std::uint32_t theirs = install(theirs_, 2'000, 6);
  const std::uint32_t newer = install(mine_, 4'000, 60);
  theirs_.replica.raise_horizon(kGroup, {50, 0, {}});
  mine_.replica.raise_horizon(kGroup, {40, 0, {}});
  compare();
  EXPECT_EQ(find(mine_, mine), nullptr);
  EXPECT_EQ(find(theirs_, theirs), nullptr);
  EXPECT_NE(find(theirs_, newer), nullptr);
  EXPECT_TRUE(same());
  EXPECT_EQ(catch_up_->counts().dropped, 2U);
  EXPECT_EQ(mine_.set_aside.count() + theirs_.set_aside.count(), 2U);
  // Both take the higher one.
  EXPECT_EQ(mine_.replica.horizon(kGroup).counter, 50U);
  EXPECT_EQ(theirs_.replica.horizon(kGroup).counter, 50U);
}

TEST_F(CatchUpTest, AHorizonIsTakenOverOnlyWhenAllIsCompared) {
  install(theirs_, 2'000, 60);
  theirs_.replica.raise_horizon(kGroup, {50, 0, {}});
  want();
  while (wire_.size() == 1 && !std::holds_alternative<CompareClosed>(wire_.front())) {
    EXPECT_EQ(mine_.replica.horizon(kGroup), kNoVersion);
    deliver();
  }
  deliver();
  EXPECT_EQ(mine_.replica.horizon(kGroup).counter, 50U);
}

/// Else what lacks there would look as if it had never been, to who has an older state.
TEST_F(CatchUpTest, WhatWasRemovedIsDroppedOnlyWithTheHorizonThatCoversIt) {
  const std::uint32_t mine = install(mine_, 0, 5);
  const std::uint32_t theirs = install(theirs_, 2'000, 6);
  theirs_.replica.raise_horizon(kGroup, {50, 0, {}});
  mine_.replica.raise_horizon(kGroup, {40, 0, {}});
  want();
  while (!wire_.empty()) {
    EXPECT_EQ(find(mine_, mine) == nullptr, mine_.replica.horizon(kGroup).counter == 50U);
    EXPECT_TRUE(find(theirs_, theirs) != nullptr ||
                std::holds_alternative<CompareClosed>(wire_.front()));
    deliver();
  }
  EXPECT_EQ(find(mine_, mine), nullptr);
  EXPECT_EQ(find(theirs_, theirs), nullptr);
}

TEST_F(CatchUpTest, TheAskersHigherHorizonIsTakenOverThereToo) {
  mine_.replica.raise_horizon(kGroup, {60, 0, {}});
  theirs_.replica.raise_horizon(kGroup, {50, 0, {}});
  compare();
  EXPECT_EQ(theirs_.replica.horizon(kGroup).counter, 60U);
  EXPECT_GE(theirs_.clock.reading(now_.mono), 60U);
}

TEST_F(CatchUpTest, AnEntryChangedSinceItWasCalledRemovedIsNotDropped) {
  const std::uint32_t theirs = install(theirs_, 2'000, 6);
  mine_.replica.raise_horizon(kGroup, {40, 0, {}});
  want();
  while (!std::holds_alternative<CompareExchange>(wire_.front())) {
    deliver();
  }
  install(theirs_, 2'000, 70);
  while (!wire_.empty()) {
    deliver();
  }
  EXPECT_NE(find(theirs_, theirs), nullptr);
  EXPECT_EQ(theirs_.set_aside.count(), 0U);
}

// ---- clears and caches

TEST_F(CatchUpTest, ClearsAreTakenOverFirst) {
  install(mine_, 0, 5);
  install(theirs_, 2'000, 8);
  theirs_.replica.clear(kGroup, CacheId{1}, {7, 0, {}});
  mine_.replica.clear(kGroup, kOther, {9, 0, {}});
  compare();
  EXPECT_EQ(mine_.replica.cleared(kGroup, CacheId{1}).counter, 7U);
  EXPECT_EQ(theirs_.replica.cleared(kGroup, kOther).counter, 9U);
  EXPECT_EQ(catch_up_->counts().given, 0U) << "what is cleared is not copied";
  EXPECT_EQ(catch_up_->counts().taken, 1U);
}

TEST_F(CatchUpTest, EachCacheThatDiffersIsCompared) {
  const auto of = [](CacheId cache, std::uint32_t from) {
    while (group_of(key_hash_of(from, cache)) != kGroup) {
      ++from;
    }
    return mnode_of(from, 5, filled_bytes(1), cache);
  };
  mine_.replica.install(of(CacheId{1}, 0), "a");
  theirs_.replica.install(of(kOther, 0), "b");
  mine_.replica.install(of(CacheId{3}, 0), "c");
  theirs_.replica.install(of(CacheId{3}, 0), "c");
  theirs_.replica.install(of(CacheId{4}, 0), "d");
  compare();
  EXPECT_TRUE(same());
  EXPECT_EQ(mine_.replica.size(), 4U);
}

// ---- clocks (R4.1)

TEST_F(CatchUpTest, BothClocksAreAboveAllThatEitherHadSeen) {
  theirs_.clock.observe(900'000'000'000'000, now_.mono);
  compare();
  EXPECT_GE(mine_.clock.reading(now_.mono), 900'000'000'000'000U);
  EXPECT_GE(done_->compared.agreed, 900'000'000'000'000U);
  mine_.clock.observe(1'000'000'000'000'000, now_.mono);
  compare();
  EXPECT_GE(theirs_.clock.reading(now_.mono), 1'000'000'000'000'000U);
}

// ---- what is lost, late, or wrong

TEST_F(CatchUpTest, AQuestionIsAskedAgainAndAnsweredAgain) {
  install(mine_, 0, 5);
  install(theirs_, 2'000, 6);
  want();
  for (int lost = 0; !wire_.empty(); ++lost) {
    if (lost % 2 == 0) {
      wire_.pop_front();  // each question or answer once
      now_.mono = catch_up_->next_deadline();
      Effects effects;
      catch_up_->on_time(now_, effects);
      EXPECT_EQ(effects.size(), 1U);
      take(effects, kAsker);
    }
    deliver();
    if (!wire_.empty()) {
      deliver();
    }
  }
  EXPECT_TRUE(done_.has_value());
  EXPECT_TRUE(same());
}

TEST_F(CatchUpTest, WhatComesTwiceOrTooLateIsIgnored) {
  install(mine_, 0, 5);
  install(theirs_, 2'000, 6);
  std::vector<Message> said;
  want();
  while (!wire_.empty()) {
    said.push_back(wire_.front());
    wire_.push_front(wire_.front());  // twice
    deliver();
    deliver();
  }
  ASSERT_TRUE(done_.has_value());
  EXPECT_TRUE(same());
  done_.reset();
  for (const Message& late : said) {
    wire_ = {late};
    deliver();
    wire_.clear();
  }
  EXPECT_FALSE(done_.has_value());
  EXPECT_EQ(catch_up_->under_way(), 0U);
}

TEST_F(CatchUpTest, WithoutAnAnswerItIsGivenUp) {
  want();
  wire_.clear();
  Effects effects;
  now_.mono += 10s;
  catch_up_->on_time(now_, effects);
  EXPECT_TRUE(effects.empty());
  EXPECT_EQ(catch_up_->under_way(), 0U);
  EXPECT_EQ(catch_up_->counts().given_up, 1U);
  EXPECT_EQ(catch_up_->next_deadline(), kNever);
}

TEST_F(CatchUpTest, APeerThatBeganAnewKnowsNothingOfIt) {
  want();
  deliver();
  deliver();
  answer_->forget(kAsker);
  while (!wire_.empty()) {
    deliver();
  }
  EXPECT_FALSE(done_.has_value());
  EXPECT_FALSE(done_there_.has_value());
  EXPECT_EQ(catch_up_->under_way(), 0U) << "it may begin again";
  compare();
}

TEST_F(CatchUpTest, ForgettingAPeerEndsWhatIsUnderWayWithIt) {
  want();
  catch_up_->forget(Slot{2});
  EXPECT_EQ(catch_up_->under_way(), 1U);
  catch_up_->forget(kPeer);
  EXPECT_EQ(catch_up_->under_way(), 0U);
  deliver();
  deliver();
  EXPECT_TRUE(wire_.empty());
}

TEST_F(CatchUpTest, NeverMoreThanTheMostAtATimeAndEachOnce) {
  begin({.comparisons_max = 2});
  std::vector<CatchUp::Wanted> wanted;
  for (std::uint8_t i = 0; i < 5; ++i) {
    wanted.push_back({Group{i}, kPeer});
    wanted.push_back({Group{i}, kPeer});
  }
  Effects effects;
  catch_up_->want(wanted, now_, effects);
  EXPECT_EQ(effects.size(), 2U);
  catch_up_->want(wanted, now_, effects);
  EXPECT_EQ(effects.size(), 2U);
  catch_up_->check_invariants();
}

TEST_F(CatchUpTest, AnswersThatWouldNeverEndAreNotBelieved) {
  install(mine_, 0, 5);
  install(theirs_, 2'000, 6);
  expect_disbelief([](Message& message) {
    if (auto* differ = std::get_if<CompareDiffer>(&message)) {
      differ->next_leaf = 0;
    }
    if (auto* exchanged = std::get_if<CompareExchanged>(&message)) {
      exchanged->looked_up = 0;
    }
  });
}

TEST_F(CatchUpTest, EntriesThatAreGivenAgainAreAsOldAsTheyAre) {
  const std::uint32_t number = install_idle(mine_, 0, 10s);
  want();
  while (!std::holds_alternative<CompareExchange>(wire_.front())) {
    deliver();
  }
  wire_.clear();  // lost
  now_.mono += 4s;
  Effects effects;
  catch_up_->on_time(now_, effects);
  take(effects, kAsker);
  deliver();
  EXPECT_EQ(used_ago(theirs_, number), 14s);
}

TEST_F(CatchUpTest, SumsOfAnotherNumberThanATreeHasAreNotAnswered) {
  Effects effects;
  answer_->on_sums(kAsker, {.at = {kGroup, 1, 2}, .cache = CacheId{1}, .sums = {1, 2, 3}}, effects);
  EXPECT_TRUE(effects.empty());
}

TEST_F(CatchUpTest, SomeBeginningsAreRememberedTheOldestIsForgotten) {
  constexpr std::uint64_t kMost = 2 * kGroups;
  Effects effects;
  for (std::uint64_t id = 1; id <= kMost + 1; ++id) {
    answer_->on_open(kAsker, {.at = {kGroup, id, 1}}, true, {}, now_, effects);
    answer_->on_open(kAsker, {.at = {kGroup, id, 1}}, true, {}, now_, effects);  // and asked again
  }
  const auto is_known = [&](std::uint64_t id) {
    effects.clear();
    answer_->on_close(kAsker, {.at = {kGroup, id, 2}}, now_, effects);
    return std::get<CompareClosed>(std::get<Send>(effects[0]).message).known;
  };
  EXPECT_FALSE(is_known(1));
  EXPECT_TRUE(is_known(2));
  EXPECT_TRUE(is_known(kMost + 1));
}

TEST_F(CatchUpTest, ALeafWithMoreEntriesThanAFrameTakesIsComparedInParts) {
  constexpr std::uint32_t kMany = 6'000;
  // A third at either side alone; of the third at both, half is newer at one side.
  for (std::uint32_t i = 0; i < kMany; ++i) {
    if (i % 3 != 1) {
      mine_.replica.install(crowded(i, 5 + i + (i % 6 == 2 ? 10'000 : 0)), "key");
    }
    if (i % 3 != 0) {
      theirs_.replica.install(crowded(i, 5 + i), "key");
    }
  }
  EXPECT_FALSE(same());
  compare();
  EXPECT_TRUE(same());
  EXPECT_EQ(mine_.replica.size(), kMany);
  EXPECT_EQ(theirs_.replica.size(), kMany);
  EXPECT_EQ(theirs_.replica.find(crowded(2).key)->mnode().version.counter, 10'007U);
}

TEST_F(CatchUpTest, OfALeafInPartsWhatWasRemovedIsDroppedAndNothingElse) {
  constexpr std::uint32_t kMany = 6'000;
  // Below the other side's horizon, a third at one side alone was removed long ago.
  for (std::uint32_t i = 0; i < kMany; ++i) {
    if (i % 3 != 1) {
      mine_.replica.install(crowded(i), "key");
    }
    if (i % 3 != 0) {
      theirs_.replica.install(crowded(i), "key");
    }
  }
  mine_.replica.raise_horizon(kGroup, {6, 0, {}});
  theirs_.replica.raise_horizon(kGroup, {6, 0, {}});
  compare();
  for (Side* side : {&mine_, &theirs_}) {
    EXPECT_EQ(side->replica.size(), kMany / 3);
    for (std::uint32_t i = 2; i < kMany; i += 3) {
      ASSERT_NE(side->replica.find(crowded(i).key), nullptr);
    }
  }
}

TEST_F(CatchUpTest, AnExchangeThatDoesNotFitIsAnsweredInParts) {
  CompareExchange exchange{.at = {kGroup, 1, 2}};
  std::uint32_t key = 0;
  for (int i = 0; i < 200; ++i) {
    key = key_in(kGroup, key);
    theirs_.replica.install(mnode_of(key, 5, filled_bytes(1)), std::string(1'000, 'k'));
    exchange.take.push_back(key_hash_of(key++));
  }
  Effects effects;
  answer_->on_exchange(kAsker, exchange, now_, effects);
  const auto& first = std::get<CompareExchanged>(std::get<Send>(effects[0]).message);
  EXPECT_LT(first.looked_up, 200U);
  EXPECT_EQ(first.taken.size(), first.looked_up);
  std::vector<std::byte> frame(kMessageSizeMaxBytes);
  EXPECT_LE(encode(first, frame), kMessageSizeMaxBytes);
}

// ---- size

TEST_F(CatchUpTest, AWholeGroupIsCopiedInFramesThatFit) {
  std::uint32_t key = 0;
  for (int i = 0; i < 3'000; ++i) {
    key = key_in(kGroup, key);
    (i % 2 == 0 ? mine_ : theirs_)
        .replica.install(mnode_of(key++, 5, filled_bytes(1)), std::string(900, 'k'));
  }
  compare();  // take() encodes each message, which asserts that it fits
  EXPECT_TRUE(same());
  EXPECT_EQ(mine_.replica.size(), 3'000U);
}

TEST_F(CatchUpTest, RandomSidesEndEqualWhateverChangesMeanwhile) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Prng random(seed, "catch up");
    std::uint64_t counter = 0;
    const auto change = [&] {
      Side& side = draw_below(random, 2) == 0 ? mine_ : theirs_;
      install(side, 100 * draw_below(random, 60), ++counter,
              draw_below(random, 4) == 0 ? Blob() : filled_bytes(1));
    };
    for (int i = 0; i < 40; ++i) {
      change();
    }
    want();
    while (!wire_.empty()) {
      if (draw_below(random, 4) == 0) {
        change();
      }
      deliver();
    }
    compare();  // what changed during the first
    EXPECT_TRUE(same()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace copal
