#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "core/base/time.h"
#include "core/ports/transport.h"

// What every world's Transport must hold; see transport.h for the numbers.

namespace copal {

/// What the suite needs of a world: nodes 0, 1 and 2 on three machines, all connected.
class TransportWorld {
 public:
  struct Received {
    NodeId from;
    std::vector<std::byte> frame;
    Blob value;
  };

  virtual ~TransportWorld() = default;
  virtual Transport& transport(std::uint32_t node) = 0;
  /// Lets the world go on for so long.
  virtual void run_for(Duration time) = 0;
  /// Ends the node's process; its machine stays on. Starts a new one.
  virtual void kill(std::uint32_t node) = 0;
  virtual void restart(std::uint32_t node) = 0;
  /// Freezes all links of the node's machine without a word, and thaws them.
  virtual void set_link(std::uint32_t node, bool up) = 0;

  std::array<std::vector<Received>, 3> received;
  std::array<std::vector<NodeId>, 3> links_down;
};

inline std::vector<std::byte> numbered_frame(std::uint32_t number, std::size_t size_bytes) {
  std::vector<std::byte> frame(std::max<std::size_t>(size_bytes, sizeof number));
  for (std::size_t i = 0; i < frame.size(); ++i) {
    frame[i] = static_cast<std::byte>(number * 31 + i);
  }
  std::memcpy(frame.data(), &number, sizeof number);
  return frame;
}

template <class World>
class TransportContract : public ::testing::Test {};
TYPED_TEST_SUITE_P(TransportContract);

TYPED_TEST_P(TransportContract, AFrameArrivesWholeAndNotInsideTheCall) {
  TypeParam world;
  const auto frame = numbered_frame(1, 90);
  EXPECT_EQ(world.transport(0).send(NodeId{1}, Lane::kData, frame, {{}, 1000}),
            Transport::Sent::kQueued);
  EXPECT_TRUE(world.received[1].empty());
  world.run_for(1s);
  ASSERT_EQ(world.received[1].size(), 1u);
  EXPECT_EQ(world.received[1][0].from, NodeId{0});
  EXPECT_EQ(world.received[1][0].frame, frame);
  EXPECT_TRUE(world.received[2].empty());
}

TYPED_TEST_P(TransportContract, FramesOfAnySizeArriveWithTheirValues) {
  TypeParam world;
  const Blob value(std::vector<std::uint8_t>(100'000, 7));
  const std::array<std::size_t, 5> sizes = {4, 95, 96, 97, kFrameSizeMaxBytes};
  for (std::uint32_t i = 0; i < sizes.size(); ++i) {
    world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(i, sizes[i]),
                            {i % 2 == 0 ? value : Blob()});
  }
  world.run_for(60s);
  ASSERT_EQ(world.received[1].size(), sizes.size());
  for (std::uint32_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(world.received[1][i].frame, numbered_frame(i, sizes[i]));
    EXPECT_EQ(world.received[1][i].value, i % 2 == 0 ? value : Blob());
  }
}

TYPED_TEST_P(TransportContract, FramesOfOneLaneKeepTheirOrderWhateverTheirSize) {
  TypeParam world;
  for (std::uint32_t i = 0; i < 200; ++i) {
    // A large body before a small one: the small one must not overtake.
    world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(i, 8),
                            {{}, i % 3 == 0 ? 500'000U : 0U});
    world.transport(2).send(NodeId{1}, Lane::kData, numbered_frame(i, 8), {});
  }
  world.run_for(60s);
  std::uint32_t next_of[3] = {};
  for (const auto& received : world.received[1]) {
    std::uint32_t number = 0;
    std::memcpy(&number, received.frame.data(), sizeof number);
    EXPECT_EQ(number, next_of[received.from.value]++);
  }
  EXPECT_EQ(next_of[0], 200u);
  EXPECT_EQ(next_of[2], 200u);
}

TYPED_TEST_P(TransportContract, NoLaneWaitsForALargeBodyOfAnother) {
  TypeParam world;
  Transport& transport = world.transport(0);
  transport.send(NodeId{1}, Lane::kBulk, numbered_frame(0, 8), {{}, 100'000'000});
  transport.send(NodeId{1}, Lane::kControl, numbered_frame(1, 8), {});
  transport.send(NodeId{1}, Lane::kData, numbered_frame(2, 8), {});
  world.run_for(60s);
  ASSERT_EQ(world.received[1].size(), 3u);
  EXPECT_EQ(world.received[1][2].frame, numbered_frame(0, 8)) << "the large one is the last";
}

TYPED_TEST_P(TransportContract, ADeadProcessIsReportedToItsPeers) {
  TypeParam world;
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(1, 8), {});
  world.transport(1).send(NodeId{0}, Lane::kData, numbered_frame(2, 8), {});
  world.run_for(1s);
  world.kill(1);
  world.run_for(1s);
  EXPECT_EQ(world.links_down[0], std::vector<NodeId>{NodeId{1}});
  EXPECT_TRUE(world.links_down[2].empty());
}

TYPED_TEST_P(TransportContract, SendingToADeadProcessIsReportedToo) {
  TypeParam world;
  world.kill(1);
  world.run_for(1s);
  world.links_down[0].clear();
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(1, 8), {});
  world.run_for(5s);
  EXPECT_EQ(world.links_down[0], std::vector<NodeId>{NodeId{1}});
  EXPECT_TRUE(world.received[1].empty());
}

TYPED_TEST_P(TransportContract, ARestartedProcessCanBeTalkedToAgain) {
  TypeParam world;
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(1, 8), {});
  world.run_for(1s);
  world.kill(1);
  world.run_for(1s);
  world.restart(1);
  world.run_for(1s);
  world.received[1].clear();
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(2, 8), {});
  world.run_for(5s);
  ASSERT_EQ(world.received[1].size(), 1u);
}

TYPED_TEST_P(TransportContract, AFrozenLinkIsSilentAndOthersGoOn) {
  TypeParam world;
  world.set_link(1, false);
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(1, 8), {});
  world.transport(0).send(NodeId{2}, Lane::kData, numbered_frame(2, 8), {});
  world.run_for(1s);
  EXPECT_TRUE(world.received[1].empty());
  EXPECT_TRUE(world.links_down[0].empty());
  EXPECT_EQ(world.received[2].size(), 1u);
}

REGISTER_TYPED_TEST_SUITE_P(TransportContract, AFrameArrivesWholeAndNotInsideTheCall,
                            FramesOfAnySizeArriveWithTheirValues,
                            FramesOfOneLaneKeepTheirOrderWhateverTheirSize,
                            NoLaneWaitsForALargeBodyOfAnother, ADeadProcessIsReportedToItsPeers,
                            SendingToADeadProcessIsReportedToo, ARestartedProcessCanBeTalkedToAgain,
                            AFrozenLinkIsSilentAndOthersGoOn);

}  // namespace copal
