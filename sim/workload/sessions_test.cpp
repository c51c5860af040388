#include "sim/workload/sessions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "core/base/prng.h"

namespace copal::sim {
namespace {

constexpr int kDraws = 100'000;

double zipf_sum(double from, double to, double exponent) {
  double sum = 0;
  for (double k = from; k <= to; ++k) {
    sum += std::pow(k, -exponent);
  }
  return sum;
}

/// Chi-square of the draws against Zipf's law over the cells 1 … 20 and 20 wider ones behind them.
/// degrees  set to the cells less one.
double chi_square(std::uint32_t count, double exponent, int& degrees) {
  std::vector<std::uint32_t> ends;  // the last number of each cell
  for (double end = 1; end < count; end = end < 20 ? end + 1 : std::floor(end * 1.5)) {
    ends.push_back(static_cast<std::uint32_t>(end));
  }
  ends.push_back(count);
  std::vector<double> seen(ends.size());
  const SessionLaw law({count, exponent});
  Prng random(5, "zipf");
  for (int i = 0; i < kDraws; ++i) {
    const std::uint32_t number = law.draw(random);
    EXPECT_TRUE(number >= 1 && number <= count);
    ++seen[static_cast<std::size_t>(std::lower_bound(ends.begin(), ends.end(), number) -
                                    ends.begin())];
  }
  const double total = zipf_sum(1, count, exponent);
  double sum = 0;
  double rest_seen = 0;
  double rest_expected = 0;
  degrees = -1;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    rest_seen += seen[i];
    rest_expected += kDraws * zipf_sum(i == 0 ? 1 : ends[i - 1] + 1, ends[i], exponent) / total;
    if (rest_expected >= 10 || i + 1 == ends.size()) {  // cells too small are put together
      sum += (rest_seen - rest_expected) * (rest_seen - rest_expected) /
             std::max(rest_expected, 1e-300);
      rest_seen = rest_expected = 0;
      ++degrees;
    }
  }
  return sum;
}

TEST(SessionLaw, FrequenciesFollowZipf) {
  for (const std::uint32_t count : {2u, 10u, 1'000u, 50'000u}) {
    for (const double exponent : {0.0, 0.3, 0.9, 0.99999, 1.0, 1.00001, 1.5, 2.0}) {
      int degrees = 0;
      const double sum = chi_square(count, exponent, degrees);
      // Chi-square has mean n and variance 2n; six sigmas leave room for its longer tail.
      EXPECT_LT(sum, degrees + 6 * std::sqrt(2.0 * degrees))
          << count << " sessions, exponent " << exponent;
    }
  }
}

TEST(SessionLaw, SteepLawAsksForTheFirstOne) {
  const SessionLaw law({1'000, 10});
  Prng random(5, "zipf");
  int first = 0;
  for (int i = 0; i < 10'000; ++i) {
    first += law.draw(random) == 1 ? 1 : 0;
  }
  EXPECT_NEAR(first, 10'000 / 1.000994575, 20);
}

TEST(SessionLaw, OneSessionIsAlwaysTheOne) {
  for (const double exponent : {0.0, 0.9, 1.0, 3.0}) {
    const SessionLaw law({1, exponent});
    Prng random(5, "zipf");
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(law.draw(random), 1u);
    }
  }
}

TEST(SessionLaw, AThousandMillionSessionsNeedNoTable) {
  const SessionLaw law({1'000'000'000, 1});
  Prng random(5, "zipf");
  int below_thousand = 0;
  for (int i = 0; i < kDraws; ++i) {
    below_thousand += law.draw(random) <= 1'000 ? 1 : 0;
  }
  const double share = 7.485470860550345 / (std::log(1e9) + 0.5772156649015329);
  EXPECT_NEAR(below_thousand, kDraws * share, 4.5 * std::sqrt(kDraws * share * (1 - share)));
}

TEST(SessionLaw, IdsDifferAndAreNeverNone) {
  std::set<std::uint64_t> ids;
  for (std::uint64_t number = 0; number < 10'000; ++number) {
    EXPECT_NE(session_of(number), kNoSession);
    ids.insert(session_of(number).value);
  }
  EXPECT_EQ(ids.size(), 10'000u);
}

}  // namespace
}  // namespace copal::sim
