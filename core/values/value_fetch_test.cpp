#include "core/values/value_fetch.h"

#include <gtest/gtest.h>

#include <set>

#include "core/testing/replica_bed.h"

namespace copal {
namespace {

constexpr NodeId kB{1};
constexpr NodeId kC{2};

/// At the member in slot 0, whose peers are B and C.
class ValueFetchTest : public ::testing::Test {
 protected:
  void SetUp() override { fetch_.set_members({kNoNode, kB, kC}); }

  /// An m-node refers to these bytes, which are not here.
  ValueHash refer(const Blob& value) {
    replica_.install(mnode_of(++keys_, 5, value), "k");
    return hash_of(value);
  }
  /// The same, and they are on the disk alone.
  ValueHash load(const Blob& value) {
    replica_.load(mnode_of(++keys_, 5, value), "k");
    return hash_of(value);
  }
  void want(const ValueHash& hash, NodeId hint = kNoNode) {
    effects_.clear();
    fetch_.want(hash, hint, now_, effects_);
  }
  void fetched(NodeId from, const Blob& value, bool found) {
    effects_.clear();
    if (found) {
      replica_.values().provide(hash_of(value), value);
    }
    fetch_.on_fetched(from, {hash_of(value), found, found ? value : Blob()}, now_, effects_);
  }
  void pass(Duration time) {
    now_ += time;
    effects_.clear();
    fetch_.on_time(now_, effects_);
  }
  /// Whom it asked for bytes, in order.
  std::vector<NodeId> asked() const {
    std::vector<NodeId> nodes;
    for (const Effect& effect : effects_) {
      const auto* send = std::get_if<Send>(&effect);
      if (send != nullptr && std::holds_alternative<FetchValue>(send->message)) {
        nodes.push_back(send->to);
      }
    }
    return nodes;
  }
  std::size_t reads() const {
    return static_cast<std::size_t>(std::count_if(
        effects_.begin(), effects_.end(),
        [](const Effect& effect) { return std::holds_alternative<ReadStore>(effect); }));
  }
  FetchedValue answer() const {
    EXPECT_EQ(effects_.size(), 1U);
    return std::get<FetchedValue>(std::get<Send>(effects_[0]).message);
  }
  /// Bytes whose hash puts this member before the other one.
  static Blob first_at(Slot slot, Slot before) {
    for (std::uint8_t i = 0;; ++i) {
      for (const Slot one : owner_order(hash_of(filled_bytes(i))).slots()) {
        if (one == slot) {
          return filled_bytes(i);
        }
        if (one == before) {
          break;
        }
      }
    }
  }

  TimePoint now_{100s};
  Replica replica_;
  ReplicaStore store_{{}, replica_};
  ValueFetch fetch_{replica_, store_};
  Effects effects_;
  std::uint32_t keys_ = 0;
};

TEST_F(ValueFetchTest, BytesAreAskedOfTheMemberThatTheirHashChooses) {
  want(refer(first_at(Slot{1}, Slot{2})));
  EXPECT_EQ(asked(), std::vector{kB});
  want(refer(first_at(Slot{2}, Slot{1})));
  EXPECT_EQ(asked(), std::vector{kC});
  EXPECT_EQ(fetch_.under_way(), 2U);
}

TEST_F(ValueFetchTest, WhoIsKnownToHaveThemIsAskedFirst) {
  want(refer(first_at(Slot{1}, Slot{2})), kC);
  EXPECT_EQ(asked(), std::vector{kC});
}

TEST_F(ValueFetchTest, WantedAgainTheyAreAskedForOnceUnlessSomebodyKnowsBetter) {
  const ValueHash hash = refer(first_at(Slot{1}, Slot{2}));
  want(hash);
  want(hash);
  EXPECT_TRUE(asked().empty());
  want(hash, kC);
  EXPECT_EQ(asked(), std::vector{kC});
}

TEST_F(ValueFetchTest, WhatIsInMemoryIsNotFetched) {
  const ValueHash hash = refer(filled_bytes(1));
  replica_.values().provide(hash, filled_bytes(1));
  want(hash);
  EXPECT_TRUE(effects_.empty());
  EXPECT_EQ(fetch_.under_way(), 0U);
}

/// Values that nobody has, more than are asked for at a time, and one that somebody has.
TEST_F(ValueFetchTest, WhatNobodyHasDoesNotKeepOthersWaiting) {
  std::set<ValueHash> wanted;
  for (std::uint8_t i = 0; i < 40; ++i) {
    wanted.insert(refer(filled_bytes(i)));
  }
  for (int i = 0; i < 40 && !wanted.empty(); ++i) {
    pass(500ms);
    for (const Effect& effect : Effects(effects_)) {
      const ValueHash hash = std::get<FetchValue>(std::get<Send>(effect).message).hash;
      wanted.erase(hash);
      fetch_.on_fetched(kB, {hash, false, {}}, now_, effects_);
      fetch_.on_fetched(kC, {hash, false, {}}, now_, effects_);
    }
    EXPECT_LE(fetch_.under_way(), 16U);
  }
  EXPECT_TRUE(wanted.empty());
}

TEST_F(ValueFetchTest, TheLastOneInOrderIsNotAskedForAlone) {
  const ValueHash one = refer(filled_bytes(1));
  const ValueHash other = refer(filled_bytes(2));
  pass(1ms);
  EXPECT_EQ(asked().size(), 2U);
  for (const ValueHash& hash : {one, other}) {
    fetch_.on_fetched(kB, {hash, false, {}}, now_, effects_);
    fetch_.on_fetched(kC, {hash, false, {}}, now_, effects_);
  }
  for (int i = 0; i < 3; ++i) {
    pass(500ms);
    EXPECT_EQ(asked().size(), 2U) << "both again";
    for (const ValueHash& hash : {one, other}) {
      fetch_.on_fetched(kB, {hash, false, {}}, now_, effects_);
      fetch_.on_fetched(kC, {hash, false, {}}, now_, effects_);
    }
  }
}

TEST_F(ValueFetchTest, ItSaysWhenAllHaveSaidThatTheyLackThem) {
  const ValueHash hash = refer(first_at(Slot{1}, Slot{2}));
  fetch_.set_servers({NodeId{7}});
  want(hash);
  const auto lacks = [&](NodeId from) {
    return fetch_.on_fetched(from, {hash, false, {}}, now_, effects_);
  };
  EXPECT_FALSE(lacks(kB));
  EXPECT_FALSE(lacks(NodeId{9})) << "who was not asked says nothing";
  EXPECT_FALSE(lacks(kC));
  EXPECT_FALSE(lacks(kB)) << "said twice";
  EXPECT_TRUE(lacks(NodeId{7}));
  want(hash, kB);  // somebody knows better: a new round
  EXPECT_FALSE(lacks(NodeId{7}));
  EXPECT_FALSE(lacks(kB));
  EXPECT_FALSE(lacks(kC));
  EXPECT_TRUE(lacks(NodeId{7}));
  fetch_.set_servers({NodeId{7}, NodeId{8}});
  EXPECT_FALSE(lacks(NodeId{7})) << "one more has come";
}

TEST_F(ValueFetchTest, WhatNoMemberHasIsAskedOfTheServers) {  // R1.7
  const Blob value = first_at(Slot{1}, Slot{2});
  fetch_.set_servers({NodeId{7}, NodeId{8}});
  want(refer(value));
  EXPECT_EQ(asked(), std::vector{kB});
  fetched(kB, value, false);
  EXPECT_EQ(asked(), std::vector{kC});
  fetched(kC, value, false);
  EXPECT_EQ(asked(), std::vector{NodeId{7}});
  fetched(NodeId{7}, value, false);
  EXPECT_EQ(asked(), std::vector{NodeId{8}});
  fetched(NodeId{8}, value, true);
  EXPECT_EQ(fetch_.under_way(), 0U);
}

TEST_F(ValueFetchTest, WhoHasNotGotThemIsFollowedByTheNextAndThenAllRest) {
  const Blob value = first_at(Slot{1}, Slot{2});
  want(refer(value));
  fetched(kB, value, false);
  EXPECT_EQ(asked(), std::vector{kC});
  fetched(kC, value, false);
  EXPECT_TRUE(asked().empty()) << "each once, then a rest";
  EXPECT_EQ(fetch_.next_deadline(), now_ + 500ms);
  pass(500ms);
  EXPECT_EQ(asked().size(), 1U);
  fetched(kB, value, true);
  EXPECT_EQ(fetch_.under_way(), 0U);
  EXPECT_EQ(fetch_.next_deadline(), kNever);
}

TEST_F(ValueFetchTest, SilenceIsAskedElsewhere) {
  want(refer(first_at(Slot{1}, Slot{2})));
  pass(499ms);
  EXPECT_TRUE(asked().empty());
  pass(1ms);
  EXPECT_EQ(asked(), std::vector{kC});
}

TEST_F(ValueFetchTest, WhatNobodyWantsAnyMoreIsForgotten) {
  const ValueHash hash = refer(filled_bytes(1));
  want(hash);
  replica_.install(mnode_of(keys_, 6), "k");
  now_ += 500ms;
  effects_.clear();
  EXPECT_EQ(fetch_.on_time(now_, effects_), std::vector{hash}) << "who waits for them is to know";
  EXPECT_TRUE(asked().empty());
  EXPECT_EQ(fetch_.under_way(), 0U);
}

TEST_F(ValueFetchTest, WithNobodyToAskItWaitsForSomebody) {
  fetch_.set_members({kNoNode, kNoNode, kNoNode});
  const ValueHash hash = refer(filled_bytes(1));
  want(hash);
  EXPECT_TRUE(effects_.empty());
  EXPECT_EQ(fetch_.under_way(), 1U);
  fetch_.set_members({kNoNode, kB, kNoNode});
  pass(500ms);
  EXPECT_EQ(asked(), std::vector{kB});
}

// ---- the disk

TEST_F(ValueFetchTest, WhatIsOnTheDiskIsReadThereAndFetchedIfItIsLost) {
  const ValueHash hash = load(filled_bytes(1));
  want(hash);
  EXPECT_EQ(reads(), 1U);
  EXPECT_TRUE(asked().empty());
  effects_.clear();
  replica_.values().on_lost(hash);
  fetch_.on_read({hash, false}, now_, effects_);
  EXPECT_EQ(asked().size(), 1U);
  EXPECT_NE(replica_.find(key_hash_of(keys_)), nullptr) << "the key is never deleted for it";
}

TEST_F(ValueFetchTest, ReadFromTheDiskItIsDone) {
  const ValueHash hash = load(filled_bytes(1));
  want(hash);
  replica_.values().provide(hash, filled_bytes(1));
  effects_.clear();
  fetch_.on_read({hash, true}, now_, effects_);
  EXPECT_EQ(fetch_.under_way(), 0U);
}

// ---- answering others

TEST_F(ValueFetchTest, AMemberThatAsksIsAnsweredAtOnceOrTold) {
  const ValueHash hash = refer(filled_bytes(1));
  fetch_.on_fetch(kB, {hash}, effects_);
  EXPECT_FALSE(answer().found);
  EXPECT_EQ(answer().hash, hash);
  replica_.values().provide(hash, filled_bytes(1));
  effects_.clear();
  fetch_.on_fetch(kB, {hash}, effects_);
  EXPECT_TRUE(answer().found);
  EXPECT_EQ(answer().value, filled_bytes(1));
}

TEST_F(ValueFetchTest, ForBytesOnTheDiskTheyWaitForOneRead) {
  const ValueHash hash = load(filled_bytes(1));
  fetch_.on_fetch(kB, {hash}, effects_);
  fetch_.on_fetch(kC, {hash}, effects_);
  fetch_.on_fetch(kB, {hash}, effects_);
  EXPECT_EQ(reads(), 1U);
  EXPECT_EQ(effects_.size(), 1U);
  replica_.values().provide(hash, filled_bytes(1));
  effects_.clear();
  fetch_.on_read({hash, true}, now_, effects_);
  ASSERT_EQ(effects_.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& send = std::get<Send>(effects_[i]);
    EXPECT_EQ(send.to, i == 0 ? kB : kC);
    EXPECT_EQ(std::get<FetchedValue>(send.message).value, filled_bytes(1));
  }
  effects_.clear();
  fetch_.on_read({hash, true}, now_, effects_);
  EXPECT_TRUE(effects_.empty()) << "each is answered once";
}

TEST_F(ValueFetchTest, IfTheDiskHasLostThemTheyAreToldSo) {
  const ValueHash hash = load(filled_bytes(1));
  fetch_.on_fetch(kB, {hash}, effects_);
  effects_.clear();
  replica_.values().on_lost(hash);
  fetch_.on_read({hash, false}, now_, effects_);
  EXPECT_FALSE(answer().found);
}

// ---- in the background

TEST_F(ValueFetchTest, MissingBytesThatNobodyAsksForAreFetchedAFewAtATime) {
  std::vector<Blob> values;
  for (std::uint8_t i = 0; i < 40; ++i) {
    values.push_back(filled_bytes(i));
    refer(values.back());
  }
  pass(0s);
  EXPECT_EQ(asked().size(), 16U);
  EXPECT_EQ(fetch_.under_way(), 16U);
  for (int round = 0; round < 200 && replica_.values().missing_count() > 0; ++round) {
    for (const Blob& value : values) {
      fetched(kB, value, true);
      EXPECT_LE(fetch_.under_way(), 16U);
    }
  }
  EXPECT_EQ(replica_.values().missing_count(), 0U);
  EXPECT_EQ(fetch_.under_way(), 0U);
}

}  // namespace
}  // namespace copal
