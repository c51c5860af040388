#include "core/mnode/value_name.h"

#include <algorithm>

#include "core/base/assert.h"

namespace copal {

ValueName name_value(std::span<const std::uint8_t> bytes) {
  ValueName name;
  name.size_bytes = static_cast<std::uint32_t>(bytes.size());
  name.is_inline = bytes.size() <= MNode::kInlineMaxBytes;
  if (name.is_inline) {
    std::copy(bytes.begin(), bytes.end(), name.hash.bytes.begin());
  } else {
    name.hash = hash_value(bytes);
  }
  return name;
}

ValueName value_name(const MNode& mnode) {
  return {mnode.value_hash, mnode.value_size_bytes, mnode.is(MNode::kInline)};
}

void set_value(MNode& mnode, const ValueName& name) {
  mnode.value_hash = name.hash;
  mnode.value_size_bytes = name.size_bytes;
  mnode.flags &= ~static_cast<std::uint32_t>(MNode::kInline);
  mnode.flags |= name.is_inline ? MNode::kInline : 0U;
}

bool is_valid(const ValueName& name) {
  if (!name.is_inline) {
    return name.hash == kNoValue ? name.size_bytes == 0 : name.size_bytes > MNode::kInlineMaxBytes;
  }
  if (name.size_bytes > MNode::kInlineMaxBytes) {
    return false;
  }
  return std::all_of(name.hash.bytes.begin() + name.size_bytes, name.hash.bytes.end(),
                     [](std::uint8_t byte) { return byte == 0; });
}

std::span<const std::uint8_t> inline_bytes(const ValueName& name) {
  COPAL_ASSERT(name.is_inline && name.size_bytes <= MNode::kInlineMaxBytes);
  return std::span(name.hash.bytes).first(name.size_bytes);
}

}  // namespace copal
