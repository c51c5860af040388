#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/base/assert.h"

namespace copal {

/// Finds items by their SHA-256. Holds pointers: the items live elsewhere, stay where they are and
/// keep their hash while they are in. 9 bytes a place, at most three quarters taken: linear probing
/// over one-byte tags, erasing by shifting back. Growing moves everything: an index per group keeps
/// that short. The order of its places depends on hashes and on what happened, never on addresses.
/// Item  has `const std::array<std::uint8_t, 32>& hash_bytes() const`.
template <class Item>
class HashIndex {
 public:
  using Bytes = std::array<std::uint8_t, 32>;

  /// Returns the item, or nothing.
  Item* find(const Bytes& hash) const {
    if (count_ == 0) {
      return nullptr;
    }
    const std::uint8_t tag = tag_of(hash);
    std::size_t i = home(hash);
    // With a million items each of these lines is fetched from memory, at some 100 ns one after the
    // other: so they are asked for before it is known that they are needed.
    __builtin_prefetch(&items_[i]);
    for (;; i = (i + 1) & mask_) {
      if (tags_[i] == kFree) {
        return nullptr;
      }
      if (tags_[i] == tag) {
        prefetch(items_[i]);
        if (is_same(items_[i]->hash_bytes(), hash)) {
          return items_[i];
        }
      }
    }
  }

  /// No item of the same hash is in: the caller's duty. Allocates when it grows.
  void insert(Item& item) {
    if ((count_ + 1) * 4 > tags_.size() * 3) {
      grow();
    }
    ++count_;
    place(&item);
  }

  /// The item is in, asserted.
  void erase(const Item& item) {
    COPAL_ASSERT(count_ > 0);
    std::size_t hole = home(item.hash_bytes());
    while (items_[hole] != &item) {
      COPAL_ASSERT(tags_[hole] != kFree);
      hole = (hole + 1) & mask_;
    }
    // Each follower moves into the hole unless that would put it before its home.
    for (std::size_t i = (hole + 1) & mask_; tags_[i] != kFree; i = (i + 1) & mask_) {
      const std::size_t distance_from_home = (i - home(items_[i]->hash_bytes())) & mask_;
      if (distance_from_home >= ((i - hole) & mask_)) {
        tags_[hole] = tags_[i];
        items_[hole] = items_[i];
        hole = i;
      }
    }
    tags_[hole] = kFree;
    items_[hole] = nullptr;
    --count_;
  }

  std::size_t size() const { return count_; }
  /// For walking: the places, and the item in one, or nothing. Valid until the next change.
  std::size_t places() const { return items_.size(); }
  Item* at(std::size_t place) const { return items_[place]; }
  /// What it takes beside the items.
  std::size_t memory_bytes() const { return tags_.size() * (1 + sizeof(Item*)); }

 private:
  static constexpr std::uint8_t kFree = 0;
  static constexpr std::size_t kFirstPlaces = 16;

  // The first bytes of a key's hash choose its group and its place in the tree, and are much the
  // same for all items of one table; the last ones are not.
  std::size_t home(const Bytes& hash) const {
    std::uint64_t number = 0;
    std::memcpy(&number, hash.data() + 24, sizeof number);
    return static_cast<std::size_t>(number) & mask_;
  }
  static std::uint8_t tag_of(const Bytes& hash) { return hash[23] | 1; }
  static void prefetch(const Item* item) {
    constexpr std::size_t kLineBytes = 64;
    for (std::size_t at = 0; at < sizeof(Item); at += kLineBytes) {
      __builtin_prefetch(reinterpret_cast<const char*>(item) + at);
    }
  }
  /// Without the library's call, which takes as long as all the rest of finding what is near.
  static bool is_same(const Bytes& one, const Bytes& other) {
    std::array<std::uint64_t, 4> words;
    std::array<std::uint64_t, 4> other_words;
    std::memcpy(words.data(), one.data(), one.size());
    std::memcpy(other_words.data(), other.data(), other.size());
    return ((words[0] ^ other_words[0]) | (words[1] ^ other_words[1]) |
            (words[2] ^ other_words[2]) | (words[3] ^ other_words[3])) == 0;
  }

  void place(Item* item) {
    std::size_t i = home(item->hash_bytes());
    while (tags_[i] != kFree) {
      i = (i + 1) & mask_;
    }
    tags_[i] = tag_of(item->hash_bytes());
    items_[i] = item;
  }

  void grow() {
    const std::size_t places = tags_.empty() ? kFirstPlaces : tags_.size() * 2;
    const std::vector<Item*> old = std::move(items_);
    tags_.assign(places, kFree);
    items_.assign(places, nullptr);
    mask_ = places - 1;
    for (Item* item : old) {
      if (item != nullptr) {
        place(item);
      }
    }
  }

  std::vector<std::uint8_t> tags_;
  std::vector<Item*> items_;
  std::size_t mask_ = 0;
  std::size_t count_ = 0;
};

}  // namespace copal
