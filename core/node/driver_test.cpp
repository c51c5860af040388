// The driver's handling of the store: what waits for it, what is said in which order, and what is
// never said.

#include "core/node/driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/node/node.h"
#include "core/testing/cluster_test.h"

namespace copal {
namespace {

constexpr NodeId kPeer{1};
constexpr NodeId kThird{2};

/// A store whose queue is full for a while.
class BusyStore final : public Storage {
 public:
  explicit BusyStore(FakeStore& store) : store_(store) {}
  Result<StoreSequence> write(const StorageBatch& batch) override {
    if (is_busy) {
      return Error::kOverloaded;
    }
    ++writes;
    return store_.write(batch);
  }
  void sync() override {
    ++syncs;
    store_.sync();
  }
  bool read(ReadId id, Family family, StorageBatch::Bytes key) override {
    return store_.read(id, family, key);
  }
  bool scan(ReadId id, Family family, StorageBatch::Bytes from, std::size_t size) override {
    return store_.scan(id, family, from, size);
  }

  bool is_busy = false;
  int writes = 0;
  int syncs = 0;

 private:
  FakeStore& store_;
};

/// A member whose frames, store and clock are the test's.
class DriverTest : public ::testing::Test, public Clock, public Transport, public Supervisor {
 protected:
  void SetUp() override {
    config_.self = NodeId{0};
    config_.slot = Slot{0};
    config_.members = {NodeId{0}, kPeer, kThird};
    config_.registered = {{.node = kOne}};
    config_.caches = std::make_shared<CacheCatalog>(std::vector<CacheConfig>{
        {.id = kPlain, .name = "plain"}, {.id = kSafe, .name = "synced", .sync = Sync::kAlways}});
    // No peer is heard: it serves alone at once.
    config_.ownership.start_alone_timeout = 1ms;
    config_.heartbeat_interval = 1ms;
    node_.emplace(config_);
    driver_.emplace(*node_, Driver::Ports{.clock = this,
                                          .transport = this,
                                          .storage = &queue_,
                                          .supervisor = this,
                                          .frame = frame_room_});
    driver_->start();
    store_.start_again(false);
    hear_store();
    for (int i = 0; i < 4'000; ++i) {  // until the peers are given up
      now_ += 1ms;
      driver_->wake();
      hear_store();
    }
    ASSERT_EQ(node_->triad_server()->ownership().acting_count(), kGroups);
    sent_.clear();
  }

  Now now() override { return {now_, WallTime{1'000'000s}}; }
  void wake_at(TimePoint) override {}
  Sent send(NodeId peer, Lane, std::span<const std::byte> frame, const Body& body) override {
    Message message = *decode(frame);
    if (const auto* heartbeat = std::get_if<MemberHeartbeat>(&message)) {
      heartbeats_.emplace_back(peer, *heartbeat);
    } else {
      sent_.emplace_back(peer, body.value.size_bytes() > 0 ? *with_value(message, body.value)
                                                           : std::move(message));
    }
    return is_overloaded_ ? Sent::kOverloaded : Sent::kQueued;
  }
  void stop_process(bool failed) override { stopped_.push_back(failed); }
  void set_alarm(Alarm, bool) override {}

  void hear_store() {
    while (const auto said = store_.take()) {
      driver_->on_storage(*said);
    }
  }
  void frame(NodeId from, const Message& message) {
    std::vector<std::byte> bytes(kMessageSizeMaxBytes);
    driver_->on_frame(from, std::span(bytes).first(encode(message, bytes)), value_of(message));
  }
  CacheChange put(CacheId cache, const std::string& key) {
    const Blob value = numbered_bytes(1, 100);
    return {.sequence = ++sequence_,
            .incarnation = Incarnation{1},
            .attempt = 1,
            .time_left = 10s,
            .cache = cache,
            .key = key_hash_of(cache, key),
            .key_text = key,
            .change = {.value = name_value(value.bytes())},
            .value = value};
  }
  /// Sequences of the answers that were sent, in their order.
  std::vector<std::uint64_t> answered() const {
    std::vector<std::uint64_t> sequences;
    for (const auto& [to, message] : sent_) {
      if (const auto* answer = std::get_if<CacheAnswer>(&message)) {
        sequences.push_back(answer->sequence);
      }
    }
    return sequences;
  }

  TriadServerConfig config_;
  TimePoint now_{100s};
  FakeStore store_;
  BusyStore queue_{store_};
  std::optional<Node> node_;
  std::array<std::byte, kMessageSizeMaxBytes> frame_room_{};
  std::optional<Driver> driver_;
  std::vector<std::pair<NodeId, Message>> sent_;
  std::vector<std::pair<NodeId, MemberHeartbeat>> heartbeats_;
  std::vector<bool> stopped_;
  std::uint64_t sequence_ = 0;
  bool is_overloaded_ = false;
};

TEST_F(DriverTest, WhatNeedNotWaitForTheStoreLeavesAtOnce) {
  store_.sync_stalls = true;
  frame(kOne, put(kPlain, "key"));
  EXPECT_EQ(answered(), std::vector<std::uint64_t>{1});
}

TEST_F(DriverTest, WhatWaitsLeavesWhenItsStepIsSyncedAndInItsOrder) {
  store_.sync_stalls = true;
  frame(kOne, put(kSafe, "a"));
  frame(kOne, put(kSafe, "b"));
  EXPECT_TRUE(answered().empty());
  store_.sync_stalls = false;
  store_.end_sync();
  hear_store();
  EXPECT_EQ(answered(), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(DriverTest, ASyncOfTheStepsBeforeReleasesNothingMore) {
  store_.sync_stalls = true;
  frame(kOne, put(kSafe, "a"));
  const std::uint64_t first = node_->triad_server()->store().synced() + 1;
  frame(kOne, put(kSafe, "b"));
  driver_->on_storage(SyncEnded{StoreSequence{first}});
  EXPECT_EQ(answered(), std::vector<std::uint64_t>{1});
}

TEST_F(DriverTest, LaterOnesOfItsKindToItsPeerWaitBehindIt) {
  store_.sync_stalls = true;
  frame(kOne, put(kSafe, "a"));
  frame(kOne, put(kPlain, "b"));
  EXPECT_TRUE(answered().empty()) << "answers keep their order";
  frame(kPeer, FetchValue{hash_value(numbered_bytes(1, 100).bytes())});
  EXPECT_EQ(sent_.size(), 1U) << "another kind, another peer";
  store_.sync_stalls = false;
  store_.end_sync();
  hear_store();
  EXPECT_EQ(answered(), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(DriverTest, WhatWasNotWrittenIsNeverSaid) {
  store_.is_full = true;
  frame(kOne, put(kSafe, "a"));
  hear_store();
  EXPECT_TRUE(answered().empty());
  EXPECT_EQ(driver_->counts().unsaid, 1U);
  store_.is_full = false;
  for (int i = 0; i < 3'000; ++i) {
    now_ += 1ms;
    driver_->wake();
    hear_store();
  }
  EXPECT_TRUE(answered().empty()) << "its server asks again";
  frame(kOne, put(kSafe, "b"));
  hear_store();
  EXPECT_EQ(answered(), std::vector<std::uint64_t>{2});
}

TEST_F(DriverTest, NorIsWhatWaitedBehindIt) {
  store_.sync_stalls = true;
  frame(kOne, put(kSafe, "a"));
  const std::uint64_t first = node_->triad_server()->store().synced() + 1;
  frame(kOne, put(kPlain, "b"));
  driver_->on_storage(WriteFailed{StoreSequence{first}, StoreSequence{first + 1}});
  EXPECT_EQ(driver_->counts().unsaid, 2U);
  store_.sync_stalls = false;
  store_.end_sync();
  hear_store();
  EXPECT_TRUE(answered().empty());
}

TEST_F(DriverTest, WhatABusyStoreDoesNotTakeBecomesItsNextBatchWhole) {
  const int writes = queue_.writes;
  const int syncs = queue_.syncs;
  queue_.is_busy = true;
  frame(kOne, put(kSafe, "a"));
  frame(kOne, put(kSafe, "b"));
  EXPECT_TRUE(answered().empty());
  EXPECT_EQ(queue_.syncs, syncs) << "what is not handed over cannot be synced";
  EXPECT_EQ(driver_->counts().store_waited, 2U);
  queue_.is_busy = false;
  frame(kPeer, FetchValue{});  // any step
  EXPECT_EQ(queue_.writes, writes + 1) << "all in one";
  EXPECT_EQ(queue_.syncs, syncs + 1);
  EXPECT_EQ(store_.count(Family::kMNodes), 2U);
  EXPECT_TRUE(answered().empty());
  hear_store();
  EXPECT_EQ(answered(), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(DriverTest, FramesThatDoNotDecodeAreCountedAndDropped) {
  std::vector<std::byte> bytes(kMessageSizeMaxBytes);
  const std::size_t size = encode(put(kPlain, "key"), bytes);
  driver_->on_frame(kOne, std::span(bytes).first(size - 1), {});
  driver_->on_frame(kOne, {}, {});
  bytes[0] = std::byte{kProtocolVersion + 1};
  driver_->on_frame(kOne, std::span(bytes).first(size), {});
  EXPECT_EQ(driver_->counts().malformed_frames, 3U);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(DriverTest, ValuesThatAreNotWhatTheirMessageNamesAreCountedAndDropped) {
  std::vector<std::byte> bytes(kMessageSizeMaxBytes);
  const std::size_t size = encode(put(kPlain, "key"), bytes);
  driver_->on_frame(kOne, std::span(bytes).first(size), numbered_bytes(2, 100));
  EXPECT_EQ(driver_->counts().damaged_values, 1U);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(DriverTest, WhatATransportRefusesIsCounted) {
  is_overloaded_ = true;
  frame(kOne, put(kPlain, "key"));
  EXPECT_GT(driver_->counts().overloaded_sends, 0U);
}

TEST_F(DriverTest, AListenerThatTakesNoEventIsToldInTheNextHeartbeatThatItMissedSome) {
  frame(kOne, ServerHeartbeat{.beat = {.incarnation = Incarnation{1}, .began = 1, .sequence = 1},
                              .generation = 1,
                              .listens = {kPlain}});
  is_overloaded_ = true;
  frame(kOne, put(kPlain, "key"));
  is_overloaded_ = false;
  heartbeats_.clear();
  now_ += 10ms;
  driver_->wake();
  const auto to_one =
      std::ranges::find(heartbeats_, kOne, &decltype(heartbeats_)::value_type::first);
  ASSERT_NE(to_one, heartbeats_.end());
  EXPECT_GT(to_one->second.events_refused, 0U);
}

TEST_F(DriverTest, WhatIsRefusedOverAndOverIsToldOnceAStep) {
  /// Counts what the node is told.
  struct Steps final : Driver::Watcher {
    void on_step(const Input& input, Now, const Effects&) override {
      refused += std::holds_alternative<SendRefused>(input) ? 1 : 0;
    }
    int refused = 0;
  } steps;
  driver_->watch(&steps);
  is_overloaded_ = true;
  now_ += 10ms;
  driver_->wake();  // heartbeats to two peers, who take none
  EXPECT_EQ(steps.refused, 2);
  driver_->watch(nullptr);
}

TEST_F(DriverTest, AProcessThatHasNothingMoreToDoIsStoppedOnce) {
  driver_->input(StopOrder{});
  hear_store();
  for (int i = 0; i < 200; ++i) {
    now_ += 1ms;
    driver_->wake();
    hear_store();
  }
  EXPECT_EQ(stopped_, std::vector{false});
}

}  // namespace
}  // namespace copal
