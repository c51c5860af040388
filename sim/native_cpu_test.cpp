#include "sim/native_cpu.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "core/base/prng.h"
#include "sim/power_meter.h"
#include "sim/simgrid_cloud.h"
#include "sim/testing/in_child.h"

namespace copal::sim {
namespace {

struct Ends final : CpuListener {
  explicit Ends(Engine& e) : engine(e) {}
  void on_work_done(std::uint64_t work) override { at[work] = engine.now(); }
  Engine& engine;
  std::map<std::uint64_t, TimePoint> at;
};

/// Does something to a CPU at a time.
struct Script final : EventTarget {
  explicit Script(Engine& e) : EventTarget(99), engine(e) {}
  void at(Duration time, std::function<void()> what) {
    steps.push_back(std::move(what));
    engine.at(TimePoint{time}, *this, steps.size() - 1);
  }
  void on_event(std::uint64_t step) override { steps[step](); }
  Engine& engine;
  std::vector<std::function<void()>> steps;
};

struct NativeCpuTest : ::testing::Test {
  Engine engine;
  Ends ends{engine};
  NativeCpu cpu{engine, 5, 4, 1.0, ends};
  Script script{engine};
};

TEST_F(NativeCpuTest, WorkAloneTakesItsAmount) {
  cpu.start(1, 30ms);
  engine.run();
  EXPECT_EQ(ends.at[1], TimePoint{30ms});
}

TEST_F(NativeCpuTest, SixJobsOnFourCoresAllEndAtOneAndAHalf) {
  // What SimGrid does, too: simulation-facts 4.4.
  for (std::uint64_t i = 0; i < 6; ++i) {
    cpu.start(i, 1s);
  }
  engine.run();
  for (std::uint64_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(to_seconds(ends.at[i]), 1.5, 2e-9);
  }
}

TEST_F(NativeCpuTest, ALaterJobSlowsTheEarlierOnes) {
  NativeCpu one(engine, 6, 1, 1.0, ends);
  one.start(1, 2s);
  script.at(1s, [&] { one.start(2, 2s); });
  engine.run();
  EXPECT_EQ(ends.at[1], TimePoint{3s});  // 1 s alone, then 2 s at half speed
  EXPECT_EQ(ends.at[2], TimePoint{4s});
}

TEST_F(NativeCpuTest, CancelledWorkMakesRoomAndSaysNothing) {
  NativeCpu one(engine, 6, 1, 1.0, ends);
  one.start(1, 2s);
  one.start(2, 2s);
  script.at(1s, [&] {
    one.cancel(1);
    one.cancel(77);
  });
  engine.run();
  EXPECT_EQ(ends.at.count(1), 0u);
  EXPECT_EQ(ends.at[2], TimePoint{2500ms});
}

TEST_F(NativeCpuTest, SpeedChangesInTheMiddleAndZeroStandsStill) {
  cpu.start(1, 4s);
  script.at(1s, [&] { cpu.set_speed_factor(0.5); });
  script.at(3s, [&] { cpu.set_speed_factor(0); });
  script.at(10s, [&] { cpu.set_speed_factor(1); });
  engine.run();
  EXPECT_EQ(ends.at[1], TimePoint{12s});  // 1 + 2 * 0.5 done at 3 s, the rest from 10 s
}

TEST_F(NativeCpuTest, ClearForgetsAllWork) {
  cpu.start(1, 1s);
  script.at(500ms, [&] { cpu.clear(); });
  script.at(600ms, [&] { cpu.start(1, 1s); });
  engine.run();
  EXPECT_EQ(ends.at.size(), 1u);
  EXPECT_EQ(ends.at[1], TimePoint{1600ms});
}

TEST_F(NativeCpuTest, ASteadyLoadTakesAFewEventsAJob) {
  // Wake-ups that were replaced once asked for more of themselves, and only ever multiplied.
  for (int i = 0; i < 1000; ++i) {
    script.at(i * 1ms, [this, i] {
      cpu.start(static_cast<std::uint64_t>(i), Duration{3'700'000 + i % 7 * 100'000});
    });
  }
  engine.run();
  EXPECT_EQ(ends.at.size(), 1000u);
  EXPECT_LT(engine.event_count(), 4000u);
}

/// The same random schedule of starts and cancels on a CPU; returns when what ended.
struct Schedule {
  std::uint64_t seed;
  std::uint32_t cores;

  void play(Script& script, Cpu& cpu) const {
    Prng random(seed, "schedule");
    Duration now{};
    for (std::uint64_t work = 0; work < 300; ++work) {
      now += Duration{draw_below(random, 40'000'000)};
      const Duration amount{1'000'000 + draw_below(random, 100'000'000)};
      script.at(now, [&cpu, work, amount] { cpu.start(work, amount); });
      if (draw_below(random, 10) == 0) {
        script.at(now + Duration{draw_below(random, 60'000'000)},
                  [&cpu, work] { cpu.cancel(work); });
      }
    }
  }
};

/// Processor sharing of our own agrees with SimGrid's execution, and the meter with host_energy.
TEST(NativeCpuAgainstSimgrid, EndsAndJoulesAgreeOverRandomSchedules) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    in_child([seed] {
      const Schedule schedule{seed, static_cast<std::uint32_t>(1 + seed % 4)};
      const double speed = 0.5 + 0.25 * static_cast<double>(seed % 3);
      const scenario::Power power{.idle_watts = 90, .busy_watts = 210};

      Engine native_engine;
      Ends native_ends(native_engine);
      NativeCpu native(native_engine, 1, schedule.cores, speed, native_ends);
      PowerMeter meter(power, schedule.cores);
      Script native_script(native_engine);
      schedule.play(native_script, native);
      // The meter is told after each event that may change the load.
      struct Metered final : CpuListener {
        Metered(Ends& e, PowerMeter& m, Cpu*& c) : ends(e), meter(m), cpu(c) {}
        void on_work_done(std::uint64_t work) override {
          ends.on_work_done(work);
          meter.set_active(cpu->active(), ends.engine.now());
        }
        Ends& ends;
        PowerMeter& meter;
        Cpu*& cpu;
      };
      Engine metered_engine;
      Ends metered_ends(metered_engine);
      Cpu* metered_cpu = nullptr;
      Metered listener(metered_ends, meter, metered_cpu);
      NativeCpu metered(metered_engine, 1, schedule.cores, speed, listener);
      metered_cpu = &metered;
      Script metered_script(metered_engine);
      schedule.play(metered_script, metered);
      for (auto& step : metered_script.steps) {
        step = [inner = step, &meter, &metered, &metered_engine] {
          inner();
          meter.set_active(metered.active(), metered_engine.now());
        };
      }

      Engine simgrid_engine;
      SimgridCloud cloud(simgrid_engine, {{"host", schedule.cores, speed, {}, power, {}}});
      Ends simgrid_ends(simgrid_engine);
      Script simgrid_script(simgrid_engine);
      schedule.play(simgrid_script, cloud.cpu(0, simgrid_ends));

      native_engine.run();
      metered_engine.run();
      simgrid_engine.run();
      ASSERT_EQ(native_ends.at.size(), simgrid_ends.at.size());
      EXPECT_GT(native_ends.at.size(), 250u);
      for (const auto& [work, at] : native_ends.at) {
        EXPECT_NEAR(to_seconds(at), to_seconds(simgrid_ends.at[work]), 1e-6) << work;
      }
      const double joules = meter.read(metered_engine.now()).joules;
      EXPECT_NEAR(joules, cloud.energy_joules(0), joules * 1e-6);
    });
  }
}

}  // namespace
}  // namespace copal::sim
