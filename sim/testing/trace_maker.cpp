#include "sim/testing/trace_maker.h"

#include <gtest/gtest.h>
#include <lzma.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <vector>

#include "core/base/math.h"
#include "core/base/prng.h"
#include "sim/workload/utc.h"

namespace copal::sim {

namespace {

constexpr UtcSeconds kLogStart = 1'431'857'100;    // 2015-05-17T10:05Z, a Sunday in May
constexpr UtcSeconds kMinutesStart = 898'992'000;  // 1998-06-28T00:00Z
constexpr UtcSeconds kDay = 86'400;

std::string log_time(UtcSeconds time) {
  // The log stays within one month: days can be counted from its first.
  const auto day = static_cast<unsigned>(17 + (time / kDay - kLogStart / kDay));
  const auto second = static_cast<unsigned>(time % kDay);
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%02u/May/2015:%02u:%02u:%02u +0000",
                                 day, second / 3'600, second / 60 % 60, second % 60);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string log_line(UtcSeconds time, std::uint32_t client, std::uint32_t file, Prng& random) {
  constexpr std::array<const char*, 3> kAgents{
      "Mozilla/5.0 (X11; Linux x86_64; rv:38.0) Gecko/20100101 Firefox/38.0",
      "Mozilla/5.0 (compatible; ExampleBot/2.1; +http://bot.example/)",
      "feed \\\"reader\\\" \\x41 3.0"};
  const std::uint32_t chance = draw_below(random, 1'000);
  const char* method = chance < 5 ? "HEAD" : chance < 8 ? "POST" : "GET";
  const char* status = chance > 995 ? "500" : chance > 950 ? "304" : chance > 930 ? "404" : "200";
  const std::string size =
      chance > 950 && chance <= 995 ? "-" : std::to_string(200 + (mix64(file) % 60'000));
  return "198.51." + std::to_string(client / 250) + "." + std::to_string(client % 250) + " - - [" +
         log_time(time) + "] \"" + method + " /files/" + std::to_string(file) + " HTTP/1.1\" " +
         status + " " + size + " \"http://www.example/\" \"" + kAgents[client % 3] + "\"";
}

}  // namespace

std::string make_access_log(const AccessLogShape& shape) {
  Prng random(shape.seed, "access log");
  const std::int64_t span_s = std::int64_t{shape.hours} * 3'600;
  std::string text;
  std::uint32_t client = 0;
  std::uint32_t files_left = 0;
  for (std::uint32_t i = 0; i < shape.lines; ++i) {
    if (files_left == 0) {
      client = draw_below(random, shape.clients);
      files_left = 1 + draw_below(random, 6);
    }
    --files_left;
    // Out of order by a few seconds, as requests end.
    const std::int64_t late = draw_below(random, 6);
    const UtcSeconds time = kLogStart + std::min(span_s - 1, i * span_s / shape.lines + late);
    std::string line = log_line(time, client, draw_below(random, 500), random);
    if (shape.broken_every > 0 && (i + 1) % shape.broken_every == 0) {
      line.resize(line.size() - 10);
    }
    text += line + "\n";
  }
  return text;
}

std::string make_per_minute(std::uint32_t days, std::uint64_t seed) {
  Prng random(seed, "per minute");
  std::string text = "minute_utc,requests,bytes\n";
  for (std::uint32_t minute = 0; minute < days * 1'440; ++minute) {
    const double hour = (minute % 1'440) / 60.0;
    const bool match = hour >= 18 && hour < 22;
    const double level = match ? 133'000 : 20'000 * (1.2 + math::sin_turns((hour - 9) / 24));
    const auto requests = static_cast<std::uint64_t>(level * (0.95 + 0.1 * draw_unit(random)));
    text += utc_text(kMinutesStart + std::int64_t{minute} * 60) + "," + std::to_string(requests) +
            "," + std::to_string(requests * (2'500 + draw_below(random, 300))) + "\n";
  }
  return text;
}

std::string make_key_trace(std::uint32_t requests, std::uint64_t seed) {
  Prng random(seed, "key trace");
  std::string bytes;
  std::uint32_t known = 0;
  std::uint32_t walk = 0;
  std::uint32_t walk_left = 0;
  for (std::uint32_t i = 0; i < requests; ++i) {
    std::uint32_t key = known;
    if (walk_left > 0 && walk < known) {
      key = walk++;
      --walk_left;
    } else if (known > 0 && draw_below(random, 4) > 0) {
      const double skewed = draw_unit(random) * draw_unit(random) * draw_unit(random);
      key = static_cast<std::uint32_t>(skewed * known);
    } else if (known > 0 && draw_below(random, 500) == 0) {
      walk = draw_below(random, known);
      walk_left = draw_below(random, 1'000);
    }
    known += key == known ? 1 : 0;
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
      bytes += static_cast<char>(key >> shift & 0xffU);
    }
  }
  return bytes;
}

std::string gzip_of(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  std::string copy(text);  // zlib's interface takes no const
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string xz_of(std::string_view text) {
  std::string packed(lzma_stream_buffer_bound(text.size()), '\0');
  std::size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(
                1, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const std::uint8_t*>(text.data()),
                text.size(), reinterpret_cast<std::uint8_t*>(packed.data()), &size, packed.size()),
            LZMA_OK);
  packed.resize(size);
  return packed;
}

TemporaryFile::TemporaryFile(std::string_view name, std::string_view content) {
  static int count = 0;
  path_ = testing::TempDir() + "copal-test-" + std::to_string(getpid()) + "-" +
          std::to_string(count++) + "-" + std::string(name);
  std::ofstream file(path_, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  EXPECT_TRUE(file.good()) << path_;
}

TemporaryFile::~TemporaryFile() {
  std::remove(path_.c_str());
}

scenario::WorkloadSpec scaled(double rate_scale, double time_scale) {
  scenario::WorkloadSpec spec;
  spec.rate_scale = rate_scale;
  spec.time_scale = time_scale;
  return spec;
}

}  // namespace copal::sim
