#pragma once

#include <string>
#include <vector>

#include "core/values/replica.h"

namespace copal {

/// M-nodes as tests of replicas need them: by key, counter and value.
inline KeyHash key_hash_of(std::uint32_t key, CacheId cache = CacheId{1}) {
  return hash_key(cache.value,
                  std::array{static_cast<std::uint8_t>(key), static_cast<std::uint8_t>(key >> 8U),
                             static_cast<std::uint8_t>(key >> 16U)});
}
inline Blob filled_bytes(std::uint8_t number, std::size_t size_bytes = 100) {
  return Blob(std::vector<std::uint8_t>(size_bytes, number));
}
inline ValueHash hash_of(const Blob& value) {
  return hash_value(value.bytes());
}
/// value  no bytes: a tombstone.
inline MNode mnode_of(std::uint32_t key, std::uint64_t counter, const Blob& value = {},
                      CacheId cache = CacheId{1}) {
  MNode mnode;
  mnode.cache = cache;
  mnode.key = key_hash_of(key, cache);
  mnode.version = {counter, 1, OwnerId(0, Slot{0}, 1)};
  if (value.size_bytes() > 0) {
    set_value(mnode, name_value(value.bytes()));
  }
  return mnode;
}
/// The n-th key (from `from` on) of a group.
inline std::uint32_t key_in(Group group, std::uint32_t from = 0) {
  while (group_of(key_hash_of(from)) != group) {
    ++from;
  }
  return from;
}

}  // namespace copal
