// What the cache's operations cost on the wire, counted in messages and bytes, on whole nodes.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/protocol/codec.h"
#include "core/testing/fake_cluster.h"

namespace copal {
namespace {

constexpr CacheId kCounted{1};
constexpr NodeId kFirst{10};
constexpr NodeId kSecond{11};
constexpr std::size_t kSmallBytes = 500;    // rides along
constexpr std::size_t kLargeBytes = 5'000;  // is only sent if it is needed
// No m-node with its key and what stands around it is larger; no message below is, but for lists.
constexpr std::size_t kMetadataMaxBytes = 400;

/// What was sent for operations: everything but heartbeats and lists of servers.
struct Cost {
  std::size_t messages = 0;
  std::size_t of_servers = 0;  // of these, from or to a server
  std::size_t frame_bytes_max = 0;
  std::uint64_t value_bytes = 0;
};

class MessageCost : public ::testing::Test {
 protected:
  MessageCost() : cluster_({{.id = kCounted, .name = "cache"}}) {
    cluster_.start({kFirst, kSecond});
  }

  /// What `operation` costs, with all that follows from it in the next second.
  template <class Operation>
  Cost cost_of(Operation&& operation) {
    cluster_.forget_sent();
    operation();
    cluster_.run_for(1s);
    return cost();
  }
  Cost cost() const {
    Cost cost;
    for (const FakeCluster::Sent& sent : cluster_.sent()) {
      const bool of_presence = std::holds_alternative<MemberHeartbeat>(sent.message) ||
                               std::holds_alternative<ServerHeartbeat>(sent.message) ||
                               std::holds_alternative<ServerList>(sent.message) ||
                               std::holds_alternative<LoadReport>(sent.message);
      if (of_presence || is_comparison(sent.message)) {
        continue;
      }
      const auto is_server = [](NodeId node) { return node == kFirst || node == kSecond; };
      ++cost.messages;
      cost.of_servers += is_server(sent.from) || is_server(sent.to) ? 1 : 0;
      cost.frame_bytes_max = std::max(cost.frame_bytes_max, sent.frame_size_bytes);
      cost.value_bytes += value_of(sent.message).size_bytes();
    }
    return cost;
  }
  static bool is_comparison(const Message& message) {
    return std::holds_alternative<CompareOpen>(message) ||
           std::holds_alternative<CompareOpened>(message) ||
           std::holds_alternative<CompareClose>(message) ||
           std::holds_alternative<CompareClosed>(message);
  }

  Blob value_read(NodeId server, const std::string& key) {
    const AnswerCall answer = cluster_.read(server, kCounted, key);
    EXPECT_EQ(answer.status, CacheStatus::kDone);
    return answer.value;
  }
  /// With all that follows from it; and copies need to be checked again.
  void put(NodeId server, const std::string& key, const Blob& value) {
    ASSERT_EQ(cluster_.put(server, kCounted, key, value).status, CacheStatus::kDone);
    cluster_.run_for(1s);
  }

  FakeCluster cluster_;
};

TEST_F(MessageCost, ALocalReadInsideTheTimeoutCostsNoMessage) {
  for (const std::size_t size_bytes : {std::size_t{10}, kSmallBytes, kLargeBytes}) {
    const Blob value = numbered_bytes(1, size_bytes);
    put(kFirst, "key", value);
    cluster_.read(kSecond, kCounted, "key");
    const TimePoint asked = cluster_.sent_of<CacheGet>().back().at;
    cluster_.forget_sent();
    // A copy counts from when it was asked for; the bound itself is still inside.
    for (; cluster_.now() <= asked + 10ms; cluster_.run_for(1ms)) {
      const CallId call = cluster_.begin_read(kSecond, kCounted, "key");
      ASSERT_NE(cluster_.answer(call), nullptr) << "answered in the same step";
      EXPECT_EQ(cluster_.answer(call)->status, CacheStatus::kDone);
    }
    EXPECT_EQ(cost().messages, 0U);
    cluster_.begin_read(kSecond, kCounted, "key");
    EXPECT_EQ(cost().messages, 1U) << "and past it asks";
    cluster_.run_for(1s);
  }
}

TEST_F(MessageCost, ThatThereIsNothingIsReadLocallyAsWell) {
  EXPECT_EQ(cluster_.read(kFirst, kCounted, "nothing").status, CacheStatus::kAbsent);
  cluster_.forget_sent();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(cluster_.read(kFirst, kCounted, "nothing").status, CacheStatus::kAbsent);
  }
  EXPECT_EQ(cost().messages, 0U);
}

TEST_F(MessageCost, ARevalidationWithoutChangeCarriesNoValue) {
  for (const std::size_t size_bytes : {kSmallBytes, kLargeBytes}) {
    const std::string key = "key of " + std::to_string(size_bytes);
    const Blob value = numbered_bytes(1, size_bytes);
    put(kFirst, key, value);
    const Cost first = cost_of([&] { EXPECT_EQ(value_read(kSecond, key), value); });
    EXPECT_EQ(first.messages, 2U);
    EXPECT_EQ(first.value_bytes, size_bytes);
    for (int i = 0; i < 3; ++i) {
      const Cost again = cost_of([&] { EXPECT_EQ(value_read(kSecond, key), value); });
      EXPECT_EQ(again.messages, 2U);
      EXPECT_EQ(again.value_bytes, 0U);
      EXPECT_LE(again.frame_bytes_max, kMetadataMaxBytes);
      EXPECT_EQ(std::get<CacheAnswer>(cluster_.sent_of<CacheAnswer>()[0].message).status,
                CacheStatus::kNotModified);
    }
  }
}

TEST_F(MessageCost, ARevalidationOfWhatChangedCarriesItOnce) {
  put(kFirst, "key", numbered_bytes(1, kLargeBytes));
  value_read(kSecond, "key");
  const Blob other = numbered_bytes(2, kLargeBytes + 1);
  put(kFirst, "key", other);
  const Cost cost = cost_of([&] { EXPECT_EQ(value_read(kSecond, "key"), other); });
  EXPECT_EQ(cost.value_bytes, kLargeBytes + 1);
}

TEST_F(MessageCost, AnotherVersionOfTheSameValueIsReadWithoutIt) {
  const Blob value = numbered_bytes(1, kLargeBytes);
  put(kFirst, "key", value);
  const Version before = cluster_.read(kSecond, kCounted, "key").entry->version;
  cluster_.change(kFirst, kCounted, "key", {.action = Action::kTouch, .expire_timeout = 1min});
  cluster_.run_for(1s);
  const Cost cost = cost_of([&] {
    const AnswerCall answer = cluster_.read(kSecond, kCounted, "key");
    EXPECT_GT(answer.entry->version, before);
    EXPECT_EQ(answer.entry->expire_timeout, 1min);
    EXPECT_EQ(answer.value, value);
  });
  EXPECT_EQ(cost.messages, 2U);
  EXPECT_EQ(cost.value_bytes, 0U);
  // And the copy that it left is as good as any.
  cluster_.forget_sent();
  EXPECT_EQ(value_read(kSecond, "key"), value);
}

TEST_F(MessageCost, WhoAsksWhetherThereIsAnEntryGetsNoValue) {
  put(kFirst, "key", numbered_bytes(1, kLargeBytes));
  const Cost cost = cost_of([&] {
    cluster_.tell(
        kSecond,
        ReadEntry{
            .call = CallId{1'000'000}, .cache = kCounted, .key = "key", .wants_value = false});
    cluster_.run_for(100ms);
    EXPECT_EQ(cluster_.answer(CallId{1'000'000})->status, CacheStatus::kDone);
  });
  EXPECT_EQ(cost.value_bytes, 0U);
}

TEST_F(MessageCost, ConcurrentReadsAreOneQuestion) {
  put(kFirst, "key", numbered_bytes(1, kLargeBytes));
  const Cost cost = cost_of([&] {
    for (int i = 0; i < 50; ++i) {
      cluster_.begin_read(kSecond, kCounted, "key");
    }
  });
  EXPECT_EQ(cost.messages, 2U);
  EXPECT_EQ(cost.value_bytes, kLargeBytes);
}

TEST_F(MessageCost, AWriteOfAValueThatTheTriadHasCarriesNone) {
  const Blob value = numbered_bytes(1, kLargeBytes);
  put(kFirst, "first", value);
  // Whoever of the members owns it, and from a server that has never seen the value there.
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    const std::string key = cluster_.key_owned_by(slot, kCounted);
    const Cost cost = cost_of([&] { put(kSecond, key, value); });
    EXPECT_EQ(cost.value_bytes, 0U);
    EXPECT_EQ(cost.of_servers, 2U);
    EXPECT_EQ(cost.messages, 6U) << "the change, its answer, two copies, two answers";
    EXPECT_LE(cost.frame_bytes_max, kMetadataMaxBytes);
    EXPECT_EQ(value_read(kFirst, key), value);
  }
}

TEST_F(MessageCost, AWriteOfANewValueCarriesItToEachMemberOnce) {
  for (const std::size_t size_bytes : {kSmallBytes, kLargeBytes}) {
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      const std::string key = cluster_.key_owned_by(slot, kCounted);
      const Blob value = numbered_bytes(slot + 1, size_bytes);
      const Cost cost = cost_of([&] { put(kFirst, key, value); });
      EXPECT_EQ(cost.value_bytes, 3 * size_bytes);
      EXPECT_TRUE(cluster_.members_agree());
    }
  }
}

TEST_F(MessageCost, ASmallValueIsNotSentAgainByWhoHasACopyOfIt) {
  const Blob value = numbered_bytes(1, kSmallBytes);
  put(kFirst, "key", value);
  EXPECT_EQ(cost_of([&] { put(kFirst, "key", value); }).value_bytes, 0U);
  // One that has no copy doesn't know, and asking first would cost more than it saves.
  EXPECT_EQ(cost_of([&] { put(kSecond, "key", value); }).value_bytes, kSmallBytes);
}

TEST_F(MessageCost, AValueThatTheTriadLetGoOfIsSentAfterAll) {
  const Blob value = numbered_bytes(1, kSmallBytes);
  put(kFirst, "key", value);
  put(kSecond, "key", numbered_bytes(2, kSmallBytes));
  const Cost cost = cost_of([&] { put(kFirst, "key", value); });
  EXPECT_EQ(cost.of_servers, 4U) << "told that it is needed";
  EXPECT_EQ(cost.value_bytes, 3 * kSmallBytes);
  EXPECT_EQ(value_read(kSecond, "key"), value);
}

TEST_F(MessageCost, ValuesOfUpTo32BytesTravelInTheMNode) {
  const Cost cost = cost_of([&] {
    put(kFirst, "key", numbered_bytes(1, 32));
    cluster_.read(kSecond, kCounted, "key");
  });
  EXPECT_EQ(cost.value_bytes, 0U);
  EXPECT_LE(cost.frame_bytes_max, kMetadataMaxBytes);
}

}  // namespace
}  // namespace copal
