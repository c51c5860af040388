#include "core/base/pending_table.h"

#include <gtest/gtest.h>

#include <deque>

#include "core/base/prng.h"

namespace copal {
namespace {

TEST(PendingTable, AnIdIsNeverUsedTwice) {
  PendingTable<int> table;
  const std::uint64_t first = table.insert(1, TimePoint{1s});
  table.erase(first);
  const std::uint64_t second = table.insert(2, TimePoint{1s});
  EXPECT_NE(first, second);
  EXPECT_EQ(table.find(first), nullptr);
  EXPECT_EQ(*table.find(second), 2);
}

TEST(PendingTable, TellsTheOldestAndItsDeadline) {
  PendingTable<int> table;
  EXPECT_EQ(table.next_deadline(), kNever);
  const std::uint64_t first = table.insert(1, TimePoint{1s});
  const std::uint64_t second = table.insert(2, TimePoint{2s});
  EXPECT_EQ(table.oldest(), first);
  EXPECT_EQ(table.next_deadline(), TimePoint{1s});
  table.erase(first);
  EXPECT_EQ(table.oldest(), second);
  EXPECT_EQ(table.deadline(second), TimePoint{2s});
}

TEST(PendingTable, KeepsItsOrderOverRandomOperations) {
  Prng random(7, "pending");
  PendingTable<int> table;
  std::deque<std::pair<std::uint64_t, int>> model;
  Duration now{};
  for (int i = 0; i < 50'000; ++i) {
    now += Duration{draw_below(random, 3)};
    if (model.empty() || draw_below(random, 5) < 2) {
      model.emplace_back(table.insert(i, TimePoint{now}), i);
    } else {
      const auto at = model.begin() + draw_below(random, static_cast<std::uint32_t>(model.size()));
      EXPECT_EQ(*table.find(at->first), at->second);
      table.erase(at->first);
      model.erase(at);
    }
    ASSERT_EQ(table.size(), model.size());
    if (!model.empty()) {
      ASSERT_EQ(table.oldest(), model.front().first);
    }
  }
  std::vector<std::uint64_t> ids;
  for (const auto& [id, value] : model) {
    ids.push_back(id);
  }
  EXPECT_EQ(table.ids(), ids);
}

TEST(PendingTableDeathTest, RefusesADeadlineBeforeTheLast) {
  PendingTable<int> table;
  table.insert(1, TimePoint{2s});
  EXPECT_DEATH(table.insert(2, TimePoint{1s}), "deadline");
}

}  // namespace
}  // namespace copal
