// Several operations in one call, and what a server counts of each cache.

#include "core/cache/local_bulk.h"

#include "core/testing/local_bed.h"

namespace copal {
namespace {

class LocalBulkTest : public LocalBed {
 protected:
  void SetUp() override { begin(); }

  CallId read_all(const std::vector<std::string>& keys, CacheId cache = kPlain) {
    const CallId id{++calls_};
    call(ReadEntries{id, cache, keys, true, 10s});
    return id;
  }
  CallId change_all(const std::vector<EntryChange>& changes) {
    const CallId id{++calls_};
    call(ChangeEntries{id, kPlain, changes, 10s});
    return id;
  }
  static EntryChange put_of(const std::string& key, std::uint8_t number) {
    EntryChange one{.key = key, .change = {}, .value = bytes(number)};
    one.change.value = name_value(one.value.bytes());
    return one;
  }
  static EntryChange removal_of(const std::string& key) {
    return {.key = key, .change = {.action = Action::kRemove}, .value = {}};
  }
  const CacheStatistics& statistics() const { return *cache_->statistics(kPlain); }
};

TEST_F(LocalBulkTest, ManyReadsAreAskedEachOfItsOwnerAndAnsweredOnceInTheirOrder) {
  const std::vector keys = {key_at(0), key_at(1), key_at(2)};
  const CallId id = read_all(keys);
  const auto asked = sent<CacheGet>();
  ASSERT_EQ(asked.size(), 3U);
  for (const std::size_t i : {2U, 0U, 1U}) {
    EXPECT_TRUE(told<AnswerEntries>().empty());
    EXPECT_EQ(asked[i].first.value, i) << "its owner";
    reply(
        entry_answer(asked[i].second.sequence, keys[i], 5 + i, bytes(static_cast<std::uint8_t>(i))),
        static_cast<std::uint8_t>(i));
    EXPECT_TRUE(told<AnswerCall>().empty()) << "a part is no call";
  }
  const auto answers = told<AnswerEntries>();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].call, id);
  EXPECT_EQ(answers[0].status, CacheStatus::kDone);
  ASSERT_EQ(answers[0].entries.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(answers[0].entries[i].call, id);
    EXPECT_EQ(answers[0].entries[i].entry->version.counter, 5 + i);
    EXPECT_EQ(answers[0].entries[i].value.bytes()[0], i);
  }
  EXPECT_TRUE(cache_->is_idle());
}

TEST_F(LocalBulkTest, WhatIsHereCostsNoMessage) {
  const std::string key = key_at(0);
  read(key);
  reply(entry_answer(sent<CacheGet>().at(0).second.sequence, key, 5, bytes(1)));
  read_all({key, key});
  EXPECT_TRUE(sent<CacheGet>().empty());
  ASSERT_EQ(told<AnswerEntries>().size(), 1U) << "in the same step";
  EXPECT_EQ(told<AnswerEntries>()[0].entries.size(), 2U);
  EXPECT_TRUE(told<AnswerCall>().empty());
}

TEST_F(LocalBulkTest, EachChangeHasAnOutcomeOfItsOwn) {
  const std::vector keys = {key_at(0, 0), key_at(0, 1), key_at(0, 2)};
  change_all({put_of(keys[0], 1), removal_of(keys[1]), put_of(keys[2], 3)});
  const auto asked = sent<CacheChange>();
  ASSERT_EQ(asked.size(), 3U);
  reply(done_answer(asked[0].second.sequence, keys[0], 5, bytes(1), 1));
  reply(CacheAnswer{.sequence = asked[1].second.sequence,
                    .attempt = 1,
                    .status = CacheStatus::kAbsent,
                    .view = views_[0]});
  EXPECT_TRUE(told<AnswerEntries>().empty());
  silent_.set();  // the third is never answered
  for (int i = 0; i < 25; ++i) {
    now_.mono += 500ms;
    effects_.clear();
    cache_->on_time(now_, effects_);
    end_step();
    if (!told<AnswerEntries>().empty()) {
      break;
    }
  }
  const auto answers = told<AnswerEntries>();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].entries[0].status, CacheStatus::kDone);
  EXPECT_EQ(answers[0].entries[1].status, CacheStatus::kAbsent);
  EXPECT_EQ(answers[0].entries[2].status, CacheStatus::kOutcomeUnknown);
}

TEST_F(LocalBulkTest, AllOfItIsRefusedOrNothing) {
  config_.calls_max = 3;
  begin();
  const std::string key = key_at(0);
  read_all({key, key_at(1), key_at(2), key_at(0, 1)});
  ASSERT_EQ(told<AnswerEntries>().size(), 1U);
  EXPECT_EQ(told<AnswerEntries>()[0].status, CacheStatus::kOverloaded);
  EXPECT_TRUE(told<AnswerEntries>()[0].entries.empty());
  EXPECT_TRUE(sent<CacheGet>().empty()) << "not even the first";
  read_all({key}, CacheId{77});
  EXPECT_EQ(told<AnswerEntries>().at(0).status, CacheStatus::kUnknownCache);
  read_all({});
  EXPECT_EQ(told<AnswerEntries>().at(0).status, CacheStatus::kDone) << "nothing to do is done";
  EXPECT_TRUE(cache_->is_idle());
}

TEST_F(LocalBulkTest, AKeyThatIsTooLongFailsByItself) {
  const std::string key = key_at(0);
  read_all({key, std::string(kKeySizeMaxBytes + 1, 'x')});
  reply(entry_answer(sent<CacheGet>().at(0).second.sequence, key, 5, bytes(1)));
  const auto answers = told<AnswerEntries>();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].entries[0].status, CacheStatus::kDone);
  EXPECT_EQ(answers[0].entries[1].status, CacheStatus::kKeyTooLong);
}

// ---- statistics

TEST_F(LocalBulkTest, ReadsAreCountedByWhatTheyFound) {
  const std::string key = key_at(0);
  read(key);
  reply(entry_answer(sent<CacheGet>().at(0).second.sequence, key, 5, bytes(1)));
  read(key);  // from the copy
  read_all({key, key});
  const std::string other = key_at(0, 1);
  read(other);
  reply(CacheAnswer{.sequence = sent<CacheGet>().at(0).second.sequence,
                    .status = CacheStatus::kAbsent,
                    .view = views_[0]});
  read(std::string(kKeySizeMaxBytes + 1, 'x'));
  const CacheStatistics expected{.hits = 4, .misses = 1, .local = 3, .reads_failed = 1};
  EXPECT_EQ(statistics(), expected);
  EXPECT_EQ(statistics().reads(), 6U);
  EXPECT_EQ(*cache_->statistics(kSafe), CacheStatistics{}) << "each cache has its own";
  EXPECT_EQ(cache_->statistics(CacheId{77}), nullptr);
}

TEST_F(LocalBulkTest, ChangesAreCountedByWhatBecameOfThem) {
  const std::string key = key_at(0);
  const auto answer = [&](CacheStatus status) {
    reply(CacheAnswer{.sequence = sent<CacheChange>().at(0).second.sequence,
                      .attempt = 1,
                      .status = status,
                      .view = views_[0]});
  };
  put(key, bytes(1));
  answer(CacheStatus::kDone);
  change(key, {.action = Action::kIncrement, .delta = 1});
  answer(CacheStatus::kSingleCopy);
  change(key, {.action = Action::kRemove});
  answer(CacheStatus::kDone);
  change(key, {.action = Action::kTouch});
  answer(CacheStatus::kAbsent);
  change(key, {.condition = Condition::kPresent}, bytes(2));
  answer(CacheStatus::kConditionFailed);
  change(key, {.action = Action::kIncrement, .delta = 1});
  answer(CacheStatus::kNotANumber);
  put(key, bytes(3), 1s);
  pass(2s);
  const CacheStatistics expected{
      .updates = 2, .removals = 1, .unmet = 2, .unknown = 1, .changes_failed = 1};
  EXPECT_EQ(statistics(), expected);
  EXPECT_EQ(statistics().changes(), 7U);
}

}  // namespace
}  // namespace copal
