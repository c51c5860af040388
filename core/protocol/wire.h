#pragma once

#include <bit>
#include <bitset>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/base/assert.h"
#include "core/base/ids.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "core/base/weight.h"
#include "core/mnode/value_name.h"
#include "core/mnode/version.h"
#include "core/mnode/view.h"
#include "core/protocol/cache_message.h"

// How the parts of messages and of records on the disk look as bytes: little-endian, at their full
// width; in front of a text or a list its length in two bytes, in front of what may be missing
// whether it is there. What lists its fields (fields()) is their sequence.

namespace copal {

static_assert(std::endian::native == std::endian::little, "the wire is little-endian");

/// A part of a message that lists its own fields.
template <class Part>
concept Composed = requires(Part part) {
  Part::fields(part, [](auto&) {});
};

/// The last enumerator of an enumeration that travels, which says so in `wire_last(Enum)`.
template <class Enum>
constexpr std::uint64_t last_of() {
  return static_cast<std::uint64_t>(wire_last(Enum{}));
}

/// Appends fields to a buffer that is large enough, asserted.
class WireWriter {
 public:
  explicit WireWriter(std::span<std::byte> out) : rest_(out) {}

  template <std::unsigned_integral Number>
  void operator()(const Number& number) {
    put(&number, sizeof number);
  }
  template <class Tag, class Number>
  void operator()(const detail::Id<Tag, Number>& id) {
    (*this)(id.value);
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void operator()(const Enum& value) { (*this)(static_cast<std::uint8_t>(value)); }
  void operator()(const Duration& duration) {
    COPAL_ASSERT(duration.count() >= 0);
    (*this)(static_cast<std::uint64_t>(duration.count()));
  }
  void operator()(const WallTime& time) {
    (*this)(static_cast<std::uint64_t>(time.time_since_epoch().count()));
  }
  void operator()(const double& ratio) {
    COPAL_ASSERT(ratio >= 0 && ratio <= 1);
    (*this)(std::bit_cast<std::uint64_t>(ratio));
  }
  void operator()(const Weight& weight) {
    COPAL_ASSERT(weight.is_valid());
    (*this)(std::bit_cast<std::uint64_t>(weight.value));
  }
  void operator()(const bool& flag) { (*this)(static_cast<std::uint8_t>(flag ? 1 : 0)); }
  template <class Tag>
  void operator()(const detail::Hash256<Tag>& hash) {
    put(hash.bytes.data(), hash.bytes.size());
  }
  void operator()(const Version& version) {
    (*this)(version.counter);
    (*this)(version.epoch);
    (*this)(version.owner.number());
  }
  void operator()(const Slot& slot) { (*this)(slot.value); }
  void operator()(const Group& group) { (*this)(group.value); }
  void operator()(const View& view) {
    (*this)(view.term);
    (*this)(view.slot);
  }
  void operator()(const ValueName& name) {
    COPAL_ASSERT(is_valid(name));
    (*this)(name.hash);
    (*this)(name.size_bytes);
    (*this)(name.is_inline);
  }
  void operator()(const std::string& text) {
    COPAL_ASSERT(text.size() <= kKeySizeMaxBytes);
    (*this)(static_cast<std::uint16_t>(text.size()));
    put(text.data(), text.size());
  }
  template <class Part>
  void operator()(const std::optional<Part>& part) {
    (*this)(part.has_value());
    if (part) {
      (*this)(*part);
    }
  }
  template <class Part>
  void operator()(const std::vector<Part>& list) {
    COPAL_ASSERT(list.size() <= 0xffff);
    (*this)(static_cast<std::uint16_t>(list.size()));
    for (const Part& part : list) {
      (*this)(part);
    }
  }
  template <std::size_t kBits>
  void operator()(const std::bitset<kBits>& bits) {
    for (std::size_t first = 0; first < kBits; first += 8) {
      std::uint8_t byte = 0;
      for (std::size_t i = first; i < first + 8 && i < kBits; ++i) {
        byte = static_cast<std::uint8_t>(byte | (bits.test(i) ? 1U << (i - first) : 0U));
      }
      (*this)(byte);
    }
  }
  template <Composed Part>
  void operator()(const Part& part) {
    Part::fields(part, *this);
  }

  /// What is not written yet.
  std::size_t rest_size_bytes() const { return rest_.size(); }

 private:
  void put(const void* from, std::size_t size_bytes) {
    COPAL_ASSERT(size_bytes <= rest_.size());
    if (size_bytes > 0) {  // memcpy must not see a null pointer
      std::memcpy(rest_.data(), from, size_bytes);
    }
    rest_ = rest_.subspan(size_bytes);
  }

  std::span<std::byte> rest_;
};

/// Takes fields from bytes of any content. Once something is wrong it stays wrong.
class WireReader {
 public:
  explicit WireReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <std::unsigned_integral Number>
  void operator()(Number& number) {
    take(&number, sizeof number);
  }
  template <class Tag, class Number>
  void operator()(detail::Id<Tag, Number>& id) {
    (*this)(id.value);
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void operator()(Enum& value) {
    std::uint8_t number = 0;
    (*this)(number);
    if (check(number <= last_of<Enum>())) {
      value = static_cast<Enum>(number);
    }
  }
  void operator()(Duration& duration) {
    std::uint64_t number = 0;
    (*this)(number);
    if (check(number <= static_cast<std::uint64_t>(Duration::max().count()))) {
      duration = Duration{static_cast<std::int64_t>(number)};
    }
  }
  void operator()(WallTime& time) {
    std::uint64_t number = 0;
    (*this)(number);
    time = WallTime{Duration{static_cast<std::int64_t>(number)}};
  }
  void operator()(double& ratio) {
    std::uint64_t bits = 0;
    (*this)(bits);
    const double number = std::bit_cast<double>(bits);
    if (check(number >= 0 && number <= 1)) {  // false for what is not a number, too
      ratio = number;
    }
  }
  void operator()(Weight& weight) {
    std::uint64_t bits = 0;
    (*this)(bits);
    weight.value = std::bit_cast<double>(bits);
    check(weight.is_valid());
  }
  void operator()(bool& flag) {
    std::uint8_t number = 0;
    (*this)(number);
    check(number <= 1);
    flag = number == 1;
  }
  template <class Tag>
  void operator()(detail::Hash256<Tag>& hash) {
    take(hash.bytes.data(), hash.bytes.size());
  }
  void operator()(Version& version) {
    std::uint32_t owner = 0;
    (*this)(version.counter);
    (*this)(version.epoch);
    (*this)(owner);
    version.owner = OwnerId::from_number(owner);
  }
  void operator()(Slot& slot) {
    (*this)(slot.value);
    check(slot.value < kSlots);
  }
  void operator()(Group& group) {
    (*this)(group.value);
    check(group.value < kGroups);
  }
  void operator()(View& view) {
    (*this)(view.term);
    (*this)(view.slot);
    check(view.term <= kTermMax);
  }
  void operator()(ValueName& name) {
    (*this)(name.hash);
    (*this)(name.size_bytes);
    (*this)(name.is_inline);
    check(is_valid(name));
  }
  void operator()(std::string& text) {
    std::uint16_t size_bytes = 0;
    (*this)(size_bytes);
    if (check(size_bytes <= kKeySizeMaxBytes && size_bytes <= rest_.size())) {
      text.resize(size_bytes);
      take(text.data(), size_bytes);
    }
  }
  template <class Part>
  void operator()(std::optional<Part>& part) {
    bool there = false;
    (*this)(there);
    if (good_ && there) {
      (*this)(part.emplace());
    }
  }
  /// Memory is taken as the parts come: a length alone costs nothing.
  template <class Part>
  void operator()(std::vector<Part>& list) {
    std::uint16_t size = 0;
    (*this)(size);
    for (std::size_t i = 0; i < size && good_; ++i) {
      (*this)(list.emplace_back());
    }
  }
  template <std::size_t kBits>
  void operator()(std::bitset<kBits>& bits) {
    for (std::size_t first = 0; first < kBits; first += 8) {
      std::uint8_t byte = 0;
      (*this)(byte);
      for (std::size_t i = first; i < first + 8; ++i) {
        const bool bit = (byte >> (i - first) & 1U) != 0;
        if (i < kBits) {
          bits.set(i, bit);
        } else {
          check(!bit);
        }
      }
    }
  }
  void operator()(AgedMNode& aged) {
    AgedMNode::fields(aged, *this);
    check((aged.mnode.flags & ~MNode::kFlagsKnown) == 0 && is_valid(value_name(aged.mnode)));
  }
  template <Composed Part>
  void operator()(Part& part) {
    Part::fields(part, *this);
  }

  /// Whether all was well and nothing is left.
  bool complete() const { return good_ && rest_.empty(); }

 private:
  bool check(bool holds) { return good_ = good_ && holds; }
  void take(void* to, std::size_t size_bytes) {
    if (!check(size_bytes <= rest_.size())) {
      return;
    }
    if (size_bytes > 0) {
      std::memcpy(to, rest_.data(), size_bytes);
    }
    rest_ = rest_.subspan(size_bytes);
  }

  std::span<const std::byte> rest_;
  bool good_ = true;
};

}  // namespace copal
