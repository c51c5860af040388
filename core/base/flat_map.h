#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/assert.h"
#include "core/base/hash.h"

namespace copal {

/// A hash map from 64-bit keys, for tables on the path of every request: one array, linear probing,
/// erasing by shifting back, at most half full. It has no iteration, so no order to depend on.
/// Value  cheap to copy and to construct empty.
template <class Value>
class FlatMap {
 public:
  /// Returns the value, or nothing. Valid until the next insert or erase.
  Value* find(std::uint64_t key) {
    if (count_ == 0) {
      return nullptr;
    }
    for (std::size_t i = home(key);; i = (i + 1) & mask_) {
      if (!slots_[i].used) {
        return nullptr;
      }
      if (slots_[i].key == key) {
        return &slots_[i].value;
      }
    }
  }

  /// Returns the value of the key, an empty one if it was not there. Allocates when it grows.
  Value& operator[](std::uint64_t key) {
    if (Value* found = find(key)) {
      return *found;
    }
    if ((count_ + 1) * 2 > slots_.size()) {
      grow();
    }
    ++count_;
    return place(key, Value{});
  }

  /// Returns whether it was there.
  bool erase(std::uint64_t key) {
    Value* found = find(key);
    if (found == nullptr) {
      return false;
    }
    std::size_t hole = home(key);
    while (&slots_[hole].value != found) {
      hole = (hole + 1) & mask_;
    }
    // Each follower moves into the hole unless that would put it before its home.
    for (std::size_t i = (hole + 1) & mask_; slots_[i].used; i = (i + 1) & mask_) {
      const std::size_t distance_from_home = (i - home(slots_[i].key)) & mask_;
      if (distance_from_home >= ((i - hole) & mask_)) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole] = Slot{};
    --count_;
    return true;
  }

  std::size_t size() const { return count_; }
  void clear() {
    slots_.clear();
    count_ = 0;
    mask_ = 0;
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    Value value{};
    bool used = false;
  };

  std::size_t home(std::uint64_t key) const { return static_cast<std::size_t>(mix64(key)) & mask_; }

  Value& place(std::uint64_t key, const Value& value) {
    std::size_t i = home(key);
    while (slots_[i].used) {
      i = (i + 1) & mask_;
    }
    slots_[i] = Slot{key, value, true};
    return slots_[i].value;
  }

  void grow() {
    std::vector<Slot> old = std::move(slots_);
    slots_.assign(old.empty() ? 16 : old.size() * 2, Slot{});
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.used) {
        place(slot.key, slot.value);
      }
    }
  }

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
  std::size_t mask_ = 0;
};

}  // namespace copal
