#pragma once

#include <array>
#include <cstdint>

#include "core/base/time.h"

namespace copal::balance {

/// A server's answer to "how long would a request take here now": the median of recent latencies of
/// requests that arrived when about as many were at the server as are now.
/// Source: Wydrowski et al., "Load is not what you should balance: introducing Prequal", NSDI 2024,
/// section 4 (latency tagged with the requests in flight at arrival, median of recent ones near the
/// current count).
/// Chosen: how recent, and of how many. A bucket keeps its kKept latest latencies, and one that
/// ended more than kAgeMax ago counts no longer: else a server remembers under a count it seldom
/// has how fast it was before its neighbours came. Not less than 10 s: with 1 s, a server that had
/// been busy and is now idle knows nothing of its low counts but what it did under high ones, looks
/// slow, gets no requests and so never learns (quickstart: p99 1,497 ms; 10 s: 186; no limit: 182).
class LatencyByLoad {
 public:
  static constexpr Duration kAgeMax = 10s;
  static constexpr std::size_t kKept = 8;

  /// active  requests at the server when this one came, itself left out.
  /// at  when it ended; never earlier than that of the call before.
  void add(std::uint32_t active, Duration latency, TimePoint at);

  /// Returns the median at the nearest count with latencies of the last kAgeMax; if there is none,
  /// the very latest latency; 0 if there never was one. Allocates nothing.
  /// now  not earlier than the last add().
  Duration estimate(std::uint32_t active, TimePoint now) const;

 private:
  static constexpr std::size_t kBuckets = 48;  // exact to 31, then four to each doubling

  struct Sample {
    std::int64_t latency_ns = 0;
    TimePoint at{};
  };
  struct Bucket {
    std::array<Sample, kKept> latest{};  // a ring
    std::uint32_t count = 0;             // ever added
  };

  static std::size_t bucket_of(std::uint32_t active);
  /// The median of those that ended at `since` or later; there is one.
  static Duration median(const Bucket& bucket, TimePoint since);

  std::array<Bucket, kBuckets> buckets_{};
  std::array<TimePoint, kBuckets> newest_at_{};  // of each bucket; apart, as most are only skipped
  TimePoint newest_of_all_{};
  bool is_empty_ = true;
};

}  // namespace copal::balance
