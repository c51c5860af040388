#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <memory>

#include "core/base/hash.h"
#include "core/cache/eviction_choice.h"

// The eviction policies once more, written from their papers with other means than core/cache: each
// queue a list of keys with a map of places, each counter of the sketch an entry in a map. Slow,
// and short enough to be seen to be right. Tests hold both against each other, request by request.

namespace copal::testing {

inline constexpr std::array kEveryEviction = {Eviction::kLru, Eviction::kS3Fifo,
                                              Eviction::kWTinyLfu};

/// A queue of (key, size), the oldest in front.
class ReferenceQueue {
 public:
  struct Entry {
    std::uint64_t key;
    std::uint64_t size;
    int uses = 0;
  };

  bool has(std::uint64_t key) const { return places_.contains(key); }
  bool empty() const { return entries_.empty(); }
  std::size_t count() const { return places_.size(); }
  std::uint64_t size() const { return size_; }
  const Entry& oldest() const { return entries_.front(); }
  int& uses(std::uint64_t key) { return places_.at(key)->uses; }

  void push(const Entry& entry) {
    places_[entry.key] = entries_.insert(entries_.end(), entry);
    size_ += entry.size;
  }
  Entry take(std::uint64_t key) {
    const Entry entry = *places_.at(key);
    entries_.erase(places_.at(key));
    places_.erase(key);
    size_ -= entry.size;
    return entry;
  }
  Entry take_oldest() { return take(entries_.front().key); }
  bool take_if_there(std::uint64_t key) {
    const bool there = has(key);
    if (there) {
      take(key);
    }
    return there;
  }
  void resize(std::uint64_t key, std::uint64_t size) {
    size_ -= places_.at(key)->size;
    size_ += size;
    places_.at(key)->size = size;
  }

 private:
  std::list<Entry> entries_;
  std::map<std::uint64_t, std::list<Entry>::iterator> places_;
  std::uint64_t size_ = 0;
};

/// What EvictionReplay does, for the slow ones.
class ReferenceCache {
 public:
  virtual ~ReferenceCache() = default;
  virtual bool request(std::uint64_t key, std::uint64_t size) = 0;
  virtual bool remove(std::uint64_t key) = 0;
  virtual bool holds(std::uint64_t key) const = 0;
};

class ReferenceLru final : public ReferenceCache {
 public:
  explicit ReferenceLru(std::uint64_t limit) : limit_(limit) {}

  bool request(std::uint64_t key, std::uint64_t size) override {
    const bool hit = queue_.take_if_there(key);
    queue_.push({key, size});
    while (queue_.size() > limit_) {
      queue_.take_oldest();
    }
    return hit;
  }
  bool remove(std::uint64_t key) override { return queue_.take_if_there(key); }
  bool holds(std::uint64_t key) const override { return queue_.has(key); }

 private:
  std::uint64_t limit_;
  ReferenceQueue queue_;
};

/// Algorithm 1 of the paper line by line; S, M and G are its names.
class ReferenceS3Fifo final : public ReferenceCache {
 public:
  explicit ReferenceS3Fifo(std::uint64_t limit) : limit_(limit) {}

  bool request(std::uint64_t key, std::uint64_t size) override {
    const bool hit = holds(key);
    if (hit) {
      ReferenceQueue& queue = s_.has(key) ? s_ : m_;
      queue.uses(key) = std::min(queue.uses(key) + 1, 3);
      queue.resize(key, size);
    }
    while (s_.size() + m_.size() + (hit ? 0 : size) > limit_) {
      evict();
    }
    if (!hit) {
      (g_.take_if_there(key) ? m_ : s_).push({key, size});
    }
    return hit;
  }
  bool remove(std::uint64_t key) override { return s_.take_if_there(key) || m_.take_if_there(key); }
  bool holds(std::uint64_t key) const override { return s_.has(key) || m_.has(key); }

 private:
  std::uint64_t tenth() const { return limit_ / 10; }

  void evict() {
    if (m_.empty() || (!s_.empty() && s_.size() >= tenth())) {
      evict_s();
    } else {
      evict_m();
    }
  }
  void evict_s() {
    bool evicted = false;
    while (!evicted && !s_.empty()) {
      const ReferenceQueue::Entry t = s_.take_oldest();
      if (t.uses > 1) {
        m_.push({t.key, t.size, 0});
        if (m_.size() > limit_ - tenth()) {
          evict_m();
        }
      } else {
        remember(t);
        evicted = true;
      }
    }
  }
  void evict_m() {
    bool evicted = false;
    while (!evicted && !m_.empty()) {
      ReferenceQueue::Entry t = m_.take_oldest();
      if (t.uses > 0) {
        --t.uses;
        m_.push(t);
      } else {
        evicted = true;
      }
    }
  }
  void remember(const ReferenceQueue::Entry& t) {
    if (t.size > limit_ - tenth()) {
      return;
    }
    g_.push(t);
    while (g_.size() > limit_ - tenth()) {
      g_.take_oldest();
    }
  }

  std::uint64_t limit_;
  ReferenceQueue s_;
  ReferenceQueue m_;
  ReferenceQueue g_;
};

/// The counters of FrequencySketch's comment, each under its block and number.
class ReferenceSketch {
 public:
  void ensure(std::uint64_t items) {
    items_ = std::max(items_, items);
    for (; blocks_ * 8 < items_; blocks_ *= 2) {
      const auto before = counters_;
      for (const auto& [place, counter] : before) {
        counters_[{place[0] + blocks_, place[1]}] = counter;
      }
    }
  }
  void count(std::uint64_t key) {
    bool rose = false;
    for (int i = 0; i < 4; ++i) {
      int& counter = counters_[place(key, i)];
      rose = rose || counter < 15;
      counter = std::min(counter + 1, 15);
    }
    counted_ += rose ? 1 : 0;
    if (rose && counted_ >= 10 * items_) {
      halve();
    }
  }
  int estimate(std::uint64_t key) const {
    int lowest = 15;
    for (int i = 0; i < 4; ++i) {
      const auto found = counters_.find(place(key, i));
      lowest = std::min(lowest, found == counters_.end() ? 0 : found->second);
    }
    return lowest;
  }

 private:
  using Place = std::array<std::uint64_t, 2>;  // block, number in it
  Place place(std::uint64_t key, int i) const {
    const std::uint64_t hash = mix64(key);
    const std::uint64_t upper = hash / 0x1'0000'0000u;
    constexpr std::array<std::uint64_t, 4> kParts{1, 0x100, 0x1'0000, 0x100'0000};
    return {hash % blocks_, 32u * i + upper / kParts[i] % 32};
  }
  void halve() {
    std::uint64_t odd = 0;
    for (auto& [place, counter] : counters_) {
      odd += counter % 2;
      counter /= 2;
    }
    counted_ = (counted_ > odd / 4 ? counted_ - odd / 4 : 0) / 2;
  }

  std::map<Place, int> counters_;
  std::uint64_t blocks_ = 8;
  std::uint64_t items_ = 64;
  std::uint64_t counted_ = 0;
};

/// A window, and a segmented LRU whose door the sketch keeps.
class ReferenceWTinyLfu final : public ReferenceCache {
 public:
  explicit ReferenceWTinyLfu(std::uint64_t limit)
      : limit_(limit),
        window_limit_(limit - limit * 99 / 100),
        protected_limit_(limit * 99 / 100 * 80 / 100) {}

  bool request(std::uint64_t key, std::uint64_t size) override {
    const bool hit = holds(key);
    if (!hit) {
      window_.push({key, size});
      sketch_.ensure(window_.count() + probation_.count() + protected_.count());
    }
    sketch_.count(key);
    if (hit) {
      use(key);
      ReferenceQueue& queue = window_.has(key)      ? window_
                              : probation_.has(key) ? probation_
                                                    : protected_;
      queue.resize(key, size);
      demote();
    }
    make_room();
    return hit;
  }
  bool remove(std::uint64_t key) override {
    return window_.take_if_there(key) || probation_.take_if_there(key) ||
           protected_.take_if_there(key);
  }
  bool holds(std::uint64_t key) const override {
    return window_.has(key) || probation_.has(key) || protected_.has(key);
  }

 private:
  std::uint64_t total() const { return window_.size() + probation_.size() + protected_.size(); }

  void use(std::uint64_t key) {
    if (window_.has(key)) {
      window_.push(window_.take(key));
    } else if (protected_.has(key)) {
      protected_.push(protected_.take(key));
    } else {
      protected_.push(probation_.take(key));
      demote();
    }
  }
  void demote() {
    while (protected_.size() > protected_limit_) {
      probation_.push(protected_.take_oldest());
    }
  }
  void make_room() {
    while (!window_.empty() && (window_.size() > window_limit_ || total() > limit_)) {
      const ReferenceQueue::Entry candidate = window_.take_oldest();
      probation_.push(candidate);
      while (total() > limit_ && probation_.has(candidate.key)) {
        const std::uint64_t victim = probation_.oldest().key;
        const bool wins = sketch_.estimate(candidate.key) > sketch_.estimate(victim);
        probation_.take(wins ? victim : candidate.key);
      }
    }
    while (total() > limit_) {
      (probation_.empty() ? protected_ : probation_).take_oldest();
    }
  }

  std::uint64_t limit_;
  std::uint64_t window_limit_;
  std::uint64_t protected_limit_;
  ReferenceQueue window_;
  ReferenceQueue probation_;
  ReferenceQueue protected_;
  ReferenceSketch sketch_;
};

inline std::unique_ptr<ReferenceCache> make_reference(Eviction eviction, std::uint64_t limit) {
  if (eviction == Eviction::kLru) {
    return std::make_unique<ReferenceLru>(limit);
  }
  if (eviction == Eviction::kS3Fifo) {
    return std::make_unique<ReferenceS3Fifo>(limit);
  }
  return std::make_unique<ReferenceWTinyLfu>(limit);
}

}  // namespace copal::testing
