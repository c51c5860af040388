#include "core/balance/policy_config.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>
#include <typeinfo>

#include "core/balance/bounded_load.h"
#include "core/balance/green.h"
#include "core/balance/least_connections.h"
#include "core/balance/maglev.h"
#include "core/balance/peak_ewma.h"
#include "core/balance/power_of_choices.h"
#include "core/balance/prequal.h"
#include "core/balance/random_choice.h"
#include "core/balance/round_robin.h"
#include "core/balance/server_load.h"

namespace copal::balance {
namespace {

TEST(PolicyConfig, EachAlgorithmIsMadeUnderItsName) {
  struct Row {
    std::string_view name;
    const std::type_info& type;
  };
  const std::array<Row, 10> rows = {{{"round_robin", typeid(RoundRobin)},
                                     {"random", typeid(RandomChoice)},
                                     {"power_of_two", typeid(PowerOfChoices)},
                                     {"least_connections", typeid(LeastConnections)},
                                     {"server_load", typeid(ServerLoad)},
                                     {"green", typeid(Green)},
                                     {"peak_ewma", typeid(PeakEwma)},
                                     {"prequal", typeid(Prequal)},
                                     {"bounded_load", typeid(BoundedLoad)},
                                     {"maglev", typeid(Maglev)}}};
  const auto names = algorithm_names();
  ASSERT_EQ(names.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(names[i], rows[i].name);
    PolicyConfig config;
    config.algorithm = static_cast<Algorithm>(i);
    const auto policy = make_policy(config);
    const Policy& made = *policy;
    EXPECT_EQ(typeid(made), rows[i].type) << names[i];
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
