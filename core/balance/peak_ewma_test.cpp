#include "core/balance/peak_ewma.h"

#include <gtest/gtest.h>

#include "core/testing/policy_bed.h"

namespace copal::balance {
namespace {

using testing::PolicyBed;

constexpr double kInverseE = 0.36787944117144233;  // exp(-1)

PolicyBed bed_of(std::size_t count) {
  return {std::make_unique<PeakEwma>(10s, 1s), count};
}

/// One request at this server with this latency, time standing still.
void sample(PolicyBed& bed, std::size_t index, Duration latency, bool succeeded = true) {
  bed.start(index);
  bed.end(index, latency, succeeded);
}

TEST(PeakEwma, APeakCountsAtOnce) {
  auto bed = bed_of(2);
  sample(bed, 0, 100ms);
  EXPECT_DOUBLE_EQ(*bed.policy<PeakEwma>().cost(0), 0.1);
  bed.pass(3s);
  sample(bed, 0, 700ms);
  EXPECT_DOUBLE_EQ(*bed.policy<PeakEwma>().cost(0), 0.7);
  EXPECT_EQ(bed.policy<PeakEwma>().cost(1), std::nullopt);
}

TEST(PeakEwma, ALowerSampleCountsByTheTimeThatPassed) {
  auto bed = bed_of(2);
  sample(bed, 0, 1s);
  bed.pass(10s);  // one mean life
  sample(bed, 0, 200ms);
  EXPECT_NEAR(*bed.policy<PeakEwma>().cost(0), kInverseE + 0.2 * (1 - kInverseE), 1e-12);
  // Above what is left of the cost, but below what it was: no peak.
  sample(bed, 1, 1s);
  bed.pass(10s);
  sample(bed, 1, 500ms);
  EXPECT_NEAR(*bed.policy<PeakEwma>().cost(1), kInverseE + 0.5 * (1 - kInverseE), 1e-12);
}

TEST(PeakEwma, WithoutTimeALowerSampleChangesNothing) {
  auto bed = bed_of(2);
  sample(bed, 0, 1s);
  sample(bed, 0, 1ms);
  EXPECT_DOUBLE_EQ(*bed.policy<PeakEwma>().cost(0), 1.0);
}

TEST(PeakEwma, LookingAtTheCostDecaysIt) {
  auto bed = bed_of(2);
  sample(bed, 0, 1s);
  sample(bed, 1, 1s);
  bed.pass(10s);
  bed.choose();  // of two servers both are looked at
  EXPECT_NEAR(*bed.policy<PeakEwma>().cost(0), kInverseE, 1e-12);
  bed.pass(10s);
  bed.choose();
  EXPECT_NEAR(*bed.policy<PeakEwma>().cost(1), kInverseE * kInverseE, 1e-12);
}

TEST(PeakEwma, LoadIsCostTimesRequestsPlusOne) {
  auto bed = bed_of(2);
  sample(bed, 0, 100ms);
  sample(bed, 1, 350ms);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(bed.choose(), 0U) << i;  // 100, 200, 300 against 350
    bed.start(0);
  }
  EXPECT_EQ(bed.choose(), 1U);  // 400 against 350
}

TEST(PeakEwma, TwiceTheWeightBearsTwiceTheRequests) {
  auto bed = bed_of(2);
  bed.servers[1].weight = 2;
  bed.changed();
  sample(bed, 0, 100ms);
  sample(bed, 1, 100ms);
  for (int i = 0; i < 30; ++i) {
    bed.pick();
  }
  EXPECT_EQ(bed.servers[0].active, 10U);
  EXPECT_EQ(bed.servers[1].active, 20U);
}

TEST(PeakEwma, AServerNeverHeardOfIsTriedOnce) {
  auto bed = bed_of(2);
  sample(bed, 0, 1ms);
  EXPECT_EQ(bed.pick(), 1U);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(bed.pick(), 0U);  // (i + 1) ms against 2 s
  }
}

TEST(PeakEwma, AFailureNeverMakesAServerLookFast) {
  auto bed = bed_of(2);
  sample(bed, 0, 500ms);
  bed.pass(20s);
  sample(bed, 0, 1ms, false);
  EXPECT_GE(*bed.policy<PeakEwma>().cost(0), 0.5);
  sample(bed, 1, 1ms, false);
  EXPECT_DOUBLE_EQ(*bed.policy<PeakEwma>().cost(1), 1.0);  // the assumed latency
}

}  // namespace
}  // namespace copal::balance
