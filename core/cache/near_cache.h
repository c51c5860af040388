#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/blob.h"
#include "core/base/hash_index.h"
#include "core/base/time.h"
#include "core/cache/eviction_choice.h"
#include "core/mnode/mnode.h"

namespace copal {

struct NearCacheConfig {
  std::uint64_t limit_bytes = 64ULL << 20U;  // of what the copies are charged; 0 keeps nothing
  // Chosen: the most hits in nine of ten cells of docs/eviction.md, and the cheapest hit.
  Eviction eviction = Eviction::kS3Fifo;
};

/// A server's own copy of an entry that it has read.
struct NearCopy {
  // In this order because a hit reads these and the key: they stand together behind the links.
  Blob value;           // no bytes if it stands in the m-node, there is none, or it did not come
  TimePoint checked{};  // when it was last known to agree with the acting owner; see outdated_at()
  MNode mnode;

  bool has_bytes() const { return !mnode.has_stored_value() || !value.empty(); }
  /// The `checked` of a copy that is known since then not to be the newest state: a time before all
  /// others, so that it is too old for every read, and yet it says since when.
  static TimePoint outdated_at(TimePoint since) { return since - kOutdated; }
  /// What asks the owner before this time says nothing of the copy.
  TimePoint asked_from() const { return checked < TimePoint{} ? checked + kOutdated : checked; }

 private:
  static constexpr Duration kOutdated{kNever.time_since_epoch() / 2};
};

/// The copies that a dynamic server keeps of entries it has read, within a limit in bytes. When a
/// copy may be used without asking is not decided here. Copies may go at any time: nothing is lost,
/// the owner has them. Source: paper, section III. Rule: R0.7.
/// A copy is charged its value's size and kOverheadBytes. One that is charged more than a tenth of
/// the limit is not kept. Chosen: a tenth is the most that a policy here gives to newcomers; a
/// larger one would push all others of them out for the sake of one, whose transfer costs far more
/// than the message that keeping it might save.
/// A state whose bytes did not come (it was asked for no more, or another server made it) does not
/// drive out an older one that has its bytes: that stays beside it, lest reads go back behind what
/// was read when the acting owner does (section 5 of the design).
/// Invariants: 1. each copy is in the index and known to the policy; 2. the charges add up to at
/// most the limit; 3. each copy is charged for what it holds; 4. only a copy without its bytes has
/// an older one beside it, which has its bytes.
class NearCache {
  struct Item : EvictionItem {
    NearCopy copy;
    std::unique_ptr<NearCopy> older;
    std::size_t place = 0;  // in items_

    const std::array<std::uint8_t, 32>& hash_bytes() const { return copy.mnode.key.bytes; }
  };

 public:
  /// What is charged for a copy beside its value: the item with its pointer, the blob's header (16
  /// bytes with the allocator's), and a place in the index just after it has grown (9 bytes, three
  /// eighths in use).
  static constexpr std::uint64_t kOverheadBytes = sizeof(Item) + sizeof(void*) + 16 + 24;

  explicit NearCache(const NearCacheConfig& config);

  /// Returns the copy, or nothing; counts as a use, and as a hit or a miss. Valid until the next
  /// put, erase or clear. Allocates nothing.
  const NearCopy* find(const KeyHash& key);
  /// The same without counting as anything.
  const NearCopy* peek(const KeyHash& key) const;
  /// The newest state that has its bytes: the copy, or what is beside it.
  const NearCopy* peek_readable(const KeyHash& key) const;

  /// Keeps this copy, in the place of the one of its key if there is one, whatever their versions.
  /// A new key counts as used. A replaced copy does not: the read that asked for it was counted,
  /// and a copy that is only ever written is not worth keeping.
  /// value  see NearCopy; shared, not copied. Without it, what had its bytes stays beside.
  /// checked  see NearCopy.
  /// Returns whether it was kept: not too large, and not given up at once. If it was not, no copy
  /// of this key is here. Allocates for a new key.
  bool put(const MNode& mnode, const Blob& value, TimePoint checked);
  /// The acting owner was asked, which is a use, and this state is right: that of the copy, or of
  /// what is beside it, which then is the copy again. A time before the copy's own changes nothing:
  /// answers may overtake each other. Returns whether that state is here.
  bool confirm(const KeyHash& key, const Version& version, TimePoint checked);

  /// There is a newer state somewhere: the copy is not used without asking until who is asked after
  /// this confirms it, or another is put. It stays, lest reads go back behind it.
  void outdate(const KeyHash& key, TimePoint now);
  /// Returns whether there was a copy.
  bool erase(const KeyHash& key);
  /// Forgets the copies, and what the policy learned from them; counts() go on.
  void clear();

  std::size_t count() const { return items_.size(); }
  /// Sum of the charges.
  std::uint64_t size_bytes() const { return policy_->size_bytes(); }
  std::uint64_t limit_bytes() const { return config_.limit_bytes; }

  struct Counts {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t evictions = 0;  // given up for others, or not admitted
    std::uint64_t too_large = 0;  // never kept
  };
  const Counts& counts() const { return counts_; }

  /// Walks everything; for tests and the simulator. Asserts the invariants.
  void check_invariants() const;

 private:
  static std::uint64_t charge_of(const NearCopy* older, const Blob& value);
  Item& add(const MNode& mnode);
  void drop(Item& item);

  NearCacheConfig config_;
  std::uint64_t charge_max_bytes_;
  std::unique_ptr<EvictionPolicy> policy_;
  HashIndex<Item> index_;
  std::vector<std::unique_ptr<Item>> items_;
  Counts counts_;
};

}  // namespace copal
