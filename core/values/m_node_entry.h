#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/mnode/mnode.h"
#include "core/protocol/cache_message.h"

namespace copal {

/// An m-node as a triad member keeps it: the record, its key's text right behind it in the same
/// allocation, and its place among those of its bucket in the hash tree. Stays where it is.
class MNodeEntry {
 public:
  struct Delete {
    void operator()(MNodeEntry* entry) const;
  };
  using Pointer = std::unique_ptr<MNodeEntry, Delete>;

  /// key_text  at most kKeySizeMaxBytes, asserted; copied.
  static Pointer make(const MNode& mnode, std::string_view key_text);

  MNodeEntry(const MNodeEntry&) = delete;
  MNodeEntry& operator=(const MNodeEntry&) = delete;

  const MNode& mnode() const { return mnode_; }
  void touch(TimePoint accessed) { mnode_.accessed = accessed; }
  std::string_view key_text() const {
    return {reinterpret_cast<const char*>(this + 1), key_size_bytes_};
  }
  /// What HashIndex finds it by.
  const std::array<std::uint8_t, 32>& hash_bytes() const { return mnode_.key.bytes; }
  /// What it takes in memory, without what the allocator adds.
  std::size_t memory_bytes() const { return sizeof(MNodeEntry) + key_size_bytes_; }

 private:
  friend class HashTree;

  MNodeEntry(const MNode& mnode, std::string_view key_text);

  MNode mnode_;
  MNodeEntry* next_ = nullptr;        // in its bucket
  MNodeEntry** reference_ = nullptr;  // what points here: the bucket, or the one before
  std::uint16_t key_size_bytes_;
};

}  // namespace copal
