#include "core/node/unwritten_sends.h"

#include <gtest/gtest.h>

#include <vector>

namespace copal {
namespace {

constexpr NodeId kMember{1};
constexpr NodeId kServer{10};

Send answer(std::uint64_t sequence, bool after_sync) {
  return {kServer, CacheAnswer{.sequence = sequence}, after_sync};
}
Send ack(std::uint64_t position, bool after_sync, NodeId to = kMember) {
  return {to, ReplicateAck{Incarnation{1}, position}, after_sync};
}

class UnwrittenSendsTest : public ::testing::Test {
 protected:
  /// Returns what leaves, by the number in it, and whether it waits for the disk.
  std::vector<std::pair<std::uint64_t, bool>> step(bool is_written,
                                                   const std::vector<Send>& sends) {
    Effects effects;
    for (const Send& send : sends) {
      effects.push_back(send);
    }
    unwritten_.end_step(is_written, effects);
    std::vector<std::pair<std::uint64_t, bool>> left;
    for (const Effect& effect : effects) {
      const auto& send = std::get<Send>(effect);
      const auto* answer = std::get_if<CacheAnswer>(&send.message);
      left.emplace_back(
          answer != nullptr ? answer->sequence : std::get<ReplicateAck>(send.message).position,
          send.after_sync);
    }
    return left;
  }
  using Left = std::vector<std::pair<std::uint64_t, bool>>;

  UnwrittenSends unwritten_;
};

TEST_F(UnwrittenSendsTest, WhenAllIsWrittenTheDriverKnowsEnough) {
  EXPECT_EQ(step(true, {answer(1, true), answer(2, false)}), (Left{{1, true}, {2, false}}));
  EXPECT_EQ(unwritten_.size(), 0U);
}

TEST_F(UnwrittenSendsTest, WhatWaitsForTheDiskWaitsUntilItWasGivenAll) {
  EXPECT_EQ(step(false, {answer(1, true), answer(2, false)}), (Left{{2, false}}));
  EXPECT_EQ(step(false, {answer(3, false), answer(4, true)}), (Left{{3, false}}))
      << "answers pass those that wait";
  EXPECT_EQ(step(true, {answer(5, false)}), (Left{{5, false}, {1, true}, {4, true}}));
  EXPECT_EQ(step(true, {}), Left{});
}

TEST_F(UnwrittenSendsTest, AnAcknowledgementKeepsThoseBehindItAndTheNewestStandsForAll) {
  EXPECT_EQ(step(false, {ack(1, false)}), (Left{{1, false}}));
  EXPECT_EQ(step(false, {ack(2, true)}), Left{});
  EXPECT_EQ(step(false, {ack(3, false), ack(7, false, NodeId{2})}), (Left{{7, false}}));
  EXPECT_EQ(unwritten_.size(), 1U);
  EXPECT_EQ(step(true, {ack(4, false)}), (Left{{4, true}}));
}

TEST_F(UnwrittenSendsTest, BeyondTheBoundTheOldestIsDropped) {
  for (std::uint64_t i = 0; i <= UnwrittenSends::kHeldMax; ++i) {
    step(false, {answer(i, true)});
  }
  EXPECT_EQ(unwritten_.size(), UnwrittenSends::kHeldMax);
  EXPECT_EQ(step(true, {}).front().first, 1U);
}

}  // namespace
}  // namespace copal
