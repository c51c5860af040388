#include "sim/workload/utc.h"

#include <gtest/gtest.h>

#include <string>

namespace copal::sim {
namespace {

TEST(Utc, KnownTimes) {
  EXPECT_EQ(parse_utc("1970-01-01T00:00Z"), 0);
  EXPECT_EQ(parse_utc("1998-06-30T18:00Z"), 899'229'600);
  EXPECT_EQ(parse_utc("2000-02-29T23:59:59Z"), 951'868'799);
  EXPECT_EQ(parse_utc("2199-12-31T23:59Z"), 7'258'118'340);
  EXPECT_EQ(parse_utc("2016-12-31T23:59:60Z"), parse_utc("2017-01-01T00:00Z"));
}

TEST(Utc, WhatIsNoTimeIsRefused) {
  for (const char* text : {"",
                           "Z",
                           "1998-06-30",
                           "1998-06-30T18:00",
                           "1998-06-30 18:00Z",
                           "1998-06-30T18:00z",
                           "1998-06-30T18:00Z ",
                           " 1998-06-30T18:00Z",
                           "98-06-30T18:00Z",
                           "1998-6-30T18:00Z",
                           "1998-06-31T18:00Z",
                           "1999-02-29T00:00Z",
                           "1998-13-01T00:00Z",
                           "1998-00-01T00:00Z",
                           "1998-06-00T00:00Z",
                           "1998-06-30T24:00Z",
                           "1998-06-30T18:60Z",
                           "1998-06-30T18:00:61Z",
                           "1998-06-30T18:00:Z",
                           "1998-06-30T18:00:0Z",
                           "1998-06-30T18:00:00.5Z",
                           "+998-06-30T18:00Z",
                           "1969-12-31T23:59Z",
                           "2200-01-01T00:00Z",
                           "1998-06-30T18:00+00:00"}) {
    EXPECT_EQ(parse_utc(text), std::nullopt) << text;
  }
}

TEST(Utc, TextOfATimeReadsAsThatTime) {
  EXPECT_EQ(utc_text(899'229'600), "1998-06-30T18:00Z");
  EXPECT_EQ(utc_text(951'868'799), "2000-02-29T23:59:59Z");
  for (UtcSeconds time = 0; time < 7'258'118'400; time += 8'765'431) {
    ASSERT_EQ(parse_utc(utc_text(time)), time);
  }
}

TEST(Utc, OffsetsAreTakenOff) {
  CalendarTime time{2015, 5, 17, 10, 5, 3, 7'200};
  EXPECT_EQ(utc_of(time), 1'431'857'103 - 7'200);
  time.offset_s = -5 * 3'600;
  EXPECT_EQ(utc_of(time), 1'431'857'103 + 18'000);
}

TEST(Utc, DigitsAreTakenExactly) {
  std::string_view text = "0129x";
  EXPECT_EQ(take_digits(text, 2), 1u);
  EXPECT_EQ(take_digits(text, 3), std::nullopt);
  EXPECT_EQ(text, "29x");
  EXPECT_EQ(take_digits(text, 2), 29u);
  EXPECT_FALSE(take_char(text, 'y'));
  EXPECT_TRUE(take_char(text, 'x'));
  EXPECT_FALSE(take_char(text, 'x'));
}

}  // namespace
}  // namespace copal::sim
