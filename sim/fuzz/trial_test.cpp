// What faults do to a run, where the checkers would not say that they did nothing.

#include "sim/fuzz/trial.h"

#include <gtest/gtest.h>

#include "sim/checkers/checkers.h"
#include "sim/testing/checkers_bed.h"

namespace copal::sim {
namespace {

using FaultKind = fuzz::PlannedFault::Kind;

class TrialTest : public CheckersTest {
 protected:
  static constexpr std::uint32_t kServer = 3;
  static constexpr std::uint32_t kBalancer = 5;

  /// Runs the plan with one thing going wrong, 4 s from the begin and for 4 s unless it says else.
  void run_with(fuzz::PlannedFault fault) {
    fault.at = fault.kind == FaultKind::kClockOffset ? 0s : 4s;
    fault.lasting = fault.lasting == 0ns ? 4s : fault.lasting;
    plan_.faults.push_back(fault);
    std::ranges::stable_sort(plan_.faults, {}, &fuzz::PlannedFault::at);
    std::ranges::stable_sort(plan_.ops, {}, &fuzz::PlannedOp::at);
    run();
    const Findings findings = check_run(*trial_);
    for (const Violation& violation : findings.violations()) {
      ADD_FAILURE() << violation.checker << ": " << violation.message;
    }
  }
  bool ran(std::uint32_t member, Duration at) { return runs(history(), member, TimePoint{at}); }
  std::vector<fuzz::Trial::ClientAnswer>& requests() { return fuzz::Tampering(*trial_).requests(); }
};

TEST_F(TrialTest, AMemberThatIsGoneForGoodIsMissedByNobody) {
  plan_.core_mask &= ~1U;
  run_with({.kind = FaultKind::kCrashForGood, .lasting = plan_.whole(), .node = 0});
  EXPECT_TRUE(ran(0, 3s));
  EXPECT_FALSE(ran(0, 5s));
  EXPECT_EQ(trial_->member(0), nullptr);
  EXPECT_NE(trial_->converged_at(), kNever);
  // What is on its disk is nobody's any more.
  EXPECT_EQ(key(kReplicated, 0).held[0].back().version, kNoVersion);
  // What it alone had is lost with it, unless the server that wrote it lives.
  for (const std::uint32_t member : {1U, 2U}) {
    std::erase_if(key(kAvailable, 0).held[member],
                  [](const HeldState& state) { return state.version != kNoVersion; });
  }
  expect_found("durability", "is lost");
  history().ends[operation(Kind::kPut, kAvailable, 1).server].push_back(TimePoint{5s});
  expect_not_found("durability", "is lost");
}

TEST_F(TrialTest, AServerThatIsGoneForGoodIsAbsentInTheList) {
  plan_.core_mask &= ~(1U << kServer);
  plan_.healed_for = 20s;
  run_with({.kind = FaultKind::kCrashForGood, .lasting = plan_.whole(), .node = kServer});
  EXPECT_EQ(trial_->server(0).node(), nullptr);
  auto& samples = fuzz::Tampering(*trial_).list_samples();
  const auto last = std::find_if(samples.rbegin(), samples.rend(),
                                 [](const auto& sample) { return sample.server == kServer; });
  ASSERT_NE(last, samples.rend());
  EXPECT_FALSE(last->alive);
  last->listed = ServerPhase::kReady;
  expect_found("server_list", "it is not there");
}

/// Its balancer's list is judged while the fault lasts, for the other members hear it.
TEST_F(TrialTest, AServerThatNotAllMembersHearIsReady) {
  plan_.faults_for = 30s;
  run_with({.kind = FaultKind::kOneWay, .lasting = 20s, .node = kServer, .other = 0});
  auto& samples = fuzz::Tampering(*trial_).list_samples();
  const auto during = std::ranges::find_if(samples, [](const auto& sample) {
    return sample.server == kServer && sample.at > TimePoint{20s} && sample.at < TimePoint{24s};
  });
  ASSERT_NE(during, samples.end());
  EXPECT_EQ(during->listed, ServerPhase::kReady);
  during->listed = ServerPhase::kAbsent;
  expect_found("server_list", "it is there");
}

TEST_F(TrialTest, AServerThatNoMemberHearsNeedNotBeReady) {
  plan_.faults_for = 30s;
  run_with({.kind = FaultKind::kPartition, .lasting = 20s, .mask = 1U << kServer});
  for (const auto& sample : trial_->list_samples()) {
    EXPECT_FALSE(sample.server == kServer && sample.at > TimePoint{4s} &&
                 sample.at < TimePoint{30s});
  }
}

TEST_F(TrialTest, ABalancerThatHasBegunAnewKnowsNoListAtOnce) {
  plan_.faults_for = 30s;
  run_with({.kind = FaultKind::kPowerOff, .lasting = 8s, .node = kBalancer});
  for (const auto& sample : trial_->list_samples()) {
    EXPECT_TRUE(sample.at <= TimePoint{4s} || sample.at >= TimePoint{20s});
  }
}

TEST_F(TrialTest, AMemberWhoseStoreOpensSlowlyIsThereLater) {
  plan_.faults = {{.kind = FaultKind::kCrash, .at = 5s, .lasting = 100ms, .node = 1}};
  run_with({.kind = FaultKind::kSlowStart, .lasting = 20s, .node = 1, .amount = 4'000});
  EXPECT_FALSE(ran(1, 9s));
  EXPECT_TRUE(ran(1, 10s));
}

TEST_F(TrialTest, ASlowStartIsOverWithItsFault) {
  plan_.faults = {{.kind = FaultKind::kCrash, .at = 5s, .lasting = 100ms, .node = 1}};
  run_with({.kind = FaultKind::kSlowStart, .lasting = 3s, .node = 1, .amount = 60'000});
  EXPECT_FALSE(ran(1, 6s));
  EXPECT_TRUE(ran(1, 8s));
}

TEST_F(TrialTest, AServerWhoseApplicationStartsSlowlyServesLater) {
  plan_.servers = 1;
  plan_.core_mask = 0b11'111;
  plan_.ops.clear();
  plan(7s, Kind::kRequest, kReplicated, 0);
  plan(10s, Kind::kRequest, kReplicated, 0);
  plan_.faults = {{.kind = FaultKind::kCrash, .at = 5s, .lasting = 100ms, .node = kServer}};
  run_with({.kind = FaultKind::kSlowStart, .lasting = 20s, .node = kServer, .amount = 4'000});
  ASSERT_EQ(requests().size(), 2U);
  EXPECT_EQ(requests()[0].status, ClientStatus::kRejected);
  EXPECT_EQ(requests()[1].status, ClientStatus::kDone);
}

TEST_F(TrialTest, AServerThatFailsFastLooksIdle) {
  plan_.servers = 1;
  plan_.core_mask = 0b11'111;
  plan_.ops.clear();
  plan(7s, Kind::kRequest, kReplicated, 0);
  plan(11s, Kind::kRequest, kReplicated, 0);
  run_with({.kind = FaultKind::kFalseLoad, .node = kServer});
  ASSERT_EQ(requests().size(), 2U);
  EXPECT_EQ(requests()[0].status, ClientStatus::kFailed);
  EXPECT_EQ(requests()[1].status, ClientStatus::kDone);
  EXPECT_EQ(trial_->balancer(0)->servers()[0].reported.cpu_ratio, 0.1);
}

TEST_F(TrialTest, AClockIsOffBeforeItsNodeHasStarted) {
  plan_.ops.resize(1);
  run();
  const Version before = operation(Kind::kPut, kReplicated).version;
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    plan_.faults.push_back({.kind = FaultKind::kClockOffset,
                            .lasting = plan_.whole(),
                            .node = member,
                            .amount = 1'800'000});
  }
  run();
  const Version after = operation(Kind::kPut, kReplicated).version;
  EXPECT_NEAR(static_cast<double>(after.counter - before.counter), 1.8e12, 1e9);
}

TEST_F(TrialTest, WhoIsRefusedHearsNothingAndIsTold) {
  plan_.ops.clear();
  plan_.servers = 1;
  plan_.core_mask = 0b11'111;
  plan(6s, Kind::kPut, kAvailable, 0);
  plan_.ops.back().timeout = 1s;
  run_with({.kind = FaultKind::kRefuse, .node = kServer});
  const Operation& put = operation(Kind::kPut, kAvailable);
  EXPECT_FALSE(put.changed());
}

/// What one writes of the two members that are not next to each other, the other has not before the
/// ring has ended; and as the third hears both, nobody takes over.
TEST_F(TrialTest, InARingMembersThatAreFarDoNotHearEachOther) {
  plan_.ops.clear();
  for (std::uint32_t number = 0; number < plan_.keys; ++number) {
    plan(6s, Kind::kPut, kAvailable, number);
    plan(6s, Kind::kPut, kReplicated, number);
  }
  run_with({.kind = FaultKind::kRing, .mask = 0b111'111});
  int judged = 0;
  for (const Operation& write : history().operations) {
    const KeyHistory& of = history().keys.at(write.name());
    const std::uint32_t owner = acts(write.planned.cache, write.planned.key).member;
    ASSERT_TRUE(write.changed());
    if (owner != 1) {
      EXPECT_LT(of.at(2 - owner, TimePoint{7s})->version, write.version);
      EXPECT_EQ(of.at(2 - owner, TimePoint{10s})->version, write.version);
      ++judged;
    }
  }
  EXPECT_GT(judged, 0);
  for (const auto& spans : history().acting) {
    for (const ActingSpan& span : spans) {
      EXPECT_TRUE(span.from < TimePoint{4s} || span.from > TimePoint{8s});
    }
  }
}

}  // namespace
}  // namespace copal::sim
