// CatchUp and CompareAnswer together: two replicas, and the wire in between.

#include "core/ownership/catch_up.h"

#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "core/base/prng.h"
#include "core/ports/random.h"
#include "core/protocol/codec.h"
#include "core/testing/replica_bed.h"

namespace copal {
namespace {

constexpr NodeId kAsker{0};
constexpr NodeId kAnswerer{1};
constexpr Slot kPeer{1};
constexpr Group kGroup{5};
constexpr CacheId kOther{2};

class CatchUpTest : public testing::Test {
 protected:
  struct Side {
    explicit Side(Now now) : clock(now, 0) {}
    Replica replica;
    HybridClock clock;
    SetAside set_aside{replica};
  };

  void SetUp() override { begin(); }
  void begin(const CatchUpConfig& config = {}) {
    catch_up_.emplace(config, Incarnation{3},
                      std::array<NodeId, kSlots>{kAsker, kAnswerer, NodeId{2}}, mine_.replica,
                      mine_.clock, mine_.set_aside);
    answer_.emplace(theirs_.replica, theirs_.clock, theirs_.set_aside);
  }

  /// Nothing is lost unless the test takes it from the wire.
  void want(Group group = kGroup, bool ready = false) {
    const CatchUp::Wanted wanted{group, kPeer, ready, my_uses_within_};
    Effects effects;
    catch_up_->want(std::array{wanted}, now_, effects);
    take(effects, kAsker);
  }
  void take(const Effects& effects, NodeId from) {
    for (const Effect& effect : effects) {
      const auto& send = std::get<Send>(effect);
      EXPECT_EQ(send.to, from == kAsker ? kAnswerer : kAsker);
      std::vector<std::byte> frame(kMessageSizeMaxBytes);
      wire_.push_back(*decode(std::span(frame).first(encode(send.message, frame))));
      ++messages_;
    }
    catch_up_->check_invariants();
  }
  /// Delivers one message.
  void deliver() {
    const Message message = wire_.front();
    wire_.pop_front();
    Effects effects;
    NodeId at = kAsker;
    if (const auto* open = std::get_if<CompareOpen>(&message)) {
      answer_->on_open(kAsker, *open, they_are_ready_, their_uses_within_, now_, effects);
      at = kAnswerer;
    } else if (const auto* sums = std::get_if<CompareSums>(&message)) {
      answer_->on_sums(kAsker, *sums, effects);
      at = kAnswerer;
    } else if (const auto* exchange = std::get_if<CompareExchange>(&message)) {
      answer_->on_exchange(kAsker, *exchange, now_, effects);
      at = kAnswerer;
    } else if (const auto* uses = std::get_if<CompareUses>(&message)) {
      answer_->on_uses(kAsker, *uses, now_, effects);
      at = kAnswerer;
    } else if (const auto* close = std::get_if<CompareClose>(&message)) {
      if (const auto compared = answer_->on_close(kAsker, *close, now_, effects)) {
        done_there_ = compared;
      }
      at = kAnswerer;
    } else if (const auto* opened = std::get_if<CompareOpened>(&message)) {
      catch_up_->on_opened(*opened, now_, effects);
    } else if (const auto* differ = std::get_if<CompareDiffer>(&message)) {
      catch_up_->on_differ(*differ, now_, effects);
    } else if (const auto* exchanged = std::get_if<CompareExchanged>(&message)) {
      catch_up_->on_exchanged(*exchanged, now_, effects);
    } else if (const auto* used = std::get_if<CompareUsed>(&message)) {
      catch_up_->on_used(*used, now_, effects);
    } else if (const auto done = catch_up_->on_closed(std::get<CompareClosed>(message), now_)) {
      done_ = done;
    }
    take(effects, at);
  }
  /// The whole comparison. Returns how many messages that took.
  int compare(Group group = kGroup) {
    messages_ = 0;
    done_.reset();
    want(group);
    while (!wire_.empty()) {
      deliver();
    }
    EXPECT_TRUE(done_.has_value());
    mine_.replica.check_invariants();
    theirs_.replica.check_invariants();
    return messages_;
  }
  bool same(Group group = kGroup) {
    const auto mine = cache_sums(mine_.replica, group);
    const auto theirs = cache_sums(theirs_.replica, group);
    return std::ranges::equal(mine, theirs, [](const CacheSum& one, const CacheSum& other) {
      return one.cache == other.cache && one.sum == other.sum && one.cleared == other.cleared;
    });
  }
  /// Puts an m-node with the n-th key of the group at a side.
  static std::uint32_t install(Side& side, std::uint32_t key, std::uint64_t counter,
                               const Blob& value = filled_bytes(1)) {
    const std::uint32_t number = key_in(kGroup, key);
    side.replica.install(mnode_of(number, counter, value), "key " + std::to_string(number));
    return number;
  }
  /// The same with an idle timeout, last used so long ago.
  std::uint32_t install_idle(Side& side, std::uint32_t key, Duration used_ago,
                             std::uint32_t idle_timeout_ms = 100'000) {
    const std::uint32_t number = key_in(kGroup, key);
    MNode mnode = mnode_of(number, 5, filled_bytes(1));
    mnode.idle_timeout_ms = idle_timeout_ms;
    mnode.accessed = now_.mono - used_ago;
    side.replica.install(mnode, "key " + std::to_string(number));
    return number;
  }
  Duration used_ago(const Side& side, std::uint32_t number) {
    return now_.mono - find(side, number)->mnode().accessed;
  }
  static const MNodeEntry* find(const Side& side, std::uint32_t number) {
    return side.replica.find(key_hash_of(number));
  }

  Now now_{TimePoint{100s}, {}};
  Side mine_{now_};
  Side theirs_{now_};
  std::optional<CatchUp> catch_up_;
  std::optional<CompareAnswer> answer_;
  std::deque<Message> wire_;
  std::optional<CatchUp::Done> done_;
  std::optional<Compared> done_there_;
  bool they_are_ready_ = true;
  Duration my_uses_within_ = Duration::max();
  Duration their_uses_within_{};
  int messages_ = 0;
};

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
  want();
  while (!wire_.empty()) {
    if (auto* differ = std::get_if<CompareDiffer>(&wire_.front())) {
      differ->next_leaf = 0;
    }
    if (auto* exchanged = std::get_if<CompareExchanged>(&wire_.front())) {
      exchanged->looked_up = 0;
    }
    deliver();
    ASSERT_LT(messages_, 50);
  }
  EXPECT_FALSE(done_.has_value());
}

TEST_F(CatchUpTest, UsesThatWouldNeverEndAreNotBelieved) {
  install_idle(mine_, 0, 5s);
  install_idle(theirs_, 0, 5s);
  want();
  while (!wire_.empty()) {
    if (auto* used = std::get_if<CompareUsed>(&wire_.front())) {
      used->last = {};
    }
    deliver();
    ASSERT_LT(messages_, 50);
  }
  EXPECT_FALSE(done_.has_value());
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
  // As one who chooses keys may do on purpose.
  constexpr std::uint32_t kMany = 4'000;
  KeyHash key = key_hash_of(key_in(kGroup));
  for (std::uint32_t i = 0; i < kMany; ++i) {
    key.bytes[30] = static_cast<std::uint8_t>(i / 256);
    key.bytes[31] = static_cast<std::uint8_t>(i % 256);
    MNode mnode = mnode_of(0, 5 + i, filled_bytes(1));
    mnode.key = key;
    for (Side* side : {&mine_, &theirs_}) {
      // A third at either side alone, a third at both, some of those newer at one.
      const bool is_mine = side == &mine_;
      if (i % 3 == 2 || (i % 3 == 0) == is_mine) {
        mnode.version.counter += i % 6 == 2 && is_mine ? 10'000 : 0;
        side->replica.install(mnode, "key " + std::to_string(i));
      }
    }
  }
  EXPECT_FALSE(same());
  compare();
  EXPECT_TRUE(same());
  EXPECT_EQ(mine_.replica.size(), kMany);
  EXPECT_EQ(theirs_.replica.size(), kMany);
}

// ---- uses, which no sum shows (R0.7)

TEST_F(CatchUpTest, BothSidesTakeTheLaterUse) {
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

TEST_F(CatchUpTest, OnlyUsesThatOneSideMayNotKnowOfAreExchanged) {
  const std::uint32_t old = install_idle(mine_, 0, 90s);
  install_idle(theirs_, 0, 45s);
  const std::uint32_t late = install_idle(mine_, 1'000, 90s);
  install_idle(theirs_, 1'000, 30s);
  my_uses_within_ = 5s;
  their_uses_within_ = 30s;
  compare();
  EXPECT_EQ(used_ago(mine_, old), 90s);
  EXPECT_EQ(used_ago(mine_, late), 30s);
  EXPECT_EQ(done_->compared.uses_from, now_.mono - 30s);
  EXPECT_EQ(done_there_->uses_from, now_.mono - 30s);
}

TEST_F(CatchUpTest, UsesGrowOlderWhileTheRestIsCompared) {
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

TEST_F(CatchUpTest, UsesThatAreSaidAgainAreAsOldAsTheyAre) {
  const std::uint32_t number = install_idle(mine_, 0, 10s);
  install_idle(theirs_, 0, 90s);
  want();
  deliver();
  deliver();
  ASSERT_TRUE(std::holds_alternative<CompareUses>(wire_.front()));
  wire_.clear();  // lost, twice
  for (int i = 0; i < 2; ++i) {
    wire_.clear();
    now_.mono += 4s;
    Effects effects;
    catch_up_->on_time(now_, effects);
    take(effects, kAsker);
  }
  deliver();
  EXPECT_EQ(used_ago(theirs_, number), 18s);
}

TEST_F(CatchUpTest, WhatAUseGainsOnItsWayIsNotWritten) {
  const std::uint32_t number = install_idle(mine_, 0, 10s);
  install_idle(theirs_, 0, 10s - 30ms);
  mine_.replica.take_changes();
  compare();
  EXPECT_EQ(used_ago(mine_, number), 10s - 30ms);
  EXPECT_TRUE(mine_.replica.take_changes().keys.empty());
}

TEST_F(CatchUpTest, UsesOfOneLeafThatAreTooManyForAFrameComeInParts) {
  constexpr std::uint32_t kMany = 4'000;
  KeyHash key = key_hash_of(key_in(kGroup));
  for (std::uint32_t i = 0; i < kMany; ++i) {
    key.bytes[30] = static_cast<std::uint8_t>(i / 256);
    key.bytes[31] = static_cast<std::uint8_t>(i % 256);
    MNode mnode = mnode_of(0, 5, filled_bytes(1));
    mnode.key = key;
    mnode.idle_timeout_ms = 100'000;
    for (Side* side : {&mine_, &theirs_}) {
      mnode.accessed = now_.mono - ((i % 2 == 0) == (side == &mine_) ? 5s : 90s);
      side->replica.install(mnode, "key");
    }
  }
  compare();
  for (const Side* side : {&mine_, &theirs_}) {
    const HashTree& tree = *side->replica.table(kGroup).tree(CacheId{1});
    for (const MNodeEntry* entry : tree.entries(HashTree::bucket_of(key))) {
      EXPECT_EQ(entry->mnode().accessed, now_.mono - 5s);
    }
  }
}

TEST_F(CatchUpTest, UsesOfWhatIsMissingOrPastItsTimeAreNone) {
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

TEST_F(CatchUpTest, ManyUsesTakeSeveralMessagesOfBoundedSize) {
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

TEST_F(CatchUpTest, UsesThatFitInOneMessageAreNotLookedForWithoutEnd) {
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

TEST_F(CatchUpTest, UsesOfAnotherGroupOrRangeAreNotHeeded) {
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
