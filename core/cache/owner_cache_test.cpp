#include "core/cache/owner_cache.h"

#include "core/testing/owner_bed.h"

namespace copal {
namespace {

class OwnerCacheTest : public OwnerBed {
 protected:
  void SetUp() override { begin(); }
};

TEST_F(OwnerCacheTest, AGetIsAnsweredWithMNodeAndBytes) {
  const auto done = put("key", bytes(1));
  const auto read = get("key");
  ASSERT_EQ(status(read), CacheStatus::kDone);
  EXPECT_EQ(read->sequence, sequence_);
  EXPECT_EQ(read->entry->mnode.version, done->entry->mnode.version);
  EXPECT_EQ(read->value, bytes(1));
  EXPECT_EQ(read->view, kMyView);
  EXPECT_EQ(read->incarnation, kStart);
  EXPECT_EQ(read->position, 0U) << "a read has none";
}

TEST_F(OwnerCacheTest, TimesAreToldAsAges) {  // R0.1
  put("key", bytes(1));
  pass(7s);
  EXPECT_EQ(get("key")->entry->modified_age, 7s);
}

TEST_F(OwnerCacheTest, WhoHoldsTheNewestVersionGetsNeitherMNodeNorBytes) {
  const Version version = put("key", bytes(1))->entry->mnode.version;
  const auto read = get("key", version);
  EXPECT_EQ(status(read), CacheStatus::kNotModified);
  EXPECT_FALSE(read->entry.has_value());
  EXPECT_EQ(read->value.size_bytes(), 0U);
  Version older = version;
  --older.counter;
  EXPECT_EQ(status(get("key", older)), CacheStatus::kDone);
  EXPECT_EQ(owner_->counts().not_modified, 1U);
}

TEST_F(OwnerCacheTest, WhoWantsNoValueGetsTheMNodeAlone) {
  put("key", bytes(1));
  const auto read = get("key", kNoVersion, false);
  EXPECT_EQ(status(read), CacheStatus::kDone);
  EXPECT_TRUE(read->entry.has_value());
  EXPECT_EQ(read->value.size_bytes(), 0U);
}

TEST_F(OwnerCacheTest, AbsentSaysUpToWhichVersionAllIsGone) {
  const Group group = group_of(key_hash("key"));
  EXPECT_EQ(get("key")->absent, kNoVersion);
  replica_.raise_horizon(group, {50, 0, {}});
  EXPECT_EQ(get("key")->absent, (Version{50, 0, {}}));
  replica_.clear(group, kPlain, {60, 0, {}});
  EXPECT_EQ(get("key")->absent, (Version{60, 0, {}}));
  put("key", bytes(1));
  const auto removed = ask(change_of("key", {.action = Action::kRemove}));
  const auto read = get("key");
  EXPECT_EQ(status(read), CacheStatus::kAbsent);
  EXPECT_EQ(read->absent, removed->entry->mnode.version);
}

TEST_F(OwnerCacheTest, AnExpiredEntryIsAbsentBeforeItIsRemoved) {
  Change change{.value = name_value(bytes(1).bytes()), .expire_timeout = 5s};
  ask(change_of("key", change, bytes(1)));
  pass(5s);
  EXPECT_EQ(status(get("key")), CacheStatus::kDone);
  pass(1ns);
  EXPECT_EQ(status(get("key")), CacheStatus::kAbsent);
}

TEST_F(OwnerCacheTest, WhoDoesNotActOrIsNotPreparedSaysTryAgain) {  // R1.2
  put("key", bytes(1));
  set_duty({.acts = true, .prepared = false, .view = {9, Slot{0}}});
  EXPECT_EQ(status(get("key")), CacheStatus::kDone) << "`available` is answered at once";
  EXPECT_EQ(status(get("key", kNoVersion, true, kSafe)), CacheStatus::kTryAgain);
  set_duty({.view = {10, Slot{1}}});
  const auto read = get("key");
  EXPECT_EQ(status(read), CacheStatus::kTryAgain);
  EXPECT_EQ(read->view, (View{10, Slot{1}})) << "so that the server knows whom to ask";
  EXPECT_EQ(status(put("key", bytes(2))), CacheStatus::kTryAgain);
  EXPECT_EQ(mnode("key").value_hash, hash(bytes(1)));
}

TEST_F(OwnerCacheTest, AnUnknownCacheIsSaidToBe) {
  EXPECT_EQ(status(get("key", kNoVersion, true, CacheId{9})), CacheStatus::kUnknownCache);
  EXPECT_EQ(status(put("key", bytes(1), CacheId{9})), CacheStatus::kUnknownCache);
}

// ---- missing bytes (R0.4)

TEST_F(OwnerCacheTest, AGetWaitsForMissingBytesAndTheKeyStays) {
  replica_.install(foreign("key", 5, bytes(1)), "key");
  EXPECT_FALSE(get("key").has_value());
  ASSERT_EQ(sent<FetchValue>().size(), 1U);
  EXPECT_EQ(owner_->waiting_count(), 1U);
  EXPECT_EQ(status(get("key", kNoVersion, false)), CacheStatus::kDone) << "the m-node is here";
  receive(bytes(1));
  ASSERT_EQ(status(answer()), CacheStatus::kDone);
  EXPECT_EQ(answer()->value, bytes(1));
  EXPECT_EQ(owner_->waiting_count(), 0U);
}

TEST_F(OwnerCacheTest, AGetThatWaitsIsAnsweredByWhatIsThereThen) {
  replica_.install(foreign("key", 5, bytes(1)), "key");
  get("key");
  const Version newer = put("key", bytes(2))->entry->mnode.version;
  effects_.clear();
  owner_->on_value(hash(bytes(1)), now_, effects_);
  ASSERT_EQ(status(answer()), CacheStatus::kDone);
  EXPECT_EQ(answer()->entry->mnode.version, newer);
}

TEST_F(OwnerCacheTest, AGetPastItsTimeIsForgotten) {
  replica_.install(foreign("key", 5, bytes(1)), "key");
  get("key");
  EXPECT_EQ(owner_->next_deadline(), now_.mono + 10s + 1ns);
  pass(10s);
  EXPECT_EQ(owner_->waiting_count(), 1U);
  pass(1ns);
  EXPECT_EQ(owner_->waiting_count(), 0U);
  EXPECT_FALSE(answer().has_value());
  EXPECT_EQ(owner_->next_deadline(), kNever);
}

// ---- uses (R0.7)

TEST_F(OwnerCacheTest, UsesAreReplicatedAtTheirIntervalUnderTheSameVersion) {
  Change change{.value = name_value(bytes(1).bytes()), .idle_timeout_ms = 32'000};
  const Version version = ask(change_of("key", change, bytes(1)))->entry->mnode.version;
  const std::uint64_t positions = log_.last_position();
  pass(1s - 1ns);
  get("key");
  EXPECT_EQ(log_.last_position(), positions) << "not each one";
  pass(1ns);
  get("key");
  EXPECT_EQ(log_.last_position(), positions + 1);
  EXPECT_EQ(mnode("key").accessed, now_.mono);
  EXPECT_EQ(mnode("key").version, version);
}

TEST_F(OwnerCacheTest, WithoutAnIdleTimeoutAUseIsNobodysBusiness) {
  put("key", bytes(1));
  const std::uint64_t positions = log_.last_position();
  replica_.take_changes();
  pass(1min);
  get("key");
  EXPECT_EQ(mnode("key").accessed, now_.mono) << "for eviction";
  EXPECT_EQ(log_.last_position(), positions);
  EXPECT_FALSE(replica_.has_changes()) << "nor is it written";
}

TEST_F(OwnerCacheTest, NotModifiedIsAUseToo) {
  Change change{.value = name_value(bytes(1).bytes()), .idle_timeout_ms = 32'000};
  const Version version = ask(change_of("key", change, bytes(1)))->entry->mnode.version;
  for (int i = 0; i < 5; ++i) {
    pass(30s);
    EXPECT_EQ(status(get("key", version)), CacheStatus::kNotModified);
  }
}

}  // namespace
}  // namespace copal
