#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/flat_map.h"
#include "core/base/hash.h"
#include "core/cache/eviction.h"

namespace copal::testing {

/// A cache of numbered keys without values, to ask an eviction policy for hits and misses.
class EvictionReplay {
 public:
  explicit EvictionReplay(std::unique_ptr<EvictionPolicy> policy) : policy_(std::move(policy)) {}

  /// Asks for a key, and caches it if it was not there. Returns whether it was. size_bytes  of the
  /// item from now on, 1 to the policy's limit.
  bool request(std::uint64_t key, std::uint32_t size_bytes = 1) {
    EvictionQueue evicted;
    Item** held = items_.find(key);
    const bool was_held = held != nullptr;
    if (was_held) {
      policy_->hit(**held);
      if ((*held)->size_bytes != size_bytes) {
        policy_->resize(**held, size_bytes, evicted);
      }
    } else {
      policy_->insert(add(key, size_bytes), evicted);
    }
    while (!evicted.empty()) {
      drop(static_cast<Item&>(evicted.take_oldest()));
    }
    return was_held;
  }

  /// Takes a key out. Returns whether it was there.
  bool remove(std::uint64_t key) {
    Item** held = items_.find(key);
    if (held == nullptr) {
      return false;
    }
    policy_->remove(**held);
    drop(**held);
    return true;
  }

  bool holds(std::uint64_t key) { return items_.find(key) != nullptr; }
  std::size_t count() const { return items_.size(); }
  EvictionPolicy& policy() { return *policy_; }

 private:
  struct Item : EvictionItem {
    std::uint64_t key = 0;
  };

  Item& add(std::uint64_t key, std::uint32_t size_bytes) {
    if (free_.empty()) {
      free_.push_back(all_.emplace_back(std::make_unique<Item>()).get());
    }
    Item& item = *free_.back();
    free_.pop_back();
    item = Item{};
    item.hash = mix64(key);
    item.size_bytes = size_bytes;
    item.key = key;
    items_[key] = &item;
    return item;
  }
  void drop(Item& item) {
    items_.erase(item.key);
    free_.push_back(&item);
  }

  std::unique_ptr<EvictionPolicy> policy_;
  FlatMap<Item*> items_;  // by key
  std::vector<std::unique_ptr<Item>> all_;
  std::vector<Item*> free_;
};

}  // namespace copal::testing
