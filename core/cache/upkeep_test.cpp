#include "core/cache/upkeep.h"

#include "core/testing/owner_bed.h"

namespace copal {
namespace {

class UpkeepTest : public OwnerBed {
 protected:
  void SetUp() override { begin(); }

  /// Lets it walk through everything at least once.
  void sweep() {
    const std::uint64_t before = upkeep_.counts().sweeps;
    effects_.clear();
    while (upkeep_.counts().sweeps < before + 2) {
      now_.mono += 100ms;
      horizon_.on_time(now_.mono, clock_.reading(now_.mono));
      upkeep_.on_time(*owner_, now_, effects_);
    }
    replica_.check_invariants();
  }
  MNode removed(const std::string& key) {
    put(key, bytes(1));
    ask(change_of(key, {.action = Action::kRemove}));
    return mnode(key);
  }
  void agree(const std::string& key, Slot peer, std::uint64_t reading) {
    horizon_.on_agreed(group_of(key_hash(key)), peer, reading);
  }

  Horizon horizon_{{.kept_write_lifetime = 0ns}, Slot{0}, SlotSet(0b111)};
  Upkeep upkeep_{{.step_min = 50'000}, replica_, clock_, horizon_};
};

TEST_F(UpkeepTest, ATombstoneGoesWhenBothPeersHaveAgreedPastItAndTheHorizonFollows) {  // R4.1
  const MNode gone = removed("key");
  const Group group = group_of(gone.key);
  sweep();
  EXPECT_NE(replica_.find(gone.key), nullptr);
  agree("key", Slot{1}, gone.version.counter + 1);
  sweep();
  EXPECT_NE(replica_.find(gone.key), nullptr) << "the other one may still have the entry";
  agree("key", Slot{2}, gone.version.counter);
  sweep();
  EXPECT_NE(replica_.find(gone.key), nullptr) << "agreed up to below it";
  EXPECT_EQ(replica_.horizon(group), kNoVersion);
  agree("key", Slot{2}, gone.version.counter + 1);
  sweep();
  EXPECT_EQ(replica_.find(gone.key), nullptr);
  EXPECT_EQ(upkeep_.counts().tombstones_dropped, 1U);
  EXPECT_GT(replica_.horizon(group), gone.version);
  MNode late = gone;  // R4.2: it does not come back
  set_value(late, name_value(bytes(1).bytes()));
  EXPECT_EQ(replica_.install(late, "key"), Replica::Installed::kBelowHorizon);
  // R4: the clock is never below a version that was dropped.
  EXPECT_GE(clock_.reading(now_.mono), replica_.horizon(group).counter);
}

TEST_F(UpkeepTest, WhatIsNoTombstoneStaysHoweverOld) {
  put("key", bytes(1));
  const std::uint64_t far = mnode("key").version.counter + 1'000'000'000'000;
  agree("key", Slot{1}, far);
  agree("key", Slot{2}, far);
  sweep();
  EXPECT_NE(replica_.find(key_hash("key")), nullptr);
}

TEST_F(UpkeepTest, WhatWasClearedIsDroppedWithItsBytes) {
  put("key", bytes(1));
  put("safe", bytes(2), kSafe);
  effects_.clear();
  owner_->on_clear(kServer, {5, kPlain, ~GroupSet{}}, now_, effects_);
  EXPECT_EQ(replica_.size(), 2U);
  sweep();
  EXPECT_EQ(replica_.size(), 1U);
  EXPECT_EQ(replica_.values().count(), 1U);
  EXPECT_EQ(upkeep_.counts().cleared_dropped, 1U);
}

TEST_F(UpkeepTest, ItsOwnerRemovesWhatIsPastItsTimeUnasked) {
  ask(change_of("key", {.expire_timeout = 5s}, bytes(1)));
  sweep();
  EXPECT_FALSE(mnode("key").is_tombstone());
  pass(6s);
  set_duty({.view = {8, Slot{1}}});
  sweep();
  EXPECT_FALSE(mnode("key").is_tombstone()) << "not this member's to remove";
  set_duty({.acts = true, .prepared = true, .view = {9, Slot{0}}});
  sweep();
  EXPECT_TRUE(mnode("key").is_tombstone());
  EXPECT_EQ(replica_.values().count(), 0U);
}

TEST_F(UpkeepTest, AStepIsBoundedAndComesAtItsInterval) {
  Upkeep upkeep({.step_min = 100}, replica_, clock_, horizon_);
  for (int i = 0; i < 500; ++i) {
    removed("key " + std::to_string(i));
  }
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    for (const Slot peer : {Slot{1}, Slot{2}}) {
      horizon_.on_agreed(Group{i}, peer, clock_.reading(now_.mono) + 1'000'000'000);
    }
  }
  std::uint64_t dropped = 0;
  std::uint64_t most = 0;
  for (int i = 0; i < 2'000 && replica_.size() > 0; ++i) {
    now_.mono += 100ms;
    horizon_.on_time(now_.mono, clock_.reading(now_.mono));
    upkeep.on_time(*owner_, now_, effects_);
    most = std::max(most, upkeep.counts().tombstones_dropped - dropped);
    dropped = upkeep.counts().tombstones_dropped;
    EXPECT_EQ(upkeep.next_deadline(), now_.mono + 100ms);
    upkeep.on_time(*owner_, now_, effects_);
    EXPECT_EQ(upkeep.counts().tombstones_dropped, dropped) << "once an interval";
  }
  EXPECT_EQ(replica_.size(), 0U);
  EXPECT_LE(most, 110U);
}

TEST_F(UpkeepTest, BytesThatAreOnTheDiskLeaveMemoryAboveTheLimit) {
  Upkeep upkeep({.memory_max_bytes = 250}, replica_, clock_, horizon_);
  for (std::uint8_t i = 0; i < 5; ++i) {
    put("key " + std::to_string(i), bytes(i));
  }
  for (int i = 0; i < 4; ++i) {
    now_.mono += 100ms;
    upkeep.on_time(*owner_, now_, effects_);
  }
  EXPECT_EQ(replica_.values().memory_bytes(), 500U) << "not on the disk yet";
  for (const auto& written : replica_.values().take_changes().written) {
    replica_.values().on_synced(written.hash);
  }
  for (int i = 0; i < 4; ++i) {
    now_.mono += 100ms;
    upkeep.on_time(*owner_, now_, effects_);
  }
  EXPECT_LE(replica_.values().memory_bytes(), 250U);
  EXPECT_EQ(replica_.values().size_bytes(), 500U) << "all are still here";
}

}  // namespace
}  // namespace copal
