#include "core/balance/least_connections.h"

#include <gtest/gtest.h>

#include "core/testing/policy_bed.h"

namespace copal::balance {
namespace {

using testing::PolicyBed;

TEST(LeastConnections, TheLeastActiveIsChosen) {
  PolicyBed bed(std::make_unique<LeastConnections>(), 3);
  bed.start(0);
  bed.start(0);
  bed.start(1);
  bed.start(2);
  bed.start(2);
  EXPECT_EQ(bed.choose(), 1U);
  bed.end(2);
  bed.end(2);
  EXPECT_EQ(bed.choose(), 2U);
}

TEST(LeastConnections, IdleEqualsTakeTurns) {
  PolicyBed bed(std::make_unique<LeastConnections>(), 5);
  for (std::size_t i = 0; i < 23; ++i) {
    EXPECT_EQ(bed.pick_and_end(), i % 5);
  }
}

TEST(LeastConnections, ABurstOntoAnIdleClusterIsSpreadExactlyByWeight) {
  const std::vector<double> weights = {1, 4, 2, 1, 8};
  PolicyBed bed(std::make_unique<LeastConnections>(), weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    bed.servers[i].weight = weights[i];
  }
  bed.changed();
  for (int i = 0; i < 16 * 3; ++i) {
    bed.pick();
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    EXPECT_EQ(bed.servers[i].active, 3 * weights[i]) << i;
  }
}

TEST(LeastConnections, ALoneRequestGoesToAHeavyServer) {
  PolicyBed bed(std::make_unique<LeastConnections>(), 3);
  bed.servers[1].weight = 2;
  bed.servers[2].weight = 2;
  bed.changed();
  EXPECT_EQ(bed.pick_and_end(), 1U);
  EXPECT_EQ(bed.pick_and_end(), 2U);
  EXPECT_EQ(bed.pick_and_end(), 1U);
}

TEST(LeastConnections, AWarmingServerHoldsItsShareOfTheOthers) {
  PolicyBed bed(std::make_unique<LeastConnections>(), 2);
  bed.servers[1].share = 4.0 / 16;
  bed.changed();
  for (int i = 0; i < 50; ++i) {
    bed.pick();
  }
  EXPECT_EQ(bed.servers[0].active, 40U);
  EXPECT_EQ(bed.servers[1].active, 10U);
}

TEST(LeastConnections, RequestsThatStickinessPlacedCountToo) {
  PolicyBed bed(std::make_unique<LeastConnections>(), 2);
  bed.start(0);  // not chosen, but there
  EXPECT_EQ(bed.pick(), 1U);
}

}  // namespace
}  // namespace copal::balance
