// ReplicationLog and ReplicationFeed together: one owner, two members, and the wire in between.

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/prng.h"
#include "core/cache/replication_feed.h"
#include "core/cache/replication_log.h"
#include "core/ports/random.h"

namespace copal {
namespace {

constexpr NodeId kOwner{1};
constexpr NodeId kFirstPeer{2};
constexpr NodeId kSecondPeer{3};

Blob hundred_bytes(std::uint8_t number) {
  return Blob(std::vector<std::uint8_t>(100, number));
}

class Replication : public ::testing::Test {
 protected:
  Replication() { begin({}); }

  void begin(const ReplicationConfig& config) {
    log_ = std::make_unique<ReplicationLog>(config, Incarnation{1}, owner_);
    log_->start(kFirstPeer);
    log_->start(kSecondPeer);
  }

  /// The owner changes a key to one of the numbered values.
  std::uint64_t write(std::uint8_t key, std::uint8_t value) {
    MNode mnode;
    mnode.cache = CacheId{1};
    mnode.key = hash_key(1, std::array{key});
    mnode.version = {++counter_, 1, OwnerId(0, Slot{0}, 1)};
    set_value(mnode, name_value(hundred_bytes(value).bytes()));
    const bool brings = owner_.values().find(mnode.value_hash) == nullptr;
    owner_.install(mnode, std::string(1, static_cast<char>(key)));
    owner_.values().provide(mnode.value_hash, hundred_bytes(value));
    return log_->append(mnode, brings);
  }

  /// The first m-node comes to the first peer, without its bytes.
  MNode receive_without_bytes() {
    MNode mnode;
    mnode.cache = CacheId{1};
    mnode.key = hash_key(1, std::array<std::uint8_t, 1>{1});
    mnode.version = {1, 1, OwnerId(0, Slot{0}, 1)};
    set_value(mnode, name_value(hundred_bytes(1).bytes()));
    Effects effects;
    one_.feed.on_replicate(kOwner, {Incarnation{1}, 1, 0, aged(mnode, now_), "k", {}}, false, now_,
                           effects);
    return mnode;
  }

  void send() {
    Effects effects;
    log_->send({now_, {}}, effects);
    log_->check_invariants();
    for (const Effect& effect : effects) {
      const auto& to = std::get<Send>(effect);
      wire_[to.to].push_back(to.message);
    }
  }

  /// Delivers all that is on the wire to and from a member. Returns how many copies came.
  std::size_t deliver(NodeId member) {
    std::size_t copies = 0;
    while (!wire_[member].empty()) {
      const Message message = wire_[member].front();
      wire_[member].pop_front();
      Effects answers;
      if (const auto* copy = std::get_if<Replicate>(&message)) {
        ++copies;
        bytes_ += copy->value.size_bytes();
        side(member).feed.on_replicate(kOwner, *copy, false, now_, answers);
      } else {
        const auto& fetched = std::get<FetchedValue>(message);
        side(member).replica.values().provide(fetched.hash, fetched.value);
        side(member).fetch.on_fetched(kOwner, fetched, now_, answers);
        side(member).feed.on_value(fetched.hash, answers);
      }
      side(member).feed.check_invariants();
      answer(member, answers);
    }
    return copies;
  }

  void answer(NodeId member, const Effects& answers) {
    for (const Effect& effect : answers) {
      const Message& message = std::get<Send>(effect).message;
      if (const auto* ack = std::get_if<ReplicateAck>(&message)) {
        log_->on_ack(member, *ack, now_);
      } else if (const Blob* bytes = owner_.values().find(std::get<FetchValue>(message).hash)) {
        ++fetches_;
        wire_[member].push_back(FetchedValue{std::get<FetchValue>(message).hash, true, *bytes});
      }
    }
  }

  struct Side {
    Replica replica;
    ReplicaStore store{{}, replica};
    ValueFetch fetch{replica, store};
    ReplicationFeed feed{true, replica, fetch};
  };
  Side& side(NodeId member) { return member == kFirstPeer ? one_ : other_; }

  void expect_equal(NodeId member) {
    side(member).replica.check_invariants();
    for (std::size_t group = 0; group < kGroups; ++group) {
      const Group at{static_cast<std::uint8_t>(group)};
      const HashTree* mine = owner_.table(at).tree(CacheId{1});
      const HashTree* its = side(member).replica.table(at).tree(CacheId{1});
      ASSERT_EQ(mine == nullptr, its == nullptr);
      ASSERT_TRUE(mine == nullptr || mine->sum() == its->sum());
    }
    EXPECT_EQ(side(member).replica.values().missing_count(), 0U);
    EXPECT_EQ(side(member).replica.values().count(), owner_.values().count());
  }

  TimePoint now_{100s};
  Replica owner_;
  std::unique_ptr<ReplicationLog> log_;
  Side one_;
  Side other_;
  std::map<NodeId, std::deque<Message>> wire_;
  std::uint64_t counter_ = 0;
  std::uint64_t bytes_ = 0;
  int fetches_ = 0;
};

TEST_F(Replication, EveryChangeReachesEveryMember) {
  EXPECT_EQ(write(1, 1), 1U);
  EXPECT_EQ(write(2, 2), 2U);
  send();
  EXPECT_EQ(deliver(kFirstPeer), 2U);
  EXPECT_EQ(log_->acked(kFirstPeer), 2U);
  EXPECT_EQ(log_->acked(kSecondPeer), 0U);
  EXPECT_EQ(log_->acked_by_all(std::array{kFirstPeer, kSecondPeer}), 0U);
  deliver(kSecondPeer);
  EXPECT_EQ(log_->acked_by_all(std::array{kFirstPeer, kSecondPeer}), 2U);
  expect_equal(kFirstPeer);
  expect_equal(kSecondPeer);
  EXPECT_EQ(log_->next_deadline(), kNever);
}

TEST_F(Replication, AnOvertakenChangeIsLeftOutAndCounts) {
  write(1, 1);
  write(2, 1);
  write(1, 2);
  send();
  EXPECT_EQ(deliver(kFirstPeer), 2U);
  EXPECT_EQ(log_->acked(kFirstPeer), 3U);
  expect_equal(kFirstPeer);
}

TEST_F(Replication, AChangeThatAnotherOwnerOvertookNeedsNoAnswer) {
  write(1, 1);
  MNode foreign = owner_.find(hash_key(1, std::array<std::uint8_t, 1>{1}))->mnode();
  foreign.version = {1'000, 2, OwnerId(0, Slot{1}, 1)};
  owner_.install(foreign, "k");
  send();
  EXPECT_TRUE(wire_[kFirstPeer].empty());
  EXPECT_EQ(log_->acked(kFirstPeer), 1U);
}

TEST_F(Replication, AValueThatTheTriadHasIsNotSentAgain) {
  write(1, 1);
  send();
  deliver(kFirstPeer);
  EXPECT_EQ(bytes_, 100U);
  write(2, 1);
  send();
  deliver(kFirstPeer);
  EXPECT_EQ(bytes_, 100U);
  EXPECT_EQ(fetches_, 0);
  expect_equal(kFirstPeer);
}

TEST_F(Replication, BytesThatDidNotComeAlongAreFetchedBeforeTheAnswer) {  // R0.4
  write(1, 1);
  write(2, 1);
  write(1, 2);  // the one that brought value 1 is left out
  send();
  deliver(kSecondPeer);
  EXPECT_EQ(fetches_, 1);
  expect_equal(kSecondPeer);
  EXPECT_EQ(log_->acked(kSecondPeer), 3U);
}

TEST_F(Replication, AMissingValueHoldsBackTheAnswerAndIsAskedForAgain) {
  MNode mnode = receive_without_bytes();
  Effects effects;
  EXPECT_EQ(one_.feed.complete(kOwner), 0U);
  const TimePoint again = one_.fetch.next_deadline();
  EXPECT_GT(again, now_);
  effects.clear();
  now_ = again;
  one_.fetch.on_time(now_, effects);
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_EQ(std::get<FetchValue>(std::get<Send>(effects[0]).message).hash, mnode.value_hash);
  // A newer version without this value: nobody needs its bytes any more.
  set_value(mnode, {});
  ++mnode.version.counter;
  one_.replica.install(mnode, "k");
  effects.clear();
  one_.feed.on_time(effects);
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_EQ(std::get<ReplicateAck>(std::get<Send>(effects[0]).message).position, 1U);
}

/// Found by the fuzzer (seed 1796150622679): a member ended after its m-node had come and before
/// its bytes were asked for; what the next owner sent on was never acknowledged, nor what followed.
TEST_F(Replication, BytesThatNobodyHasHoldUpNothing) {
  MNode mnode = receive_without_bytes();
  const ValueHash older = mnode.value_hash;
  Effects effects;
  // A newer one whose bytes are not here yet: those are needed.
  set_value(mnode, name_value(hundred_bytes(2).bytes()));
  ++mnode.version.counter;
  one_.replica.install(mnode, "k");
  effects.clear();
  now_ += 10s;
  one_.feed.on_nowhere(older, now_, effects);
  EXPECT_EQ(one_.feed.complete(kOwner), 0U);
  one_.feed.on_nowhere(mnode.value_hash, now_ - 1ns, effects);
  EXPECT_EQ(one_.feed.complete(kOwner), 0U) << "who has them may not be heard yet";
  one_.feed.on_nowhere(mnode.value_hash, now_, effects);
  EXPECT_EQ(one_.feed.complete(kOwner), 1U);
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_EQ(std::get<ReplicateAck>(std::get<Send>(effects[0]).message).position, 1U);
}

TEST_F(Replication, WhatWasLeftOutCountsWhenWhatIsNewerIsThere) {
  write(1, 1);
  write(2, 2);
  write(1, 3);  // the first is left out for it
  send();
  const auto ack = [this](std::uint64_t position) {
    return log_->on_ack(kFirstPeer, {Incarnation{1}, position}, now_);
  };
  EXPECT_TRUE(ack(2));
  EXPECT_EQ(log_->acked(kFirstPeer), 0U) << "the member has the second only";
  EXPECT_FALSE(log_->has_acked(kFirstPeer, 1));
  EXPECT_TRUE(ack(3));
  EXPECT_EQ(log_->acked(kFirstPeer), 3U);
  EXPECT_TRUE(log_->has_acked(kFirstPeer, 1));
}

TEST_F(Replication, WhatWasLeftOutForAChangeThatLacksItsBytesIsNotAcknowledgedEither) {
  MNode mnode;
  mnode.cache = CacheId{1};
  mnode.key = hash_key(1, std::array<std::uint8_t, 1>{1});
  mnode.version = {5, 1, OwnerId(0, Slot{0}, 1)};
  set_value(mnode, name_value(hundred_bytes(1).bytes()));
  Effects effects;
  // Positions 2 to 4 were earlier versions of the same key.
  one_.feed.on_replicate_clear(kOwner, {Incarnation{1}, 1, 0, Group{1}, CacheId{9}, {1, 1, {}}},
                               false, effects);
  one_.feed.on_replicate(kOwner, {Incarnation{1}, 5, 1, aged(mnode, now_), "k", {}}, false, now_,
                         effects);
  EXPECT_EQ(one_.feed.complete(kOwner), 1U);
}

TEST_F(Replication, WhatIsOvertakenByAStateWithoutBytesWaitsForThoseBytes) {
  const auto state = [](std::uint64_t counter, std::uint8_t value) {
    MNode mnode;
    mnode.cache = CacheId{1};
    mnode.key = hash_key(1, std::array<std::uint8_t, 1>{1});
    mnode.version = {counter, 1, OwnerId(0, Slot{0}, 1)};
    set_value(mnode, name_value(hundred_bytes(value).bytes()));
    return mnode;
  };
  const auto come = [&](std::uint64_t position, const MNode& mnode, const Blob& bytes) {
    Effects effects;
    one_.feed.on_replicate(kOwner,
                           {Incarnation{1}, position, position - 1, aged(mnode, now_), "k", bytes},
                           false, now_, effects);
    one_.feed.check_invariants();
  };
  const auto bytes_come = [&](std::uint8_t value) {
    Effects effects;
    const Blob bytes = hundred_bytes(value);
    one_.replica.values().provide(name_value(bytes.bytes()).hash, bytes);
    one_.feed.on_value(name_value(bytes.bytes()).hash, effects);
  };
  come(2, state(2, 2), {});  // overtakes the first
  come(1, state(1, 1), hundred_bytes(1));
  EXPECT_EQ(one_.feed.complete(kOwner), 0U) << "of what was acknowledged nobody would have bytes";
  bytes_come(2);
  EXPECT_EQ(one_.feed.complete(kOwner), 1U);
  // The same where what waits is replaced later, by another member.
  come(2, state(3, 3), {});
  one_.replica.install(state(4, 4), "k");
  Effects effects;
  one_.feed.on_time(effects);
  bytes_come(3);
  EXPECT_EQ(one_.feed.complete(kOwner), 1U) << "what is held now is another state";
  bytes_come(4);
  EXPECT_EQ(one_.feed.complete(kOwner), 2U);
}

TEST_F(Replication, WhatIsLostIsSentAgain) {
  write(1, 1);
  write(2, 2);
  send();
  wire_[kFirstPeer].pop_front();
  deliver(kFirstPeer);  // installed, but not acknowledged: there is a gap
  EXPECT_EQ(log_->acked(kFirstPeer), 0U);
  now_ += 499ms;
  send();
  EXPECT_TRUE(wire_[kFirstPeer].empty());
  now_ += 1ms;
  EXPECT_EQ(log_->next_deadline(), now_);
  send();
  EXPECT_EQ(deliver(kFirstPeer), 2U);
  EXPECT_EQ(log_->acked(kFirstPeer), 2U);
  expect_equal(kFirstPeer);
}

TEST_F(Replication, ABrokenConnectionSendsAgainAMomentLater) {
  write(1, 1);
  send();
  wire_[kFirstPeer].clear();
  log_->on_link_down(kFirstPeer, now_);
  write(2, 2);
  send();
  EXPECT_EQ(deliver(kFirstPeer), 0U);  // the next connection may break at once as well
  EXPECT_EQ(log_->next_deadline(), now_ + 100ms);
  now_ += 100ms;
  send();
  EXPECT_EQ(deliver(kFirstPeer), 2U);
  EXPECT_EQ(log_->acked(kFirstPeer), 2U);
}

TEST_F(Replication, WhatWasLeftOutIsRememberedWhenTheConnectionBreaks) {
  write(1, 1);
  write(2, 1);
  write(1, 2);  // the first one is left out for this
  send();
  log_->on_link_down(kFirstPeer, now_);
  log_->on_ack(kFirstPeer, {Incarnation{1}, 2}, now_);
  EXPECT_EQ(log_->acked(kFirstPeer), 0U) << "the answer was on its way, the third was not there";
  log_->check_invariants();
  now_ += 100ms;
  send();
  log_->on_ack(kFirstPeer, {Incarnation{1}, 3}, now_);
  EXPECT_EQ(log_->acked(kFirstPeer), 3U);
  log_->check_invariants();
}

TEST_F(Replication, WhatIsNewWaitsForTheNextConnection) {
  log_->on_link_down(kFirstPeer, now_);
  write(1, 1);
  send();
  EXPECT_EQ(deliver(kFirstPeer), 0U);
  EXPECT_EQ(log_->next_deadline(), now_ + 100ms);
  now_ += 100ms;
  send();
  EXPECT_EQ(deliver(kFirstPeer), 1U);
  EXPECT_EQ(log_->acked(kFirstPeer), 1U);
}

TEST_F(Replication, AMemberThatHadMoreThanItsAnswersSaidIsBelieved) {
  write(1, 1);
  write(2, 2);
  Effects effects;
  log_->send({now_, {}}, effects);
  for (const Effect& effect : effects) {  // received, but the answers are lost
    if (std::get<Send>(effect).to == kFirstPeer) {
      Effects lost;
      one_.feed.on_replicate(kOwner, std::get<Replicate>(std::get<Send>(effect).message), false,
                             now_, lost);
    }
  }
  log_->on_link_down(kFirstPeer, now_);
  now_ += 100ms;
  write(3, 3);
  send();
  deliver(kFirstPeer);
  EXPECT_EQ(log_->acked(kFirstPeer), 3U);
  expect_equal(kFirstPeer);
}

TEST_F(Replication, ASlowMemberIsGivenUpAndTheOthersAreNot) {  // R1.8
  begin({.log_max = 10});
  for (std::uint8_t i = 0; i < 10; ++i) {
    write(i, i);
  }
  send();
  deliver(kFirstPeer);
  EXPECT_FALSE(log_->is_behind(kSecondPeer));
  write(10, 10);
  EXPECT_TRUE(log_->is_behind(kSecondPeer));
  EXPECT_FALSE(log_->is_behind(kFirstPeer));
  wire_[kSecondPeer].clear();
  send();
  EXPECT_TRUE(wire_[kSecondPeer].empty());
  log_->start(kSecondPeer);
  EXPECT_FALSE(log_->is_behind(kSecondPeer));
  write(11, 11);
  send();
  EXPECT_EQ(deliver(kSecondPeer), 1U);
  EXPECT_EQ(log_->acked(kSecondPeer), 12U);
}

TEST_F(Replication, TheWindowBoundsWhatIsUnderWay) {
  begin({.window_max = 3});
  for (std::uint8_t i = 0; i < 10; ++i) {
    write(i, i);
  }
  send();
  EXPECT_EQ(wire_[kFirstPeer].size(), 3U);
  for (int i = 0; i < 4; ++i) {
    deliver(kFirstPeer);
    send();
  }
  EXPECT_EQ(log_->acked(kFirstPeer), 10U);
}

TEST_F(Replication, ALaterStartOfTheOwnerCountsAnewAndAnEarlierOneIsIgnored) {
  write(1, 1);
  write(2, 2);
  send();
  deliver(kFirstPeer);
  log_ = std::make_unique<ReplicationLog>(ReplicationConfig{}, Incarnation{2}, owner_);
  log_->start(kFirstPeer);
  EXPECT_EQ(write(3, 3), 1U);
  send();
  deliver(kFirstPeer);
  EXPECT_EQ(log_->acked(kFirstPeer), 1U);
  Effects effects;
  one_.feed.on_replicate(kOwner, {Incarnation{1}, 7, 0, {}, "", {}}, false, now_, effects);
  EXPECT_TRUE(effects.empty());
  EXPECT_EQ(one_.feed.complete(kOwner), 1U);
  EXPECT_FALSE(log_->on_ack(kFirstPeer, {Incarnation{1}, 2}, now_));
}

TEST_F(Replication, AnAnswerBeyondAllPositionsIsNotBelieved) {
  write(1, 1);
  send();
  EXPECT_FALSE(log_->on_ack(kFirstPeer, {Incarnation{1}, 2}, now_));
  EXPECT_EQ(log_->acked(kFirstPeer), 0U);
}

TEST_F(Replication, WhateverIsLostTwiceOrLateTheMembersEndEqual) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Prng random(seed, "replication");
    for (int step = 0; step < 100; ++step) {
      write(static_cast<std::uint8_t>(draw_below(random, 8)),
            static_cast<std::uint8_t>(draw_below(random, 5)));
      now_ += Duration{draw_below(random, 200'000'000)};
      send();
      auto& wire = wire_[kFirstPeer];
      for (int i = 0; i < 3 && !wire.empty(); ++i) {
        const std::size_t at = draw_below(random, static_cast<std::uint32_t>(wire.size()));
        const auto place = wire.begin() + static_cast<std::ptrdiff_t>(at);
        switch (draw_below(random, 4)) {
          case 0:
            wire.erase(place);
            break;
          case 1:
            wire.push_back(Message(*place));
            break;
          default:
            break;
        }
      }
      if (draw_below(random, 3) == 0) {
        deliver(kFirstPeer);
      }
    }
    for (int i = 0; i < 10; ++i) {
      now_ += 1s;
      send();
      Effects effects;
      one_.feed.on_time(effects);
      one_.fetch.on_time(now_, effects);
      answer(kFirstPeer, effects);
      deliver(kFirstPeer);
    }
    EXPECT_EQ(log_->acked(kFirstPeer), log_->last_position()) << "seed " << seed;
    expect_equal(kFirstPeer);
  }
}

}  // namespace
}  // namespace copal
