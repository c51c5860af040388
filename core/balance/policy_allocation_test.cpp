#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "core/balance/policy_config.h"
#include "core/testing/allocation_count.h"
#include "core/testing/policy_bed.h"

namespace copal::balance {
namespace {

using testing::allocation_count;
using testing::PolicyBed;

class PolicyAllocation : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {};

INSTANTIATE_TEST_SUITE_P(Ten, PolicyAllocation,
                         ::testing::Combine(::testing::Range(std::size_t{0}, std::size_t{10}),
                                            ::testing::Values(10, 1'000)),
                         [](const auto& param_info) {
                           return std::string(algorithm_names()[std::get<0>(param_info.param)]) +
                                  "_" + std::to_string(std::get<1>(param_info.param));
                         });

TEST_P(PolicyAllocation, PicksStartsEndsReportsAndProbesAllocateNothing) {
  PolicyConfig config;
  config.algorithm = static_cast<Algorithm>(std::get<0>(GetParam()));
  PolicyBed bed(make_policy(config), std::get<1>(GetParam()));
  bed.probe();  // the list of targets is the balancer's and is reused
  std::array<std::size_t, 64> waiting{};
  for (std::size_t& index : waiting) {
    index = bed.pick(1);
  }
  const std::uint64_t before = allocation_count();
  for (std::uint64_t i = 0; i < 5'000; ++i) {
    std::size_t& index = waiting[i % waiting.size()];
    bed.report(index, ReportKind::kAnswer, {3, 0.5, 5ms});
    bed.end(index, Duration{5'000'000}, i % 7 != 0);
    index = bed.pick(i);
    const std::array<std::size_t, 3> tried = {index, 0, 5};
    bed.choose(i, tried);
    bed.report(i % bed.servers.size(), ReportKind::kPeriodic, {3, 0.5, 5ms});
    bed.probe();
    bed.pass(Duration{50'000});
  }
  EXPECT_EQ(allocation_count() - before, 0U);
}

TEST(AllocationCount, CountsWhatIsAllocated) {
  const std::uint64_t before = allocation_count();
  // Called as functions: a compiler may leave out new expressions whose memory is not needed.
  void* const one = ::operator new(1);
  void* const many = ::operator new[](100);
  ::operator delete(one);
  ::operator delete[](many);
  EXPECT_EQ(allocation_count() - before, 2U);
}

}  // namespace
}  // namespace copal::balance
