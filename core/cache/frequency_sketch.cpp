#include "core/cache/frequency_sketch.h"

#include <algorithm>
#include <bit>

namespace copal {

namespace {

constexpr std::uint64_t kCounterMax = 15;
constexpr std::uint64_t kLowestBits = 0x1111'1111'1111'1111u;  // of each counter
constexpr std::uint64_t kSamplePerItem = 10;

}  // namespace

FrequencySketch::FrequencySketch()
    : words_(kItemsMin),
      block_mask_(kItemsMin / kWordsPerBlock - 1),
      sample_(kSamplePerItem * kItemsMin) {}

void FrequencySketch::ensure(std::size_t item_count) {
  sample_ = std::max(sample_, kSamplePerItem * item_count);
  // A word, 16 counters, for each item.
  while (words_.size() < item_count) {
    const std::size_t size = words_.size();
    words_.resize(size * 2);
    std::copy_n(words_.begin(), size, words_.begin() + static_cast<std::ptrdiff_t>(size));
  }
  block_mask_ = words_.size() / kWordsPerBlock - 1;
}

FrequencySketch::Place FrequencySketch::place(std::uint64_t hash, unsigned i) const {
  const auto number = static_cast<unsigned>(hash >> (32 + 8 * i)) % 32;
  return {(hash & block_mask_) * kWordsPerBlock + 2 * i + number / 16, number % 16 * 4};
}

void FrequencySketch::count(std::uint64_t hash) {
  bool rose = false;
  for (unsigned i = 0; i < 4; ++i) {
    const Place at = place(hash, i);
    if ((words_[at.word] >> at.shift & kCounterMax) < kCounterMax) {
      words_[at.word] += std::uint64_t{1} << at.shift;
      rose = true;
    }
  }
  if (rose && ++counted_ >= sample_) {
    halve();
  }
}

std::uint32_t FrequencySketch::estimate(std::uint64_t hash) const {
  std::uint64_t lowest = kCounterMax;
  for (unsigned i = 0; i < 4; ++i) {
    const Place at = place(hash, i);
    lowest = std::min(lowest, words_[at.word] >> at.shift & kCounterMax);
  }
  return static_cast<std::uint32_t>(lowest);
}

void FrequencySketch::halve() {
  std::uint64_t odd = 0;
  for (std::uint64_t& word : words_) {
    odd += static_cast<std::uint64_t>(std::popcount(word & kLowestBits));
    word = word >> 1U & ~(kLowestBits << 3U);
  }
  // Copies made by doubling may be odd more often than keys were counted.
  counted_ = (counted_ - std::min(counted_, odd / 4)) / 2;
}

}  // namespace copal
