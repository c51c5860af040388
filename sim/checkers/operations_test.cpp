// The checkers, on changes with conditions, previous values, flags and timeouts of their own.

#include <map>
#include <vector>

#include "sim/testing/checkers_bed.h"

namespace copal::sim {
namespace {

using Kind = fuzz::PlannedOp::Kind;

class OperationsTest : public CheckersTest {
 protected:
  void run_without_findings() {
    std::ranges::stable_sort(plan_.ops, {}, &fuzz::PlannedOp::at);
    run();
    const Findings findings = check_run(*trial_);
    for (const Violation& violation : findings.violations()) {
      ADD_FAILURE() << violation.checker << ": " << violation.message;
    }
  }
  MNode& state_of(const Operation& operation) {
    return history().keys.at(operation.name()).states.at(operation.version);
  }
};

TEST_F(OperationsTest, APrependThatAppends) {
  plan(8s, Kind::kPrepend, kAvailable, 0);
  plan(9s, Kind::kAppend, kReplicated, 0);
  run_without_findings();
  const Operation& prepend = operation(Kind::kPrepend, kAvailable);
  ASSERT_TRUE(prepend.changed());
  const auto bytes = [](const Operation& of) {
    return fuzz::value_bytes(of.planned.value, of.planned.value_size_bytes);
  };
  const Blob first = bytes(operation(Kind::kPut, kAvailable, 1));
  const Blob added = bytes(prepend);
  const Blob appended = Blob::make(200, [&](std::span<std::uint8_t> to) {
    std::ranges::copy(added.bytes(), std::ranges::copy(first.bytes(), to.begin()).out);
  });
  set_value(state_of(prepend), name_value(appended.bytes()));
  expect_found("atomicity", "can't follow");
}

TEST_F(OperationsTest, AReplacementWithoutThePreviousValue) {
  plan(8s, Kind::kGetAndReplace, kAvailable, 0);
  run_without_findings();
  Operation& replaced = operation(Kind::kGetAndReplace, kAvailable);
  ASSERT_TRUE(replaced.changed() && replaced.previous);
  replaced.previous.reset();
  expect_found("atomicity", "can't follow");
}

TEST_F(OperationsTest, ARemovalOfAValueThatIsThereAndOfAnother) {
  plan(8s, Kind::kRemoveValue, kAvailable, 0);
  plan(8s, Kind::kRemoveValue, kReplicated, 0);
  plan_.ops.back().client = 1;  // it has never seen the key
  run_without_findings();
  Operation& done = operation(Kind::kRemoveValue, kAvailable);
  ASSERT_TRUE(done.changed());
  EXPECT_TRUE(state_of(done).is_tombstone());
  EXPECT_EQ(operation(Kind::kRemoveValue, kReplicated).status, CacheStatus::kConditionFailed);
  // What it has removed itself is no other value.
  done.status = CacheStatus::kConditionFailed;
  expect_found("atomicity", "says that its condition failed");
  done.status = CacheStatus::kDone;
  done.change.expected_value = {};
  expect_found("atomicity", "can't follow");
}

TEST_F(OperationsTest, FlagsThatAreNotThoseOfTheVersion) {
  plan(8s, Kind::kPut, kAvailable, 0);
  plan_.ops.back().user_flags = 7;
  plan(9s, Kind::kGet, kAvailable, 0);
  run_without_findings();
  const Operation& put = operation(Kind::kPut, kAvailable, 2);
  Operation& read = operation(Kind::kGet, kAvailable, 2);
  ASSERT_EQ(read.entry->user_flags, 7U);
  read.entry->user_flags = 0;
  expect_found("values", "other flags or timeouts");
  state_of(put).user_flags = 0;
  expect_found("atomicity", "can't follow");
}

TEST_F(OperationsTest, AnEntryWithATimeoutOfItsOwn) {
  plan(8s, Kind::kPut, kAvailable, 0);
  plan_.ops.back().expire_timeout = 3s;
  plan(9s, Kind::kGet, kAvailable, 0);
  plan(13s, Kind::kGet, kAvailable, 0);
  run_without_findings();
  Operation& early = operation(Kind::kGet, kAvailable, 2);
  Operation& late = operation(Kind::kGet, kAvailable, 3);
  ASSERT_EQ(early.status, CacheStatus::kDone);
  ASSERT_EQ(late.status, CacheStatus::kAbsent);
  early.status = CacheStatus::kAbsent;
  expect_found("expiry", "was not past its time");
  early.status = CacheStatus::kDone;
  late.status = CacheStatus::kDone;
  late.version = early.version;
  late.entry = early.entry;
  late.asked = late.answered = TimePoint{60s};
  expect_found("expiry", "returned an entry of");
  state_of(early).expire_timeout = 4s;
  expect_found("expiry", "did not give the entry its timeout");
}

TEST_F(OperationsTest, ThoseOfOneCallAreAnsweredTogetherEachForItself) {
  for (const Kind kind : {Kind::kPut, Kind::kRemove, Kind::kPut}) {
    plan(8s, kind, kCleared, kind == Kind::kRemove ? 1 : 2);
    plan_.ops.back().bulk = 1;
  }
  for (const std::uint32_t key : {2U, 1U}) {
    plan(9s, Kind::kGet, kCleared, key);
    plan_.ops.back().bulk = 2;
  }
  run_without_findings();
  std::map<std::uint32_t, std::vector<const Operation*>> calls;
  for (const Operation& one : history().operations) {
    if (one.planned.bulk != 0) {
      calls[one.planned.bulk].push_back(&one);
    }
  }
  ASSERT_EQ(calls[1].size(), 3U);
  ASSERT_EQ(calls[2].size(), 2U);
  for (const auto& [number, operations] : calls) {
    for (const Operation* one : operations) {
      EXPECT_EQ(one->answered, operations[0]->answered);
    }
  }
  EXPECT_TRUE(calls[1][0]->changed());
  EXPECT_EQ(calls[1][1]->status, CacheStatus::kAbsent) << "nothing was there to remove";
  EXPECT_EQ(calls[2][0]->status, CacheStatus::kDone);
  EXPECT_EQ(calls[2][1]->status, CacheStatus::kAbsent);
}

TEST_F(OperationsTest, AChangeOfWhoMayNotWrite) {
  plan(8s, Kind::kForbidden, kAvailable, 0);
  run_without_findings();
  const Operation& put = operation(Kind::kPut, kAvailable, 1);
  EXPECT_EQ(history().keys.at(put.name()).states.rbegin()->first, put.version) << "it was refused";
  state_of(put).change.server = NodeId{5};  // the balancer
  expect_found("values", "which may not write");
}

}  // namespace
}  // namespace copal::sim
