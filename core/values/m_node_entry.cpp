#include "core/values/m_node_entry.h"

#include <algorithm>
#include <new>

#include "core/base/assert.h"

namespace copal {

MNodeEntry::MNodeEntry(const MNode& mnode, std::string_view key_text)
    : mnode_(mnode), key_size_bytes_(static_cast<std::uint16_t>(key_text.size())) {
  std::copy(key_text.begin(), key_text.end(), reinterpret_cast<char*>(this + 1));
}

MNodeEntry::Pointer MNodeEntry::make(const MNode& mnode, std::string_view key_text) {
  COPAL_ASSERT(key_text.size() <= kKeySizeMaxBytes);
  void* memory = ::operator new(sizeof(MNodeEntry) + key_text.size());
  return Pointer(new (memory) MNodeEntry(mnode, key_text));
}

void MNodeEntry::Delete::operator()(MNodeEntry* entry) const {
  entry->~MNodeEntry();
  ::operator delete(entry);
}

}  // namespace copal
