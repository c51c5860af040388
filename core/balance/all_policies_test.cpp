#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string>

#include "core/balance/policy_config.h"
#include "core/balance/weight.h"
#include "core/testing/policy_bed.h"

// What every algorithm must hold, whatever it aims at.

namespace copal::balance {
namespace {

using testing::PolicyBed;

class AllPolicies : public ::testing::TestWithParam<std::size_t> {
 protected:
  PolicyConfig config() const {
    PolicyConfig config;
    config.algorithm = static_cast<Algorithm>(GetParam());
    return config;
  }
  /// For random events: tables as small as they get, as they are made anew all the time.
  PolicyBed bed_of(std::size_t count, std::uint64_t seed = 1) const {
    PolicyConfig small = config();
    small.ring_points = 20;
    small.maglev_table_size = 1'021;
    return {make_policy(small), count, seed};
  }
  /// For shares: those of a ring of 160 points scatter by 8 %, these by 2 %.
  PolicyBed even_bed_of(std::size_t count) const {
    PolicyConfig fine = config();
    fine.ring_points = 2'000;
    return {make_policy(fine), count};
  }
};

INSTANTIATE_TEST_SUITE_P(Ten, AllPolicies, ::testing::Range(std::size_t{0}, std::size_t{10}),
                         [](const auto& param_info) {
                           return std::string(algorithm_names()[param_info.param]);
                         });

/// Random events as a balancer and its servers would cause them, the same for the same seed.
class RandomLife {
 public:
  RandomLife(std::size_t count, std::uint64_t seed)
      : random_(seed, "all_policies_test"), count_(static_cast<std::uint32_t>(count)) {}

  /// Does one thing to the bed. Returns what was chosen, if that was it.
  std::optional<std::size_t> step(PolicyBed& bed) {
    bed.pass(Duration{draw_below(random_, 2'000'000)});
    const std::size_t index = draw_below(random_, count_);
    switch (draw_below(random_, 12)) {
      case 0:
        change(bed, index);
        return std::nullopt;
      case 1:
        bed.report(index, static_cast<ReportKind>(draw_below(random_, 3)), some_load());
        return std::nullopt;
      case 2:
        bed.start(index);  // placed by stickiness, wherever that is
        return std::nullopt;
      case 3:
      case 4:
      case 5:
      case 6:
        if (bed.servers[index].active > 0) {
          bed.end(index, Duration{draw_below(random_, 100'000'000)}, draw_below(random_, 9) != 0);
        }
        return std::nullopt;
      default:
        return choose(bed);
    }
  }

 private:
  LoadSample some_load() {
    return {draw_below(random_, 50), draw_unit(random_), Duration{draw_below(random_, 90'000'000)}};
  }

  void change(PolicyBed& bed, std::size_t index) {
    ServerView& server = bed.servers[index];
    switch (draw_below(random_, 4)) {
      case 0:
        server.weight = 0.5 * (1 + draw_below(random_, 8));
        break;
      case 1:
        server.share = (1 + draw_below(random_, 16)) / 16.0;
        break;
      default:
        server.eligible = draw_below(random_, 3) != 0;
    }
    bed.changed();
  }

  std::optional<std::size_t> choose(PolicyBed& bed) {
    std::array<std::size_t, 3> tried{};
    for (std::size_t& index : tried) {
      index = draw_below(random_, count_);
    }
    const std::span<const std::size_t> excluded(tried.data(), draw_below(random_, 4));
    const std::uint64_t key = random_.next();
    const auto chosen = bed.choose(key, excluded);
    bool possible = false;
    for (std::size_t i = 0; i < bed.servers.size(); ++i) {
      possible = possible || may_choose({key, excluded}, bed.servers, i);
    }
    EXPECT_EQ(chosen.has_value(), possible);
    if (chosen) {
      EXPECT_TRUE(may_choose({key, excluded}, bed.servers, *chosen)) << *chosen;
      bed.start(*chosen);
      bed.probe();
    }
    return chosen;
  }

  Prng random_;
  std::uint32_t count_;
};

TEST_P(AllPolicies, OnlyEligibleServersThatWereNotTriedAreChosen) {
  for (const std::size_t count : {1U, 2U, 3U, 8U, 70U}) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      SCOPED_TRACE("servers " + std::to_string(count) + " seed " + std::to_string(seed));
      auto bed = bed_of(count, seed);
      RandomLife life(count, seed);
      for (int i = 0; i < 2'000 && !HasFailure(); ++i) {
        life.step(bed);
      }
    }
  }
}

TEST_P(AllPolicies, TheSameEventsLeadToTheSameChoices) {
  auto first = bed_of(20);
  auto second = bed_of(20);
  RandomLife first_life(20, 5);
  RandomLife second_life(20, 5);
  for (int i = 0; i < 5'000; ++i) {
    ASSERT_EQ(first_life.step(first), second_life.step(second)) << "step " << i;
  }
}

/// What a policy keeps up to date step by step must be what it would build from the servers anew.
TEST_P(AllPolicies, BeingToldOfTheServersAgainChangesNothing) {
  auto first = bed_of(20);
  auto second = bed_of(20);
  RandomLife first_life(20, 6);
  RandomLife second_life(20, 6);
  for (int i = 0; i < 5'000; ++i) {
    second.changed();
    ASSERT_EQ(first_life.step(first), second_life.step(second)) << "step " << i;
  }
}

/// Keeps this many requests in the air, each ending when as many have come after it, and returns
/// how many each server got, relative to its part by weight.
std::vector<double> parts_by_weight(PolicyBed& bed, std::size_t in_flight, int requests) {
  std::vector<double> counts(bed.servers.size());
  double weight_total = 0;
  for (const ServerView& server : bed.servers) {
    weight_total += eligible_weight(server);
  }
  std::deque<std::size_t> waiting;
  Prng keys(9, "parts_by_weight");
  for (int i = 0; i < requests; ++i) {
    bed.pass(Duration{100'000});
    const std::size_t index = bed.pick(keys.next());
    ++counts[index];
    waiting.push_back(index);
    if (waiting.size() == in_flight) {
      bed.end(waiting.front());
      waiting.pop_front();
    }
    bed.probe();
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] /= requests * effective_weight(bed.servers[i]) / weight_total;
  }
  return counts;
}

/// How far from its part by weight a server may be: what each algorithm aims at. Random draws and
/// rings scatter; Green does not aim at it, Prequal knows weights only where it probes.
std::optional<double> weight_tolerance(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kRoundRobin:
    case Algorithm::kLeastConnections:
    case Algorithm::kServerLoad:
      return 0.02;
    case Algorithm::kRandom:
    case Algorithm::kMaglev:
      return 0.05;
    case Algorithm::kPowerOfTwo:
    case Algorithm::kPeakEwma:
    case Algorithm::kBoundedLoad:
      return 0.12;
    case Algorithm::kGreen:
    case Algorithm::kPrequal:
      return std::nullopt;
  }
  return std::nullopt;
}

TEST_P(AllPolicies, RequestsFollowWeightsWhereThatIsTheAim) {
  const auto tolerance = weight_tolerance(config().algorithm);
  if (!tolerance) {
    return;  // does not aim at it
  }
  auto bed = even_bed_of(6);
  const std::array<double, 6> weights = {1, 2, 3, 1, 4, 1};
  for (std::size_t i = 0; i < 6; ++i) {
    bed.servers[i].weight = weights[i];
  }
  bed.changed();
  const auto parts = parts_by_weight(bed, 240, 60'000);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(parts[i], 1, *tolerance) << i;
  }
}

TEST_P(AllPolicies, AWarmingServerGetsItsShare) {
  const auto tolerance = weight_tolerance(config().algorithm);
  if (!tolerance) {
    return;  // does not aim at it
  }
  auto bed = even_bed_of(5);
  bed.servers[3].share = 4.0 / 16;
  bed.changed();
  const auto parts = parts_by_weight(bed, 170, 60'000);
  EXPECT_NEAR(parts[3], 1, *tolerance);
}

TEST_P(AllPolicies, OnAnIdleClusterNoServerOfEqualsIsFavoured) {
  if (config().algorithm == Algorithm::kGreen) {
    return;  // favours the first
  }
  auto bed = even_bed_of(10);
  Prng keys(10, "idle");
  std::vector<double> counts(10);
  for (int i = 0; i < 40'000; ++i) {
    bed.pass(Duration{1'000'000});
    bed.probe();
    ++counts[bed.pick_and_end(keys.next())];
  }
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_NEAR(counts[i] / 4'000, 1, 0.1) << i;
  }
}

TEST_P(AllPolicies, TheRequestsOfADeadServerSpreadEvenlyWhereThatIsTheAim) {
  if (config().algorithm == Algorithm::kGreen) {
    return;  // fills in order
  }
  auto bed = even_bed_of(8);
  bed.servers[2].eligible = false;
  bed.changed();
  std::vector<double> counts(8);
  Prng keys(11, "dead");
  for (int i = 0; i < 70'000; ++i) {
    bed.pass(Duration{100'000});
    ++counts[bed.pick_and_end(keys.next())];
    bed.probe();
  }
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(counts[i] / 10'000, i == 2 ? 0 : 1, i == 2 ? 0 : 0.1) << i;
  }
}

}  // namespace
}  // namespace copal::balance
