#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "core/base/blob.h"
#include "core/base/hash_index.h"
#include "core/base/sha256.h"

namespace copal {

/// The values that a member holds, by their hash: never versioned, once each however many m-nodes
/// name them. A value stays while an m-node refers to it or an operation has it pinned; one that is
/// referred to may be missing (its m-node came alone) until a peer sends it. Values that stand in
/// their m-node are not here. Source: paper, section III, "data". Rule: R0.4.
/// Invariants: 1. every value has a reference or a pin; 2. the sizes add up;
/// 3. what is referred to and not here is among the missing.
class ValueStore {
 public:
  ValueStore() = default;
  ValueStore(const ValueStore&) = delete;
  ValueStore& operator=(const ValueStore&) = delete;

  /// Returns the bytes, or nothing if they are not here. Valid until the value changes.
  const Blob* find(const ValueHash& hash) const;

  /// An m-node refers to this value from now on, or no longer does (it did: asserted).
  void add_reference(const ValueHash& hash);
  void remove_reference(const ValueHash& hash);

  /// Keeps the value while an operation needs it: from before its bytes come until its m-node is
  /// installed or given up. Pins count.
  void pin(const ValueHash& hash);
  void unpin(const ValueHash& hash);

  /// Bytes came, whose hash was checked by whoever received them. Returns whether somebody waits
  /// for them: a reference or a pin; else, or if they are here already, nothing is kept.
  bool provide(const ValueHash& hash, const Blob& bytes);

  std::size_t count() const { return index_.size(); }
  /// How many m-nodes refer to this value.
  std::uint32_t reference_count(const ValueHash& hash) const;
  /// Values that at least one m-node refers to. Walks everything.
  std::size_t referred_count() const;
  /// Values that an m-node refers to and that are not here.
  std::size_t missing_count() const { return missing_.size(); }
  /// Sum of the sizes of what is here.
  std::uint64_t size_bytes() const { return size_bytes_; }
  /// Up to count_max of the missing ones, from one on, in the order of their hashes.
  std::vector<ValueHash> missing_from(const ValueHash& from, std::size_t count_max) const;

  /// Walks everything; for tests and the simulator. Asserts the invariants.
  void check_invariants() const;

 private:
  struct Value {
    ValueHash hash;
    Blob bytes;
    std::uint32_t references = 0;
    std::uint32_t pins = 0;
    std::size_t place = 0;  // in values_
    bool here = false;

    const std::array<std::uint8_t, 32>& hash_bytes() const { return hash.bytes; }
  };
  Value& wanted(const ValueHash& hash);
  Value& known(const ValueHash& hash);
  void drop_if_unwanted(Value& value);

  HashIndex<Value> index_;
  std::vector<std::unique_ptr<Value>> values_;
  std::set<ValueHash> missing_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace copal
