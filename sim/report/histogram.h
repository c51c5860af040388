#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace copal::sim {

/// Counts of whole numbers in buckets that grow with the value: each power of two is cut into 128,
/// so a quantile is off by at most 0.8 %. Two of them can be added.
/// Source: the idea of HdrHistogram (Tene), http://hdrhistogram.org
class Histogram {
 public:
  struct Bucket {
    std::uint64_t lower = 0;  // inclusive
    std::uint64_t upper = 0;  // exclusive
    std::uint64_t count = 0;
  };

  void add(std::uint64_t value, std::uint64_t count = 1);
  void merge(const Histogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  double mean() const;  // exact, not from buckets; 0 if empty
  std::uint64_t max() const { return max_; }

  /// ratio  0 to 1. Returns a value such that this share of all is not above it; 0 if empty.
  /// Interpolates inside the bucket; never above max().
  double quantile(double ratio) const;

  /// Buckets that are not empty, ascending.
  std::vector<Bucket> buckets() const;

  /// All of it as numbers, for the way from a run's process to its campaign. from_words() asserts
  /// that the words came from to_words().
  std::vector<std::uint64_t> to_words() const;
  static Histogram from_words(std::span<const std::uint64_t> words);

 private:
  std::vector<std::uint64_t> counts_;  // grown as needed: the index says the bounds
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace copal::sim
