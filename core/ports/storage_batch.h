#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "core/base/assert.h"

namespace copal {

/// What a store keeps apart by name. Keys of two families never meet.
enum class Family : std::uint8_t {
  kMNodes,    // key hash -> m-node with its key's text
  kValues,    // value hash -> the bytes
  kState,     // identity, configuration, registers, horizons, leaves of trees
  kSetAside,  // what R4.4 deleted, for a person to look at
};
inline constexpr std::size_t kFamilyCount = 4;

/// Keys are hashes and short names; the text of an application's key is part of its m-node's value.
inline constexpr std::size_t kStorageKeyMaxBytes = 256;
inline constexpr std::size_t kStorageValueMaxBytes = std::size_t{128} << 20U;
/// The largest value and all that may go with it.
inline constexpr std::size_t kStorageBatchMaxBytes = std::size_t{130} << 20U;

/// Puts and erases that a store carries out all or none, in their order: a later change of the same
/// key wins. One array of bytes, so that filling a batch anew allocates nothing once it has grown.
/// Invariants: 1. every key has 1 to kStorageKeyMaxBytes bytes, every value at most
/// kStorageValueMaxBytes; 2. all together at most kStorageBatchMaxBytes. Both are asserted: who
/// writes knows its keys, and splits what is too much.
class StorageBatch {
 public:
  using Bytes = std::span<const std::uint8_t>;

  struct Change {
    Family family = Family::kMNodes;
    bool is_put = false;
    Bytes key;
    Bytes value;  // empty for an erase
  };

  /// key and value are copied.
  void put(Family family, Bytes key, Bytes value) { append(family, true, key, value); }
  /// Erasing what is not there does nothing.
  void erase(Family family, Bytes key) { append(family, false, key, {}); }
  /// All changes of another batch after those of this one.
  void append(const StorageBatch& other) {
    bytes_.insert(bytes_.end(), other.bytes_.begin(), other.bytes_.end());
  }
  /// Keeps its memory for the next use.
  void clear() { bytes_.clear(); }

  bool empty() const { return bytes_.empty(); }
  /// Sum of the keys and the values, and 8 bytes for each change.
  std::size_t size_bytes() const { return bytes_.size(); }
  /// The changes as bytes, for StorageChanges. Valid until the batch changes.
  Bytes bytes() const { return bytes_; }

 private:
  friend class StorageChanges;
  /// Stands in front of each change's key and value.
  struct Head {
    std::uint32_t value_size_bytes = 0;
    std::uint16_t key_size_bytes = 0;
    Family family = Family::kMNodes;
    bool is_put = false;
  };
  static_assert(sizeof(Head) == 8);

  void append(Family family, bool is_put, Bytes key, Bytes value) {
    COPAL_ASSERT(!key.empty() && key.size() <= kStorageKeyMaxBytes);
    COPAL_ASSERT(value.size() <= kStorageValueMaxBytes);
    const Head head{static_cast<std::uint32_t>(value.size()),
                    static_cast<std::uint16_t>(key.size()), family, is_put};
    const std::size_t at = bytes_.size();
    const std::size_t size_bytes = sizeof head + key.size() + value.size();
    COPAL_ASSERT(at + size_bytes <= kStorageBatchMaxBytes);
    bytes_.resize(at + size_bytes);
    std::memcpy(bytes_.data() + at, &head, sizeof head);
    std::memcpy(bytes_.data() + at + sizeof head, key.data(), key.size());
    if (!value.empty()) {  // memcpy must not see a null pointer
      std::memcpy(bytes_.data() + at + sizeof head + key.size(), value.data(), value.size());
    }
  }

  std::vector<std::uint8_t> bytes_;
};

/// Reads the changes of a batch one after the other, from StorageBatch::bytes().
class StorageChanges {
 public:
  /// bytes  a whole batch as it was written, asserted: whoever takes it from a disk has checked it.
  explicit StorageChanges(StorageBatch::Bytes bytes) : left_(bytes) {}

  bool done() const { return left_.empty(); }
  /// The next change, asserted to exist. Points into the bytes.
  StorageBatch::Change next() {
    StorageBatch::Head head;
    COPAL_ASSERT(left_.size() >= sizeof head);
    std::memcpy(&head, left_.data(), sizeof head);
    const std::size_t size_bytes = sizeof head + head.key_size_bytes + head.value_size_bytes;
    COPAL_ASSERT(left_.size() >= size_bytes);
    const StorageBatch::Change change{
        head.family, head.is_put, left_.subspan(sizeof head, head.key_size_bytes),
        left_.subspan(sizeof head + head.key_size_bytes, head.value_size_bytes)};
    left_ = left_.subspan(size_bytes);
    return change;
  }

 private:
  StorageBatch::Bytes left_;
};

}  // namespace copal
