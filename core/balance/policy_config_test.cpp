#include "core/balance/policy_config.h"

#include <gtest/gtest.h>

#include <set>

namespace copal::balance {
namespace {

TEST(PolicyConfig, EachAlgorithmIsMadeUnderItsName) {
  const auto names = algorithm_names();
  ASSERT_EQ(names.size(), 10U);
  EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    PolicyConfig config;
    config.algorithm = static_cast<Algorithm>(i);
    EXPECT_EQ(make_policy(config)->name(), names[i]);
  }
}

TEST(PolicyConfig, ParametersOutsideTheirRangeStopTheProgram) {
  PolicyConfig maglev{.algorithm = Algorithm::kMaglev};
  maglev.maglev_table_size = 65'536;
  EXPECT_DEATH(make_policy(maglev), "is_prime");
  PolicyConfig two{.algorithm = Algorithm::kPowerOfTwo};
  two.choices = 17;
  EXPECT_DEATH(make_policy(two), "choices");
}

}  // namespace
}  // namespace copal::balance
