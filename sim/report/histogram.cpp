#include "sim/report/histogram.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "core/base/assert.h"

namespace copal::sim {

namespace {

// Values below 2^8 have a bucket each. Above, a bucket is named by the value's leading eight bits
// and by how many bits follow them, the shift; so the buckets of one power of two stand in a row
// behind those of the one before.
constexpr unsigned kLeadingBits = 8;
constexpr std::uint64_t kPerPower = 128;

std::size_t index_of(std::uint64_t value) {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  const unsigned shift = width > kLeadingBits ? width - kLeadingBits : 0;
  return shift * kPerPower + (value >> shift);
}

Histogram::Bucket bounds_of(std::size_t index) {
  const std::uint64_t shift = index < 2 * kPerPower ? 0 : index / kPerPower - 1;
  const std::uint64_t leading = index - shift * kPerPower;
  const std::uint64_t lower = leading << shift;
  const std::uint64_t width = std::uint64_t{1} << shift;
  // The very last bucket ends at 2^64, which no number here can say.
  const std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
  return {lower, limit - lower < width ? limit : lower + width, 0};
}

}  // namespace

void Histogram::add(std::uint64_t value, std::uint64_t count) {
  if (count == 0) {
    return;
  }
  const std::size_t index = index_of(value);
  if (index >= counts_.size()) {
    counts_.resize(index + 1);
  }
  counts_[index] += count;
  count_ += count;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value) * static_cast<double>(count);
}

void Histogram::merge(const Histogram& other) {
  if (other.counts_.size() > counts_.size()) {
    counts_.resize(other.counts_.size());
  }
  for (std::size_t i = 0; i < other.counts_.size(); ++i) {
    counts_[i] += other.counts_[i];
  }
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

void Histogram::clear() {
  // The room is kept: an interval's histogram is cleared once a second.
  std::fill(counts_.begin(), counts_.end(), 0);
  count_ = 0;
  max_ = 0;
  sum_ = 0;
}

double Histogram::mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

double Histogram::quantile(double ratio) const {
  COPAL_ASSERT(ratio >= 0 && ratio <= 1);
  const double rank = ratio * static_cast<double>(count_);
  double below = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const auto here = static_cast<double>(counts_[i]);
    if (here == 0 || below + here < rank) {
      below += here;
      continue;
    }
    // The bucket's numbers are lower to upper - 1, thought of as evenly filled.
    const Bucket bucket = bounds_of(i);
    const auto span = static_cast<double>(bucket.upper - 1 - bucket.lower);
    const double value = static_cast<double>(bucket.lower) + span * ((rank - below) / here);
    return std::min(value, static_cast<double>(max_));
  }
  return static_cast<double>(max_);
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> all;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) {
      all.push_back(bounds_of(i));
      all.back().count = counts_[i];
    }
  }
  return all;
}

std::vector<std::uint64_t> Histogram::to_words() const {
  std::vector<std::uint64_t> words{count_, max_, std::bit_cast<std::uint64_t>(sum_)};
  words.insert(words.end(), counts_.begin(), counts_.end());
  return words;
}

Histogram Histogram::from_words(std::span<const std::uint64_t> words) {
  COPAL_ASSERT(words.size() >= 3);
  Histogram histogram;
  histogram.count_ = words[0];
  histogram.max_ = words[1];
  histogram.sum_ = std::bit_cast<double>(words[2]);
  histogram.counts_.assign(words.begin() + 3, words.end());
  std::uint64_t count = 0;
  for (const std::uint64_t each : histogram.counts_) {
    count += each;
  }
  COPAL_ASSERT(count == histogram.count_);
  return histogram;
}

}  // namespace copal::sim
