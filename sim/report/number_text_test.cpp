#include "sim/report/number_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace copal::sim {
namespace {

TEST(NumberText, ShortestReadsBackAsTheSame) {
  EXPECT_EQ(shortest(0.1), "0.1");
  EXPECT_EQ(shortest(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(shortest(1600000), "1600000");
  EXPECT_EQ(std::stod(shortest(1.0 / 3)), 1.0 / 3);
}

TEST(NumberText, SignificantNeverCutsDigitsBeforeThePointNorUsesAnExponent) {
  EXPECT_EQ(significant(12345.6, 3), "12346");
  EXPECT_EQ(significant(41.26, 3), "41.3");
  EXPECT_EQ(significant(0.00012345, 3), "0.000123");
  EXPECT_EQ(significant(9.996, 3), "10.0");
  EXPECT_EQ(significant(-2.5, 2), "-2.5");
  EXPECT_EQ(significant(0, 3), "0");
  EXPECT_EQ(significant(std::numeric_limits<double>::infinity(), 3), "inf");
}

TEST(NumberText, RoundedDropsDigits) {
  EXPECT_EQ(rounded(123456, 4), 123500);
  EXPECT_EQ(rounded(0.98765, 2), 0.99);
  EXPECT_EQ(rounded(0, 4), 0);
}

TEST(NumberText, EnergyTakesTheUnitThatSuits) {
  EXPECT_EQ(energy_text(999), "999 J");
  EXPECT_EQ(energy_text(812'345), "812 kJ");
  EXPECT_EQ(energy_text(12'300'000), "12.3 MJ");
}

TEST(NumberText, ColumnsCountsCharactersNotBytes) {
  EXPECT_EQ(columns("±1"), 2U);
  EXPECT_EQ(columns("abc…"), 4U);
}

}  // namespace
}  // namespace copal::sim
