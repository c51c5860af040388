#include "core/values/value_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "core/base/prng.h"
#include "core/ports/random.h"

namespace copal {
namespace {

Blob sample_bytes(std::uint8_t number) {
  return Blob(std::vector<std::uint8_t>(100 + number, number));
}
ValueHash sample_hash(std::uint8_t number) {
  return hash_value(sample_bytes(number).bytes());
}

TEST(ValueStore, KeepsOnlyWhatSomebodyWants) {
  ValueStore store;
  EXPECT_FALSE(store.provide(sample_hash(1), sample_bytes(1)));
  EXPECT_EQ(store.count(), 0U);
  store.add_reference(sample_hash(1));
  EXPECT_EQ(store.missing_count(), 1U);
  EXPECT_EQ(store.find(sample_hash(1)), nullptr);
  EXPECT_TRUE(store.provide(sample_hash(1), sample_bytes(1)));
  EXPECT_EQ(*store.find(sample_hash(1)), sample_bytes(1));
  EXPECT_EQ(store.size_bytes(), 101U);
  EXPECT_FALSE(store.provide(sample_hash(1), sample_bytes(1)));
  store.remove_reference(sample_hash(1));
  EXPECT_EQ(store.find(sample_hash(1)), nullptr);
  EXPECT_EQ(store.size_bytes(), 0U);
}

TEST(ValueStore, AValueStaysUntilItsLastMNodeGoes) {
  ValueStore store;
  store.add_reference(sample_hash(1));
  store.add_reference(sample_hash(1));
  store.provide(sample_hash(1), sample_bytes(1));
  store.remove_reference(sample_hash(1));
  EXPECT_NE(store.find(sample_hash(1)), nullptr);
  EXPECT_EQ(store.size_bytes(), 101U);
  store.remove_reference(sample_hash(1));
  EXPECT_EQ(store.find(sample_hash(1)), nullptr);
}

TEST(ValueStore, APinKeepsBytesUntilTheirMNodeIsInstalled) {
  ValueStore store;
  store.pin(sample_hash(1));
  store.provide(sample_hash(1), sample_bytes(1));
  store.add_reference(sample_hash(1));
  store.unpin(sample_hash(1));
  EXPECT_NE(store.find(sample_hash(1)), nullptr);
  store.pin(sample_hash(1));
  store.remove_reference(sample_hash(1));
  EXPECT_NE(store.find(sample_hash(1)), nullptr);
  store.unpin(sample_hash(1));
  EXPECT_EQ(store.find(sample_hash(1)), nullptr);
}

TEST(ValueStore, ReleasingWhatWasNotTakenStopsTheProgram) {
  ValueStore store;
  EXPECT_DEATH(store.remove_reference(sample_hash(1)), "value");
  EXPECT_DEATH(store.unpin(sample_hash(1)), "value");
  store.pin(sample_hash(1));
  EXPECT_DEATH(store.remove_reference(sample_hash(1)), "references");
}

TEST(ValueStore, MissingOnesAreListedInOrderFromAPlaceOn) {
  ValueStore store;
  std::vector<ValueHash> all;
  for (std::uint8_t i = 0; i < 20; ++i) {
    store.add_reference(sample_hash(i));
    if (i % 2 == 0) {
      store.provide(sample_hash(i), sample_bytes(i));
    } else {
      all.push_back(sample_hash(i));
    }
  }
  store.pin(sample_hash(30));  // wanted by an operation, which asks for itself
  std::ranges::sort(all);
  EXPECT_EQ(store.missing_from({}, 100), all);
  EXPECT_EQ(store.missing_from(all[3], 2), (std::vector{all[3], all[4]}));
}

TEST(ValueStore, AgreesWithAModelOverRandomChanges) {
  Prng random(1, "value store");
  ValueStore store;
  struct Model {
    int references = 0;
    int pins = 0;
    bool here = false;
  };
  std::map<std::uint8_t, Model> model;
  for (int step = 0; step < 20'000; ++step) {
    const auto number = static_cast<std::uint8_t>(draw_below(random, 10));
    const ValueHash hash = sample_hash(number);
    Model& value = model[number];
    const bool wanted = value.references + value.pins > 0;
    switch (draw_below(random, 5)) {
      case 0:
        store.add_reference(hash);
        ++value.references;
        break;
      case 1:
        if (value.references > 0) {
          store.remove_reference(hash);
          --value.references;
        }
        break;
      case 2:
        store.pin(hash);
        ++value.pins;
        break;
      case 3:
        if (value.pins > 0) {
          store.unpin(hash);
          --value.pins;
        }
        break;
      default:
        ASSERT_EQ(store.provide(hash, sample_bytes(number)), wanted && !value.here);
        value.here = wanted;
    }
    value.here = value.here && value.references + value.pins > 0;
    ASSERT_EQ(store.find(hash) != nullptr, value.here);
    store.check_invariants();
  }
}

// ---- what is on the disk

TEST(ValueStoreDisk, WhatIsReferredToIsWrittenOnceAndErasedAfterItsLastReference) {
  ValueStore store;
  store.pin(sample_hash(1));
  store.provide(sample_hash(1), sample_bytes(1));
  EXPECT_TRUE(store.take_changes().written.empty()) << "pinned alone it is nobody's yet";
  store.add_reference(sample_hash(1));
  store.add_reference(sample_hash(1));
  const auto changes = store.take_changes();
  ASSERT_EQ(changes.written.size(), 1U);
  EXPECT_EQ(changes.written[0].hash, sample_hash(1));
  EXPECT_EQ(changes.written[0].bytes, sample_bytes(1));
  EXPECT_FALSE(store.has_changes());
  store.unpin(sample_hash(1));
  store.remove_reference(sample_hash(1));
  EXPECT_FALSE(store.has_changes());
  store.remove_reference(sample_hash(1));
  EXPECT_EQ(store.take_changes().erased, std::vector{sample_hash(1)});
  store.check_invariants();
}

TEST(ValueStoreDisk, WantedAgainBeforeItWasErasedItIsWrittenAndNotErased) {
  ValueStore store;
  store.add_reference(sample_hash(1));
  store.provide(sample_hash(1), sample_bytes(1));
  store.take_changes();
  store.pin(sample_hash(1));
  store.remove_reference(sample_hash(1));
  store.add_reference(sample_hash(1));
  store.unpin(sample_hash(1));
  const auto changes = store.take_changes();
  EXPECT_EQ(changes.written.size(), 1U);
  EXPECT_TRUE(changes.erased.empty());
}

TEST(ValueStoreDisk, WhatAMNodeOnTheDiskNamesIsThereAndNotInMemory) {
  ValueStore store;
  store.add_stored_reference(sample_hash(1), 101);
  EXPECT_TRUE(store.has(sample_hash(1)));
  EXPECT_TRUE(store.is_only_on_disk(sample_hash(1)));
  EXPECT_EQ(store.find(sample_hash(1)), nullptr);
  EXPECT_EQ(store.missing_count(), 0U);
  EXPECT_EQ(store.size_bytes(), 101U);
  EXPECT_EQ(store.memory_bytes(), 0U);
  EXPECT_TRUE(store.provide(sample_hash(1), sample_bytes(1)));
  EXPECT_FALSE(store.is_only_on_disk(sample_hash(1)));
  EXPECT_EQ(store.size_bytes(), 101U);
  EXPECT_EQ(store.memory_bytes(), 101U);
  EXPECT_FALSE(store.has_changes()) << "it is on the disk";
  store.check_invariants();
}

TEST(ValueStoreDisk, LostOnTheDiskItIsMissingOrWrittenAnew) {
  ValueStore store;
  store.add_stored_reference(sample_hash(1), 101);
  store.on_lost(sample_hash(1));
  EXPECT_FALSE(store.has(sample_hash(1)));
  EXPECT_EQ(store.missing_from({}, 9), std::vector{sample_hash(1)});
  EXPECT_EQ(store.size_bytes(), 0U);
  store.provide(sample_hash(1), sample_bytes(1));
  EXPECT_EQ(store.take_changes().written.size(), 1U);
  store.on_synced(sample_hash(1));
  store.on_lost(sample_hash(1));
  EXPECT_TRUE(store.has(sample_hash(1))) << "it is in memory";
  EXPECT_EQ(store.take_changes().written.size(), 1U);
  store.check_invariants();
}

TEST(ValueStoreDisk, WhatWasNotWrittenAfterAllIsWrittenAgain) {
  ValueStore store;
  store.add_reference(sample_hash(1));
  store.provide(sample_hash(1), sample_bytes(1));
  store.take_changes();
  store.on_not_written(sample_hash(1));
  EXPECT_EQ(store.take_changes().written.size(), 1U);
  store.remove_reference(sample_hash(1));
  EXPECT_EQ(store.take_changes().erased.size(), 1U);
  store.on_not_written(sample_hash(1));
  EXPECT_EQ(store.take_changes().erased.size(), 1U);
}

TEST(ValueStoreDisk, OnlyWhatIsSafeOnTheDiskAndNotPinnedLeavesMemory) {
  ValueStore store;
  for (std::uint8_t i = 1; i <= 4; ++i) {
    store.add_reference(sample_hash(i));
    store.provide(sample_hash(i), sample_bytes(i));
  }
  store.take_changes();
  store.on_synced(sample_hash(1));
  store.on_synced(sample_hash(2));
  store.pin(sample_hash(2));
  store.shed(0, 100);
  EXPECT_TRUE(store.is_only_on_disk(sample_hash(1)));
  EXPECT_NE(store.find(sample_hash(2)), nullptr) << "pinned";
  EXPECT_NE(store.find(sample_hash(3)), nullptr) << "written and not synced";
  EXPECT_EQ(store.memory_bytes(), 102U + 103U + 104U);
  EXPECT_EQ(store.size_bytes(), 101U + 102U + 103U + 104U);
  store.unpin(sample_hash(2));
  store.check_invariants();
}

TEST(ValueStoreDisk, WhatWasUsedLatelyStaysLongerAndAStepIsBounded) {
  ValueStore store;
  for (std::uint8_t i = 0; i < 10; ++i) {
    store.add_reference(sample_hash(i));
    store.provide(sample_hash(i), sample_bytes(i));
  }
  store.take_changes();
  for (std::uint8_t i = 0; i < 10; ++i) {
    store.on_synced(sample_hash(i));
  }
  store.shed(0, 10);  // all were used when they came; now none is
  EXPECT_EQ(store.memory_bytes(), store.size_bytes());
  store.find(sample_hash(0));
  store.shed(0, 3);
  std::size_t gone = 0;
  for (std::uint8_t i = 0; i < 10; ++i) {
    gone += store.is_only_on_disk(sample_hash(i)) ? 1 : 0;
  }
  EXPECT_EQ(gone, 2U) << "three looked at, one of them used";
  store.shed(0, 7);
  EXPECT_NE(store.find(sample_hash(0)), nullptr);
  EXPECT_EQ(store.memory_bytes(), 100U);
}

}  // namespace
}  // namespace copal
