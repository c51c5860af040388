// What is too long, too large, unknown, of the wrong type or too much: each is refused with a
// status of its own (docs/errors.md), and nothing that was there is lost by it.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/testing/fake_cluster.h"

namespace copal {
namespace {

constexpr CacheId kCache{1};
constexpr CacheId kEvicting{2};
constexpr CacheId kNobody{77};
constexpr NodeId kOne{10};
constexpr NodeId kTwo{11};
constexpr std::uint32_t kValueMaxBytes = 1'000;

class Limits : public ::testing::Test {
 protected:
  Limits()
      : cluster_({{.id = kCache, .name = "cache", .value_size_max_bytes = kValueMaxBytes},
                  {.id = kEvicting, .name = "evicting", .evict = true}}) {}

  void begin() { cluster_.start({kOne, kTwo}); }

  CacheStatus put(const std::string& key, const Blob& value, CacheId cache = kCache) {
    return cluster_.put(kOne, cache, key, value).status;
  }
  CacheStatus change(const std::string& key, const Change& change, const Blob& value = {}) {
    return cluster_.change(kOne, kCache, key, change, value).status;
  }
  CacheStatus increment(const std::string& key, std::int64_t by) {
    return change(key, {.action = Action::kIncrement, .delta = static_cast<std::uint64_t>(by)});
  }
  CacheStatus append(const std::string& key, const Blob& value) {
    return change(key, {.action = Action::kAppend}, value);
  }

  /// What everybody reads now; nothing if there is no entry.
  std::optional<Blob> value_of(const std::string& key) {
    cluster_.run_for(1s);
    EXPECT_TRUE(cluster_.members_agree());
    const AnswerCall answer = cluster_.read(kTwo, kCache, key);
    if (!answer.entry) {
      EXPECT_EQ(answer.status, CacheStatus::kAbsent);
      return std::nullopt;
    }
    const ValueName name = value_name(*answer.entry);
    if (name.is_inline) {
      return Blob(inline_bytes(name));
    }
    return answer.value;
  }

  FakeCluster cluster_;
};

// ---- sizes

TEST_F(Limits, AValueOverTheCachesLimitIsTooLarge) {
  begin();
  const Blob most = numbered_bytes(1, kValueMaxBytes);
  EXPECT_EQ(put("key", most), CacheStatus::kDone);
  EXPECT_EQ(put("key", numbered_bytes(2, kValueMaxBytes + 1)), CacheStatus::kValueTooLarge);
  EXPECT_EQ(put("new", numbered_bytes(2, kValueMaxBytes + 1)), CacheStatus::kValueTooLarge);
  EXPECT_EQ(value_of("key"), most);
  EXPECT_EQ(value_of("new"), std::nullopt);
  EXPECT_EQ(put("key", numbered_bytes(2, kValueMaxBytes + 1), kEvicting), CacheStatus::kDone)
      << "another cache, another limit";
}

TEST_F(Limits, AnAppendThatWouldPassTheLimitIsTooLarge) {
  begin();
  ASSERT_EQ(put("key", numbered_bytes(1, 990)), CacheStatus::kDone);
  EXPECT_EQ(append("key", numbered_bytes(2, 11)), CacheStatus::kValueTooLarge);
  EXPECT_EQ(change("key", {.action = Action::kPrepend}, numbered_bytes(2, 11)),
            CacheStatus::kValueTooLarge);
  EXPECT_EQ(value_of("key"), numbered_bytes(1, 990));
  EXPECT_EQ(append("key", numbered_bytes(2, 10)), CacheStatus::kDone);
  EXPECT_EQ(value_of("key")->size_bytes(), kValueMaxBytes);
}

TEST_F(Limits, WhatHasExpiredDoesNotCountForAnAppend) {
  begin();
  const Blob old = numbered_bytes(1, 990);
  cluster_.change(kOne, kCache, "key", {.value = name_value(old.bytes()), .expire_timeout = 1s},
                  old);
  cluster_.run_for(1100ms);
  EXPECT_EQ(append("key", numbered_bytes(2, 500)), CacheStatus::kDone);
  EXPECT_EQ(value_of("key"), numbered_bytes(2, 500));
}

TEST_F(Limits, AKeyOverItsLimitIsTooLong) {
  begin();
  const std::string most(kKeySizeMaxBytes, 'k');
  const std::string longer(kKeySizeMaxBytes + 1, 'k');
  EXPECT_EQ(put(most, text_bytes("value")), CacheStatus::kDone);
  EXPECT_EQ(put(longer, text_bytes("other")), CacheStatus::kKeyTooLong);
  EXPECT_EQ(cluster_.remove(kOne, kCache, longer).status, CacheStatus::kKeyTooLong);
  EXPECT_EQ(cluster_.read(kOne, kCache, longer).status, CacheStatus::kKeyTooLong);
  EXPECT_EQ(value_of(most), text_bytes("value"));
  EXPECT_EQ(put("", text_bytes("of no key")), CacheStatus::kDone) << "short ones are all right";
  EXPECT_EQ(value_of(""), text_bytes("of no key"));
}

TEST(LimitsOfNames, OfCachesAreKnownUnknownOrTooLong) {
  const std::string most(CacheCatalog::kNameSizeMaxBytes, 'n');
  const CacheCatalog catalog({{.id = CacheId{4}, .name = most}});
  CacheId id{99};
  EXPECT_EQ(catalog.look_up(most + "n", id), CacheStatus::kNameTooLong);
  EXPECT_EQ(catalog.look_up("other", id), CacheStatus::kUnknownCache);
  EXPECT_EQ(catalog.look_up("", id), CacheStatus::kUnknownCache);
  EXPECT_EQ(id, CacheId{99});
  EXPECT_EQ(catalog.look_up(most, id), CacheStatus::kDone);
  EXPECT_EQ(id, CacheId{4});
}

// ---- caches that are not there

TEST_F(Limits, NoOperationOfAServerFindsAnUnknownCache) {
  DynamicServerConfig config;
  config.caches = std::make_shared<CacheCatalog>(std::vector<CacheConfig>{{.id = kCache}});
  for (const bool has_caches : {true, false}) {
    config.caches = has_caches ? config.caches : nullptr;
    DynamicServer server(config);
    const auto status = [&](const Input& call) {
      Effects effects;
      server.step(call, {}, effects);
      std::vector<CacheStatus> said;
      for (const Effect& effect : effects) {
        if (const auto* answer = std::get_if<AnswerCall>(&effect)) {
          said.push_back(answer->status);
        } else if (const auto* keys = std::get_if<AnswerKeys>(&effect)) {
          said.push_back(keys->status);
        }
      }
      return said;
    };
    const std::vector<CacheStatus> unknown{CacheStatus::kUnknownCache};
    EXPECT_EQ(status(ReadEntry{.cache = kNobody, .key = "key"}), unknown);
    EXPECT_EQ(status(ChangeEntry{.cache = kNobody, .key = "key"}), unknown);
    EXPECT_EQ(status(ClearEntries{.cache = kNobody}), unknown);
    EXPECT_EQ(status(ReadKeys{.cache = kNobody}), unknown);
  }
}

/// A server whose configuration is ahead of the triad's.
TEST_F(Limits, AMemberThatDoesNotKnowTheCacheSaysSo) {
  begin();
  cluster_.forget_sent();
  KeyHash key = hash_key(kNobody.value, {});
  const NodeId owner = cluster_.member_config.members[owner_order(key).slots()[0].value];
  AgedMNode offered;
  offered.mnode.key = key;
  offered.mnode.cache = kNobody;
  const std::vector<Message> questions = {
      CacheGet{.sequence = 1'000'001, .time_left = 1s, .cache = kNobody, .key = key},
      CacheChange{.sequence = 1'000'002,
                  .incarnation = cluster_.server(kOne).triad()->incarnation(),
                  .time_left = 1s,
                  .cache = kNobody,
                  .key = key},
      OfferEntry{.sequence = 1'000'003, .entry = offered},
      ClearCache{.sequence = 1'000'004, .cache = kNobody, .groups = GroupSet().set()},
      ListKeys{.sequence = 1'000'005, .cache = kNobody, .group = group_of(key)}};
  std::size_t answers = 0;
  for (const Message& question : questions) {
    cluster_.tell(owner, MessageReceived{kOne, question});
    for (const FakeCluster::Sent& sent : cluster_.sent()) {
      std::visit(
          [&answers](const auto& message) {
            if constexpr (requires { message.sequence, message.status; }) {
              EXPECT_EQ(message.status, CacheStatus::kUnknownCache);
              ++answers;
            }
          },
          sent.message);
    }
    cluster_.forget_sent();
  }
  EXPECT_EQ(answers, questions.size());
  EXPECT_EQ(cluster_.member(owner.value).replica().size(), 0U);
}

// ---- types

TEST_F(Limits, AnIncrementOfWhatIsNoNumberSaysSoAndChangesNothing) {
  begin();
  for (const std::string text :
       {"", "text", "1.5", "+1", " 1", "1 ", "01", "-0", "-", "0x10", "9223372036854775808",
        "-9223372036854775809", "1111111111111111111111111111111111111111"}) {
    ASSERT_EQ(put("key", text_bytes(text)), CacheStatus::kDone);
    const Version before = cluster_.read(kOne, kCache, "key").entry->version;
    EXPECT_EQ(increment("key", 1), CacheStatus::kNotANumber) << "'" << text << "'";
    EXPECT_EQ(value_of("key"), text_bytes(text));
    EXPECT_EQ(cluster_.read(kOne, kCache, "key").entry->version, before);
  }
}

TEST_F(Limits, AnIncrementBeyond64BitsIsTooLargeAndChangesNothing) {
  begin();
  for (const auto& [text, by] : {std::pair{"9223372036854775807", std::int64_t{1}},
                                 std::pair{"-9223372036854775808", std::int64_t{-1}}}) {
    ASSERT_EQ(put("key", text_bytes(text)), CacheStatus::kDone);
    EXPECT_EQ(increment("key", by), CacheStatus::kNumberTooLarge);
    EXPECT_EQ(value_of("key"), text_bytes(text));
    EXPECT_EQ(increment("key", -by), CacheStatus::kDone) << "the other way it goes";
  }
}

// ---- full stores

TEST_F(Limits, WithAsManyEntriesAsMayBeNewOnesAreRefusedAndAllElseGoesOn) {
  cluster_.member_config.entries_max = 3;
  begin();
  ASSERT_EQ(put("a", text_bytes("1")), CacheStatus::kDone);
  ASSERT_EQ(put("b", numbered_bytes(1, 100)), CacheStatus::kDone);
  ASSERT_EQ(put("c", text_bytes("c")), CacheStatus::kDone);
  cluster_.run_for(1s);
  EXPECT_EQ(put("d", text_bytes("d")), CacheStatus::kFull);
  EXPECT_EQ(put("d", numbered_bytes(1, 100)), CacheStatus::kFull);
  EXPECT_EQ(increment("d", 1), CacheStatus::kFull);
  EXPECT_EQ(append("d", text_bytes("d")), CacheStatus::kFull);
  EXPECT_EQ(value_of("d"), std::nullopt);
  EXPECT_EQ(increment("a", 1), CacheStatus::kDone);
  EXPECT_EQ(append("b", text_bytes("more")), CacheStatus::kDone);
  EXPECT_EQ(change("c", {.action = Action::kTouch, .expire_timeout = 1min}), CacheStatus::kDone);
  EXPECT_EQ(change("d", {.action = Action::kTouch}), CacheStatus::kAbsent);
  EXPECT_EQ(cluster_.remove(kOne, kCache, "d").status, CacheStatus::kAbsent);
  EXPECT_EQ(value_of("a"), text_bytes("2"));
  EXPECT_EQ(value_of("b")->size_bytes(), 104U);
  EXPECT_EQ(value_of("c"), text_bytes("c"));
  EXPECT_EQ(cluster_.remove(kOne, kCache, "c").status, CacheStatus::kDone);
  cluster_.run_for(1s);
  EXPECT_EQ(put("d", text_bytes("d")), CacheStatus::kDone) << "there is room again";
}

TEST_F(Limits, WithAsManyBytesAsMayBeWhatAddsSomeIsRefusedAndAllElseGoesOn) {
  cluster_.member_config.values_size_max_bytes = 1'000;
  begin();
  ASSERT_EQ(put("a", numbered_bytes(1, 600)), CacheStatus::kDone);
  ASSERT_EQ(put("b", numbered_bytes(2, 400)), CacheStatus::kDone);
  cluster_.run_for(1s);
  EXPECT_EQ(put("c", numbered_bytes(3, 33)), CacheStatus::kFull);
  EXPECT_EQ(put("b", numbered_bytes(3, 401)), CacheStatus::kFull);
  EXPECT_EQ(append("b", text_bytes("x")), CacheStatus::kFull) << "however short the piece";
  EXPECT_EQ(change("b", {.action = Action::kPrepend}, text_bytes("x")), CacheStatus::kFull);
  EXPECT_EQ(value_of("a"), numbered_bytes(1, 600));
  EXPECT_EQ(value_of("b"), numbered_bytes(2, 400));
  EXPECT_EQ(put("c", numbered_bytes(1, 600)), CacheStatus::kDone) << "the value is here";
  EXPECT_EQ(put("d", numbered_bytes(3, 32)), CacheStatus::kDone) << "it stands in the m-node";
  EXPECT_EQ(put("b", numbered_bytes(3, 400)), CacheStatus::kDone) << "what it replaces goes";
  EXPECT_EQ(put("a", numbered_bytes(4, 600)), CacheStatus::kFull) << "c still has its old value";
  EXPECT_EQ(value_of("a"), numbered_bytes(1, 600));
  EXPECT_EQ(value_of("b"), numbered_bytes(3, 400));
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    EXPECT_LE(cluster_.member(slot).replica().values().size_bytes(), 1'000U);
  }
}

TEST_F(Limits, AnAppendThatOutgrowsItsMNodeCountsWhole) {
  cluster_.member_config.values_size_max_bytes = 40;
  begin();
  ASSERT_EQ(put("key", numbered_bytes(1, 32)), CacheStatus::kDone);
  EXPECT_EQ(append("key", numbered_bytes(2, 9)), CacheStatus::kFull);
  EXPECT_EQ(value_of("key"), numbered_bytes(1, 32));
  EXPECT_EQ(append("key", numbered_bytes(2, 8)), CacheStatus::kDone);
  cluster_.run_for(1s);
  EXPECT_EQ(cluster_.entry(0, kCache, "key")->mnode().value_size_bytes, 40U);
}

TEST_F(Limits, WithADiskThatIsFullOnlyRemovingGoesOn) {
  begin();
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    cluster_.store(slot).is_full = true;
  }
  ASSERT_EQ(put("key", text_bytes("1")), CacheStatus::kDone) << "the one that finds out";
  cluster_.run_for(50ms);
  EXPECT_EQ(put("key", text_bytes("2")), CacheStatus::kFull);
  EXPECT_EQ(increment("key", 1), CacheStatus::kFull);
  EXPECT_EQ(append("key", text_bytes("2")), CacheStatus::kFull);
  EXPECT_EQ(change("key", {.action = Action::kTouch}), CacheStatus::kFull);
  EXPECT_EQ(cluster_.read(kTwo, kCache, "key").status, CacheStatus::kDone);
  EXPECT_EQ(cluster_.remove(kOne, kCache, "key").status, CacheStatus::kDone);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    cluster_.store(slot).is_full = false;
  }
  cluster_.run_for(3s);
  EXPECT_EQ(put("key", text_bytes("3")), CacheStatus::kDone);
  EXPECT_EQ(value_of("key"), text_bytes("3"));
}

TEST_F(Limits, ACacheThatEvictsMakesRoomOfItsOwnEntries) {
  cluster_.member_config.entries_max = 20;
  begin();
  ASSERT_EQ(put("kept", text_bytes("value")), CacheStatus::kDone);
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(put("key " + std::to_string(i), text_bytes("value"), kEvicting), CacheStatus::kDone);
  }
  EXPECT_EQ(value_of("kept"), text_bytes("value")) << "another cache's are not its to give up";
}

TEST_F(Limits, NoRoomForALargeValueOnTheWayIsNoReasonToRefuseIt) {
  cluster_.member_config.left_values_max_bytes = 100;
  begin();
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    const std::string key = cluster_.key_owned_by(slot, kEvicting);
    const Blob value = numbered_bytes(slot, 20'000);
    EXPECT_EQ(put(key, value, kEvicting), CacheStatus::kDone);
    EXPECT_EQ(cluster_.read(kTwo, kEvicting, key).value, value);
  }
}

// ---- too much at once

TEST_F(Limits, MoreOperationsThanMayBeAreOverloadedAndTheOthersGoOn) {
  cluster_.server_config.cache.calls_max = 3;
  begin();
  ASSERT_EQ(put("key", text_bytes("value")), CacheStatus::kDone);
  cluster_.run_for(1s);
  std::vector<CallId> calls;
  for (int i = 0; i < 3; ++i) {
    calls.push_back(cluster_.begin_read(kOne, kCache, "key " + std::to_string(i)));
  }
  const CallId read = cluster_.begin_read(kOne, kCache, "one more");
  ASSERT_NE(cluster_.answer(read), nullptr);
  EXPECT_EQ(cluster_.answer(read)->status, CacheStatus::kOverloaded);
  for (int i = 0; i < 3; ++i) {
    calls.push_back(cluster_.begin_put(kOne, kCache, "key " + std::to_string(i), text_bytes("x")));
  }
  const CallId change = cluster_.begin_put(kOne, kCache, "one more", text_bytes("x"));
  ASSERT_NE(cluster_.answer(change), nullptr);
  EXPECT_EQ(cluster_.answer(change)->status, CacheStatus::kOverloaded);
  cluster_.run_for(1s);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    ASSERT_NE(cluster_.answer(calls[i]), nullptr);
    EXPECT_EQ(cluster_.answer(calls[i])->status, i < 3 ? CacheStatus::kAbsent : CacheStatus::kDone);
  }
  EXPECT_EQ(value_of("one more"), std::nullopt);
}

/// A server keeps what it has written until the other members have it; at its limit it waits.
TEST_F(Limits, AChangeThatFoundNoRoomInTimeWasNotSent) {
  cluster_.server_config.cache.kept_max_bytes = 1;
  begin();
  cluster_.loses = [](const FakeCluster::Sent& sent) {
    return std::holds_alternative<Replicate>(sent.message);
  };
  ASSERT_EQ(put("first", text_bytes("value")), CacheStatus::kDone);
  const CallId second = cluster_.begin_change(
      kOne, kCache, "second", {.value = name_value(text_bytes("x").bytes())}, {}, 2s);
  cluster_.run_for(2100ms);
  ASSERT_NE(cluster_.answer(second), nullptr);
  EXPECT_EQ(cluster_.answer(second)->status, CacheStatus::kTimedOut);
  cluster_.loses = nullptr;
  cluster_.run_for(3s);
  EXPECT_EQ(value_of("first"), text_bytes("value"));
  EXPECT_EQ(value_of("second"), std::nullopt);
  EXPECT_EQ(put("second", text_bytes("value")), CacheStatus::kDone);
}

}  // namespace
}  // namespace copal
