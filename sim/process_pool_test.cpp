#include "sim/process_pool.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <vector>

namespace copal::sim {
namespace {

/// Items 0 to count - 1, each done once.
PoolWork work_on(std::uint64_t& given, std::uint64_t count,
                 std::map<std::uint64_t, PoolOutcome>& all) {
  return {.next = [&given, count]() -> std::optional<std::uint64_t> {
            return given < count ? std::optional(given++) : std::nullopt;
          },
          .work = [](std::uint64_t item, const auto&) { return std::to_string(item * item); },
          .noted = nullptr,
          .done =
              [&all](const PoolOutcome& outcome) {
                EXPECT_FALSE(all.contains(outcome.item));
                all[outcome.item] = outcome;
                return true;
              }};
}

TEST(ProcessPool, EachItemIsAnsweredOnce) {
  for (const unsigned processes : {1U, 3U}) {
    std::uint64_t given = 0;
    std::map<std::uint64_t, PoolOutcome> all;
    run_in_processes({.processes = processes, .items_a_process = 4}, work_on(given, 30, all));
    ASSERT_EQ(all.size(), 30U);
    EXPECT_EQ(all[7].answer, "49");
    EXPECT_FALSE(all[7].died);
  }
}

TEST(ProcessPool, OneThatDiesIsKnownAndTheOthersOfItsProcessAreDone) {
  std::uint64_t given = 0;
  std::map<std::uint64_t, PoolOutcome> all;
  PoolWork work = work_on(given, 8, all);
  work.work = [](std::uint64_t item, const auto&) {
    if (item == 2) {
      std::fputs("last words", stderr);
      _exit(7);
    }
    return std::to_string(item);
  };
  run_in_processes({.processes = 1, .items_a_process = 8}, work);
  ASSERT_EQ(all.size(), 8U);
  EXPECT_TRUE(all[2].died);
  EXPECT_EQ(all[2].end, "died with status 7");
  EXPECT_EQ(all[2].last_words, "last words");
  EXPECT_EQ(all[7].answer, "7");
}

TEST(ProcessPool, NotesComeBeforeTheAnswer) {
  std::uint64_t given = 0;
  std::map<std::uint64_t, PoolOutcome> all;
  PoolWork work = work_on(given, 2, all);
  std::vector<std::string> notes;
  work.work = [](std::uint64_t item, const auto& note) {
    note("half of " + std::to_string(item));
    note(std::string(100'000, 'x'));
    return std::string{};
  };
  work.noted = [&](std::uint64_t item, const std::string& note) {
    EXPECT_FALSE(all.contains(item));
    notes.push_back(note.substr(0, 9));
  };
  run_in_processes({.processes = 1}, work);
  EXPECT_EQ(notes, (std::vector<std::string>{"half of 0", "xxxxxxxxx", "half of 1", "xxxxxxxxx"}));
}

TEST(ProcessPool, NothingNewBeginsWhenItIsToldToStop) {
  std::uint64_t given = 0;
  std::map<std::uint64_t, PoolOutcome> all;
  PoolWork work = work_on(given, 100, all);
  work.done = [&](const PoolOutcome& outcome) {
    all[outcome.item] = outcome;
    return all.size() < 3;
  };
  run_in_processes({.processes = 1, .items_a_process = 1}, work);
  EXPECT_EQ(all.size(), 3U);
}

}  // namespace
}  // namespace copal::sim
