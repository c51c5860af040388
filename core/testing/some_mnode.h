#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/mnode/mnode.h"
#include "core/mnode/value_name.h"

namespace copal {

/// An m-node with another value in each field, for tests of encodings.
inline MNode some_mnode() {
  MNode mnode;
  mnode.key = hash_key(3, std::array<std::uint8_t, 1>{1});
  set_value(mnode, name_value(std::vector<std::uint8_t>(100, 1)));
  mnode.version = {1, 2, OwnerId(3, Slot{1}, 4)};
  mnode.base = {5, 6, OwnerId(7, Slot{2}, 8)};
  mnode.cache = CacheId{3};
  mnode.user_flags = 9;
  mnode.expire_timeout = 10s;
  mnode.idle_timeout_ms = 11;
  mnode.holder = NodeId{12};
  mnode.modified = TimePoint{100s};
  mnode.accessed = TimePoint{200s};
  mnode.change = {NodeId{13}, Incarnation{14}, 15};
  return mnode;
}

}  // namespace copal
