#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace copal {

/// Immutable bytes, shared by handles: a value on its way through a node is never copied.
/// Thread rule: all handles of one blob belong to one thread; its count is a plain number.
class Blob {
 public:
  /// No bytes; allocates nothing.
  Blob() = default;
  /// A copy of the bytes, in one allocation. Below 4 GB, asserted.
  explicit Blob(std::span<const std::uint8_t> bytes);
  /// Bytes of this size that fill(std::span<std::uint8_t>) writes, all of them.
  template <class Fill>
  static Blob make(std::size_t size_bytes, Fill&& fill) {
    Blob made(size_bytes);
    std::forward<Fill>(fill)(made.mutable_bytes());
    return made;
  }

  Blob(const Blob& other) : header_(other.header_) {
    if (header_ != nullptr) {
      ++header_->handles;
    }
  }
  Blob(Blob&& other) noexcept : header_(std::exchange(other.header_, nullptr)) {}
  Blob& operator=(Blob other) noexcept {
    std::swap(header_, other.header_);
    return *this;
  }
  ~Blob() {
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDelete): it does not follow the count
    if (header_ != nullptr && --header_->handles == 0) {
      ::operator delete(header_);
    }
  }

  /// Whether there are none. Asks no memory but the handle's own.
  bool empty() const { return header_ == nullptr; }
  std::size_t size_bytes() const { return header_ == nullptr ? 0 : header_->size_bytes; }
  /// Valid while a handle lives.
  std::span<const std::uint8_t> bytes() const;

  /// Compares the bytes.
  friend bool operator==(const Blob& one, const Blob& other);

 private:
  /// Stands in front of the bytes.
  struct Header {
    std::uint32_t size_bytes;
    std::uint32_t handles;
  };
  explicit Blob(std::size_t size_bytes);
  std::span<std::uint8_t> mutable_bytes();

  Header* header_ = nullptr;
};

}  // namespace copal
