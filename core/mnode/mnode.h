#pragma once

#include <cstdint>

#include "core/base/ids.h"
#include "core/base/mutant.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "core/mnode/version.h"

namespace copal {

/// One start of a cache: `clear` gives it the next id, so no entry of before is found (R0.6).
using CacheId = detail::Id<struct CacheIdTag, std::uint32_t>;

/// Which request made the last change: the server that sent it, the start of its process, and its
/// number there. An owner that gets it again knows that it was applied. Rule: R0.3.
struct ChangeId {
  NodeId server = kNoNode;
  Incarnation incarnation;
  std::uint64_t sequence = 0;

  constexpr auto operator<=>(const ChangeId&) const = default;
};

/// What members know of the last use of an entry with an idle timeout may be older than it was by
/// as much as this, and the entry is kept so much longer than its timeout, never shorter.
/// Rule: R0.7.
constexpr Duration touch_interval(std::uint32_t idle_timeout_ms) {
  const Duration sixteenth = std::chrono::milliseconds{idle_timeout_ms} / 16;
  return sixteenth < 1s ? Duration{1s} : sixteenth > 60s ? Duration{60s} : sixteenth;
}

/// How often uses are told, rarely enough to cost nothing: by a server to the owner, and by the
/// owner to the other members. Half of the above each, for the one comes on top of the other.
constexpr Duration tell_interval(std::uint32_t idle_timeout_ms) {
  return touch_interval(idle_timeout_ms) / 2;
}

/// The fixed-size record of one key: all that must agree between servers. The value's bytes are
/// kept and sent apart, by their hash. Source: paper, section III, "m-node". Rule: R0.6.
/// Invariants: 1. a tombstone has value_size_bytes 0; 2. an inline value's unused bytes are zero,
/// so that equal values are equal records.
struct MNode {
  enum Flag : std::uint32_t {
    kInline = 1,  // the value itself stands in value_hash (at most 32 bytes)
  };
  static constexpr std::uint32_t kFlagsKnown = kInline;
  static constexpr std::uint32_t kInlineMaxBytes = 32;

  KeyHash key;
  ValueHash value_hash;
  Version version;
  Version base;  // newest version of another owner that was known when this was written (R6)
  CacheId cache;
  std::uint32_t value_size_bytes = 0;
  std::uint32_t flags = 0;
  std::uint32_t user_flags = 0;       // the application's own (memcached)
  Duration expire_timeout{};          // since the last change; 0: none
  std::uint32_t idle_timeout_ms = 0;  // since the last read or change; 0: none
  NodeId holder = kNoNode;            // of the lease
  TimePoint modified{};               // this member's clock; an age on the wire
  TimePoint accessed{};
  ChangeId change;

  bool is(Flag flag) const { return (flags & flag) != 0; }
  /// Removed. (The empty value is inline and all zero: no tombstone.)
  bool is_tombstone() const { return value_hash == kNoValue && !is(kInline); }

  /// It has a value, and that is kept apart, by its hash.
  bool has_stored_value() const { return value_hash != kNoValue && !is(kInline); }

  /// Past its expire timeout, or so long past its idle timeout that no use can be unknown. Bounds:
  /// the instant itself is still inside.
  bool is_expired(TimePoint now) const {
    if (COPAL_MUTANT(kHiddenIdleGraceForgotten) && idle_timeout_ms > 0 &&
        now - accessed > std::chrono::milliseconds{idle_timeout_ms}) {
      return true;
    }
    return (expire_timeout > 0ns && now - modified > expire_timeout) ||
           (idle_timeout_ms > 0 && now - accessed > std::chrono::milliseconds{idle_timeout_ms} +
                                                        touch_interval(idle_timeout_ms));
  }
};
static_assert(sizeof(MNode) <= 168);

}  // namespace copal
