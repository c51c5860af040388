// ReplicaStore with a store that keeps what it was given: what is written, when it counts as safe,
// and what a start makes of it.

#include "core/values/replica_store.h"

#include <gtest/gtest.h>

#include "core/testing/fake_store.h"
#include "core/testing/replica_bed.h"

namespace copal {
namespace {

class ReplicaStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { start(false); }

  /// A process begins, on this disk.
  void start(bool power_lost) {
    disk_.start_again(power_lost);
    replica_ = std::make_unique<Replica>();
    store_ = std::make_unique<ReplicaStore>(config_, *replica_);
    loaded_ = 0;
    hear();
  }
  /// One step of a node: its changes are written, its effects performed, and the store heard.
  void step() {
    store_->on_time(now_, effects_);
    store_->write_changes(now_, effects_);
    store_->sync_if_due(now_, effects_);
    perform();
    hear();
  }
  void pass(Duration time) {
    now_.mono += time;
    now_.wall += time;
    step();
  }
  void install(std::uint32_t key, std::uint64_t counter, const Blob& value = {}) {
    MNode mnode = mnode_of(key, counter, value);
    mnode.modified = now_.mono;
    mnode.accessed = now_.mono;
    replica_->install(mnode, "key " + std::to_string(key));
    if (mnode.has_stored_value()) {
      replica_->values().provide(mnode.value_hash, value);
    }
  }
  const MNode* find(std::uint32_t key) const {
    const MNodeEntry* entry = replica_->find(key_hash_of(key));
    return entry == nullptr ? nullptr : &entry->mnode();
  }
  void damage(Family family) {
    for (const auto& [name, record] : disk_.records()) {
      if (name.first == family) {
        disk_.damaged.insert(name);
      }
    }
  }
  bool has_value(const Blob& value) const {
    const ValueHash hash = hash_of(value);
    return disk_.records().contains({Family::kValues, {hash.bytes.begin(), hash.bytes.end()}});
  }

  FakeStore disk_;
  ReplicaStoreConfig config_;
  Now now_{TimePoint{100s}, WallTime{1'000'000s}};
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<ReplicaStore> store_;
  bool break_next_scan_ = false;
  int loaded_ = 0;
  int self_synced_ = 0;
  int failed_ = 0;
  int scans_ = 0;
  int syncs_ = 0;
  int batches_ = 0;
  std::vector<StoreNews::Value> read_;

 private:
  void perform() {
    if (!effects_.store().empty()) {
      ++batches_;
      ASSERT_TRUE(disk_.write(effects_.store()));
    }
    for (const Effect& effect : effects_) {
      if (const auto* scan = std::get_if<ScanStore>(&effect)) {
        ++scans_;
        ASSERT_TRUE(disk_.scan(scan->id, scan->family, scan->from, scan->size_max_bytes));
      } else if (const auto* read = std::get_if<ReadStore>(&effect)) {
        ASSERT_TRUE(disk_.read(read->id, read->family, read->key));
      } else if (std::holds_alternative<SyncStore>(effect)) {
        ++syncs_;
        disk_.sync();
      }
    }
    effects_.clear();
  }
  void hear() {
    while (auto said = disk_.take()) {
      auto* page = std::get_if<ScanEnded>(&*said);
      if (page != nullptr && std::exchange(break_next_scan_, false)) {
        *page = ScanEnded{.id = page->id, .outcome = ReadOutcome::kIoError};
      }
      const StoreNews news = store_->on_completion(*said, now_, effects_);
      loaded_ += news.loaded ? 1 : 0;
      self_synced_ += news.self_synced ? 1 : 0;
      failed_ += news.failed ? 1 : 0;
      if (news.value) {
        read_.push_back(*news.value);
      }
      store_->write_changes(now_, effects_);
      store_->sync_if_due(now_, effects_);
      perform();
    }
  }

 protected:
  Effects effects_;
};

// ---- loading

TEST_F(ReplicaStoreTest, AnEmptyDiskIsLoadedAtOnceAndKnowsNothing) {
  EXPECT_EQ(loaded_, 1);
  EXPECT_TRUE(store_->is_loaded());
  EXPECT_FALSE(store_->found_self().has_value());
  EXPECT_EQ(store_->opened_with(), 0U);
  EXPECT_EQ(batches_, 0);
}

TEST_F(ReplicaStoreTest, WhatWasWrittenIsThereAtTheNextStart) {
  install(1, 5, filled_bytes(1));
  install(2, 6, filled_bytes(2, 20));
  install(3, 7);
  replica_->raise_horizon(Group{4}, {90, 1, {}});
  replica_->clear(Group{4}, CacheId{1}, {80, 1, {}});
  store_->write_roster({{{NodeId{10}, RosterState::kDisabled, {5, 0, {}}}}, {NodeId{11}}},
                       effects_);
  store_->write_self({2, Incarnation{3}, 4, 5, {}}, effects_);
  step();
  start(false);
  EXPECT_EQ(loaded_, 1);
  EXPECT_EQ(store_->counts().loaded, 3U);
  EXPECT_EQ(find(1)->version.counter, 5U);
  EXPECT_EQ(replica_->find(key_hash_of(1))->key_text(), "key 1");
  EXPECT_TRUE(find(3)->is_tombstone());
  EXPECT_EQ(replica_->horizon(Group{4}).counter, 90U);
  EXPECT_EQ(replica_->cleared(Group{4}, CacheId{1}).counter, 80U);
  EXPECT_EQ(store_->found_self(), (SelfRecord{2, Incarnation{3}, 4, 5, {}}));
  ASSERT_EQ(store_->roster().orders.size(), 1U);
  EXPECT_EQ(store_->roster().orders[0].state, RosterState::kDisabled);
  EXPECT_EQ(store_->roster().sleeping, std::vector{NodeId{11}});
  EXPECT_GT(store_->opened_with(), 0U);
  // Bytes stay on the disk until somebody asks.
  EXPECT_TRUE(replica_->values().is_only_on_disk(hash_of(filled_bytes(1))));
  EXPECT_EQ(replica_->values().missing_count(), 0U);
  replica_->check_invariants();
}

TEST_F(ReplicaStoreTest, WhatWasNotSyncedIsGoneWithThePower) {
  install(1, 5, filled_bytes(1));
  step();
  pass(100ms);
  install(2, 6, filled_bytes(2));
  step();
  start(true);
  EXPECT_NE(find(1), nullptr);
  EXPECT_EQ(find(2), nullptr);
}

TEST_F(ReplicaStoreTest, ManyRecordsComeInPages) {
  config_.page_size_bytes = 2'000;
  for (std::uint32_t i = 0; i < 100; ++i) {
    install(i, 5, filled_bytes(1));
  }
  step();
  scans_ = 0;
  start(false);
  EXPECT_EQ(store_->counts().loaded, 100U);
  EXPECT_GT(scans_, 5);
}

TEST_F(ReplicaStoreTest, APageThatCouldNotBeReadIsReadAgain) {
  install(1, 5, filled_bytes(1));
  step();
  break_next_scan_ = true;
  start(false);
  EXPECT_EQ(loaded_, 0);
  EXPECT_EQ(store_->next_deadline(), now_.mono + 50ms);
  pass(50ms);
  EXPECT_EQ(loaded_, 1);
  EXPECT_NE(find(1), nullptr);
}

// R0.1: after a restart an age is the larger for what the wall clock says was missed.
TEST_F(ReplicaStoreTest, TimeAwayCountsAndAWallClockThatWentBackAddsNothing) {
  install(1, 5, filled_bytes(1));
  pass(100ms);
  now_.wall += 1min;
  now_.mono += 1s;
  start(false);
  EXPECT_EQ(now_.mono - find(1)->modified, 1min + 100ms);
  now_.wall -= 2min;
  start(false);
  EXPECT_EQ(now_.mono - find(1)->modified, 100ms) << "as old as it was when it was written";
}

// ---- damage (T1)

TEST_F(ReplicaStoreTest, ADamagedRecordIsOneRecordLostAndHealed) {
  install(1, 5, filled_bytes(1));
  step();
  damage(Family::kMNodes);
  install(2, 6, filled_bytes(2));
  step();
  start(false);
  EXPECT_EQ(find(1), nullptr);
  EXPECT_NE(find(2), nullptr);
  EXPECT_EQ(store_->counts().damaged, 1U);
  EXPECT_TRUE(disk_.damaged.empty()) << "erased, so that it does not come again";
  EXPECT_EQ(disk_.count(Family::kMNodes), 1U);
}

/// Found by the fuzzer (seed 102409): a write that went to the wrong place left nothing at its own,
/// and the other members deleted an entry because this one had a horizon above it and lacked it.
TEST_F(ReplicaStoreTest, WhoseDiskLostRecordsHasNoHorizons) {
  replica_->raise_horizon(Group{3}, {50, 1, OwnerId(0, Slot{0}, 1)});
  replica_->clear(Group{3}, CacheId{1}, {40, 1, OwnerId(0, Slot{0}, 1)});
  install(1, 60, filled_bytes(1));
  step();
  start(false);
  EXPECT_EQ(replica_->horizon(Group{3}).counter, 50U);
  damage(Family::kMNodes);
  start(false);
  EXPECT_EQ(replica_->horizon(Group{3}), kNoVersion);
  EXPECT_EQ(replica_->cleared(Group{3}, CacheId{1}).counter, 40U);
  EXPECT_GE(replica_->newest_counter(), 50U);
  step();
  start(false);
  EXPECT_EQ(store_->counts().damaged, 0U);
  EXPECT_EQ(replica_->horizon(Group{3}), kNoVersion) << "nor at the next start";
}

TEST_F(ReplicaStoreTest, ARecordUnderAnotherKeyOrOfNoSenseIsDamagedToo) {
  StorageBatch batch;
  batch.put(Family::kMNodes, std::array<std::uint8_t, 3>{1, 2, 3},
            std::array<std::uint8_t, 2>{9, 9});
  const std::array<std::uint8_t, 4> self{'s', 'e', 'l', 'f'};
  batch.put(Family::kState, self, std::array<std::uint8_t, 1>{77});
  ASSERT_TRUE(disk_.write(batch));
  start(false);
  EXPECT_EQ(loaded_, 1);
  EXPECT_EQ(store_->counts().damaged, 2U);
  EXPECT_FALSE(store_->found_self().has_value());
  EXPECT_EQ(replica_->size(), 0U);
}

TEST_F(ReplicaStoreTest, ARecordThatWasWrittenUnderAnotherKeyIsNotBelieved) {
  install(1, 5, filled_bytes(1));
  step();
  const KeyHash other = key_hash_of(2);
  StorageBatch misdirected;
  misdirected.put(Family::kMNodes, other.bytes, disk_.records().begin()->second.bytes());
  ASSERT_TRUE(disk_.write(misdirected));
  start(false);
  EXPECT_EQ(store_->counts().loaded, 1U);
  EXPECT_EQ(store_->counts().damaged, 1U);
  EXPECT_EQ(disk_.count(Family::kMNodes), 1U) << "the wrong one is erased";
  EXPECT_NE(find(1), nullptr);
}

TEST_F(ReplicaStoreTest, AValueIsReadBackAndALostOneIsMissingFromThenOn) {
  install(1, 5, filled_bytes(1));
  install(2, 5, filled_bytes(2));
  step();
  start(false);
  store_->read_value(hash_of(filled_bytes(1)), effects_);
  store_->read_value(hash_of(filled_bytes(1)), effects_);
  EXPECT_EQ(effects_.size(), 1U) << "once at a time";
  step();
  ASSERT_EQ(read_.size(), 1U);
  EXPECT_TRUE(read_[0].found);
  EXPECT_EQ(*replica_->values().find(hash_of(filled_bytes(1))), filled_bytes(1));
  damage(Family::kValues);
  store_->read_value(hash_of(filled_bytes(2)), effects_);
  step();
  ASSERT_EQ(read_.size(), 2U);
  EXPECT_FALSE(read_[1].found);
  EXPECT_EQ(replica_->values().missing_count(), 1U);
  EXPECT_EQ(store_->counts().lost_values, 1U);
  // A peer sends it: it is written again, which heals it.
  replica_->values().provide(hash_of(filled_bytes(2)), filled_bytes(2));
  step();
  EXPECT_EQ(disk_.damaged.size(), 1U) << "the other one";
}

// ---- writing

TEST_F(ReplicaStoreTest, AStepIsOneBatchWithTheValueInIt) {
  batches_ = 0;
  install(1, 5, filled_bytes(1));
  install(2, 6, filled_bytes(1));
  step();
  EXPECT_EQ(batches_, 1);
  EXPECT_EQ(disk_.count(Family::kMNodes), 2U);
  EXPECT_EQ(disk_.count(Family::kValues), 1U);
  step();
  EXPECT_EQ(batches_, 1) << "nothing changed";
}

TEST_F(ReplicaStoreTest, AValueIsErasedWithTheLastMNodeThatNamedIt) {
  install(1, 5, filled_bytes(1));
  install(2, 5, filled_bytes(1));
  step();
  install(1, 6, filled_bytes(2));
  step();
  EXPECT_TRUE(has_value(filled_bytes(1)));
  install(2, 6);
  step();
  EXPECT_FALSE(has_value(filled_bytes(1)));
  install(2, 7, filled_bytes(1));  // and again, from memory
  step();
  EXPECT_TRUE(has_value(filled_bytes(1)));
}

TEST_F(ReplicaStoreTest, WhatIsDroppedIsErased) {
  install(1, 5);
  step();
  EXPECT_EQ(disk_.count(Family::kMNodes), 1U);
  replica_->drop(*replica_->find(key_hash_of(1)));
  step();
  EXPECT_EQ(disk_.count(Family::kMNodes), 0U);
}

// ---- syncing (R0.2)

TEST_F(ReplicaStoreTest, WritesAreSyncedTogetherAtTheInterval) {
  install(1, 5, filled_bytes(1));
  step();
  EXPECT_EQ(syncs_, 0);
  EXPECT_FALSE(store_->is_synced());
  EXPECT_EQ(store_->next_deadline(), now_.mono + 100ms);
  pass(60ms);
  install(2, 5, filled_bytes(2));
  step();
  pass(39ms);
  EXPECT_EQ(syncs_, 0);
  pass(1ms);
  EXPECT_EQ(syncs_, 1);
  EXPECT_TRUE(store_->is_synced());
  EXPECT_EQ(store_->synced(), 2U);
  EXPECT_EQ(store_->next_deadline(), kNever);
}

TEST_F(ReplicaStoreTest, AnAnswerThatWaitsIsSyncedAtOnceAndOneSyncAtATime) {
  disk_.sync_stalls = true;
  install(1, 5, filled_bytes(1));
  store_->want_sync();
  step();
  EXPECT_EQ(syncs_, 1);
  install(2, 5, filled_bytes(2));
  store_->want_sync();
  step();
  EXPECT_EQ(syncs_, 1) << "one at a time";
  disk_.sync_stalls = false;
  disk_.end_sync();
  step();
  EXPECT_EQ(syncs_, 2) << "and the next at once";
  EXPECT_TRUE(store_->is_synced());
}

TEST_F(ReplicaStoreTest, LeftToTheSystemNothingIsSyncedUnlessSomebodyWaits) {
  config_.sync_interval = kNoSync;
  start(false);
  install(1, 5, filled_bytes(1));
  step();
  pass(1min);
  EXPECT_EQ(syncs_, 0);
  EXPECT_EQ(store_->next_deadline(), kNever);
  store_->want_sync();
  step();
  EXPECT_EQ(syncs_, 1);
}

TEST_F(ReplicaStoreTest, WhatIsReservedCountsWhenItIsSyncedAndTheLastCounts) {
  disk_.sync_stalls = true;
  store_->write_self({1, Incarnation{1}, 10, 100, {}}, effects_);
  step();
  EXPECT_EQ(syncs_, 1) << "at once";
  EXPECT_EQ(self_synced_, 0);
  store_->write_self({1, Incarnation{1}, 20, 200, {}}, effects_);
  step();
  disk_.sync_stalls = false;
  disk_.end_sync();
  step();
  EXPECT_EQ(self_synced_, 1) << "of the second, not of the first";
  start(true);
  EXPECT_EQ(store_->found_self()->terms_below, 20U);
}

// ---- a full disk

TEST_F(ReplicaStoreTest, WhatAFullDiskRefusedIsWrittenWhenThereIsRoom) {
  install(1, 5, filled_bytes(1));
  step();
  pass(100ms);
  disk_.is_full = true;
  install(1, 6, filled_bytes(2));
  install(2, 6, filled_bytes(3));
  replica_->raise_horizon(Group{4}, {90, 1, {}});
  store_->write_self({1, Incarnation{1}, 10, 100, {}}, effects_);
  store_->write_roster({{{NodeId{10}, RosterState::kDisabled, {5, 0, {}}}}, {NodeId{11}}},
                       effects_);
  step();
  EXPECT_TRUE(store_->is_full());
  EXPECT_FALSE(store_->is_synced());
  EXPECT_EQ(self_synced_, 0);
  install(3, 7, filled_bytes(4));
  batches_ = 0;
  pass(500ms);
  EXPECT_EQ(batches_, 0) << "it waits before it tries again";
  pass(500ms);
  EXPECT_EQ(batches_, 1);
  EXPECT_TRUE(store_->is_full()) << "in vain";
  disk_.is_full = false;
  pass(1s);
  EXPECT_FALSE(store_->is_full());
  pass(100ms);
  EXPECT_TRUE(store_->is_synced());
  EXPECT_EQ(self_synced_, 1);
  start(true);
  EXPECT_EQ(find(1)->version.counter, 6U);
  EXPECT_NE(find(2), nullptr);
  EXPECT_NE(find(3), nullptr);
  EXPECT_EQ(replica_->horizon(Group{4}).counter, 90U);
  EXPECT_EQ(store_->found_self()->terms_below, 10U);
  EXPECT_EQ(store_->roster().orders.size(), 1U);
  for (std::uint8_t i = 2; i <= 4; ++i) {
    EXPECT_TRUE(has_value(filled_bytes(i)));
  }
  EXPECT_FALSE(has_value(filled_bytes(1)));
}

TEST_F(ReplicaStoreTest, WhatIsReservedIsSyncedAfterAFullDiskThoughNothingElseIs) {
  config_.sync_interval = kNoSync;
  start(true);
  disk_.is_full = true;
  store_->write_self({1, Incarnation{1}, 10, 100, {}}, effects_);
  step();
  step();
  disk_.is_full = false;
  pass(1s);
  pass(1s);
  EXPECT_EQ(self_synced_, 1);
  EXPECT_EQ(store_->next_deadline(), kNever);
}

TEST_F(ReplicaStoreTest, AfterAFullDiskMuchIsWrittenInSeveralSteps) {
  disk_.is_full = true;
  for (std::uint32_t i = 0; i < 12; ++i) {
    install(i, 5, filled_bytes(static_cast<std::uint8_t>(i), 1'000'000));
    step();
  }
  disk_.is_full = false;
  batches_ = 0;
  pass(1s);
  for (int i = 0; i < 20 && store_->next_deadline() <= now_.mono; ++i) {
    step();
    // A value goes before its m-node or with it, whatever the power does.
    for (const auto& [name, record] : disk_.records()) {
      if (name.first == Family::kMNodes) {
        const auto mnode = decode_record<MNodeRecord>(record.bytes())->entry.mnode;
        EXPECT_TRUE(disk_.records().contains(
            {Family::kValues, {mnode.value_hash.bytes.begin(), mnode.value_hash.bytes.end()}}));
      }
    }
  }
  EXPECT_GT(batches_, 2);
  EXPECT_EQ(disk_.count(Family::kMNodes), 12U);
  EXPECT_EQ(disk_.count(Family::kValues), 12U);
}

TEST_F(ReplicaStoreTest, AFailedDiskIsSaidToBe) {
  store_->on_completion(WriteFailed{{1}, {1}, WriteError::kFull}, now_, effects_);
  EXPECT_EQ(failed_, 0);
  EXPECT_TRUE(
      store_->on_completion(WriteFailed{{1}, {1}, WriteError::kIoError}, now_, effects_).failed);
}

/// Found by fuzz_replica_store: the difference was too large for a number.
TEST_F(ReplicaStoreTest, AWallClockMayHaveSaidAnything) {
  const WallTime sane = now_.wall;
  for (const bool late : {false, true}) {
    now_.wall = late ? WallTime::max() : WallTime::min();
    install(late ? 1 : 2, 5);
    store_->write_changes(now_, effects_);
    store_->sync_if_due(now_, effects_);
    now_.wall = sane;
    step();
  }
  start(false);
  EXPECT_LE(now_.mono - find(1)->modified, 1s);
  EXPECT_GT(now_.mono - find(2)->modified, std::chrono::hours{24 * 365 * 99});
}

}  // namespace
}  // namespace copal
