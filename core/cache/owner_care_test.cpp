// OwnerCache: offers of servers, pages of keys, expiry, events.

#include "core/cache/owner_cache.h"
#include "core/protocol/codec.h"
#include "core/testing/owner_bed.h"

namespace copal {
namespace {

class OwnerCare : public OwnerBed {
 protected:
  void SetUp() override { begin(); }

  OfferAnswer offer(const MNode& mnode, const Blob& value = {}, const std::string& key = "key") {
    effects_.clear();
    owner_->on_offer(
        kServer, {.sequence = 77, .entry = aged(mnode, now_.mono), .key_text = key, .value = value},
        now_, effects_);
    replica_.check_invariants();
    EXPECT_EQ(sent<OfferAnswer>().size(), 1U);
    EXPECT_EQ(sent<OfferAnswer>()[0].second.sequence, 77U);
    return sent<OfferAnswer>()[0].second;
  }
  void clear_all() {
    effects_.clear();
    owner_->on_clear(kServer, {5, kPlain, ~GroupSet{}}, now_, effects_);
  }
  KeyPage list(Group group, KeyHash from = {}) {
    effects_.clear();
    owner_->on_list(kServer, {6, kPlain, group, from}, now_, effects_);
    return sent<KeyPage>().at(0).second;
  }
  /// All keys of a group, page by page, and how many pages that took.
  std::vector<std::string> all_keys(Group group, int* pages = nullptr) {
    std::vector<std::string> keys;
    KeyPage page = list(group);
    for (int count = 1;; ++count) {
      keys.insert(keys.end(), page.keys.begin(), page.keys.end());
      if (!page.more) {
        if (pages != nullptr) {
          *pages = count;
        }
        return keys;
      }
      page = list(group, page.next);
    }
  }
};

// ---- offers (R1.7)

TEST_F(OwnerCare, AnOfferedVersionIsTakenAsItIs) {
  const MNode theirs = foreign("key", 5'000, bytes(1));
  const OfferAnswer answer = offer(theirs, bytes(1));
  EXPECT_EQ(answer.status, CacheStatus::kDone);
  EXPECT_EQ(answer.position, 1U) << "it goes to the other members";
  EXPECT_EQ(mnode("key").version, theirs.version);
  EXPECT_EQ(*replica_.values().find(hash(bytes(1))), bytes(1));
  EXPECT_EQ(owner_->counts().offers_taken, 1U);
  // And this owner's next one is above it.
  EXPECT_GT(put("key", bytes(2))->entry->mnode.version, theirs.version);
}

TEST_F(OwnerCare, OfWhatIsKnownOrOlderOnlyThePositionIsNew) {
  put("key", bytes(1));
  const Version mine = mnode("key").version;
  const OfferAnswer older = offer(foreign("key", 5, bytes(2)), bytes(2));
  EXPECT_EQ(older.status, CacheStatus::kNotModified);
  EXPECT_EQ(older.position, 2U) << "what is here may be here alone";
  const OfferAnswer same = offer(mnode("key"), bytes(1));
  EXPECT_EQ(same.status, CacheStatus::kNotModified);
  EXPECT_EQ(mnode("key").version, mine);
  EXPECT_EQ(owner_->counts().offers_taken, 0U);
}

TEST_F(OwnerCare, OfAKnownVersionALaterUseIsTakenAndToldOn) {
  MNode used = foreign("key", 5, bytes(1));
  used.idle_timeout_ms = 10'000;
  offer(used, bytes(1));
  pass(3s);
  used.accessed = now_.mono;
  const OfferAnswer answer = offer(used, bytes(1));
  EXPECT_EQ(answer.status, CacheStatus::kNotModified);
  EXPECT_EQ(mnode("key").accessed, now_.mono);
  Effects copies;
  log_.send(now_, copies);
  ASSERT_FALSE(copies.empty());
  const auto& last = std::get<Replicate>(std::get<Send>(copies.back()).message);
  EXPECT_EQ(last.position, answer.position);
  EXPECT_EQ(last.entry.accessed_age, 0s);
  used.accessed = now_.mono - 2s;
  offer(used, bytes(1));
  EXPECT_EQ(mnode("key").accessed, now_.mono) << "an earlier one says nothing";
}

// The m-node came by a comparison, alone; its bytes may be nowhere but at the server that wrote it.
TEST_F(OwnerCare, OfAKnownVersionWhoseBytesAreMissingTheBytesAreTaken) {
  replica_.install(foreign("key", 5, bytes(1)), "key");
  EXPECT_FALSE(get("key").has_value()) << "it waits for them";
  const OfferAnswer answer = offer(mnode("key"), bytes(1));
  EXPECT_EQ(answer.status, CacheStatus::kNotModified);
  EXPECT_EQ(replica_.values().missing_count(), 0U);
  ASSERT_NE(replica_.values().find(hash(bytes(1))), nullptr);
  owner_->on_value(hash(bytes(1)), now_, effects_);
  ASSERT_EQ(status(this->answer()), CacheStatus::kDone) << "who waited for them goes on";
  EXPECT_EQ(this->answer()->value, bytes(1));
  // The others lack them, too: they go along.
  Effects copies;
  log_.send(now_, copies);
  ASSERT_FALSE(copies.empty());
  for (const Effect& effect : copies) {
    EXPECT_EQ(std::get<Replicate>(std::get<Send>(effect).message).value, bytes(1));
  }
}

TEST_F(OwnerCare, OfAnOlderVersionTheBytesAreNotKept) {
  put("key", bytes(1));
  EXPECT_EQ(offer(foreign("key", 5, bytes(2)), bytes(2)).status, CacheStatus::kNotModified);
  EXPECT_EQ(replica_.values().find(hash(bytes(2))), nullptr);
  EXPECT_EQ(replica_.values().count(), 1U);
}

TEST_F(OwnerCare, AnOfferWithoutBytesThatAreMissingAsksForThem) {
  EXPECT_EQ(offer(foreign("key", 5'000, bytes(1))).status, CacheStatus::kNeedValue);
  EXPECT_EQ(replica_.find(key_hash("key")), nullptr);
  put("another", bytes(1));
  EXPECT_EQ(offer(foreign("key", 5'000, bytes(1))).status, CacheStatus::kDone);
}

TEST_F(OwnerCare, WhatWasRemovedOrClearedSinceIsNotTaken) {
  const Group group = group_of(key_hash("key"));
  replica_.raise_horizon(group, {6'000, 0, {}});
  EXPECT_EQ(offer(foreign("key", 5'000, bytes(1)), bytes(1)).status, CacheStatus::kAbsent);
  EXPECT_EQ(replica_.values().count(), 0U);
  clear_all();
  EXPECT_EQ(offer(foreign("key", 7'000, bytes(1)), bytes(1)).status, CacheStatus::kAbsent);
}

TEST_F(OwnerCare, WhoDoesNotActTakesNoOffer) {
  set_duty({.view = {8, Slot{2}}});
  const OfferAnswer answer = offer(foreign("key", 5'000, bytes(1)), bytes(1));
  EXPECT_EQ(answer.status, CacheStatus::kTryAgain);
  EXPECT_EQ(answer.view, (View{8, Slot{2}}));
}

// ---- keys

TEST_F(OwnerCare, KeysAreListedOnceEachAndOnlyThoseThatAreThere) {
  std::vector<std::string> there;
  for (int i = 0; i < 600; ++i) {
    const std::string key = "key " + std::to_string(i);
    put(key, bytes(1));
    if (i % 5 == 0) {
      ask(change_of(key, {.action = Action::kRemove}));
    } else {
      there.push_back(key);
    }
  }
  ask(change_of("short", {.value = name_value(bytes(1).bytes()), .expire_timeout = 1s}, bytes(1)));
  put("safe", bytes(1), kSafe);
  pass(2s);
  std::vector<std::string> listed;
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    const auto keys = all_keys(Group{i});
    listed.insert(listed.end(), keys.begin(), keys.end());
  }
  std::ranges::sort(there);
  std::ranges::sort(listed);
  EXPECT_EQ(listed, there);
  clear_all();
  EXPECT_TRUE(all_keys(group_of(key_hash("key 1"))).empty()) << "cleared and not yet dropped";
}

TEST_F(OwnerCare, LongListsComeInPagesThatFitAFrame) {
  const Group group = group_of(key_hash("key"));
  std::size_t count = 0;
  for (int i = 0; count < 130; ++i) {
    const std::string key = std::string(1'000, 'k') + std::to_string(i);
    if (group_of(key_hash(key)) == group) {
      put(key, bytes(1));
      ++count;
    }
  }
  int pages = 0;
  EXPECT_EQ(all_keys(group, &pages).size(), 130U);
  EXPECT_EQ(pages, 3);
  std::vector<std::byte> frame(kMessageSizeMaxBytes);
  EXPECT_LE(encode(list(group), frame), kMessageSizeMaxBytes);
}

TEST_F(OwnerCare, WhoDoesNotActListsNothing) {
  put("key", bytes(1));
  set_duty({.view = {8, Slot{1}}});
  const KeyPage page = list(group_of(key_hash("key")));
  EXPECT_EQ(page.status, CacheStatus::kTryAgain);
  EXPECT_TRUE(page.keys.empty());
}

// ---- expiry (R0.7)

TEST_F(OwnerCare, AnEntryPastItsTimeIsRemovedForAllByItsOwnerAlone) {
  ask(change_of("key", {.value = name_value(bytes(1).bytes()), .expire_timeout = 5s}, bytes(1)));
  EXPECT_FALSE(owner_->may_expire(mnode("key"), now_));
  pass(5s + 1ns);
  EXPECT_TRUE(owner_->may_expire(mnode("key"), now_));
  set_duty({.view = {8, Slot{1}}});
  EXPECT_FALSE(owner_->may_expire(mnode("key"), now_)) << "another one's to remove";
  set_duty({.acts = true, .prepared = true, .view = {9, Slot{0}}});
  effects_.clear();
  owner_->listeners().set(kServer, {kPlain});
  owner_->expire(*replica_.find(key_hash("key")), now_, effects_);
  EXPECT_TRUE(mnode("key").is_tombstone());
  EXPECT_EQ(mnode("key").version.epoch, 9U);
  EXPECT_EQ(log_.last_position(), 2U);
  EXPECT_FALSE(owner_->may_expire(mnode("key"), now_)) << "once";
  ASSERT_EQ(sent<EntryEvent>().size(), 1U);
  EXPECT_EQ(sent<EntryEvent>()[0].second.kind, EntryEventKind::kExpired);
}

// ---- events

TEST_F(OwnerCare, ListenersAreToldOfWhatHappensInTheirCaches) {
  owner_->listeners().set(NodeId{11}, {kPlain});
  owner_->listeners().set(NodeId{12}, {kSafe});
  const auto told = [&] {
    std::vector<EntryEventKind> kinds;
    for (const auto& [to, event] : sent<EntryEvent>()) {
      EXPECT_EQ(to, NodeId{11});
      kinds.push_back(event.kind);
    }
    return kinds;
  };
  put("key", bytes(1));
  EXPECT_EQ(told(), std::vector{EntryEventKind::kCreated});
  EXPECT_EQ(sent<EntryEvent>()[0].second.key_text, "key");
  EXPECT_EQ(sent<EntryEvent>()[0].second.version, mnode("key").version);
  put("key", bytes(2));
  EXPECT_EQ(told(), std::vector{EntryEventKind::kUpdated});
  ask(change_of("key", {.action = Action::kRemove}));
  EXPECT_EQ(told(), std::vector{EntryEventKind::kRemoved});
  ask(change_of("key", {.condition = Condition::kPresent}, bytes(3)));
  EXPECT_TRUE(told().empty()) << "nothing happened";
  clear_all();
  EXPECT_EQ(told(), std::vector{EntryEventKind::kCleared});
  owner_->listeners().forget(NodeId{11});
  put("key", bytes(1));
  EXPECT_TRUE(told().empty());
}

}  // namespace
}  // namespace copal
