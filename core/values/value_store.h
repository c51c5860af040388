#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "core/base/blob.h"
#include "core/base/hash_index.h"
#include "core/base/sha256.h"

namespace copal {

/// The values that a member holds, by their hash: never versioned, once each however many m-nodes
/// name them. A value stays while an m-node refers to it or an operation has it pinned; one that is
/// referred to may be missing (its m-node came alone) until a peer sends it. Those that an m-node
/// refers to are on the disk as well, and need not be in memory then. Values that stand in their
/// m-node are not here. Source: paper, section III, "data". Rule: R0.4, R0.6.
/// It writes nothing: it says what is to be written (take_changes) and is told what became of it.
/// Invariants: 1. every value has a reference or a pin; 2. the sizes add up;
/// 3. what is referred to and neither in memory nor on the disk is among the missing; 4. what is
/// not safely on the disk is in memory, or missing.
class ValueStore {
 public:
  ValueStore() = default;
  ~ValueStore();
  ValueStore(const ValueStore&) = delete;
  ValueStore& operator=(const ValueStore&) = delete;

  /// Returns the bytes if they are in memory, or nothing. Counts as a use. Valid until the value
  /// changes.
  const Blob* find(const ValueHash& hash) const;
  /// Whether the bytes are here, in memory or on the disk.
  bool has(const ValueHash& hash) const;
  /// Whether an m-node refers to them or an operation has them pinned.
  bool is_wanted(const ValueHash& hash) const { return find_value(hash) != nullptr; }
  /// They are here and must be read from the disk.
  bool is_only_on_disk(const ValueHash& hash) const;

  /// An m-node refers to this value from now on, or no longer does (it did: asserted).
  void add_reference(const ValueHash& hash);
  void remove_reference(const ValueHash& hash);
  /// As add_reference(), for an m-node that was found on the disk: the value went there with it or
  /// before it, so its bytes are taken to be there until a read says otherwise (on_lost).
  void add_stored_reference(const ValueHash& hash, std::uint32_t size_bytes);

  /// Keeps the value while an operation needs it: from before its bytes come until its m-node is
  /// installed or given up. Pins count.
  void pin(const ValueHash& hash);
  void unpin(const ValueHash& hash);

  /// Bytes came, whose hash was checked by whoever received them. Returns whether somebody waited
  /// for them: a reference or a pin; else, or if they are in memory already, nothing is kept.
  bool provide(const ValueHash& hash, const Blob& bytes);
  /// The disk does not have it, or not as it was written. It is missing now, unless in memory.
  void on_lost(const ValueHash& hash);

  /// What must be put on the disk, and what erased there, to make it agree with this.
  struct Changes {
    struct Put {
      ValueHash hash;
      Blob bytes;
    };
    std::vector<Put> written;
    std::vector<ValueHash> erased;
  };
  /// Hands out the changes since the last call; they count as written. changes  is overwritten: one
  /// that was used before has the room already, so nothing is allocated on the path of a change.
  void take_changes(Changes& changes);
  Changes take_changes() {
    Changes changes;
    take_changes(changes);
    return changes;
  }
  bool has_changes() const { return !to_write_.empty() || !to_erase_.empty(); }
  /// A change that was written is synced, or was not written after all and must be again.
  void on_synced(const ValueHash& hash);
  void on_not_written(const ValueHash& hash);

  /// Takes bytes that are safely on the disk out of memory until what stays is within the limit,
  /// those not used lately first. step_max  values looked at, so that a step stays short.
  void shed(std::uint64_t limit_bytes, std::size_t step_max);

  std::size_t count() const { return count_; }
  /// How many m-nodes refer to this value.
  std::uint32_t reference_count(const ValueHash& hash) const;
  /// Values that at least one m-node refers to. Walks everything.
  std::size_t referred_count() const;
  /// Values that an m-node refers to and whose bytes are nowhere here.
  std::size_t missing_count() const { return missing_.size(); }
  /// Sum of the sizes of what is here, and of what of it is in memory.
  std::uint64_t size_bytes() const { return size_bytes_; }
  std::uint64_t memory_bytes() const { return memory_bytes_; }
  /// Up to count_max of the missing ones, from one on, in the order of their hashes.
  std::vector<ValueHash> missing_from(const ValueHash& from, std::size_t count_max) const;

  /// Walks everything; for tests and the simulator. Asserts the invariants.
  void check_invariants() const;

 private:
  enum class OnDisk : std::uint8_t { kNo, kWritten, kSynced };

  /// 56 bytes, as many as fit into the allocator's 64: a field more costs 16 bytes a value.
  struct Value {
    ValueHash hash;
    Blob bytes;
    std::uint32_t size_bytes = 0;  // if it is here
    std::uint32_t references = 0;
    std::uint32_t pins = 0;
    OnDisk on_disk = OnDisk::kNo;
    bool in_memory = false;
    mutable bool used = false;  // since the hand last passed

    const std::array<std::uint8_t, 32>& hash_bytes() const { return hash.bytes; }
    bool is_here() const { return in_memory || on_disk != OnDisk::kNo; }
    bool is_missing() const { return references > 0 && !is_here(); }
  };
  static_assert(sizeof(Value) == 56);

  // An index that grows moves all it has, and no step may take that long with ten million values.
  static constexpr std::size_t kParts = 64;
  HashIndex<Value>& part_of(const ValueHash& hash) { return parts_[hash.bytes[0] % kParts]; }
  Value* find_value(const ValueHash& hash) const {
    return parts_[hash.bytes[0] % kParts].find(hash.bytes);
  }
  template <class Look>
  void look_at_all(Look&& look) const;

  Value& wanted(const ValueHash& hash);
  Value& known(const ValueHash& hash);
  void add_reference(Value& value);
  void drop_if_unwanted(Value& value);
  void set_here(Value& value, std::size_t size_bytes);
  void forget_bytes(Value& value);

  std::array<HashIndex<Value>, kParts> parts_;  // they own what they find
  std::size_t count_ = 0;
  std::set<ValueHash> missing_;
  std::vector<ValueHash> to_write_;
  std::vector<ValueHash> to_erase_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t memory_bytes_ = 0;
  std::size_t hand_part_ = 0;  // which value shed() looks at next
  std::size_t hand_place_ = 0;
};

}  // namespace copal
