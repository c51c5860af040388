#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "core/balance/maglev.h"

// The published figures of Maglev's larger table; those of the default size stand beside the
// policy. Source: Eisenbud et al., "Maglev", NSDI 2016, and a calculation for n = 1,000.

namespace copal::balance {
namespace {

TEST(TheoryMaglev, ATenTimesLargerTableIsEvenAndMovesFewKeys) {
  constexpr std::uint32_t kTableSize = 655'373;
  std::vector<ServerView> servers(1'000);
  for (std::uint32_t i = 0; i < servers.size(); ++i) {
    servers[i].node = NodeId{i};
  }
  Maglev maglev(kTableSize);
  maglev.on_servers(servers, {});
  const std::vector<std::uint16_t> before(maglev.table().begin(), maglev.table().end());
  std::vector<double> counts(servers.size());
  for (const std::uint16_t server : before) {
    ++counts[server];
  }
  const double mean = kTableSize / 1'000.0;
  EXPECT_NEAR(*std::max_element(counts.begin(), counts.end()) / mean, 1.001, 0.0005);

  for (std::size_t i = 0; i < 10; ++i) {
    servers[i * 97].eligible = false;
  }
  maglev.on_servers(servers, {});
  double extra = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    extra += servers[before[i]].eligible && before[i] != maglev.table()[i] ? 1 : 0;
  }
  EXPECT_NEAR(extra / kTableSize, 0.0058, 0.001);
  std::printf("theory | Maglev, table of %u: %.2f %% of the keys move beyond those that must\n",
              kTableSize, 100 * extra / kTableSize);
}

}  // namespace
}  // namespace copal::balance
