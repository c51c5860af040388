#pragma once

#include <cstdint>
#include <span>

#include "core/base/sha256.h"
#include "core/mnode/mnode.h"

namespace copal {

/// How an m-node says which value it has: a value of up to 32 bytes stands there itself, a longer
/// one by its hash. Each value has one name, so equal values have equal names. Rule: R0.6.
struct ValueName {
  ValueHash hash;  // or the bytes themselves, filled up with zeros
  std::uint32_t size_bytes = 0;
  bool is_inline = false;

  constexpr auto operator<=>(const ValueName&) const = default;

  bool is_absent() const { return !is_inline && hash == kNoValue; }
};

/// The name of these bytes. Hashes them if they are more than 32.
ValueName name_value(std::span<const std::uint8_t> bytes);
/// The name of the value that an m-node has; absent for a tombstone.
ValueName value_name(const MNode& mnode);
void set_value(MNode& mnode, const ValueName& name);

/// Whether a name that came from a peer is one that name_value() gives, or that of no value.
bool is_valid(const ValueName& name);

/// The bytes of an inline value (asserted). Valid while the name lives.
std::span<const std::uint8_t> inline_bytes(const ValueName& name);

}  // namespace copal
