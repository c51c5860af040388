#include "core/base/blob.h"

#include <algorithm>
#include <new>

#include "core/base/assert.h"

namespace copal {

Blob::Blob(std::size_t size_bytes) {
  COPAL_ASSERT(size_bytes <= 0xffff'ffff);
  if (size_bytes > 0) {
    header_ = new (::operator new(sizeof(Header) + size_bytes))
        Header{static_cast<std::uint32_t>(size_bytes), 1};
  }
}

Blob::Blob(std::span<const std::uint8_t> bytes) : Blob(bytes.size()) {
  std::copy(bytes.begin(), bytes.end(), mutable_bytes().begin());
}

std::span<std::uint8_t> Blob::mutable_bytes() {
  return header_ == nullptr
             ? std::span<std::uint8_t>{}
             : std::span{reinterpret_cast<std::uint8_t*>(header_ + 1), header_->size_bytes};
}

std::span<const std::uint8_t> Blob::bytes() const {
  return header_ == nullptr
             ? std::span<const std::uint8_t>{}
             : std::span{reinterpret_cast<const std::uint8_t*>(header_ + 1), header_->size_bytes};
}

bool operator==(const Blob& one, const Blob& other) {
  return one.header_ == other.header_ || std::ranges::equal(one.bytes(), other.bytes());
}

}  // namespace copal
