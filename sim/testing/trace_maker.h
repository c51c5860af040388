#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "scenarios/scenario.h"

// Recordings made up for tests, in the formats of real ones, and the ways to store them.

namespace copal::sim {

/// A log in the Combined Log Format over `hours` hours from 17 May 2015 10:05 UTC on: `lines`
/// requests of `clients` clients who load pages with a handful of files, roughly in order of time,
/// with what real logs have too: other methods than GET, errors, "-" for sizes, escaped quotes.
/// Every broken_every-th line is cut off within its agent; 0: none.
struct AccessLogShape {
  std::uint32_t lines = 10'000;
  std::uint32_t clients = 1'700;
  std::uint32_t hours = 83;
  std::uint32_t broken_every = 10'000;
  std::uint64_t seed = 1;
};
std::string make_access_log(const AccessLogShape& shape);

/// A CSV of requests and bytes in each minute from 28 June 1998 00:00 UTC on: quiet nights, busy
/// afternoons, and a flash crowd of about 133,000 requests a minute each day from 18:00 to 22:00.
std::string make_per_minute(std::uint32_t days = 4, std::uint64_t seed = 1);

/// Keys asked of a cache, big-endian numbers of 32 bits: some often, many seldom, numbered in the
/// order in which they first appear, and every now and then a walk through keys of earlier.
std::string make_key_trace(std::uint32_t requests, std::uint64_t seed = 1);

/// A workload that replays a recording at so many times its rate, in a so many times shorter time.
scenario::WorkloadSpec scaled(double rate_scale, double time_scale = 1);

/// The bytes of a gzip file of one member, and of an xz file.
std::string gzip_of(std::string_view text);
std::string xz_of(std::string_view text);

/// A file with this content in the tests' folder for temporary files; gone when the object is.
class TemporaryFile {
 public:
  /// name  its last part; the rest of the path tells tests and processes apart.
  TemporaryFile(std::string_view name, std::string_view content);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace copal::sim
