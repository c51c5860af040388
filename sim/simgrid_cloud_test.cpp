// One test for each sharp edge of SimGrid 3.32 (simulation-facts 4.2): that it is there, where that
// can be shown, and that this class keeps the run from it.

#include "sim/simgrid_cloud.h"

#include <gtest/gtest.h>

#include <simgrid/kernel/Timer.hpp>
#include <simgrid/s4u.hpp>

#include <functional>
#include <map>
#include <vector>

#include "sim/testing/in_child.h"

namespace copal::sim {
namespace {

namespace s4u = simgrid::s4u;

struct Bench final : EventTarget, FlowListener, CpuListener {
  explicit Bench(std::size_t hosts = 3, const std::vector<double>& slow_factors = {})
      : EventTarget(7), cloud(engine, make(hosts, slow_factors)) {}

  static std::vector<SimgridHost> make(std::size_t count, const std::vector<double>& slow) {
    std::vector<SimgridHost> hosts;
    const scenario::Power power{
        .idle_watts = 100, .busy_watts = 200, .off_watts = 10, .boot_watts = 150};
    const scenario::Link link{.latency = 20ms, .bandwidth_bytes_per_s = 1e6};
    for (std::size_t i = 0; i < count; ++i) {
      hosts.push_back({"h" + std::to_string(i), 4, 1.0, link, power, slow});
    }
    return hosts;
  }
  void at(Duration time, std::function<void()> what) {
    steps.push_back(std::move(what));
    engine.at(TimePoint{time}, *this, steps.size() - 1);
  }
  void on_event(std::uint64_t step) override { steps[step](); }
  void on_flow_end(std::uint64_t flow, bool arrived) override {
    order.push_back(flow);
    flows[flow].push_back({to_seconds(engine.now()), arrived});
  }
  void on_work_done(std::uint64_t work) override {
    order.push_back(work);
    works[work].push_back(to_seconds(engine.now()));
  }
  void send(std::size_t from, std::size_t to, std::uint64_t size, std::uint64_t flow) {
    cloud.send(from, to, size, flow, *this);
  }

  Engine engine;
  SimgridCloud cloud;
  std::vector<std::function<void()>> steps;
  struct End {
    double at;
    bool arrived;
  };
  std::map<std::uint64_t, std::vector<End>> flows;
  std::map<std::uint64_t, std::vector<double>> works;
  std::vector<std::uint64_t> order;
};

TEST(SimgridCloud, ATransferTakesItsSizeOverTheBandwidth) {
  in_child([] {
    Bench bench;
    bench.at(1s, [&] { bench.send(0, 1, 1'000'000, 1); });
    bench.engine.run();
    ASSERT_EQ(bench.flows[1].size(), 1u);
    EXPECT_TRUE(bench.flows[1][0].arrived);
    EXPECT_NEAR(bench.flows[1][0].at, 1 + 1.0, 1e-6);
  });
}

TEST(SimgridCloud, TransfersShareALinkEvenly) {
  in_child([] {
    Bench bench;
    bench.at(0s, [&] { bench.send(0, 1, 1'000'000, 1); });
    bench.at(0s, [&] { bench.send(2, 1, 2'000'000, 2); });
    bench.engine.run();
    EXPECT_NEAR(bench.flows[1][0].at, 2.0, 1e-6);
    EXPECT_NEAR(bench.flows[2][0].at, 3.0, 1e-6);
  });
}

TEST(SimgridCloud, NoTcpModelStretchesWhatIsSent) {
  in_child(
      [] {  // LV08, the default, makes 1.03 s of this and 260 ms of a byte over 20 ms of latency
        Bench bench;
        bench.at(0s, [&] { bench.send(0, 1, 1, 1); });
        bench.engine.run();
        EXPECT_NEAR(bench.flows[1][0].at, 1e-6, 1e-8);
      });
}

TEST(SimgridCloud, SendingToAHostThatIsOffAbortsSoItIsAskedForFirst) {
  const auto to_off_host = [](bool through_us) {
    return survives_in_child([through_us] {
      Bench bench;
      bench.at(0s, [&] {
        bench.cloud.set_power(1, SimgridCloud::PowerState::kOff);
        if (through_us) {
          bench.send(0, 1, 1, 1);  // our assertion says what SimGrid's abort would not
        } else {
          const auto hosts = s4u::Engine::get_instance()->get_all_hosts();
          s4u::Comm::sendto_async(hosts[0], hosts[1], 1);
        }
      });
      bench.engine.run();
    });
  };
  EXPECT_FALSE(to_off_host(false));
  EXPECT_FALSE(to_off_host(true));
}

TEST(SimgridCloud, ALinkThatIsOffGivesNoCallbackSoItIsAskedForFirst) {
  in_child([] {
    Bench bench;
    int reports = 0;
    s4u::Activity::on_completion_cb([&](const s4u::Activity&) { ++reports; });
    s4u::CommPtr comm;
    bench.at(0s, [&] {
      bench.cloud.set_link(1, false);
      EXPECT_FALSE(bench.cloud.link_up(1));
      const auto hosts = s4u::Engine::get_instance()->get_all_hosts();
      comm = s4u::Comm::sendto_async(hosts[0], hosts[1], 1);
    });
    bench.at(10s, [] {});
    bench.engine.run();
    EXPECT_EQ(reports, 0);
  });
}

TEST(SimgridCloud, AnEmptyMessageArrivesToo) {
  in_child([] {  // SimGrid's own 0-byte message never ends
    Bench bench;
    bench.at(0s, [&] { bench.send(0, 1, 0, 1); });
    bench.engine.run();
    ASSERT_EQ(bench.flows[1].size(), 1u);
    EXPECT_TRUE(bench.flows[1][0].arrived);
  });
}

TEST(SimgridCloud, AHostOrLinkThatDiesInFlightFailsTheTransferAtThatInstant) {
  in_child([] {
    Bench bench;
    bench.at(0s, [&] { bench.send(0, 1, 5'000'000, 1); });
    bench.at(0s, [&] { bench.send(0, 2, 5'000'000, 2); });
    bench.at(1s, [&] { bench.cloud.set_power(1, SimgridCloud::PowerState::kOff); });
    bench.at(2s, [&] { bench.cloud.set_link(2, false); });
    bench.engine.run();
    ASSERT_EQ(bench.flows[1].size(), 1u);
    EXPECT_FALSE(bench.flows[1][0].arrived);
    EXPECT_NEAR(bench.flows[1][0].at, 1.0, 1e-6);
    ASSERT_EQ(bench.flows[2].size(), 1u);
    EXPECT_FALSE(bench.flows[2][0].arrived);
    EXPECT_NEAR(bench.flows[2][0].at, 2.0, 1e-6);
  });
}

TEST(SimgridCloud, CancelledWorkIsNotReportedAndItsReferenceOutlivesBothReports) {
  in_child([] {
    Bench bench;
    Cpu& cpu = bench.cloud.cpu(0, bench);
    bench.at(0s, [&] {
      for (std::uint64_t work = 0; work < 100; ++work) {
        cpu.start(work, 10s);
      }
    });
    bench.at(1s, [&] {
      for (std::uint64_t work = 0; work < 99; ++work) {
        cpu.cancel(work);
        cpu.cancel(work);
      }
      EXPECT_EQ(cpu.active(), 1u);
    });
    bench.engine.run();
    EXPECT_EQ(bench.works.size(), 1u);
    ASSERT_EQ(bench.works[99].size(), 1u);
    EXPECT_NEAR(bench.works[99][0], 1 + 10 - 4.0 / 100, 1e-6);
  });
}

TEST(SimgridCloud, WorkCancelledAtTheInstantOfItsEndIsNotReported) {
  in_child([] {
    Bench bench;
    Cpu& cpu = bench.cloud.cpu(0, bench);
    bench.at(0s, [&] { cpu.start(1, 1s); });
    bench.at(0s, [&] { cpu.start(2, 1s); });
    // Whichever of the two ends first ends the other.
    struct Once final : CpuListener {
      void on_work_done(std::uint64_t) override {}
    };
    bench.at(1s, [&] {
      cpu.cancel(1);
      cpu.cancel(2);
      cpu.start(1, 1s);
    });
    bench.engine.run();
    EXPECT_TRUE(bench.works.count(2) == 0 || bench.works[2][0] <= 1.0 + 1e-6);
    ASSERT_GE(bench.works[1].size(), 1u);
    EXPECT_NEAR(bench.works[1].back(), 2.0, 1e-6);
  });
}

TEST(SimgridCloud, TimersOfOneDateAreNotInOrderInSimgridAndAreInOurs) {
  in_child([] {
    std::vector<int> simgrid_order;
    Bench bench;
    for (int i = 0; i < 12; ++i) {
      simgrid::kernel::timer::Timer::set(1.0, [&simgrid_order, i] { simgrid_order.push_back(i); });
    }
    Cpu& cpu = bench.cloud.cpu(0, bench);
    std::vector<int> our_order;
    for (int i = 0; i < 12; ++i) {
      bench.at(1s, [&our_order, i] { our_order.push_back(i); });
    }
    cpu.start(1, 5s);  // so that SimGrid runs
    bench.engine.run();
    ASSERT_EQ(simgrid_order.size(), 12u);
    EXPECT_FALSE(std::is_sorted(simgrid_order.begin(), simgrid_order.end()))
        << "mended in this SimGrid: the engine need not guard against it any more";
    EXPECT_TRUE(std::is_sorted(our_order.begin(), our_order.end()));
    EXPECT_EQ(our_order.size(), 12u);
  });
}

TEST(SimgridCloud, WhatEndsTogetherIsReportedInTheOrderOfBeginning) {
  in_child([] {  // SimGrid: 4 2 0 5 3 1
    Bench bench(8);
    bench.at(0s, [&] {
      for (std::uint64_t flow = 0; flow < 3; ++flow) {
        bench.send(2 * flow, 2 * flow + 1, 1000, flow);
      }
      Cpu& cpu = bench.cloud.cpu(7, bench);
      for (std::uint64_t work = 10; work < 14; ++work) {
        cpu.start(work, 21ms);
      }
    });
    bench.engine.run();
    EXPECT_EQ(bench.order, (std::vector<std::uint64_t>{0, 1, 2, 10, 11, 12, 13}));
  });
}

TEST(SimgridCloud, EventsMicrosecondsApartAllHappenAtTheirTimes) {
  in_child([] {  // run_until() would stop up to 10 us early and leave some undone
    Bench bench;
    Cpu& cpu = bench.cloud.cpu(0, bench);
    std::vector<std::int64_t> seen;
    cpu.start(1, 3s);
    for (const std::int64_t ns : {1'000'000'000, 1'000'000'001, 1'000'004'000, 1'000'010'000}) {
      bench.at(Duration{ns},
               [&] { seen.push_back(bench.engine.now().time_since_epoch().count()); });
    }
    bench.engine.run();
    EXPECT_EQ(seen, (std::vector<std::int64_t>{1'000'000'000, 1'000'000'001, 1'000'004'000,
                                               1'000'010'000}));
  });
}

TEST(SimgridCloud, JoulesAreAsByHandThroughWorkIdleOffAndBoot) {
  in_child([] {
    Bench bench;
    Cpu& cpu = bench.cloud.cpu(0, bench);
    double joules[5] = {};
    cpu.start(1, 1s);  // one core of four: 125 W
    bench.at(2s, [&] { joules[0] = bench.cloud.energy_joules(0); });
    bench.at(2s, [&] { bench.cloud.set_power(0, SimgridCloud::PowerState::kOff); });
    bench.at(4s, [&] { joules[1] = bench.cloud.energy_joules(0); });
    bench.at(4s, [&] { bench.cloud.set_power(0, SimgridCloud::PowerState::kBoot); });
    bench.at(7s, [&] { joules[2] = bench.cloud.energy_joules(0); });
    bench.at(7s, [&] { bench.cloud.set_power(0, SimgridCloud::PowerState::kOn); });
    bench.at(8s, [&] { joules[3] = bench.cloud.energy_joules(0); });
    bench.engine.run();
    EXPECT_NEAR(joules[0], 125 + 100, 1e-6);
    EXPECT_NEAR(joules[1], 225 + 2 * 10, 1e-6);
    EXPECT_NEAR(joules[2], 245 + 3 * 150, 1e-6);
    EXPECT_NEAR(joules[3], 695 + 100, 1e-6);
  });
}

TEST(SimgridCloud, SpeedChangesAndFreezesAndGoesOn) {
  in_child([] {
    Bench bench(1, {0.5});
    Cpu& cpu = bench.cloud.cpu(0, bench);
    cpu.start(1, 4s);
    bench.at(1s, [&] { cpu.set_speed_factor(0.5); });
    bench.at(3s, [&] { cpu.set_speed_factor(0); });
    bench.at(10s, [&] { cpu.set_speed_factor(1); });
    bench.engine.run();
    ASSERT_EQ(bench.works[1].size(), 1u);
    EXPECT_NEAR(bench.works[1][0], 12, 1e-6);
  });
}

TEST(SimgridCloud, ManyCrashesWithWorkUnderWayLeakNothingThatSlowsTheRun) {
  in_child([] {  // a failed Exec leaves a slot on its host's signal: bounded by live work
    Bench bench;
    Cpu& cpu = bench.cloud.cpu(0, bench);
    for (int i = 0; i < 500; ++i) {
      bench.at(i * 10ms, [&] {
        for (std::uint64_t work = 0; work < 8; ++work) {
          cpu.start(work, 1s);
        }
      });
      bench.at(i * 10ms + 5ms, [&] {
        bench.cloud.set_power(0, SimgridCloud::PowerState::kOff);
        bench.cloud.set_power(0, SimgridCloud::PowerState::kOn);
      });
    }
    bench.at(10s, [&] { cpu.start(9, 1s); });
    bench.engine.run();
    EXPECT_EQ(bench.works.size(), 1u);
    EXPECT_NEAR(bench.works[9][0], 11, 1e-6);
  });
}

}  // namespace
}  // namespace copal::sim
