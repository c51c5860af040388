#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/assert.h"
#include "core/base/time.h"

namespace copal {

/// Operations under way, each with a deadline, in the order in which they began. All deadlines of
/// one table come from one timeout, so they never decrease and the oldest operation is the next to
/// expire: a list does what a heap would do at more cost.
/// An id is never used twice: its upper half counts the uses of a slot.
template <class Operation>
class PendingTable {
 public:
  /// Returns the new operation's id. deadline  not before that of the last one, asserted.
  /// Allocates only beyond the most ever under way.
  std::uint64_t insert(const Operation& operation, TimePoint deadline) {
    std::uint32_t slot = free_;
    if (slot == kNone) {
      slot = static_cast<std::uint32_t>(slots_.size());
      COPAL_ASSERT(slot != kNone);
      slots_.emplace_back();
    } else {
      free_ = slots_[slot].next;
    }
    COPAL_ASSERT(last_ == kNone || slots_[last_].deadline <= deadline);
    Slot& entry = slots_[slot];
    entry.operation = operation;
    entry.deadline = deadline;
    entry.used = true;
    entry.previous = last_;
    entry.next = kNone;
    (last_ == kNone ? first_ : slots_[last_].next) = slot;
    last_ = slot;
    ++count_;
    return id_of(slot);
  }

  /// Returns the operation, or nothing if it is over. Valid until the next insert.
  Operation* find(std::uint64_t id) {
    const auto slot = static_cast<std::uint32_t>(id);
    if (slot >= slots_.size() || !slots_[slot].used || slots_[slot].uses != id >> 32U) {
      return nullptr;
    }
    return &slots_[slot].operation;
  }

  /// Returns the deadline of an operation that is under way (asserted).
  TimePoint deadline(std::uint64_t id) {
    COPAL_ASSERT(find(id) != nullptr);
    return slots_[static_cast<std::uint32_t>(id)].deadline;
  }

  /// Ends an operation that is under way (asserted).
  void erase(std::uint64_t id) {
    COPAL_ASSERT(find(id) != nullptr);
    const auto slot = static_cast<std::uint32_t>(id);
    Slot& entry = slots_[slot];
    (entry.previous == kNone ? first_ : slots_[entry.previous].next) = entry.next;
    (entry.next == kNone ? last_ : slots_[entry.next].previous) = entry.previous;
    entry.used = false;
    ++entry.uses;
    entry.next = free_;
    free_ = slot;
    --count_;
  }

  /// When the next operation expires; kNever if none is under way.
  TimePoint next_deadline() const { return first_ == kNone ? kNever : slots_[first_].deadline; }

  /// The id of the oldest operation; asserts that there is one.
  std::uint64_t oldest() const {
    COPAL_ASSERT(first_ != kNone);
    return id_of(first_);
  }

  /// The ids of all operations under way, oldest first. Allocates; for rare occasions.
  std::vector<std::uint64_t> ids() const {
    std::vector<std::uint64_t> all;
    for (std::uint32_t slot = first_; slot != kNone; slot = slots_[slot].next) {
      all.push_back(id_of(slot));
    }
    return all;
  }

  std::size_t size() const { return count_; }

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  struct Slot {
    Operation operation{};
    TimePoint deadline{};
    std::uint32_t uses = 0;
    std::uint32_t previous = kNone;
    std::uint32_t next = kNone;
    bool used = false;
  };

  std::uint64_t id_of(std::uint32_t slot) const {
    return (static_cast<std::uint64_t>(slots_[slot].uses) << 32U) | slot;
  }

  std::vector<Slot> slots_;
  std::uint32_t first_ = kNone;
  std::uint32_t last_ = kNone;
  std::uint32_t free_ = kNone;
  std::size_t count_ = 0;
};

}  // namespace copal
