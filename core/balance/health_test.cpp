#include "core/balance/health.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/prng.h"

namespace copal::balance {
namespace {

Now at(Duration time) {
  return {TimePoint{time}, {}};
}

struct HealthTest : ::testing::Test {
  HealthConfig config{.warm_up_time = 16s};
  Health health{config};

  void ready(Duration time, std::uint32_t incarnation = 1) {
    health.on_report(ServerPhase::kReady, Incarnation{incarnation}, at(time));
  }
};

TEST_F(HealthTest, ListedReadyIsActiveAndWarm) {
  health.on_listed(ServerPhase::kReady, at(0s));
  EXPECT_EQ(health.state(), HealthState::kActive);
  EXPECT_EQ(health.share(at(0s)), 1.0);
}

TEST_F(HealthTest, StartingThenWarmingThenActive) {
  health.on_report(ServerPhase::kStarting, Incarnation{1}, at(1s));
  EXPECT_EQ(health.state(), HealthState::kStarting);
  EXPECT_FALSE(health.takes_new());
  ready(2s);
  EXPECT_EQ(health.state(), HealthState::kWarming);
  EXPECT_EQ(health.share(at(2s)), 1.0 / 16);
  EXPECT_EQ(health.share(at(10s)), 9.0 / 16);
  EXPECT_EQ(health.next_change(at(2s)), TimePoint{3s});
  for (Duration t = 3s; t <= 18s; t += 1s) {
    ready(t);
  }
  EXPECT_EQ(health.state(), HealthState::kActive);
}

TEST_F(HealthTest, BrokenLinkFailsUntilTimeIsServedAndAReportCame) {
  health.on_listed(ServerPhase::kReady, at(0s));
  health.on_link_down(at(1s));
  EXPECT_EQ(health.state(), HealthState::kFailed);
  health.on_time(at(20s));
  EXPECT_EQ(health.state(), HealthState::kFailed) << "it has said nothing since";
  ready(20s);
  EXPECT_EQ(health.state(), HealthState::kWarming);
}

TEST_F(HealthTest, RecoveryTimeDoublesUpToItsBoundAndASuccessResetsIt) {
  health.on_listed(ServerPhase::kReady, at(0s));
  Duration now = 1s;
  for (const Duration expected : {1s, 2s, 4s, 8s, 15s, 15s}) {
    health.on_link_down(at(now));
    ready(now + 1ms);
    EXPECT_EQ(health.next_change(at(now)), TimePoint{now + expected});
    now += expected;
    ready(now);
    EXPECT_TRUE(health.takes_new());
  }
  health.on_success(TimePoint{now});
  health.on_link_down(at(now));
  ready(now + 1ms);
  EXPECT_EQ(health.next_change(at(now)), TimePoint{now + 1s});
}

TEST_F(HealthTest, AnErrorOfARequestFromBeforeTheRecoveryDoesNotCount) {
  health.on_listed(ServerPhase::kReady, at(0s));
  health.on_link_down(at(1s));
  ready(2s);
  for (int i = 0; i < 20; ++i) {
    health.on_error(TimePoint{500ms}, at(3s));
  }
  EXPECT_TRUE(health.takes_new());
  for (int i = 0; i < 5; ++i) {
    health.on_error(TimePoint{2500ms}, at(3s));
  }
  EXPECT_EQ(health.state(), HealthState::kFailed);
}

TEST_F(HealthTest, OneSuccessAmongErrorsKeepsItIn) {
  health.on_listed(ServerPhase::kReady, at(0s));
  for (int i = 0; i < 40; ++i) {
    health.on_error(TimePoint{1s}, at(1s));
    if (i % 4 == 3) {
      health.on_success(TimePoint{1s});
    }
  }
  EXPECT_TRUE(health.takes_new());
}

TEST_F(HealthTest, SilenceIsDeath) {
  health.on_listed(ServerPhase::kReady, at(0s));
  health.on_time(at(2999ms));
  EXPECT_TRUE(health.takes_new());
  health.on_time(at(3s));
  EXPECT_EQ(health.state(), HealthState::kFailed);
}

TEST_F(HealthTest, BusyIsLeftAloneForAWhileAndItsRampGoesOn) {
  ready(0s);
  health.on_busy(at(1s));
  EXPECT_FALSE(health.takes_new());
  ready(1500ms);
  EXPECT_EQ(health.state(), HealthState::kBusy);
  ready(2s);
  EXPECT_EQ(health.state(), HealthState::kWarming);
  EXPECT_EQ(health.share(at(2s)), 3.0 / 16);
}

TEST_F(HealthTest, DrainingKeepsSessionsAndComesBackAtOnce) {
  health.on_listed(ServerPhase::kReady, at(0s));
  health.on_report(ServerPhase::kDraining, Incarnation{1}, at(1s));
  EXPECT_FALSE(health.takes_new());
  EXPECT_TRUE(health.takes_sticky());
  ready(2s);
  EXPECT_EQ(health.state(), HealthState::kActive);
}

TEST_F(HealthTest, ARestartThatWasTooQuickToMissWarmsUpAgain) {
  health.on_listed(ServerPhase::kReady, at(0s));
  ready(1s, 1);
  ready(2s, 2);
  EXPECT_EQ(health.state(), HealthState::kWarming);
  ready(3s, 1);  // a late word from the process that died
  EXPECT_EQ(health.share(at(3s)), 2.0 / 16);
}

TEST_F(HealthTest, AServerThatWasCalledAndNeverCameIsFailed) {
  health.on_listed(ServerPhase::kSleeping, at(0s));
  health.on_called(at(0s));
  EXPECT_EQ(health.state(), HealthState::kStarting);
  health.on_time(at(299s));
  EXPECT_EQ(health.state(), HealthState::kStarting);
  health.on_time(at(300s));
  EXPECT_EQ(health.state(), HealthState::kFailed);
}

/// Random events, then peace: the promises of the header.
TEST(HealthModel, NeverStuckNeverStarvedRecoversInTime) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    Prng random(seed, "health");
    HealthConfig config{.warm_up_time = Duration{draw_below(random, 3) * 10s}};
    Health health(config);
    Duration now{};
    std::uint32_t incarnation = 1;
    Duration last_report{};
    for (int i = 0; i < 200; ++i) {
      now += Duration{draw_below(random, 1'500'000'000)};
      const TimePoint sent{now - Duration{draw_below(random, 2'000'000'000)}};
      switch (draw_below(random, 9)) {
        case 0:
          health.on_report(static_cast<ServerPhase>(draw_below(random, 4)),
                           Incarnation{incarnation}, at(now));
          last_report = now;
          break;
        case 1:
          health.on_report(ServerPhase::kReady, Incarnation{++incarnation}, at(now));
          last_report = now;
          break;
        case 2:
          health.on_link_down(at(now));
          break;
        case 3:
          health.on_busy(at(now));
          break;
        case 4:
          health.on_success(sent);
          break;
        case 5:
        case 6:
          health.on_error(sent, at(now));
          break;
        case 7:
          health.on_time(at(now));
          break;
        case 8:
          health.on_called(at(now));
          break;
      }
      const Duration silence = now - last_report;
      health.on_time(at(now));
      if (health.state() != HealthState::kStarting) {  // that one may have been called
        EXPECT_TRUE(silence < config.dead_after || !health.takes_sticky()) << seed;
      }
      if (health.takes_new()) {
        EXPECT_GE(health.share(at(now)), 1.0 / 16) << seed;
        EXPECT_LE(health.share(at(now)), 1.0) << seed;
      }
      // A deadline that is told lies ahead, or the driver would spin.
      EXPECT_GT(health.next_change(at(now)), TimePoint{now}) << seed << " step " << i;
    }
    // Peace: it reports ready every 250 ms. All must be well within the longest recovery, one
    // report, and, for its full share, the warm-up.
    const Duration calm = now;
    while (now < calm + config.recover_time_max + 250ms) {
      now += 250ms;
      health.on_report(ServerPhase::kReady, Incarnation{incarnation}, at(now));
    }
    EXPECT_TRUE(health.takes_new()) << seed;
    while (now < calm + config.recover_time_max + 250ms + config.warm_up_time) {
      now += 250ms;
      health.on_report(ServerPhase::kReady, Incarnation{incarnation}, at(now));
    }
    EXPECT_EQ(health.state(), HealthState::kActive) << seed;
  }
}

}  // namespace
}  // namespace copal::balance
