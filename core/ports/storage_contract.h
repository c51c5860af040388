#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "core/ports/storage.h"

// What every world's Storage must hold; see storage.h for the numbers. A world makes a StorageWorld
// and instantiates the suite: INSTANTIATE_TYPED_TEST_SUITE_P(Sim, StorageContract,
// SimStorageWorld).

namespace copal {

/// What the suite needs of a world: one empty store, open; and helpers over it.
class StorageWorld {
 public:
  virtual ~StorageWorld() = default;
  virtual Storage& storage() = 0;
  /// Lets the world go on for so long.
  virtual void run_for(Duration time) = 0;
  /// Ends the process without a word; `power`: the machine too, or as near to it as the world can.
  virtual void crash(bool power) = 0;
  /// Opens the store again after a crash.
  virtual void open() = 0;
  /// Damages the bytes of a synced record behind the store's back; false if the world can't. It may
  /// close and open the store to do so.
  virtual bool damage(Family family, StorageBatch::Bytes key) = 0;
  /// Fills the disk, or makes room again; false if the world can't.
  virtual bool set_full(bool full) = 0;

  /// All completions in their order, for the world to append to.
  std::vector<StorageCompletion> completions;

  static StorageBatch::Bytes bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  }
  static std::string text(StorageBatch::Bytes bytes) { return {bytes.begin(), bytes.end()}; }

  /// The completions of one kind.
  template <class Kind>
  std::vector<Kind> all() const {
    std::vector<Kind> found;
    for (const StorageCompletion& completion : completions) {
      if (const Kind* one = std::get_if<Kind>(&completion)) {
        found.push_back(*one);
      }
    }
    return found;
  }
  /// Waits for one more completion of a kind and returns it.
  template <class Kind>
  Kind wait_for_next() {
    const std::size_t before = all<Kind>().size();
    for (int i = 0; i < 1000 && all<Kind>().size() == before; ++i) {
      run_for(10ms);
    }
    const std::vector<Kind> found = all<Kind>();
    EXPECT_GT(found.size(), before) << "no completion came";
    return found.size() > before ? found.back() : Kind{};
  }

  /// Writes one record. Returns the batch's number.
  StoreSequence put(std::string_view key, std::string_view value, Family family = Family::kMNodes) {
    StorageBatch batch;
    batch.put(family, bytes(key), bytes(value));
    return storage().write(batch).value();
  }
  StoreSequence sync() {
    storage().sync();
    return wait_for_next<SyncEnded>().synced;
  }
  ReadEnded read(std::string_view key, Family family = Family::kMNodes) {
    EXPECT_TRUE(storage().read(ReadId{++last_read}, family, bytes(key)));
    ReadEnded ended = wait_for_next<ReadEnded>();
    EXPECT_EQ(ended.id, ReadId{last_read});
    return ended;
  }
  ScanEnded scan(std::string_view from, std::size_t size_max_bytes = 1'000'000,
                 Family family = Family::kMNodes) {
    EXPECT_TRUE(storage().scan(ReadId{++last_read}, family, bytes(from), size_max_bytes));
    ScanEnded ended = wait_for_next<ScanEnded>();
    EXPECT_EQ(ended.id, ReadId{last_read});
    return ended;
  }
  /// What a key holds; "(absent)" if nothing, "(damaged)" or "(error)".
  std::string value(std::string_view key, Family family = Family::kMNodes) {
    const ReadEnded ended = read(key, family);
    switch (ended.outcome) {
      case ReadOutcome::kDone:
        return text(ended.value.bytes());
      case ReadOutcome::kAbsent:
        return "(absent)";
      case ReadOutcome::kDamaged:
        return "(damaged)";
      case ReadOutcome::kIoError:
        return "(error)";
    }
    return {};
  }
  /// Crashes and opens. Returns the newest batch found.
  StoreSequence start_again(bool power) {
    crash(power);
    open();
    return wait_for_next<StoreOpened>().newest;
  }

  std::uint64_t last_read = 0;
};

template <class World>
class StorageContract : public ::testing::Test {};
TYPED_TEST_SUITE_P(StorageContract);

TYPED_TEST_P(StorageContract, AnEmptyStoreOpensWithNumberNoneAndNothingInIt) {
  TypeParam world;
  ASSERT_EQ(world.template all<StoreOpened>().size(), 1U);
  EXPECT_EQ(world.template all<StoreOpened>()[0].newest, StoreSequence{0});
  EXPECT_EQ(world.value("a"), "(absent)");
  EXPECT_TRUE(world.scan("").records.empty());
  EXPECT_FALSE(world.scan("").more);
  EXPECT_EQ(world.sync(), StoreSequence{0});
}

TYPED_TEST_P(StorageContract, NoCompletionComesInsideACall) {
  TypeParam world;
  world.put("a", "1");
  const std::size_t before = world.completions.size();
  world.put("b", "2");
  world.storage().sync();
  EXPECT_TRUE(world.storage().read(ReadId{1}, Family::kMNodes, world.bytes("a")));
  EXPECT_TRUE(world.storage().scan(ReadId{2}, Family::kMNodes, world.bytes("a"), 100));
  EXPECT_EQ(world.completions.size(), before);
  world.run_for(5s);
  EXPECT_EQ(world.template all<SyncEnded>().size(), 1U);
  EXPECT_EQ(world.template all<ReadEnded>().size(), 1U);
  EXPECT_EQ(world.template all<ScanEnded>().size(), 1U);
}

TYPED_TEST_P(StorageContract, AReadSeesEveryBatchBeforeItAndFamiliesAreApart) {
  TypeParam world;
  world.put("a", "1");
  EXPECT_EQ(world.value("a"), "1");
  EXPECT_EQ(world.value("a", Family::kValues), "(absent)");
  world.put("a", "other", Family::kValues);
  world.put("a", "");
  EXPECT_EQ(world.value("a"), "");
  EXPECT_EQ(world.value("a", Family::kValues), "other");
  StorageBatch batch;
  batch.erase(Family::kMNodes, world.bytes("a"));
  batch.erase(Family::kMNodes, world.bytes("never there"));
  EXPECT_TRUE(world.storage().write(batch).has_value());
  EXPECT_EQ(world.value("a"), "(absent)");
  EXPECT_EQ(world.value("a", Family::kValues), "other");
}

TYPED_TEST_P(StorageContract, BatchesHaveConsecutiveNumbersAcrossStarts) {
  TypeParam world;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    EXPECT_EQ(world.put("a", "1"), StoreSequence{i});
  }
  EXPECT_EQ(world.sync(), StoreSequence{10});
  EXPECT_EQ(world.start_again(true), StoreSequence{10});
  EXPECT_EQ(world.put("a", "2"), StoreSequence{11});
}

TYPED_TEST_P(StorageContract, TheLaterChangeOfAKeyWinsWithinABatchToo) {
  TypeParam world;
  StorageBatch batch;
  batch.put(Family::kMNodes, world.bytes("a"), world.bytes("1"));
  batch.put(Family::kMNodes, world.bytes("a"), world.bytes("2"));
  batch.put(Family::kMNodes, world.bytes("b"), world.bytes("1"));
  batch.erase(Family::kMNodes, world.bytes("b"));
  batch.erase(Family::kMNodes, world.bytes("c"));
  batch.put(Family::kMNodes, world.bytes("c"), world.bytes("3"));
  EXPECT_TRUE(world.storage().write(batch).has_value());
  EXPECT_EQ(world.value("a"), "2");
  EXPECT_EQ(world.value("b"), "(absent)");
  EXPECT_EQ(world.value("c"), "3");
  world.sync();
  world.start_again(true);
  EXPECT_EQ(world.value("a"), "2");
  EXPECT_EQ(world.value("b"), "(absent)");
  EXPECT_EQ(world.value("c"), "3");
}

TYPED_TEST_P(StorageContract, TheLimitsThemselvesAreInside) {
  TypeParam world;
  const std::string key(kStorageKeyMaxBytes, '\xff');
  world.put(key, "at the limit");
  world.put(std::string(1, '\0'), "shortest");
  EXPECT_EQ(world.value(key), "at the limit");
  EXPECT_EQ(world.value(std::string(1, '\0')), "shortest");
  const std::string large(3'000'000, 'x');
  world.put("large", large);
  EXPECT_EQ(world.value("large"), large);
}

TYPED_TEST_P(StorageContract, ASyncedBatchSurvivesAndUnsyncedOnesAreLostFromTheEnd) {
  for (const bool power : {false, true}) {
    TypeParam world;
    for (int i = 1; i <= 20; ++i) {
      world.put("k" + std::to_string(i), "v" + std::to_string(i));
    }
    EXPECT_EQ(world.sync(), StoreSequence{20});
    for (int i = 21; i <= 40; ++i) {
      world.put("k" + std::to_string(i), "v" + std::to_string(i));
      world.put("newest", std::to_string(i));
    }
    const std::uint64_t newest = world.start_again(power).value;
    EXPECT_GE(newest, 20U);
    EXPECT_LE(newest, 60U);
    // From 21 on, i has batch 2i - 21 for its key and the next one for "newest".
    for (int i = 1; i <= 40; ++i) {
      const std::uint64_t batch = i <= 20 ? i : 2 * i - 21;
      EXPECT_EQ(world.value("k" + std::to_string(i)),
                batch <= newest ? "v" + std::to_string(i) : "(absent)");
    }
    EXPECT_EQ(world.value("newest"),
              newest < 22 ? "(absent)" : std::to_string(20 + (newest - 20) / 2));
    EXPECT_EQ(world.put("next", "1"), StoreSequence{newest + 1});
  }
}

TYPED_TEST_P(StorageContract, EverySyncIsAnsweredByTheNewestBatchBeforeItOrMore) {
  TypeParam world;
  std::uint64_t newest = 0;
  for (int i = 0; i < 50; ++i) {
    newest = world.put("a", std::to_string(i)).value;
    world.storage().sync();
    world.run_for(Duration{i * 37'000});
  }
  world.run_for(10s);
  const std::vector<SyncEnded> syncs = world.template all<SyncEnded>();
  ASSERT_FALSE(syncs.empty());
  EXPECT_LE(syncs.size(), 50U);
  EXPECT_TRUE(std::ranges::is_sorted(syncs, {}, &SyncEnded::synced));
  EXPECT_EQ(syncs.back().synced, StoreSequence{newest});
}

TYPED_TEST_P(StorageContract, ASyncThatNoWriteFollowedSurvivesOnceItIsNamed) {
  for (int rounds = 1; rounds <= 8; ++rounds) {
    TypeParam world;
    for (int i = 0; i < rounds; ++i) {
      world.put("k" + std::to_string(i), "v");
      world.storage().sync();
      world.run_for(Duration{rounds * 90'000});
    }
    std::uint64_t named = 0;
    for (const SyncEnded& sync : world.template all<SyncEnded>()) {
      named = sync.synced.value;
    }
    EXPECT_GE(world.start_again(true).value, named);
  }
}

TYPED_TEST_P(StorageContract, WhatWasAskedBeforeACrashIsNotAnsweredAfterIt) {
  TypeParam world;
  world.put("a", "1");
  world.storage().sync();
  EXPECT_TRUE(world.storage().read(ReadId{1}, Family::kMNodes, world.bytes("a")));
  EXPECT_TRUE(world.storage().scan(ReadId{2}, Family::kMNodes, world.bytes("a"), 100));
  world.crash(false);
  const std::size_t before = world.completions.size();
  world.open();
  world.run_for(5s);
  EXPECT_EQ(world.completions.size(), before + 1) << "StoreOpened and nothing else";
  const StoreSequence newest = world.put("a", "2");
  EXPECT_EQ(world.sync(), newest);
}

TYPED_TEST_P(StorageContract, AScanGivesAllRecordsInOrderInPagesOfAnySize) {
  TypeParam world;
  std::map<std::string, std::string> expected;
  StorageBatch batch;
  for (int i = 0; i < 300; ++i) {
    // Bytes above 127 come last: order is that of unsigned bytes.
    const std::string key = std::string(1, static_cast<char>(i * 7)) + std::to_string(i);
    expected[key] = std::string(static_cast<std::size_t>(i), 'v');
    batch.put(Family::kMNodes, world.bytes(key), world.bytes(expected[key]));
    batch.put(Family::kValues, world.bytes(key + "x"), world.bytes("of another family"));
  }
  EXPECT_TRUE(world.storage().write(batch).has_value());
  const auto before = [](const std::string& a, const std::string& b) {
    return std::ranges::lexicographical_compare(StorageWorld::bytes(a), StorageWorld::bytes(b));
  };
  for (const std::size_t size_max_bytes : {1U, 200U, 5000U, 1'000'000U}) {
    std::string from;
    std::vector<std::string> keys;
    for (;;) {
      const ScanEnded page = world.scan(from, size_max_bytes);
      ASSERT_EQ(page.outcome, ReadOutcome::kDone);
      ASSERT_FALSE(page.records.empty());
      std::size_t size_bytes = 0;
      for (const StorageRecord& record : page.records) {
        keys.push_back(world.text(record.key));
        EXPECT_EQ(world.text(record.value.bytes()), expected[keys.back()]);
        size_bytes += record.key.size() + record.value.size_bytes();
      }
      EXPECT_TRUE(size_bytes <= size_max_bytes || page.records.size() == 1);
      EXPECT_TRUE(page.damaged.empty());
      if (!page.more) {
        break;
      }
      EXPECT_TRUE(before(keys.back(), world.text(page.next)));
      from = world.text(page.next);
    }
    EXPECT_EQ(keys.size(), expected.size());
    EXPECT_TRUE(std::ranges::is_sorted(keys, before));
  }
}

TYPED_TEST_P(StorageContract, AScanStartsAtTheFirstKeyThatIsNotBelow) {
  TypeParam world;
  world.put("b", "1");
  world.put("d", "2");
  const auto first = [&](std::string_view from) {
    const ScanEnded page = world.scan(from);
    return page.records.empty() ? std::string() : world.text(page.records[0].key);
  };
  EXPECT_EQ(first(""), "b");
  EXPECT_EQ(first("b"), "b");
  EXPECT_EQ(first(std::string_view("b\0", 2)), "d");
  EXPECT_EQ(first("d"), "d");
  EXPECT_EQ(first("e"), "");
}

TYPED_TEST_P(StorageContract, ADamagedRecordIsFoundNeverBelievedAndCanBeHealed) {
  TypeParam world;
  for (int i = 0; i < 10; ++i) {
    world.put("k" + std::to_string(i), "value " + std::to_string(i));
  }
  world.sync();
  if (!world.damage(Family::kMNodes, world.bytes("k5"))) {
    GTEST_SKIP() << "this world can't damage its store";
  }
  EXPECT_EQ(world.value("k5"), "(damaged)");
  const ScanEnded page = world.scan("");
  EXPECT_EQ(page.outcome, ReadOutcome::kDone);
  ASSERT_FALSE(page.damaged.empty());
  for (const StorageRecord& record : page.records) {
    const std::string key = world.text(record.key);
    EXPECT_NE(key, "k5");
    EXPECT_EQ(world.text(record.value.bytes()), "value " + key.substr(1));
  }
  for (const StorageDamage& damage : page.damaged) {
    EXPECT_TRUE(!damage.key || world.text(*damage.key)[0] == 'k');
  }
  world.put("k5", "new");
  EXPECT_EQ(world.value("k5"), "new");
}

TYPED_TEST_P(StorageContract, AFullDiskRefusesKeepsAllAndGoesOnWithTheSameNumber) {
  TypeParam world;
  world.put("a", "1");
  world.sync();
  if (!world.set_full(true)) {
    GTEST_SKIP() << "this world can't fill its disk";
  }
  EXPECT_EQ(world.put("b", "2"), StoreSequence{2});
  EXPECT_EQ(world.put("a", "3"), StoreSequence{3});
  world.storage().sync();
  const WriteFailed failed = world.template wait_for_next<WriteFailed>();
  EXPECT_EQ(failed.first, StoreSequence{2});
  EXPECT_EQ(failed.last, StoreSequence{3});
  EXPECT_EQ(failed.error, WriteError::kFull);
  EXPECT_EQ(world.value("a"), "1");
  EXPECT_EQ(world.value("b"), "(absent)");
  EXPECT_EQ(world.sync(), StoreSequence{1});
  EXPECT_TRUE(world.set_full(false));
  EXPECT_EQ(world.put("b", "4"), StoreSequence{2});
  EXPECT_EQ(world.sync(), StoreSequence{2});
  EXPECT_EQ(world.start_again(true), StoreSequence{2});
  EXPECT_EQ(world.value("b"), "4");
}

TYPED_TEST_P(StorageContract, QueuesAreBoundedAndWhatIsRefusedLeavesNoTrace) {
  TypeParam world;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  StorageBatch batch;
  batch.put(Family::kMNodes, world.bytes("a"), world.bytes(std::string(100'000, 'v')));
  for (int i = 0; i < 3000; ++i) {
    if (const Result<StoreSequence> number = world.storage().write(batch)) {
      EXPECT_EQ(number->value, ++accepted);
    } else {
      EXPECT_EQ(number.error(), Error::kOverloaded);
      ++refused;
    }
  }
  std::size_t reads = 0;
  for (std::uint64_t i = 0; i < 2 * kStorageReadsMax; ++i) {
    reads += world.storage().read(ReadId{i}, Family::kMNodes, world.bytes("b")) ? 1 : 0;
  }
  EXPECT_EQ(world.sync(), StoreSequence{accepted});
  world.run_for(60s);
  EXPECT_GT(accepted, 0U);
  EXPECT_GT(refused, 0U);
  EXPECT_GE(reads, kStorageReadsMax);
  EXPECT_LT(reads, 2 * kStorageReadsMax);
  EXPECT_EQ(world.template all<ReadEnded>().size(), reads);
  EXPECT_EQ(world.put("a", "small"), StoreSequence{accepted + 1});
  EXPECT_EQ(world.value("a"), "small");
}

TYPED_TEST_P(StorageContract, AnEmptyQueueAcceptsABatchOfAnySize) {
  TypeParam world;
  const StoreSequence largest = world.put("a", std::string(kStorageWritesMaxBytes + 1, 'v'));
  EXPECT_EQ(world.sync(), largest);
  EXPECT_EQ(world.read("a").value.size_bytes(), kStorageWritesMaxBytes + 1);
}

REGISTER_TYPED_TEST_SUITE_P(
    StorageContract, AnEmptyStoreOpensWithNumberNoneAndNothingInIt, NoCompletionComesInsideACall,
    AReadSeesEveryBatchBeforeItAndFamiliesAreApart, BatchesHaveConsecutiveNumbersAcrossStarts,
    TheLaterChangeOfAKeyWinsWithinABatchToo, TheLimitsThemselvesAreInside,
    ASyncedBatchSurvivesAndUnsyncedOnesAreLostFromTheEnd,
    EverySyncIsAnsweredByTheNewestBatchBeforeItOrMore,
    ASyncThatNoWriteFollowedSurvivesOnceItIsNamed, WhatWasAskedBeforeACrashIsNotAnsweredAfterIt,
    AScanGivesAllRecordsInOrderInPagesOfAnySize, AScanStartsAtTheFirstKeyThatIsNotBelow,
    ADamagedRecordIsFoundNeverBelievedAndCanBeHealed,
    AFullDiskRefusesKeepsAllAndGoesOnWithTheSameNumber,
    QueuesAreBoundedAndWhatIsRefusedLeavesNoTrace, AnEmptyQueueAcceptsABatchOfAnySize);

}  // namespace copal
