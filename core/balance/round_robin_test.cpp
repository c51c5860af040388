#include "core/balance/round_robin.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "core/testing/policy_bed.h"

namespace copal::balance {
namespace {

using testing::PolicyBed;

PolicyBed bed_of(std::span<const double> weights) {
  PolicyBed bed(std::make_unique<RoundRobin>(), weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    bed.servers[i].weight = weights[i];
  }
  bed.changed();
  return bed;
}

std::string sequence(PolicyBed& bed, std::size_t count) {
  std::string letters;
  for (std::size_t i = 0; i < count; ++i) {
    letters += static_cast<char>('a' + static_cast<char>(bed.pick_and_end()));
  }
  return letters;
}

/// nginx's rule in the plainest words, to compare with.
class PlainSmooth {
 public:
  explicit PlainSmooth(std::vector<std::int64_t> weights)
      : weights_(std::move(weights)), currents_(weights_.size()) {}

  std::size_t next() {
    std::size_t best = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      currents_[i] += weights_[i];
      best = currents_[i] > currents_[best] ? i : best;
    }
    currents_[best] -= std::accumulate(weights_.begin(), weights_.end(), std::int64_t{0});
    return best;
  }

 private:
  std::vector<std::int64_t> weights_;
  std::vector<std::int64_t> currents_;
};

TEST(RoundRobin, FiveOneOneIsMixedAsInNginx) {
  auto bed = bed_of(std::vector<double>{5, 1, 1});
  EXPECT_EQ(sequence(bed, 14), "aabacaaaabacaa");
}

TEST(RoundRobin, EqualWeightsFollowTheList) {
  auto bed = bed_of(std::vector<double>{1, 1, 1, 1});
  EXPECT_EQ(sequence(bed, 9), "abcdabcda");
}

TEST(RoundRobin, AFactorCommonToAllWeightsChangesNothing) {
  auto bed = bed_of(std::vector<double>{500, 100, 100});
  EXPECT_EQ(sequence(bed, 7), "aabacaa");
  auto small = bed_of(std::vector<double>{0.625, 0.125, 0.125});
  EXPECT_EQ(sequence(small, 7), "aabacaa");
}

TEST(RoundRobin, LargeSetsFollowThePlainRuleStepByStep) {
  for (const std::size_t count : {7U, 16U, 33U, 1000U}) {
    std::vector<double> weights;
    std::vector<std::int64_t> whole;
    for (std::size_t i = 0; i < count; ++i) {
      whole.push_back(static_cast<std::int64_t>(i * 7 % 10 + 1));
      weights.push_back(static_cast<double>(whole.back()));
    }
    auto bed = bed_of(weights);
    PlainSmooth plain(whole);
    for (int step = 0; step < 3'000; ++step) {
      ASSERT_EQ(bed.pick_and_end(), plain.next()) << "servers " << count << " step " << step;
    }
  }
}

TEST(RoundRobin, EachServerGetsExactlyItsWeightInACycle) {
  const std::vector<double> weights = {3, 7, 1, 19, 10};
  auto bed = bed_of(weights);
  std::vector<double> counts(weights.size());
  for (int i = 0; i < 4 * 40; ++i) {
    ++counts[bed.pick_and_end()];
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    EXPECT_EQ(counts[i], 4 * weights[i]);
  }
}

TEST(RoundRobin, WarmUpTakesItsSixteenthsExactly) {
  auto bed = bed_of(std::vector<double>{1, 1});
  bed.servers[1].share = 1.0 / 16;
  bed.changed();
  int warm = 0;
  for (int i = 0; i < 17 * 5; ++i) {
    warm += bed.pick_and_end() == 1 ? 1 : 0;
  }
  EXPECT_EQ(warm, 5);
}

TEST(RoundRobin, AnExcludedServerNeitherGainsNorPays) {
  // nginx skips a tried peer: a (current 5 after its turn would be -2) does not move here.
  auto bed = bed_of(std::vector<double>{5, 1, 1});
  const std::array<std::size_t, 1> tried = {0};
  EXPECT_EQ(bed.choose(0, tried), 1U);  // currents 0, -1, 1
  EXPECT_EQ(bed.choose(0, tried), 2U);  // currents 0, 0, 0
  EXPECT_EQ(sequence(bed, 7), "aabacaa");
}

TEST(RoundRobin, AServerThatReturnsGoesOnFromItsCurrent) {
  auto bed = bed_of(std::vector<double>{1, 1, 1});
  EXPECT_EQ(sequence(bed, 1), "a");  // currents -2, 1, 1
  bed.servers[2].eligible = false;
  bed.changed();
  EXPECT_EQ(sequence(bed, 4), "bbab");  // c keeps its 1
  bed.servers[2].eligible = true;
  bed.changed();
  EXPECT_EQ(sequence(bed, 1), "c");
}

TEST(RoundRobin, HugeAndManyWeightsDoNotOverflow) {
  std::vector<double> weights(kServersMax, 1e12);
  weights[5] = 2e12;
  auto bed = bed_of(weights);
  std::size_t fifth = 0;
  const std::size_t cycle = kServersMax + 1;
  for (std::size_t i = 0; i < cycle; ++i) {
    fifth += bed.pick_and_end() == 5 ? 1 : 0;
  }
  EXPECT_EQ(fifth, 2U);
}

}  // namespace
}  // namespace copal::balance
