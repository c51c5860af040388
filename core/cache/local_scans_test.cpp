#include "core/cache/local_scans.h"

#include "core/testing/local_bed.h"

namespace copal {
namespace {

class LocalScansTest : public LocalBed {
 protected:
  void SetUp() override { begin(); }

  std::vector<std::pair<NodeId, ClearCache>> clear(Duration timeout = 10s, CacheId cache = kPlain) {
    call(ClearEntries{CallId{1}, cache, timeout});
    return sent<ClearCache>();
  }
  std::vector<std::pair<NodeId, ListKeys>> list(KeyCursor from = {}, CacheId cache = kPlain) {
    call(ReadKeys{CallId{2}, cache, from, 10s});
    return sent<ListKeys>();
  }
  /// Reads version 5 of a key of the plain cache, and listens to that from then on.
  std::string read_and_listen() {
    std::string key = key_at(0);
    read(key);
    reply(entry_answer(sent<CacheGet>().at(0).second.sequence, key, 5, bytes(1)));
    call(ListenTo{kPlain, true});
    return key;
  }
  static EntryEvent updated(const std::string& key, std::uint64_t counter) {
    return {kPlain, EntryEventKind::kUpdated, key, {counter, 1, OwnerId(0, Slot{0}, 1)}};
  }
  static std::uint8_t slot_of(NodeId member) { return static_cast<std::uint8_t>(member.value); }
};

// ---- clear

TEST_F(LocalScansTest, AClearAsksEachOwnerForItsGroupsAndIsDoneWithTheLast) {
  const auto asked = clear();
  ASSERT_EQ(asked.size(), 3U);
  GroupSet all;
  for (const auto& [member, question] : asked) {
    EXPECT_EQ(question.groups.count(), kGroups / 3);
    EXPECT_TRUE((all & question.groups).none());
    all |= question.groups;
    for (std::uint8_t i = 0; i < kGroups; ++i) {
      EXPECT_TRUE(!question.groups.test(i) || views_[i].slot.value == member.value);
    }
  }
  EXPECT_TRUE(all.all());
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(told<AnswerCall>().empty());
    reply(CacheCleared{asked[i].second.sequence, CacheStatus::kDone, asked[i].second.groups},
          slot_of(asked[i].first));
  }
  EXPECT_EQ(told_status(), CacheStatus::kDone);
  EXPECT_TRUE(cache_->is_idle());
}

TEST_F(LocalScansTest, OnlyWhatIsLeftIsAskedForAgain) {
  const auto asked = clear();
  GroupSet half = asked[0].second.groups;
  for (std::uint8_t i = 0; i < kGroups / 2; ++i) {
    half.reset(i);
  }
  reply(CacheCleared{asked[0].second.sequence, CacheStatus::kDone, half});
  pass(25ms);
  GroupSet left;
  for (const auto& [member, question] : sent<ClearCache>()) {
    left |= question.groups;
  }
  EXPECT_EQ(left, ~half);
}

/// Found by the fuzzer (seed 60): a server that had been alone with a member whose starts took high
/// terms went on asking it for what it did not act for any more.
TEST_F(LocalScansTest, WhoDidNotClearAGroupIsNotAskedForItTwiceInARow) {
  const auto asked = clear();
  reply(CacheCleared{asked[0].second.sequence, CacheStatus::kDone, {}}, slot_of(asked[0].first));
  pass(25ms);
  for (const auto& [member, question] : sent<ClearCache>()) {
    EXPECT_TRUE(member != asked[0].first || (question.groups & asked[0].second.groups).none());
  }
}

TEST_F(LocalScansTest, GroupsOfALostOwnerAreAskedOfItsSuccessor) {
  const auto asked = clear();
  for (std::size_t i = 1; i < 3; ++i) {
    reply(CacheCleared{asked[i].second.sequence, CacheStatus::kDone, asked[i].second.groups});
  }
  for (View& view : views_) {
    view = view.slot.value == 0 ? View{2, Slot{1}} : view;
  }
  silent_.set(0);
  hear(1);
  pass(1s);
  ASSERT_EQ(sent<ClearCache>().size(), 1U);
  EXPECT_EQ(sent<ClearCache>()[0].first, NodeId{1});
  EXPECT_EQ(sent<ClearCache>()[0].second.groups, asked[0].second.groups);
}

TEST_F(LocalScansTest, AtItsDeadlineSomeGroupsMayBeCleared) {
  clear(3s);
  pass(3s);
  EXPECT_EQ(told_status(), CacheStatus::kOutcomeUnknown);
  EXPECT_TRUE(cache_->is_idle());
}

TEST_F(LocalScansTest, AClearOfWhichSomeIsAtOneMemberAloneSaysSo) {
  const auto asked = clear();
  ASSERT_EQ(asked.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    reply(CacheCleared{asked[i].second.sequence,
                       i == 1 ? CacheStatus::kSingleCopy : CacheStatus::kDone,
                       asked[i].second.groups},
          slot_of(asked[i].first));
  }
  EXPECT_EQ(told_status(), CacheStatus::kSingleCopy);
}

TEST_F(LocalScansTest, ARefusalOfWhatOthersMayHaveClearedSaysSo) {
  const auto asked = clear();
  reply(CacheCleared{asked[1].second.sequence, CacheStatus::kDegraded, {}},
        slot_of(asked[1].first));
  EXPECT_EQ(told_status(), CacheStatus::kOutcomeUnknown);
}

TEST_F(LocalScansTest, ARefusalOfTheOnlyOneThatWasAskedIsTold) {
  views_.fill(View{2, Slot{1}});
  hear(1);
  const auto asked = clear();
  ASSERT_EQ(asked.size(), 1U);
  reply(CacheCleared{asked[0].second.sequence, CacheStatus::kDegraded, {}}, 1);
  EXPECT_EQ(told_status(), CacheStatus::kDegraded);
}

TEST_F(LocalScansTest, ARefusalOfWhoWasAskedBeforeMayComeFromItsNextStart) {
  views_.fill(View{2, Slot{1}});
  hear(1);
  const auto asked = clear();
  pass(1s);
  ASSERT_EQ(sent<ClearCache>().size(), 1U) << "asked again: the answer may be lost";
  reply(CacheCleared{asked[0].second.sequence, CacheStatus::kDegraded, {}}, 1);
  EXPECT_EQ(told_status(), CacheStatus::kOutcomeUnknown);
}

TEST_F(LocalScansTest, AnErrorEndsAClear) {
  const auto asked = clear();
  reply(CacheCleared{asked[0].second.sequence, CacheStatus::kUnknownCache, {}});
  EXPECT_EQ(told_status(), CacheStatus::kUnknownCache);
  clear(10s, CacheId{9});
  EXPECT_EQ(told_status(), CacheStatus::kUnknownCache);
}

// ---- keys

TEST_F(LocalScansTest, APageOfKeysComesWithWhereTheNextBegins) {
  const auto asked = list({Group{7}, {}});
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].first.value, views_[7].slot.value);
  EXPECT_EQ(asked[0].second.group, Group{7});
  KeyPage page{.sequence = asked[0].second.sequence, .keys = {"a", "b"}, .more = true};
  page.next.bytes[8] = 9;
  reply(page, slot_of(asked[0].first));
  const auto keys = told<AnswerKeys>();
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].keys, (std::vector<std::string>{"a", "b"}));
  ASSERT_TRUE(keys[0].next.has_value());
  EXPECT_EQ(keys[0].next->group, Group{7});
  EXPECT_EQ(keys[0].next->from, page.next);
}

TEST_F(LocalScansTest, EmptyGroupsArePassedOverAndAfterTheLastThereIsNothing) {
  list({Group{93}, {}});
  for (std::uint8_t i = 93; i < 95; ++i) {
    const auto asked = sent<ListKeys>();
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0].second.group, Group{i});
    reply(KeyPage{.sequence = asked[0].second.sequence}, slot_of(asked[0].first));
    EXPECT_TRUE(told<AnswerKeys>().empty());
  }
  const auto last = sent<ListKeys>();
  reply(KeyPage{.sequence = last.at(0).second.sequence, .keys = {"z"}}, slot_of(last[0].first));
  ASSERT_EQ(told<AnswerKeys>().size(), 1U);
  EXPECT_FALSE(told<AnswerKeys>()[0].next.has_value());
}

TEST_F(LocalScansTest, APageIsAskedForAgainIfItsOwnerIsLostBusyOrSilent) {
  const auto asked = list({Group{0}, {}});
  ASSERT_EQ(asked[0].first, NodeId{0});
  reply(KeyPage{.sequence = asked[0].second.sequence, .status = CacheStatus::kTryAgain});
  pass(25ms);
  ASSERT_EQ(sent<ListKeys>().size(), 1U);
  EXPECT_NE(sent<ListKeys>()[0].first, NodeId{0});
  pass(1s);
  ASSERT_EQ(sent<ListKeys>().size(), 1U);
  EXPECT_EQ(sent<ListKeys>()[0].first, NodeId{0});
  lose(0);
  pass(25ms);
  EXPECT_EQ(sent<ListKeys>().size(), 1U);
  EXPECT_EQ(sent<ListKeys>()[0].second.sequence, asked[0].second.sequence);
}

TEST_F(LocalScansTest, APageOfAMemberThatWasNotAskedIsNone) {
  const auto asked = list({Group{0}, {}});
  reply(KeyPage{.sequence = asked[0].second.sequence, .keys = {"a"}}, 1);
  EXPECT_TRUE(effects_.empty());
}

TEST_F(LocalScansTest, AListEndsAtItsDeadlineAndWhatCannotBeListedIsRefused) {
  list();
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(told<AnswerKeys>().empty());
    pass(1s);
  }
  ASSERT_EQ(told<AnswerKeys>().size(), 1U);
  EXPECT_EQ(told<AnswerKeys>()[0].status, CacheStatus::kTimedOut);
  list({}, CacheId{9});
  EXPECT_EQ(told<AnswerKeys>().at(0).status, CacheStatus::kUnknownCache);
}

// ---- listening

TEST_F(LocalScansTest, EventsOfCachesThatAreListenedToAreTold) {
  const EntryEvent event{kPlain, EntryEventKind::kCreated, "key", {5, 1, {}}};
  reply(event);
  EXPECT_TRUE(told<TellListener>().empty());
  call(ListenTo{kSafe, true});
  call(ListenTo{kPlain, true});
  call(ListenTo{kPlain, true});
  EXPECT_EQ(cache_->listens(), (std::vector{kPlain, kSafe})) << "sorted, each once";
  reply(event);
  ASSERT_EQ(told<TellListener>().size(), 1U);
  EXPECT_EQ(told<TellListener>()[0].event->key_text, "key");
  call(ListenTo{kPlain, false});
  call(ListenTo{kPlain, false});
  EXPECT_EQ(cache_->listens(), std::vector{kSafe});
  reply(event);
  EXPECT_TRUE(told<TellListener>().empty());
}

TEST_F(LocalScansTest, AListenerIsToldThatEventsMayBeLost) {
  lose(1);
  EXPECT_TRUE(told<TellListener>().empty()) << "nobody listens";
  call(ListenTo{kPlain, true});
  lose(1);
  ASSERT_EQ(told<TellListener>().size(), 1U);
  EXPECT_FALSE(told<TellListener>()[0].event.has_value());
  starts_[2] = Incarnation{2};
  hear(2);
  EXPECT_EQ(told<TellListener>().size(), 1U) << "a member that began anew forgot who listens";
}

TEST_F(LocalScansTest, AnEventIsNewsOfTheEntryToo) {
  plain_.local_read_timeout = 1min;
  begin();
  const std::string key = read_and_listen();
  reply(updated(key, 5));
  read(key);
  EXPECT_TRUE(sent<CacheGet>().empty()) << "this very version is here";
  reply(updated(key, 6));
  read(key);
  EXPECT_EQ(sent<CacheGet>().size(), 1U);
}

TEST_F(LocalScansTest, AfterAnEventReadsDoNotGoBackBehindWhatWasRead) {
  const std::string key = read_and_listen();
  reply(updated(key, 6));
  read(key);
  // Who made that change is gone, and another owner has less than this server.
  reply(entry_answer(sent<CacheGet>().at(0).second.sequence, key, 4, bytes(2)));
  ASSERT_EQ(told<AnswerCall>().size(), 1U);
  EXPECT_EQ(told<AnswerCall>()[0].entry->version.counter, 5U);
}

}  // namespace
}  // namespace copal
