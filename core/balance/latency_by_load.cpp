#include "core/balance/latency_by_load.h"

#include <algorithm>
#include <bit>

namespace copal::balance {

void LatencyByLoad::add(std::uint32_t active, Duration latency, TimePoint at) {
  const std::size_t index = bucket_of(active);
  Bucket& bucket = buckets_[index];
  bucket.latest[bucket.count % kKept] = {latency.count(), at};
  ++bucket.count;
  newest_at_[index] = at;
  newest_of_all_ = at;
  is_empty_ = false;
}

Duration LatencyByLoad::estimate(std::uint32_t active, TimePoint now) const {
  if (is_empty_) {
    return Duration{0};
  }
  // The very latest always counts; when it is old, it is the only one that does.
  const TimePoint since = std::min(now - kAgeMax, newest_of_all_);
  const std::size_t home = bucket_of(active);
  for (std::size_t distance = 0; distance < kBuckets; ++distance) {
    // Of two at the same distance the higher count is taken: a server is not to look better than
    // what it did under at least this load.
    for (const std::size_t index : {home + distance, home - distance}) {
      if (index < kBuckets && buckets_[index].count > 0 && newest_at_[index] >= since) {
        return median(buckets_[index], since);
      }
    }
  }
  return Duration{0};  // not reached: the bucket of the very latest is among them
}

Duration LatencyByLoad::median(const Bucket& bucket, TimePoint since) {
  std::array<std::int64_t, kKept> sorted;
  const std::size_t kept = std::min<std::size_t>(bucket.count, kKept);
  std::size_t size = 0;
  for (; size < kept; ++size) {
    const Sample& sample = bucket.latest[(bucket.count - 1 - size) % kKept];
    if (sample.at < since) {
      break;  // as are all before it
    }
    // Insertion beats std::nth_element for so few.
    std::size_t place = size;
    for (; place > 0 && sorted[place - 1] > sample.latency_ns; --place) {
      sorted[place] = sorted[place - 1];
    }
    sorted[place] = sample.latency_ns;
  }
  return Duration{sorted[size / 2]};
}

std::size_t LatencyByLoad::bucket_of(std::uint32_t active) {
  if (active < 32) {
    return active;
  }
  const auto doubling = static_cast<std::uint32_t>(std::bit_width(active)) - 6;  // 0 for 32 to 63
  const std::uint32_t quarter = (active >> (doubling + 3)) & 3U;
  return std::min<std::size_t>(32 + 4 * doubling + quarter, kBuckets - 1);
}

}  // namespace copal::balance
