#include "sim/network.h"

#include <gtest/gtest.h>

#include <memory>

#include "core/base/prng.h"
#include "core/ports/clock_contract.h"
#include "core/ports/random_contract.h"
#include "core/ports/transport_contract.h"
#include "sim/sim_clock.h"
#include "sim/sim_transport.h"
#include "sim/testing/in_child.h"

namespace copal::sim {
namespace {

/// Lets an engine run up to a time.
struct Stopper final : EventTarget {
  explicit Stopper(Engine& e) : EventTarget(98), engine(e) {}
  void on_event(std::uint64_t) override { engine.stop(); }
  void run_for(Duration time) {
    engine.at(engine.now() + time, *this, 0);
    engine.run();
  }
  Engine& engine;
};

struct SimClockWorld final : ClockWorld {
  Engine engine;
  Stopper stopper{engine};
  SimClock sim_clock{engine, 1, [this] { on_wake(); }};
  Clock& clock() override { return sim_clock; }
  void run_for(Duration time) override { stopper.run_for(time); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Sim, ClockContract, SimClockWorld);

struct SimRandomWorld {
  std::unique_ptr<Random> make(std::uint32_t index) {
    return std::make_unique<Prng>(42, "contract", index);
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Sim, RandomContract, SimRandomWorld);

/// Three processes on three hosts.
struct SimTransportWorld : TransportWorld {
  struct Process final : Endpoint {
    State state() const override { return state_now; }
    void on_frame(NodeId from, std::span<const std::byte> frame, const Blob& value) override {
      world->received[self].push_back({from, {frame.begin(), frame.end()}, value});
    }
    void on_link_down(NodeId peer) override { world->links_down[self].push_back(peer); }
    SimTransportWorld* world = nullptr;
    std::uint32_t self = 0;
    State state_now = State::kUp;
  };

  explicit SimTransportWorld(scenario::Fidelity fidelity = scenario::Fidelity::kLatency) {
    const scenario::Link link{.latency = 1ms, .bandwidth_bytes_per_s = 1e7, .fidelity = fidelity};
    if (fidelity == scenario::Fidelity::kFlow) {
      std::vector<SimgridHost> hosts;
      for (const char* name : {"a", "b", "c"}) {
        hosts.push_back({name, 1, 1, link, {}, {}});
      }
      cloud = std::make_unique<SimgridCloud>(engine, hosts);
    }
    network = std::make_unique<Network>(engine, std::vector{link, link, link}, cloud.get());
    for (std::uint32_t i = 0; i < 3; ++i) {
      processes[i].world = this;
      processes[i].self = i;
      transports[i] = std::make_unique<SimTransport>(*network, network->add(i, processes[i]));
    }
  }
  Transport& transport(std::uint32_t node) override { return *transports[node]; }
  void run_for(Duration time) override { stopper.run_for(time); }
  void kill(std::uint32_t node) override {
    processes[node].state_now = Endpoint::State::kNoOne;
    network->on_process_end(NodeId{node}, true);
  }
  void restart(std::uint32_t node) override { processes[node].state_now = Endpoint::State::kUp; }
  void set_link(std::uint32_t node, bool up) override { network->set_link(node, up); }

  Engine engine;
  Stopper stopper{engine};
  std::unique_ptr<SimgridCloud> cloud;
  std::unique_ptr<Network> network;
  std::array<Process, 3> processes;
  std::array<std::unique_ptr<SimTransport>, 3> transports;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Latency, TransportContract, SimTransportWorld);

/// The same over SimGrid's transfers. Its engine cannot be had twice in a process, so each test
/// that makes one is run alone; `ctest` does that by itself.
struct FlowTransportWorld : SimTransportWorld {
  FlowTransportWorld() : SimTransportWorld(scenario::Fidelity::kFlow) {}
};

TEST(NetworkFlow, TransportContractHoldsOverSharedBandwidthToo) {
  in_child([] {
    FlowTransportWorld world;
    // A large transfer and a small one behind it: SimGrid lets the small one overtake.
    world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(0, 8), {{}, 5'000'000});
    world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(1, 8), {});
    world.transport(2).send(NodeId{1}, Lane::kData, numbered_frame(2, 8), {});
    world.run_for(10s);
    ASSERT_EQ(world.received[1].size(), 3u);
    EXPECT_EQ(world.received[1][0].from, NodeId{2});
    EXPECT_EQ(world.received[1][1].frame, numbered_frame(0, 8));
    EXPECT_EQ(world.received[1][2].frame, numbered_frame(1, 8));
    // A link that dies swallows what is on it without a word, and comes back.
    world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(3, 8), {{}, 5'000'000});
    world.run_for(100ms);
    world.set_link(1, false);
    world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(4, 8), {});
    world.run_for(1s);
    EXPECT_EQ(world.received[1].size(), 3u);
    EXPECT_TRUE(world.links_down[0].empty());
    world.set_link(1, true);
    world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(5, 8), {});
    world.run_for(1s);
    ASSERT_EQ(world.received[1].size(), 4u);
    EXPECT_EQ(world.received[1][3].frame, numbered_frame(5, 8));
  });
}

TEST(NetworkFlow, AFrameTakesItsLatencyAndItsTransferAndMayFindTheMachineOff) {
  in_child([] {
    FlowTransportWorld world;
    world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(0, 8),
                            {{}, 9'914});  // 10,000 bytes with headers
    world.run_for(1999us);
    EXPECT_TRUE(world.received[1].empty());
    world.run_for(2us);
    EXPECT_EQ(world.received[1].size(), 1u);
    world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(1, 8), {});
    world.processes[1].state_now = Endpoint::State::kOff;
    world.run_for(1s);
    EXPECT_EQ(world.received[1].size(), 1u);
    world.processes[1].state_now = Endpoint::State::kUp;
    world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(2, 8), {});
    world.run_for(1s);
    EXPECT_EQ(world.received[1].size(), 2u) << "what was lost does not hold up the rest";
  });
}

TEST(NetworkFlow, TwoTransfersShareALinkAndOneOverLatencyDoesNot) {
  in_child([] {
    FlowTransportWorld flow;
    flow.transport(0).send(NodeId{2}, Lane::kData, numbered_frame(0, 8), {{}, 10'000'000});
    flow.transport(1).send(NodeId{2}, Lane::kData, numbered_frame(1, 8), {{}, 10'000'000});
    flow.run_for(1500ms);
    EXPECT_TRUE(flow.received[2].empty()) << "each has half of 10 MB/s, so both take 2 s";
    flow.run_for(1s);
    EXPECT_EQ(flow.received[2].size(), 2u);
  });
  SimTransportWorld latency;
  latency.transport(0).send(NodeId{2}, Lane::kData, numbered_frame(0, 8), {{}, 10'000'000});
  latency.transport(1).send(NodeId{2}, Lane::kData, numbered_frame(1, 8), {{}, 10'000'000});
  latency.run_for(1500ms);
  EXPECT_EQ(latency.received[2].size(), 2u);
}

TEST(Network, AFrameTakesHalfOfEachLatencyAndItsSize) {
  SimTransportWorld world;
  // 8 + 78 bytes of headers + 9,914: 10,000 bytes at 10 MB/s take 1 ms, and 1 ms of latency.
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(0, 8), {{}, 9'914});
  world.run_for(1999us);
  EXPECT_TRUE(world.received[1].empty());
  world.run_for(1us);
  EXPECT_EQ(world.received[1].size(), 1u);
}

TEST(Network, AMachineThatIsOffSwallowsAndAFrozenProcessHearsLater) {
  SimTransportWorld world;
  world.processes[1].state_now = Endpoint::State::kOff;
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(0, 8), {});
  world.run_for(1s);
  EXPECT_TRUE(world.links_down[0].empty());
  world.processes[1].state_now = Endpoint::State::kFrozen;
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(1, 8), {});
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(2, 8), {});
  world.run_for(1s);
  EXPECT_TRUE(world.received[1].empty());
  world.processes[1].state_now = Endpoint::State::kUp;
  world.network->on_thaw(NodeId{1});
  ASSERT_EQ(world.received[1].size(), 2u);
  EXPECT_EQ(world.received[1][0].frame, numbered_frame(1, 8));
}

TEST(Network, OverASlowLinkFramesWaitForEachOtherUntilItIsOver) {
  NetworkFaults faults(1, 3);
  SimTransportWorld world;
  world.network->set_faults(&faults);
  LinkFaults& link = faults.link(NodeId{0}, NodeId{1});
  link.bandwidth_bytes_per_s = 1e6;
  link.slow_until = TimePoint{1s};
  // 10,000 bytes each, with headers: 10 ms a frame, and 1 ms of latency.
  for (std::uint32_t i = 0; i < 2; ++i) {
    world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(i, 8), {{}, 9'914});
  }
  world.transport(1).send(NodeId{0}, Lane::kData, numbered_frame(2, 8),
                          {{}, 9'914});  // the other way is well
  world.run_for(10'999us);
  EXPECT_TRUE(world.received[1].empty());
  EXPECT_EQ(world.received[0].size(), 1U);
  world.run_for(1us);
  EXPECT_EQ(world.received[1].size(), 1U);
  world.run_for(10ms);
  EXPECT_EQ(world.received[1].size(), 2U);
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(3, 8), {{}, 5'000'000});
  world.run_for(979ms);
  EXPECT_EQ(world.received[1].size(), 2U);
  world.run_for(1ms);  // what is left comes when the link is well again
  EXPECT_EQ(world.received[1].size(), 3U);
}

TEST(Network, WhatWaitsOnASlowLinkIsLostWithItsConnection) {
  NetworkFaults faults(1, 3);
  SimTransportWorld world;
  world.network->set_faults(&faults);
  LinkFaults& link = faults.link(NodeId{0}, NodeId{1});
  link.bandwidth_bytes_per_s = 1e6;
  link.slow_until = TimePoint{100s};
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(0, 8), {{}, 9'999'914});
  world.network->break_connection(NodeId{0}, NodeId{1});
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(1, 8), {{}, 9'914});
  world.run_for(20ms);
  ASSERT_EQ(world.received[1].size(), 1U);
  EXPECT_EQ(world.received[1][0].frame, numbered_frame(1, 8));
  world.run_for(20s);
  EXPECT_EQ(world.received[1].size(), 1U);
}

TEST(Network, WhoIsRefusedAConnectionIsToldAtOnce) {
  NetworkFaults faults(1, 3);
  SimTransportWorld world;
  world.network->set_faults(&faults);
  faults.link(NodeId{0}, NodeId{1}).refused = true;
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(0, 8), {});
  world.run_for(3ms);
  EXPECT_EQ(world.links_down[0], std::vector{NodeId{1}});
  EXPECT_TRUE(world.received[1].empty());
  faults.clear();
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(1, 8), {});
  world.run_for(3ms);
  EXPECT_EQ(world.received[1].size(), 1U);
}

TEST(Network, WhatWasSentToAProcessIsNotForItsSuccessor) {
  SimTransportWorld world;
  world.transport(0).send(NodeId{1}, Lane::kData, numbered_frame(0, 8), {});
  world.kill(1);
  world.restart(1);
  world.run_for(1s);
  EXPECT_TRUE(world.received[1].empty());
  EXPECT_FALSE(world.links_down[0].empty());
}

}  // namespace
}  // namespace copal::sim
