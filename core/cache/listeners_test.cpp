#include "core/cache/listeners.h"

#include <gtest/gtest.h>

namespace copal {
namespace {

constexpr CacheId kPlain{1};
constexpr CacheId kOther{2};

std::vector<NodeId> told(const Listeners& listeners, CacheId cache) {
  Effects effects;
  listeners.tell(cache, EntryEventKind::kUpdated, "key", {5, 1, {}}, effects);
  std::vector<NodeId> nodes;
  for (const Effect& effect : effects) {
    const auto& send = std::get<Send>(effect);
    const auto& event = std::get<EntryEvent>(send.message);
    EXPECT_EQ(event.cache, cache);
    EXPECT_EQ(event.kind, EntryEventKind::kUpdated);
    EXPECT_EQ(event.key_text, "key");
    EXPECT_EQ(event.version.counter, 5U);
    nodes.push_back(send.to);
  }
  return nodes;
}

TEST(Listeners, ThoseOfTheCacheAreToldInTheOrderOfTheirIds) {
  Listeners listeners;
  EXPECT_TRUE(told(listeners, kPlain).empty());
  listeners.set(NodeId{12}, {kPlain, kOther});
  listeners.set(NodeId{11}, {kPlain});
  EXPECT_EQ(told(listeners, kPlain), (std::vector{NodeId{11}, NodeId{12}}));
  EXPECT_EQ(told(listeners, kOther), std::vector{NodeId{12}});
}

TEST(Listeners, TheLastHeartbeatCounts) {
  Listeners listeners;
  listeners.set(NodeId{11}, {kPlain});
  listeners.set(NodeId{11}, {kOther});
  EXPECT_TRUE(told(listeners, kPlain).empty());
  EXPECT_EQ(told(listeners, kOther), std::vector{NodeId{11}});
  listeners.set(NodeId{11}, {});
  EXPECT_TRUE(told(listeners, kOther).empty());
}

TEST(Listeners, WhoIsGoneIsForgotten) {
  Listeners listeners;
  listeners.set(NodeId{11}, {kPlain});
  listeners.set(NodeId{12}, {kPlain});
  listeners.forget(NodeId{11});
  listeners.forget(NodeId{13});
  EXPECT_EQ(told(listeners, kPlain), std::vector{NodeId{12}});
}

TEST(Listeners, WhatAListenerDoesNotTakeIsCountedAndTheCountNeverGoesBack) {
  Listeners listeners;
  listeners.set(NodeId{11}, {kPlain});
  EXPECT_EQ(listeners.refused(NodeId{11}), 0U);
  EXPECT_TRUE(listeners.on_refused(NodeId{11}));
  EXPECT_TRUE(listeners.on_refused(NodeId{11}));
  EXPECT_FALSE(listeners.on_refused(NodeId{12})) << "it does not listen";
  listeners.forget(NodeId{11});
  EXPECT_EQ(listeners.refused(NodeId{11}), 2U);
  EXPECT_EQ(listeners.refused(NodeId{12}), 0U);
}

}  // namespace
}  // namespace copal
