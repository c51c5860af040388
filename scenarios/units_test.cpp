#include "scenarios/units.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "scenarios/embedded.h"

namespace copal::scenario {
namespace {

TEST(Units, DurationsAreSeconds) {
  EXPECT_EQ(parse(Format::kDuration, "20ms"), 0.02);
  EXPECT_EQ(parse(Format::kDuration, "1.5s"), 1.5);
  EXPECT_EQ(parse(Format::kDuration, "5min"), 300.0);
  EXPECT_EQ(parse(Format::kDuration, "2h"), 7200.0);
  EXPECT_EQ(parse(Format::kDuration, "7d"), 604800.0);
  EXPECT_EQ(parse(Format::kDuration, "100us"), 1e-4);
  EXPECT_EQ(parse(Format::kDuration, "10ns"), 1e-8);
}

TEST(Units, DurationsAreWholeNanoseconds) {
  EXPECT_EQ(duration_of("10ns"), Duration{10});
  EXPECT_EQ(duration_of("0.1us"), Duration{100});
  EXPECT_EQ(duration_of("1.1s"), Duration{1'100'000'000});
  EXPECT_EQ(duration_of("366d"), std::chrono::hours(366 * 24));
}

TEST(Units, RatesArePerSecond) {
  EXPECT_EQ(parse(Format::kRate, "50/s"), 50.0);
  EXPECT_EQ(parse(Format::kRate, "3000/min"), 50.0);
  EXPECT_EQ(parse(Format::kRate, "36/h"), 0.01);
}

TEST(Units, SizesAreBytes) {
  EXPECT_EQ(parse(Format::kSize, "500B"), 500.0);
  EXPECT_EQ(parse(Format::kSize, "10kB"), 1e4);
  EXPECT_EQ(parse(Format::kSize, "4MB"), 4e6);
  EXPECT_EQ(parse(Format::kSize, "1GiB"), 1073741824.0);
}

TEST(Units, BandwidthsTellBitsFromBytes) {
  EXPECT_EQ(parse(Format::kBandwidth, "10Gbps"), 1.25e9);
  EXPECT_EQ(parse(Format::kBandwidth, "100Mbps"), 1.25e7);
  EXPECT_EQ(parse(Format::kBandwidth, "1GBps"), 1e9);
  EXPECT_EQ(parse(Format::kBandwidth, "8bps"), 1.0);
}

TEST(Units, WattsAndShares) {
  EXPECT_EQ(parse(Format::kPower, "100W"), 100.0);
  EXPECT_EQ(parse(Format::kPower, "1.2kW"), 1200.0);
  EXPECT_EQ(parse(Format::kRatio, "20%"), 0.2);
  EXPECT_EQ(parse(Format::kRatio, "0.2"), 0.2);
  EXPECT_EQ(parse(Format::kRatio, "7%"), 0.07);
}

TEST(Units, TimesAreUtc) {
  EXPECT_EQ(parse(Format::kUtc, "1970-01-01T00:00Z"), 0.0);
  EXPECT_EQ(parse(Format::kUtc, "1998-06-30T18:00Z"), 899229600.0);
  EXPECT_EQ(parse(Format::kUtc, "1998-06-30T18:00:30Z"), 899229630.0);
  EXPECT_EQ(parse(Format::kUtc, "2000-02-29T00:00Z"), 951782400.0);
}

TEST(Units, WhatIsNoTimeIsRefused) {
  for (const char* text :
       {"1998-06-31T18:00Z", "1998-13-01T18:00Z", "1998-00-01T18:00Z", "1998-06-30T24:00Z",
        "1998-06-30T18:60Z", "1999-02-29T00:00Z", "1900-02-29T00:00Z", "1998-06-30 18:00Z",
        "1998-06-30T18:00", "1998-06-30T18:00+02:00", "1998-6-30T18:00Z", "today",
        "2200-01-01T00:00Z", "1969-12-31T23:59Z", ""}) {
    EXPECT_EQ(parse(Format::kUtc, text), std::nullopt) << text;
  }
}

TEST(Units, WhatIsNoQuantityIsRefused) {
  for (const char* text :
       {"", "20", "ms", "20 ms", "-20ms", "+20ms", ".5s", "5.s", "1e3s", "20MS", "20mss", "0x10s",
        "1,5s", "nans", "infs", "1.2.3s", "1234567890123456789012345678901s"}) {
    EXPECT_EQ(parse(Format::kDuration, text), std::nullopt) << text;
  }
}

TEST(Units, NumbersAreDecimal) {
  EXPECT_EQ(parse_number("-1.5"), -1.5);
  EXPECT_EQ(parse_number("1e-3"), 0.001);
  EXPECT_EQ(parse_number("1E+3"), 1000.0);
  EXPECT_EQ(parse_number("0"), 0.0);
  for (const char* text : {"", "-", "+1", "010", "0x10", "1_000", ".5", "5.", "1e", "1e+", "nan",
                           ".nan", "inf", "-.inf", "1e999", "1 ", " 1", "1e12345"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
  EXPECT_TRUE(is_integer("-12"));
  EXPECT_FALSE(is_integer("12.0"));
  EXPECT_FALSE(is_integer("1e2"));
}

TEST(Units, AreWrittenAsPeopleDo) {
  EXPECT_EQ(write(Duration{}), "0s");
  EXPECT_EQ(write(Duration{1}), "1ns");
  EXPECT_EQ(write(Duration{250ms}), "250ms");
  EXPECT_EQ(write(Duration{90s}), "90s");
  EXPECT_EQ(write(Duration{60s}), "1min");
  EXPECT_EQ(write(Duration{std::chrono::hours(48)}), "2d");
  EXPECT_EQ(write(Format::kDuration, 31622400), "366d");
  EXPECT_EQ(write(Format::kDuration, 0.001), "1ms");
  EXPECT_EQ(write(Format::kRate, 1e7), "10000000/s");
  EXPECT_EQ(write(Format::kSize, 1073741824), "1GiB");
  EXPECT_EQ(write(Format::kSize, 0), "0B");
  EXPECT_EQ(write(Format::kPower, 1e6), "1000kW");
  EXPECT_EQ(write_number(0.001), "0.001");
  EXPECT_EQ(write_number(1e-9), "1e-09");
}

TEST(Units, EveryUnitIsReadBackAsWritten) {
  for (const Format format : {Format::kDuration, Format::kRate, Format::kSize, Format::kPower,
                              Format::kBandwidth, Format::kRatio}) {
    for (const double value : {0.0, 0.25, 1.0, 7.0, 60.0, 100.0, 3600.0}) {
      EXPECT_EQ(parse(format, write(format, value)), value) << write(format, value);
    }
  }
}

/// The texts that editors accept and those that the program accepts are the same.
TEST(Units, PatternsOfTheSchemaAgree) {
  const auto schema = nlohmann::ordered_json::parse(embedded("schema.json"));
  int formats = 0;
  for (const auto& [name, definition] : schema["definitions"].items()) {
    if (!definition.contains("format")) {
      continue;
    }
    ++formats;
    const auto format = format_named(definition["format"].get<std::string>());
    ASSERT_TRUE(format.has_value()) << name;
    const std::regex pattern(definition["pattern"].get<std::string>());
    for (const char* text : {"20ms",
                             "1.5s",
                             "5min",
                             "2h",
                             "7d",
                             "1us",
                             "1ns",
                             "50/s",
                             "3/min",
                             "1/h",
                             "1/d",
                             "5B",
                             "5kB",
                             "5KB",
                             "5MB",
                             "5GB",
                             "5KiB",
                             "5MiB",
                             "5GiB",
                             "5kb",
                             "1bps",
                             "1kbps",
                             "1Mbps",
                             "1Gbps",
                             "1Bps",
                             "1kBps",
                             "1MBps",
                             "1GBps",
                             "1W",
                             "1.5kW",
                             "1MW",
                             "20%",
                             "-20%",
                             "20 %",
                             "1998-06-30T18:00Z",
                             "1998-06-30T18:00:00Z",
                             "1998-06-30",
                             "app",
                             "big-2",
                             "2big",
                             "a b",
                             "",
                             "-",
                             "a/b.log",
                             ".5s",
                             "5.s",
                             "1e3s",
                             "é"}) {
      const bool number = parse_number(text).has_value();
      EXPECT_EQ(std::regex_match(text, pattern), parse(*format, text).has_value() && !number)
          << name << " '" << text << "'";
    }
  }
  EXPECT_EQ(formats, 9);
}

}  // namespace
}  // namespace copal::scenario
