#include "sim/report/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/base/math.h"
#include "core/base/prng.h"

namespace copal::sim {
namespace {

TEST(Histogram, EmptyOneAnswersZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_EQ(histogram.max(), 0u);
  EXPECT_EQ(histogram.quantile(0.5), 0);
  EXPECT_TRUE(histogram.buckets().empty());
}

TEST(Histogram, SmallNumbersAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 200; ++value) {
    histogram.add(value);
  }
  EXPECT_DOUBLE_EQ(histogram.quantile(0), 1);
  EXPECT_DOUBLE_EQ(histogram.quantile(0.005), 1);
  EXPECT_DOUBLE_EQ(histogram.quantile(0.5), 100);
  EXPECT_DOUBLE_EQ(histogram.quantile(1), 200);
  EXPECT_DOUBLE_EQ(histogram.mean(), 100.5);
}

TEST(Histogram, BucketsTouchEachOtherAndHoldTheirValues) {
  // Values around every power of two: each lies within its bucket, and no bucket overlaps another.
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (unsigned power = 0; power < 64; ++power) {
    const std::uint64_t value = std::uint64_t{1} << power;
    values.insert(values.end(), {value - 1, value, value + 1, value + value / 3});
  }
  values.push_back(std::numeric_limits<std::uint64_t>::max());
  for (const std::uint64_t value : values) {
    histogram.add(value);
    const Histogram::Bucket bucket = [value] {
      Histogram one;
      one.add(value);
      return one.buckets().at(0);
    }();
    EXPECT_LE(bucket.lower, value);
    EXPECT_TRUE(value < bucket.upper || bucket.upper == std::numeric_limits<std::uint64_t>::max());
    EXPECT_LE(static_cast<double>(bucket.upper - bucket.lower),
              std::max(1.0, static_cast<double>(bucket.lower) / 128));
  }
  const auto buckets = histogram.buckets();
  for (std::size_t i = 1; i < buckets.size(); ++i) {
    EXPECT_LE(buckets[i - 1].upper, buckets[i].lower);
  }
}

TEST(Histogram, QuantilesOfARealSampleAreWithin08Percent) {
  Prng random(7, "histogram");
  Histogram histogram;
  std::vector<std::uint64_t> sorted;
  for (int i = 0; i < 100'000; ++i) {
    const double ms = -20 * math::log(1 - draw_unit(random));
    sorted.push_back(static_cast<std::uint64_t>(ms * 1e6));
    histogram.add(sorted.back());
  }
  std::sort(sorted.begin(), sorted.end());
  for (const double ratio : {0.01, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999}) {
    const auto exact =
        static_cast<double>(sorted[static_cast<std::size_t>(ratio * 100'000 + 0.5) - 1]);
    EXPECT_NEAR(histogram.quantile(ratio) / exact, 1, 0.008) << ratio;
  }
  EXPECT_EQ(histogram.quantile(1), static_cast<double>(sorted.back()));
}

TEST(Histogram, QuantileNeverExceedsTheMaximum) {
  Histogram histogram;
  histogram.add(1'000'000, 3);
  EXPECT_EQ(histogram.quantile(0.999), 1e6);
  EXPECT_EQ(histogram.max(), 1'000'000u);
}

TEST(Histogram, MergingIsAddingAll) {
  Histogram first;
  Histogram second;
  Histogram both;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    (i % 3 == 0 ? first : second).add(i * i, 1 + i % 2);
    both.add(i * i, 1 + i % 2);
  }
  first.merge(second);
  EXPECT_EQ(first.to_words(), both.to_words());
  first.merge(Histogram());
  EXPECT_EQ(first.to_words(), both.to_words());
}

TEST(Histogram, ClearedOneStartsAfresh) {
  Histogram histogram;
  histogram.add(5'000'000);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0u);
  histogram.add(3, 0);  // none at all
  EXPECT_EQ(histogram.count(), 0u);
  histogram.add(3);
  EXPECT_EQ(histogram.max(), 3u);
  EXPECT_EQ(histogram.quantile(0.5), 3);
}

TEST(Histogram, WordsBringItBack) {
  Histogram histogram;
  histogram.add(17, 4);
  histogram.add(123'456'789);
  const Histogram back = Histogram::from_words(histogram.to_words());
  EXPECT_EQ(back.to_words(), histogram.to_words());
  EXPECT_DOUBLE_EQ(back.mean(), histogram.mean());
}

}  // namespace
}  // namespace copal::sim
