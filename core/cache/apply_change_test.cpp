#include "core/cache/apply_change.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace copal {
namespace {

const KeyHash kKey = hash_key(1, std::array<std::uint8_t, 1>{1});
constexpr TimePoint kNow{100s};

ValueName named(std::string_view text) {
  return name_value({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::string text_of(const MNode& mnode) {
  const ValueName name = value_name(mnode);
  const auto bytes = inline_bytes(name);
  return {bytes.begin(), bytes.end()};
}

MNode entry_of(std::string_view text) {
  MNode mnode;
  mnode.key = kKey;
  mnode.cache = CacheId{1};
  mnode.version = {5, 1, OwnerId(0, Slot{0}, 1)};
  mnode.modified = TimePoint{90s};
  mnode.accessed = TimePoint{95s};
  mnode.user_flags = 3;
  set_value(mnode, named(text));
  return mnode;
}

class ApplyChange : public ::testing::Test {
 protected:
  ChangeOutcome apply(const Change& change, const MNode* current) {
    return apply_change(change, kKey, current, cache_, kNow);
  }
  CacheConfig cache_{.id = CacheId{1}, .name = "c"};
};

TEST_F(ApplyChange, PutMakesAnEntryWithTheCachesTimeouts) {
  cache_.expire_timeout = 60s;
  cache_.idle_timeout_ms = 5'000;
  const auto outcome = apply({.value = named("a"), .user_flags = 9}, nullptr);
  ASSERT_TRUE(outcome.next);
  EXPECT_EQ(outcome.next->key, kKey);
  EXPECT_EQ(outcome.next->cache, CacheId{1});
  EXPECT_EQ(text_of(*outcome.next), "a");
  EXPECT_EQ(outcome.next->user_flags, 9U);
  EXPECT_EQ(outcome.next->expire_timeout, 60s);
  EXPECT_EQ(outcome.next->idle_timeout_ms, 5'000U);
  EXPECT_EQ(outcome.next->modified, kNow);
  EXPECT_EQ(outcome.next->accessed, kNow);
}

TEST_F(ApplyChange, TimeoutsOfACacheAreSpreadDownwardsAsFarAsItSays) {
  constexpr int kEntries = 2'000;
  cache_.expire_timeout = 100s;
  cache_.expire_spread_percent = 20;
  Duration least = 100s;
  Duration most{};
  Duration sum{};
  for (int i = 0; i < kEntries; ++i) {
    const KeyHash key = hash_key(
        1, std::array{static_cast<std::uint8_t>(i / 256), static_cast<std::uint8_t>(i % 256)});
    const auto outcome = apply_change({.value = named("a")}, key, nullptr, cache_, kNow);
    least = std::min(least, outcome.next->expire_timeout);
    most = std::max(most, outcome.next->expire_timeout);
    sum += outcome.next->expire_timeout;
  }
  EXPECT_GE(least, 80s);
  EXPECT_LT(least, 81s);
  EXPECT_LE(most, 100s);
  EXPECT_GT(most, 99s);
  EXPECT_NEAR(static_cast<double>((sum / kEntries).count()), 90e9, 1e9) << "evenly";
  const MNode entry = entry_of("a");
  EXPECT_LT(apply({.action = Action::kTouch}, &entry).next->expire_timeout, 100s) << "a touch too";
  EXPECT_EQ(apply({.value = named("a"), .expire_timeout = 7s}, nullptr).next->expire_timeout, 7s)
      << "what the writer asks for is not spread";
}

TEST_F(ApplyChange, AnEntrysOwnTimeoutsComeFirst) {
  cache_.expire_timeout = 60s;
  const auto outcome =
      apply({.value = named("a"), .expire_timeout = 7s, .idle_timeout_ms = 8}, nullptr);
  EXPECT_EQ(outcome.next->expire_timeout, 7s);
  EXPECT_EQ(outcome.next->idle_timeout_ms, 8U);
}

TEST_F(ApplyChange, EachConditionHoldsWhereItShould) {
  const MNode entry = entry_of("a");
  MNode tombstone = entry;
  set_value(tombstone, {});
  MNode expired = entry;
  expired.expire_timeout = 9s;
  struct Case {
    Change change;
    bool on_entry;
    bool on_nothing;
  };
  Version other = entry.version;
  ++other.epoch;
  for (const Case& of :
       {Case{{.condition = Condition::kNone}, true, true},
        Case{{.condition = Condition::kAbsent}, false, true},
        Case{{.condition = Condition::kPresent}, true, false},
        Case{{.condition = Condition::kVersion, .expected_version = entry.version}, true, false},
        Case{{.condition = Condition::kVersion, .expected_version = other}, false, false},
        Case{{.condition = Condition::kValue, .expected_value = named("a")}, true, false},
        Case{{.condition = Condition::kValue, .expected_value = named("b")}, false, false},
        Case{{.condition = Condition::kValue}, false, false}}) {
    Change put = of.change;
    put.value = named("new");
    const auto done = [this, &put](const MNode* current) {
      const auto outcome = apply(put, current);
      EXPECT_EQ(outcome.status == CacheStatus::kDone, outcome.next.has_value());
      EXPECT_TRUE(outcome.next || outcome.status == CacheStatus::kConditionFailed);
      return outcome.next.has_value();
    };
    EXPECT_EQ(done(&entry), of.on_entry);
    EXPECT_EQ(done(nullptr), of.on_nothing);
    EXPECT_EQ(done(&tombstone), of.on_nothing);
    EXPECT_EQ(done(&expired), of.on_nothing);
  }
}

TEST_F(ApplyChange, RemoveLeavesATombstoneWithoutTimeouts) {
  cache_.expire_timeout = 60s;
  const MNode entry = entry_of("a");
  const auto outcome = apply({.action = Action::kRemove}, &entry);
  ASSERT_TRUE(outcome.next);
  EXPECT_TRUE(outcome.next->is_tombstone());
  EXPECT_EQ(outcome.next->expire_timeout, 0s);
  EXPECT_EQ(outcome.next->user_flags, 0U);
  EXPECT_EQ(apply({.action = Action::kRemove}, nullptr).status, CacheStatus::kAbsent);
  EXPECT_EQ(apply({.action = Action::kRemove}, &*outcome.next).status, CacheStatus::kAbsent);
}

TEST_F(ApplyChange, TouchKeepsTheValueAndBeginsTheTimeoutsAnew) {
  MNode entry = entry_of("a");
  entry.expire_timeout = 20s;
  const auto outcome = apply({.action = Action::kTouch, .expire_timeout = 30s}, &entry);
  EXPECT_EQ(text_of(*outcome.next), "a");
  EXPECT_EQ(outcome.next->user_flags, 3U);
  EXPECT_EQ(outcome.next->expire_timeout, 30s);
  EXPECT_EQ(outcome.next->modified, kNow);
  EXPECT_EQ(apply({.action = Action::kTouch}, nullptr).status, CacheStatus::kAbsent);
}

TEST_F(ApplyChange, IncrementAddsAndDoesNotProlong) {
  MNode entry = entry_of("41");
  entry.expire_timeout = 20s;
  const auto outcome = apply({.action = Action::kIncrement, .delta = 1}, &entry);
  EXPECT_EQ(text_of(*outcome.next), "42");
  EXPECT_EQ(outcome.next->expire_timeout, 20s);
  EXPECT_EQ(outcome.next->modified, entry.modified);
  EXPECT_EQ(outcome.next->accessed, kNow);
  EXPECT_EQ(text_of(*apply({.action = Action::kIncrement, .delta = ~0ull}, &entry).next), "40");
  EXPECT_EQ(text_of(*apply({.action = Action::kIncrement, .delta = 5}, nullptr).next), "5");
}

TEST_F(ApplyChange, IncrementTakesWholeNumbersOf64BitsOnly) {
  const Change one{.action = Action::kIncrement, .delta = 1};
  for (const std::string_view text :
       {"", " 1", "1 ", "+1", "01", "-0", "1.0", "a", "-", "9223372036854775808",
        "a value that is longer than those that stand in the m-node"}) {
    const MNode entry = entry_of(text);
    EXPECT_EQ(apply(one, &entry).status, CacheStatus::kNotANumber) << text;
  }
  const MNode top = entry_of("9223372036854775807");
  EXPECT_EQ(apply(one, &top).status, CacheStatus::kNumberTooLarge);
  const MNode bottom = entry_of("-9223372036854775808");
  EXPECT_EQ(text_of(*apply(one, &bottom).next), "-9223372036854775807");
  EXPECT_EQ(apply({.action = Action::kIncrement, .delta = ~0ull}, &bottom).status,
            CacheStatus::kNumberTooLarge);
}

TEST(CacheCatalog, FindsByIdAndByName) {
  const CacheCatalog catalog({{.id = CacheId{7}, .name = "b"}, {.id = CacheId{2}, .name = "a"}});
  EXPECT_EQ(catalog.find(CacheId{7})->name, "b");
  EXPECT_EQ(catalog.find("a")->id, CacheId{2});
  EXPECT_EQ(catalog.find(CacheId{3}), nullptr);
  EXPECT_EQ(catalog.find("c"), nullptr);
  EXPECT_DEATH(CacheCatalog({{.id = CacheId{7}, .name = "b"}, {.id = CacheId{7}, .name = "a"}}),
               "id");
  EXPECT_DEATH(CacheCatalog({{.id = CacheId{7}, .name = "b"}, {.id = CacheId{8}, .name = "b"}}),
               "name");
}

}  // namespace
}  // namespace copal
