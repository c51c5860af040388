#include "core/membership/roster.h"

#include <gtest/gtest.h>

namespace copal {
namespace {

constexpr NodeId kA{12};
constexpr NodeId kB{11};

Roster two() {
  return Roster({{.node = kA, .generation = 3}, {.node = kB, .role = NodeRole::kBalancer}});
}
RosterOrder order(NodeId node, RosterState state, std::uint64_t counter, std::uint8_t slot = 0) {
  return {node, state, {counter, 0, OwnerId(0, Slot{slot}, 1)}};
}

TEST(Roster, KnowsTheRegisteredOnesInTheTriadsOrder) {
  const Roster roster = two();
  ASSERT_EQ(roster.registered().size(), 2U);
  EXPECT_EQ(roster.registered()[0].node, kA) << "not that of their ids";
  EXPECT_EQ(roster.find(kA)->generation, 3U);
  EXPECT_EQ(roster.find(kB)->role, NodeRole::kBalancer);
  EXPECT_EQ(roster.find(NodeId{13}), nullptr);
  EXPECT_EQ(roster.find(kNoNode), nullptr);
}

TEST(Roster, TakesAsManyAsItMayAndNoMore) {
  std::vector<Registered> registered(Roster::kRegisteredMax);
  for (std::uint32_t i = 0; i < registered.size(); ++i) {
    registered[i].node = NodeId{i};
  }
  registered.back().role = NodeRole::kBalancer;
  EXPECT_EQ(Roster(registered).registered().size(), registered.size());
  registered.resize(Roster::kRegisteredMax + 1);
  EXPECT_DEATH(Roster{registered}, "kRegisteredMax");
}

TEST(Roster, ANodeTwiceStopsTheProgram) {
  EXPECT_DEATH(Roster({{.node = kA}, {.node = kB}, {.node = kA}}), "node");
}

TEST(Roster, TheNewestOrderOfEachServerWinsInWhateverOrderTheyCome) {
  Roster roster = two();
  EXPECT_EQ(roster.state(kA), RosterState::kEnabled);
  EXPECT_TRUE(roster.take(order(kA, RosterState::kDraining, 5)));
  EXPECT_FALSE(roster.take(order(kA, RosterState::kDisabled, 4)));
  EXPECT_EQ(roster.state(kA), RosterState::kDraining);
  EXPECT_FALSE(roster.take(order(kA, RosterState::kDisabled, 5))) << "the same one again";
  EXPECT_TRUE(roster.take(order(kA, RosterState::kDisabled, 5, 1))) << "at once, at another member";
  EXPECT_EQ(roster.state(kA), RosterState::kDisabled);
  EXPECT_TRUE(roster.take(order(kB, RosterState::kDisabled, 1)));
  EXPECT_TRUE(roster.take(order(kA, RosterState::kEnabled, 9)));
  EXPECT_EQ(roster.state(kA), RosterState::kEnabled);
  EXPECT_EQ(roster.state(kB), RosterState::kDisabled);
}

TEST(Roster, NobodyIsOrderedWhoIsNotRegistered) {
  Roster roster = two();
  EXPECT_FALSE(roster.take(order(NodeId{13}, RosterState::kEnabled, 5)));
  EXPECT_TRUE(roster.orders().empty());
}

TEST(Roster, EqualOrdersHaveEqualSumsWhateverTheWay) {
  Roster one = two();
  Roster other = two();
  EXPECT_EQ(one.sum(), other.sum());
  one.take(order(kA, RosterState::kDraining, 5));
  one.take(order(kB, RosterState::kDisabled, 6));
  EXPECT_NE(one.sum(), other.sum());
  other.take(order(kB, RosterState::kEnabled, 2));
  other.take(order(kB, RosterState::kDisabled, 6));
  EXPECT_NE(one.sum(), other.sum());
  other.take(order(kA, RosterState::kDraining, 5));
  EXPECT_EQ(one.sum(), other.sum());
  EXPECT_EQ(one.orders(), other.orders());
}

}  // namespace
}  // namespace copal
