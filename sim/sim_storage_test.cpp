#include "sim/sim_storage.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/testing/storage_bed.h"

namespace copal::sim {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Sim, StorageContract, StorageBed);

/// Times that add up by hand.
constexpr DiskOptions kPlainTimes{.open_time = 1ms,
                                  .write_time = 1ms,
                                  .sync_time = 10ms,
                                  .read_time = 2ms,
                                  .bandwidth_bytes_per_s = 1e6};

std::string key_of(int number) {
  return "key" + std::to_string(1000 + number);
}

/// Puts so many records in batches of their own, with pauses in which all are written.
void put_all(StorageBed& bed, int count) {
  for (int i = 0; i < count; ++i) {
    bed.put(key_of(i), "value " + std::to_string(i));
    bed.run_for(1ms);
  }
}

/// Reads all of put_all's records: each is right or damaged. Returns how many are damaged.
int expect_right_or_damaged(StorageBed& bed, int count) {
  int damaged = 0;
  for (int i = 0; i < count; ++i) {
    const std::string value = bed.value(key_of(i));
    EXPECT_TRUE(value == "(damaged)" || value == "value " + std::to_string(i)) << value;
    damaged += value == "(damaged)" ? 1 : 0;
  }
  return damaged;
}

TEST(SimStorage, AnOpeningThatIsPutOffIsOverWithWhatPutItOff) {
  StorageBed bed;
  bed.crash(false);
  bed.completions.clear();
  bed.disk.set_open_delay(10s);
  bed.open();
  bed.run_for(9s);
  EXPECT_TRUE(bed.all<StoreOpened>().empty());
  bed.disk.set_open_delay(0ns);
  bed.run_for(1ms);
  EXPECT_EQ(bed.all<StoreOpened>().size(), 1U);
  bed.run_for(10s);
  EXPECT_EQ(bed.all<StoreOpened>().size(), 1U);
}

TEST(SimStorage, EachOperationTakesItsTimeAndItsBytes) {
  StorageBed bed({}, 1, kPlainTimes);
  const TimePoint start = bed.engine.now();
  // 8 bytes of a change's head, 2 of the key and 990: 1 ms at 1 MB/s, and 1 ms of its own. Two of
  // them before the sync: 4 ms, then 10.
  bed.put("k1", std::string(990, 'v'));
  bed.put("k2", std::string(990, 'v'));
  bed.storage().sync();
  bed.run_for(13'999us);
  EXPECT_TRUE(bed.all<SyncEnded>().empty());
  bed.run_for(1us);
  EXPECT_EQ(bed.all<SyncEnded>().size(), 1U);
  EXPECT_EQ(bed.engine.now(), start + 14ms);
  // A record has 10 bytes of its own, its key and its value: 1,002 us and 2 ms.
  EXPECT_TRUE(bed.storage().read(ReadId{1}, Family::kMNodes, bed.bytes("k1")));
  bed.run_for(3'001us);
  EXPECT_TRUE(bed.all<ReadEnded>().empty());
  bed.run_for(1us);
  EXPECT_EQ(bed.all<ReadEnded>().size(), 1U);
}

TEST(SimStorage, SyncsThatAreAskedForWhileOneRunsBecomeOne) {
  StorageBed bed({}, 1, kPlainTimes);
  for (int i = 0; i < 10; ++i) {
    bed.put("k", "v");
    bed.storage().sync();
  }
  bed.run_for(1s);
  ASSERT_EQ(bed.all<SyncEnded>().size(), 2U);
  EXPECT_EQ(bed.all<SyncEnded>()[0].synced, StoreSequence{1});
  EXPECT_EQ(bed.all<SyncEnded>()[1].synced, StoreSequence{10});
}

TEST(SimStorage, ASlowDiskTakesLongerByItsFactor) {
  StorageBed bed({.slow_ratio = 1, .slow_factor = 20}, 1, kPlainTimes);
  bed.storage().sync();
  bed.run_for(199ms);
  EXPECT_TRUE(bed.all<SyncEnded>().empty());
  bed.run_for(1ms);
  EXPECT_EQ(bed.all<SyncEnded>().size(), 1U);
  bed.disk.set_faults({});
  bed.disk.set_slow_factor(3);
  bed.storage().sync();
  bed.run_for(29ms);
  EXPECT_EQ(bed.all<SyncEnded>().size(), 1U);
  bed.run_for(1ms);
  EXPECT_EQ(bed.all<SyncEnded>().size(), 2U);
  EXPECT_EQ(bed.disk.counts().slow, 1U);
}

TEST(SimStorage, AStalledDiskAnswersNothingUntilItGoesOnAndThenAllInOrder) {
  StorageBed bed;
  bed.put("a", "1");
  bed.disk.set_stalled(true);
  bed.storage().sync();
  EXPECT_TRUE(bed.storage().read(ReadId{1}, Family::kMNodes, bed.bytes("a")));
  EXPECT_TRUE(bed.storage().read(ReadId{2}, Family::kMNodes, bed.bytes("a")));
  const std::size_t before = bed.completions.size();
  bed.run_for(100s);
  EXPECT_EQ(bed.completions.size(), before);
  bed.disk.set_stalled(false);
  EXPECT_EQ(bed.completions.size(), before + 3);
  EXPECT_EQ(bed.all<ReadEnded>()[0].id, ReadId{1});
  EXPECT_EQ(bed.all<ReadEnded>()[1].id, ReadId{2});
  EXPECT_EQ(bed.all<SyncEnded>().back().synced, StoreSequence{1});
}

TEST(SimStorage, AStalledDiskFillsTheQueueAndLosesItWithTheProcess) {
  StorageBed bed;
  bed.put("a", "1");
  bed.run_for(1s);
  bed.disk.set_stalled(true);
  StorageBatch batch;
  batch.put(Family::kMNodes, bed.bytes("a"), bed.bytes("2"));
  std::size_t accepted = 0;
  while (bed.storage().write(batch)) {
    ++accepted;
    bed.run_for(1ms);
  }
  EXPECT_EQ(accepted, kStorageWritesMax);
  bed.crash(false);
  bed.open();
  bed.run_for(1s);
  EXPECT_EQ(bed.all<StoreOpened>().size(), 1U) << "it stands still yet";
  bed.disk.set_stalled(false);
  ASSERT_EQ(bed.all<StoreOpened>().size(), 2U);
  EXPECT_EQ(bed.all<StoreOpened>()[1].newest, StoreSequence{1});
  EXPECT_EQ(bed.value("a"), "1");
}

TEST(SimStorage, ADrawnStallEndsByItself) {
  StorageBed bed({.stall_ratio = 1, .stall_time_max = 10s});
  bed.put("a", "1");
  bed.disk.set_faults({});
  bed.storage().sync();
  bed.run_for(5ms);
  EXPECT_TRUE(bed.all<SyncEnded>().empty());
  bed.run_for(10s);
  EXPECT_EQ(bed.all<SyncEnded>().size(), 1U);
  EXPECT_EQ(bed.disk.counts().stalls, 1U);
}

TEST(SimStorage, WhatWasWrittenBeforeADrawnStallOutlivesTheProcess) {
  StorageBed bed;
  bed.put("a", "1");
  bed.run_for(1s);
  bed.disk.set_faults({.stall_ratio = 1});
  EXPECT_TRUE(bed.storage().read(ReadId{1}, Family::kMNodes, bed.bytes("a")));
  bed.disk.set_faults({});
  EXPECT_EQ(bed.start_again(false), StoreSequence{1});
}

TEST(SimStorage, ADiskIsFullAtItsCapacityAndErasingMakesRoom) {
  const std::size_t record_bytes = DiskImage::record_size_bytes(7, 100);
  StorageBed bed({}, 1, {.capacity_bytes = record_bytes * 10});
  for (int i = 0; i < 10; ++i) {
    bed.put(key_of(i), std::string(100, 'v'));
  }
  bed.run_for(1s);
  EXPECT_TRUE(bed.all<WriteFailed>().empty());
  bed.put(key_of(10), std::string(100, 'v'));
  EXPECT_EQ(bed.wait_for_next<WriteFailed>().first, StoreSequence{11});
  StorageBatch batch;
  batch.erase(Family::kMNodes, bed.bytes(key_of(3)));
  EXPECT_EQ(bed.storage().write(batch).value(), StoreSequence{11});
  EXPECT_EQ(bed.put(key_of(10), std::string(100, 'v')), StoreSequence{12});
  EXPECT_EQ(bed.sync(), StoreSequence{12});
  EXPECT_EQ(bed.all<WriteFailed>().size(), 1U);
  bed.disk.set_faults({.full_ratio = 1});
  bed.put(key_of(1), "");
  EXPECT_EQ(bed.wait_for_next<WriteFailed>().error, WriteError::kFull);
}

TEST(SimStorage, AnErrorOfWritingEndsWritingUntilTheNextStart) {
  for (const bool at_sync : {false, true}) {
    StorageBed bed;
    bed.put("a", "1");
    bed.sync();
    bed.disk.set_faults({.write_error_ratio = 1});
    EXPECT_EQ(bed.sync(), StoreSequence{1}) << "a sync of nothing new touches nothing";
    bed.disk.set_faults({.write_error_ratio = at_sync ? 0.0 : 1.0});
    bed.put("a", "2");
    bed.put("a", "3");
    bed.disk.set_faults({.write_error_ratio = 1});
    bed.storage().sync();
    const WriteFailed failed = bed.wait_for_next<WriteFailed>();
    EXPECT_EQ(failed.error, WriteError::kIoError);
    EXPECT_EQ(failed.first, StoreSequence{2});
    EXPECT_EQ(failed.last, StoreSequence{3});
    bed.disk.set_faults({});
    bed.put("a", "4");
    bed.storage().sync();
    const std::size_t before = bed.completions.size();
    bed.run_for(10s);
    EXPECT_EQ(bed.completions.size(), before);
    EXPECT_EQ(bed.all<SyncEnded>().size(), 2U);
    EXPECT_NE(bed.value("a"), "4");
    const StoreSequence newest = bed.start_again(false);
    EXPECT_GE(newest, StoreSequence{1});
    EXPECT_LE(newest, StoreSequence{at_sync ? 3U : 1U});
    EXPECT_EQ(bed.value("a"), std::to_string(newest.value));
    EXPECT_EQ(bed.put("a", "5").value, newest.value + 1);
    EXPECT_EQ(bed.sync().value, newest.value + 1);
  }
}

TEST(SimStorage, AfterAnErrorOfSyncingWhatWasNotSyncedMayBeGoneWithTheProcess) {
  std::vector<int> seen(3);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    StorageBed bed({}, seed);
    put_all(bed, 2);
    bed.disk.set_faults({.write_error_ratio = 1});
    bed.storage().sync();
    EXPECT_EQ(bed.wait_for_next<WriteFailed>().first, StoreSequence{1});
    ++seen[bed.start_again(false).value];
  }
  for (const int count : seen) {
    EXPECT_GT(count, 5);
  }
}

TEST(SimStorage, AnErrorOfSyncingSpeaksForAFailureThatIsNotToldYet) {
  StorageBed bed({}, 1, kPlainTimes);
  bed.put("a", "1");
  bed.storage().sync();
  bed.run_for(5ms);
  bed.disk.set_full(true);
  bed.put("b", std::string(50'000, 'v'));  // fails in 51 ms, the sync in 6
  bed.disk.set_faults({.write_error_ratio = 1});
  bed.run_for(1s);
  ASSERT_EQ(bed.all<WriteFailed>().size(), 1U);
  EXPECT_EQ(bed.all<WriteFailed>()[0].error, WriteError::kIoError);
  EXPECT_EQ(bed.all<WriteFailed>()[0].first, StoreSequence{1});
  EXPECT_EQ(bed.all<WriteFailed>()[0].last, StoreSequence{2});
}

TEST(SimStorage, AFailureThatWasNotToldEndsWithTheProcess) {
  StorageBed bed;
  bed.disk.set_full(true);
  bed.put("a", "1");
  bed.crash(false);
  bed.disk.set_full(false);
  bed.open();
  bed.wait_for_next<StoreOpened>();
  EXPECT_EQ(bed.put("a", "2"), StoreSequence{1});
  EXPECT_EQ(bed.sync(), StoreSequence{1});
  EXPECT_EQ(bed.value("a"), "2");
  EXPECT_TRUE(bed.all<WriteFailed>().empty());
}

TEST(SimStorage, AnErrorOfReadingIsToldAndTheNextTryMayDo) {
  StorageBed bed({.read_error_ratio = 1});
  bed.put("a", "1");
  EXPECT_EQ(bed.value("a"), "(error)");
  const ScanEnded page = bed.scan("");
  EXPECT_EQ(page.outcome, ReadOutcome::kIoError);
  EXPECT_TRUE(page.records.empty());
  bed.disk.set_faults({});
  EXPECT_EQ(bed.value("a"), "1");
  EXPECT_EQ(bed.disk.counts().read_errors, 2U);
}

TEST(SimStorage, AFlippedBitIsFoundByReadsAndScans) {
  StorageBed bed({.flipped_ratio = 0.3});
  put_all(bed, 200);
  const int damaged = expect_right_or_damaged(bed, 200);
  EXPECT_GT(damaged, 30);
  EXPECT_LT(damaged, 90);
  EXPECT_EQ(bed.disk.counts().flipped, static_cast<std::uint64_t>(damaged));
  const ScanEnded page = bed.scan("");
  EXPECT_EQ(page.records.size() + page.damaged.size(), 200U);
  EXPECT_EQ(page.damaged.size(), static_cast<std::size_t>(damaged));
  const auto named = std::ranges::count_if(
      page.damaged, [](const StorageDamage& damage) { return damage.key.has_value(); });
  EXPECT_GT(named, 0);
  EXPECT_LT(named, damaged) << "a bit of the key itself turned now and then";
  EXPECT_EQ(bed.disk.counts().damaged_found, 2U * damaged);
}

TEST(SimStorage, AMisdirectedWriteIsFoundInBothPlaces) {
  StorageBed bed;
  put_all(bed, 50);
  bed.disk.set_faults({.misdirected_ratio = 1});
  bed.put(key_of(20), "value 20");
  bed.disk.set_faults({});
  EXPECT_EQ(bed.value(key_of(20)), "(damaged)");
  EXPECT_EQ(expect_right_or_damaged(bed, 50), 2);
  EXPECT_EQ(bed.scan("").damaged.size(), 2U);
  EXPECT_EQ(bed.disk.counts().misdirected, 1U);
}

TEST(SimStorage, APowerLossTakesAnySuffixOfWhatWasNotSynced) {
  std::vector<int> seen(11);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    StorageBed bed({}, seed);
    put_all(bed, 10);
    ++seen[bed.start_again(true).value];
  }
  for (const int count : seen) {
    EXPECT_GT(count, 3);
  }
  StorageBed bed({.unsynced_lost_ratio = 0});
  put_all(bed, 10);
  EXPECT_EQ(bed.start_again(true), StoreSequence{10});
}

TEST(SimStorage, AProcessThatEndsLosesOnlyWhatItHadNotWritten) {
  StorageBed bed({}, 1, kPlainTimes);
  for (int i = 0; i < 10; ++i) {
    bed.put(key_of(i), "");
  }
  bed.run_for(5500us);
  EXPECT_EQ(bed.start_again(false), StoreSequence{5});
  // The start has made safe what it found.
  EXPECT_EQ(bed.start_again(true), StoreSequence{5});
}

TEST(SimStorage, AStartDoesNotWaitForWhatTheLastOneAskedFor) {
  StorageBed bed({}, 1, kPlainTimes);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    bed.put("a", "1");
    EXPECT_TRUE(bed.storage().read(ReadId{i}, Family::kMNodes, bed.bytes("a")));
  }
  bed.crash(false);
  bed.open();
  bed.run_for(1ms);
  EXPECT_EQ(bed.all<StoreOpened>().size(), 2U);
  bed.storage().sync();
  bed.run_for(10ms);
  EXPECT_EQ(bed.all<SyncEnded>().size(), 1U);
}

TEST(SimStorage, ATornBatchIsFoundAtTheStartAndNoPartOfItShows) {
  std::uint64_t torn = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    StorageBed bed({.torn_ratio = 1}, seed);
    for (int i = 0; i < 5; ++i) {
      StorageBatch batch;
      for (const char* key : {"a", "b", "c"}) {
        batch.put(Family::kMNodes, bed.bytes(key), bed.bytes(std::to_string(i + 1)));
      }
      EXPECT_TRUE(bed.storage().write(batch).has_value());
      bed.run_for(1ms);
    }
    const std::uint64_t newest = bed.start_again(true).value;
    torn += bed.disk.counts().torn_found;
    EXPECT_EQ(bed.disk.counts().lost_batches, 5 - newest);
    EXPECT_EQ(bed.disk.counts().torn_found, newest < 5 ? 1U : 0U);
    for (const char* key : {"a", "b", "c"}) {
      EXPECT_EQ(bed.value(key), newest == 0 ? "(absent)" : std::to_string(newest));
    }
  }
  EXPECT_GT(torn, 50U);
}

TEST(SimStorage, ALyingDiskShowsAsANumberThatGoesBack) {
  int went_back = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    StorageBed bed({.lying_ratio = 1}, seed);
    put_all(bed, 10);
    EXPECT_EQ(bed.sync(), StoreSequence{10});
    const std::uint64_t newest = bed.start_again(true).value;
    went_back += newest < 10 ? 1 : 0;
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(bed.value(key_of(i)),
                static_cast<std::uint64_t>(i) < newest ? "value " + std::to_string(i) : "(absent)");
    }
    bed.disk.set_faults({});
    bed.put("a", "1");
    EXPECT_EQ(bed.sync(), StoreSequence{newest + 1});
    EXPECT_EQ(bed.start_again(true), StoreSequence{newest + 1}) << "an honest sync holds";
  }
  EXPECT_GT(went_back, 30);
}

TEST(SimStorage, AStoreThatWasSetAsideIsFollowedByAnEmptyOne) {
  StorageBed bed;
  put_all(bed, 3);
  bed.sync();
  bed.crash(false);
  bed.disk.set_aside();
  bed.open();
  EXPECT_EQ(bed.wait_for_next<StoreOpened>().newest, StoreSequence{0});
  EXPECT_TRUE(bed.scan("").records.empty());
  EXPECT_EQ(bed.put("a", "1"), StoreSequence{1});
}

TEST(SimStorage, WhatIsUnsyncedIsBounded) {
  StorageBed bed({}, 1, {.unsynced_count_max = 5});
  put_all(bed, 100);
  EXPECT_GE(bed.start_again(true), StoreSequence{95});
}

TEST(SimStorage, AskingAStoreThatIsNotOpenStopsTheProgram) {
  StorageBed bed;
  bed.crash(false);
  EXPECT_DEATH(bed.put("a", "1"), "kOpen");
  EXPECT_DEATH(bed.storage().sync(), "kOpen");
  EXPECT_DEATH(static_cast<void>(bed.storage().read(ReadId{1}, Family::kMNodes, bed.bytes("a"))),
               "kOpen");
  bed.open();
  EXPECT_DEATH(bed.disk.open(), "kNone");
  EXPECT_DEATH(bed.disk.set_aside(), "kNone");
}

}  // namespace
}  // namespace copal::sim
