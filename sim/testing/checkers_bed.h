#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace fuzz {

/// What the tests of the checkers may change in a run that is over.
class Tampering {
 public:
  explicit Tampering(Trial& trial) : trial_(trial) {}
  History& history() { return trial_.history_; }
  std::vector<Trial::ClientAnswer>& requests() { return trial_.requests_; }
  std::vector<Trial::Routed>& routed() { return trial_.routed_; }
  std::vector<Trial::Ordered>& ordered() { return trial_.ordered_; }
  std::vector<Trial::ListSample>& list_samples() { return trial_.list_samples_; }
  TimePoint& converged_at() { return trial_.converged_at_; }

 private:
  Trial& trial_;
};

}  // namespace fuzz

inline constexpr std::uint32_t kReplicated = 1;
inline constexpr std::uint32_t kAvailable = 2;
inline constexpr std::uint32_t kExpiring = 3;
inline constexpr std::uint32_t kCleared = 4;
inline constexpr std::uint32_t kIdle = 5;
inline constexpr std::uint32_t kClearedLate = 6;
inline constexpr std::uint32_t kLongIdle = 7;

/// A short run without a fault, that a test may make bad afterwards.
class CheckersTest : public ::testing::Test {
 protected:
  using Kind = fuzz::PlannedOp::Kind;

  void SetUp() override {
    plan_.seed = 7;
    plan_.servers = 2;
    plan_.caches = {
        {.consistency = Consistency::kReplicated, .sync = Sync::kAlways, .local_read_timeout = 0ns},
        {.consistency = Consistency::kAvailable, .local_read_timeout = 0ns},
        {.consistency = Consistency::kReplicated, .local_read_timeout = 0ns, .expire_timeout = 5s},
        {.consistency = Consistency::kReplicated, .local_read_timeout = 0ns},
        {.local_read_timeout = 0ns, .idle_timeout_ms = 4'000},
        {.local_read_timeout = 0ns},
        {.local_read_timeout = 0ns, .idle_timeout_ms = 60'000}};
    plan_.keys = 3;
    plan_.faults_for = 12s;
    plan_.core_for = 10s;
    plan_.healed_for = 10s;
    plan_.core_mask = 0b111'111;
    for (const std::uint32_t cache : {kReplicated, kAvailable}) {
      plan(1s, Kind::kPut, cache, 0);
      plan(2s, Kind::kPut, cache, 0);
      plan(3s, Kind::kGet, cache, 0);
      plan(4s, Kind::kIncrement, cache, 1);
      plan(5s, Kind::kIncrement, cache, 1);
      plan(6s, Kind::kPutIfAbsent, cache, 2);
      plan(7s, Kind::kGet, cache, 2);
    }
    plan(1s, Kind::kPut, kExpiring, 0);
    plan(2s, Kind::kGet, kExpiring, 0);
    plan(11s, Kind::kGet, kExpiring, 0);
    plan(1s, Kind::kPut, kCleared, 0);
    plan(3s, Kind::kClear, kCleared, 0);
    plan(7s, Kind::kGet, kCleared, 0);
    plan(1s, Kind::kPut, kIdle, 0);
    plan(3s, Kind::kGet, kIdle, 0);
    plan(12s, Kind::kPut, kClearedLate, 0);
    plan(13s, Kind::kClear, kClearedLate, 0);
    plan(12s, Kind::kPut, kLongIdle, 0);
    plan(15s, Kind::kGet, kLongIdle, 0);
    plan(8s, Kind::kRequest, kReplicated, 0);
    plan(9s, Kind::kList, kAvailable, 0);
    std::ranges::stable_sort(plan_.ops, {}, &fuzz::PlannedOp::at);
    run();
  }

  void plan(Duration at, Kind kind, std::uint32_t cache, std::uint32_t key) {
    plan_.ops.push_back({.at = at,
                         .cache = cache,
                         .key = key,
                         .kind = kind,
                         .value = 1'000 + static_cast<std::uint32_t>(plan_.ops.size()),
                         .value_size_bytes = 100});
  }
  void run() {
    trial_ = std::make_unique<fuzz::Trial>(plan_);
    trial_->run();
  }

  History& history() { return fuzz::Tampering(*trial_).history(); }
  KeyHistory& key(std::uint32_t cache, std::uint32_t number) {
    return history().keys.at({cache, number});
  }
  /// The group of a key is acted for by one member up to a time, by another from then on.
  void take_over(std::uint32_t cache, std::uint32_t number, TimePoint at) {
    ActingSpan& last = acts(cache, number);
    ActingSpan next = last;
    next.member = (next.member + 1) % 3;
    next.term += 1;
    next.from = at;
    last.to = at - 1ns;
    history().acting[key(cache, number).group.value].push_back(next);
  }
  /// The span of who acts for a key's group at the end.
  ActingSpan& acts(std::uint32_t cache, std::uint32_t number) {
    auto& spans = history().acting[key(cache, number).group.value];
    const auto last = std::ranges::find(spans, kNever, &ActingSpan::to);
    if (last == spans.end()) {
      throw std::logic_error("nobody acts");
    }
    return *last;
  }
  /// The n-th operation of a kind on a cache, from 0 on.
  Operation& operation(Kind kind, std::uint32_t cache, int n = 0) {
    for (Operation& one : history().operations) {
      if (one.planned.kind == kind && one.planned.cache == cache && n-- == 0) {
        return one;
      }
    }
    throw std::logic_error("no such operation");
  }

  std::vector<std::string> found_by(std::string_view checker) {
    std::vector<std::string> messages;
    const Findings findings = check_run(*trial_);
    for (const Violation& violation : findings.violations()) {
      if (violation.checker == checker) {
        messages.push_back(violation.message);
      }
    }
    return messages;
  }
  void expect_found(std::string_view checker, const std::string& words) {
    const std::vector<std::string> found = found_by(checker);
    EXPECT_TRUE(std::ranges::any_of(
        found,
        [&](const std::string& message) { return message.find(words) != std::string::npos; }))
        << checker << " found " << (found.empty() ? "nothing" : found.front());
  }

  void expect_not_found(std::string_view checker, const std::string& words) {
    for (const std::string& message : found_by(checker)) {
      EXPECT_EQ(message.find(words), std::string::npos) << message;
    }
  }

  fuzz::Plan plan_;
  std::unique_ptr<fuzz::Trial> trial_;
};

}  // namespace copal::sim
