#include "core/balance/cost_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "core/base/prng.h"

namespace copal::balance {
namespace {

/// The same by walking over all of them.
struct Plain {
  std::vector<double> costs;
  std::vector<std::uint64_t> picked;
  std::uint64_t picks = 0;

  std::optional<std::size_t> lowest(std::span<const std::size_t> excluded) const {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < costs.size(); ++i) {
      const bool left_out = std::find(excluded.begin(), excluded.end(), i) != excluded.end();
      if (costs[i] == CostTree::kNotChoosable || left_out) {
        continue;
      }
      if (!best || costs[i] < costs[*best] ||
          (costs[i] == costs[*best] && picked[i] < picked[*best])) {
        best = i;
      }
    }
    return best;
  }
};

TEST(CostTree, AgreesWithAWalkOverAllServersUnderRandomChanges) {
  for (const std::size_t count : {1U, 2U, 3U, 10U, 64U, 100U}) {
    Prng random(7, "cost_tree_test", count);
    CostTree tree;
    tree.reset(count);
    tree.rebuild();
    Plain plain{std::vector<double>(count, CostTree::kNotChoosable),
                std::vector<std::uint64_t>(count, 0)};
    for (int step = 0; step < 5'000; ++step) {
      const std::size_t index = draw_below(random, static_cast<std::uint32_t>(count));
      const std::uint32_t level = draw_below(random, 5);  // few levels, many ties
      const double cost = level == 4 ? CostTree::kNotChoosable : level;
      plain.costs[index] = cost;
      if (draw_below(random, 2) == 0) {
        plain.picked[index] = ++plain.picks;
        tree.update_picked(index, cost);
      } else {
        tree.update(index, cost);
      }
      std::array<std::size_t, 3> excluded{};
      for (std::size_t& other : excluded) {
        other = draw_below(random, static_cast<std::uint32_t>(count));
      }
      const std::span<const std::size_t> some(excluded.data(), draw_below(random, 4));
      ASSERT_EQ(tree.lowest(some), plain.lowest(some)) << "servers " << count << " step " << step;
    }
  }
}

TEST(CostTree, ResetKeepsWhoWasPickedWhen) {
  CostTree tree;
  tree.reset(2);
  tree.set_cost(0, 1);
  tree.set_cost(1, 1);
  tree.rebuild();
  EXPECT_EQ(tree.lowest({}), 0U);
  tree.update_picked(0, 1);
  tree.reset(3);
  for (std::size_t i = 0; i < 3; ++i) {
    tree.set_cost(i, 1);
  }
  tree.rebuild();
  EXPECT_EQ(tree.lowest({}), 1U);
}

TEST(CostTree, EmptyHasNoLowest) {
  CostTree tree;
  EXPECT_EQ(tree.lowest({}), std::nullopt);
  tree.reset(0);
  tree.rebuild();
  EXPECT_EQ(tree.lowest({}), std::nullopt);
}

}  // namespace
}  // namespace copal::balance
