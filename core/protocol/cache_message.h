#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/blob.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/mnode/mnode.h"
#include "core/mnode/owner_order.h"
#include "core/mnode/value_name.h"
#include "core/mnode/version.h"
#include "core/mnode/view.h"
#include "core/protocol/tried_members.h"

// What servers and triad members say to each other about m-nodes and values. A message that has a
// `value` may bring the bytes along, beside the frame: they are moved, never copied or looked at,
// and whoever receives them has compared them with the hash that the message names. Rule: R0.4.

namespace copal {

/// Longer keys are refused (kKeyTooLong). Rule: R0.6.
inline constexpr std::size_t kKeySizeMaxBytes = 1024;

/// An m-node on the wire: its times are ages, for no two nodes share a clock. Rule: R0.1.
struct AgedMNode {
  MNode mnode;  // modified and accessed mean nothing
  Duration modified_age{};
  Duration accessed_age{};

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.mnode.key);
    visit(self.mnode.value_hash);
    visit(self.mnode.version);
    visit(self.mnode.base);
    visit(self.mnode.cache);
    visit(self.mnode.value_size_bytes);
    visit(self.mnode.flags);
    visit(self.mnode.user_flags);
    visit(self.mnode.expire_timeout);
    visit(self.mnode.idle_timeout_ms);
    visit(self.mnode.holder);
    visit(self.mnode.change.server);
    visit(self.mnode.change.incarnation);
    visit(self.mnode.change.sequence);
    visit(self.modified_age);
    visit(self.accessed_age);
  }
};
/// Older than any entry, and far from where adding to it would overflow.
inline constexpr Duration kAgeMax = std::chrono::hours{24 * 365 * 100};
/// Clocks differ, so times travel as ages: never negative, and at most kAgeMax.
/// now  the sender's, or the receiver's, step.
Duration age(TimePoint then, TimePoint now);
TimePoint ago(Duration age, TimePoint now);
AgedMNode aged(const MNode& mnode, TimePoint now);
MNode dated(const AgedMNode& aged, TimePoint now);

/// What became of an operation.
enum class CacheStatus : std::uint8_t {
  kDone,             // read, or changed
  kNotModified,      // the reader's version is the newest: no m-node, no value in the answer
  kAbsent,           // no such entry
  kConditionFailed,  // nothing was changed: the entry is not as the change demands
  kNeedValue,        // nothing was changed: send it again with the value's bytes
  kTryAgain,         // nothing was done: this member does not act, or is not ready to
  kSingleCopy,       // changed, but no other member was ready to keep a copy (`replicated`)
  // Errors: nothing was changed, except perhaps for the last.
  kDegraded,        // `replicated` with `degraded: refuse`: no other member is ready
  kNotAllowed,      // the asker's role does not do this: a balancer that writes (R9)
  kUnknownCache,    // the name or id of a cache that is not defined
  kNameTooLong,     // of a cache
  kKeyTooLong,      // more than kKeySizeMaxBytes
  kValueTooLarge,   // more than the cache's limit
  kNotANumber,      // increment of a value that is not a whole number of 64 bits
  kNumberTooLarge,  // the result would not fit into 64 bits
  kFull,            // no room, and the cache does not evict (R0.7)
  kOverloaded,      // too many operations are under way at this server
  kTimedOut,        // nothing was sent that could still change anything
  kOutcomeUnknown,  // the change may have happened, or may happen later, once (R0.3)
};
constexpr CacheStatus wire_last(CacheStatus) {
  return CacheStatus::kOutcomeUnknown;
}

/// What an entry must be for a change to happen. An expired one counts as absent.
enum class Condition : std::uint8_t {
  kNone,
  kAbsent,   // putIfAbsent
  kPresent,  // replace
  kVersion,  // compare-and-set
  kValue,    // replace(key, old, new) and remove(key, old)
};
constexpr Condition wire_last(Condition) {
  return Condition::kValue;
}

enum class Action : std::uint8_t { kPut, kRemove, kTouch, kIncrement, kAppend, kPrepend };
constexpr Action wire_last(Action) {
  return Action::kPrepend;
}
/// Whether it adds to the value that is there.
constexpr bool is_append(Action action) {
  return action == Action::kAppend || action == Action::kPrepend;
}

/// One change of one entry, as the application asks for it: all of JCache's, memcached's and RESP's
/// changes are a condition and an action. Source: resin-facts C1.
struct Change {
  Condition condition = Condition::kNone;
  Action action = Action::kPut;
  bool wants_previous = false;  // getAndPut, getAndReplace, getAndRemove
  Version expected_version;     // kVersion
  ValueName expected_value;     // kValue
  ValueName value;              // kPut; kAppend and kPrepend: what is added
  std::uint64_t delta = 0;      // kIncrement: added modulo 2^64, as a signed number
  std::uint32_t user_flags = 0;
  Duration expire_timeout{};  // kPut, kTouch; 0: the cache's own; kept by the others
  std::uint32_t idle_timeout_ms = 0;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.condition);
    visit(self.action);
    visit(self.wants_previous);
    visit(self.expected_version);
    visit(self.expected_value);
    visit(self.value);
    visit(self.delta);
    visit(self.user_flags);
    visit(self.expire_timeout);
    visit(self.idle_timeout_ms);
  }
};

/// A server asks the acting owner for an entry.
struct CacheGet {
  std::uint64_t sequence = 0;  // the server's own number for this request
  NodeId origin = kNoNode;     // the server, if a member relays it (R1.4)
  View view;                   // as the server knows it
  Duration time_left{};
  CacheId cache;
  KeyHash key;
  Version held;  // the version it has; kNoVersion for none
  bool wants_value = true;
  std::optional<ValueHash> held_value;  // these bytes it has: a touched entry's need not come again

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.sequence);
    visit(self.origin);
    visit(self.view);
    visit(self.time_left);
    visit(self.cache);
    visit(self.key);
    visit(self.held);
    visit(self.wants_value);
    visit(self.held_value);
  }
};

/// A server asks the acting owner to change an entry. Sent again with the same sequence it is
/// answered as before, not done again. Rule: R0.3.
struct CacheChange {
  std::uint64_t sequence = 0;
  NodeId origin = kNoNode;           // the server, if a member relays it (R1.4)
  std::uint64_t answered_below = 0;  // the server has the answers to all sequences below this
  Incarnation incarnation;           // the server's
  TriedMembers tried;
  std::uint32_t attempt = 0;  // comes back with an answer that nothing was done
  View view;
  Duration time_left{};
  CacheId cache;
  KeyHash key;
  std::string key_text;
  Change change;
  NodeId value_at = kNoNode;  // a member that was given the value's bytes (R0.4)
  Blob value;                 // of change.value, or nothing: the owner may have it

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.sequence);
    visit(self.origin);
    visit(self.answered_below);
    visit(self.incarnation);
    visit(self.tried);
    visit(self.attempt);
    visit(self.view);
    visit(self.time_left);
    visit(self.cache);
    visit(self.key);
    visit(self.key_text);
    visit(self.change);
    visit(self.value_at);
  }
  const ValueHash& value_hash() const { return change.value.hash; }
};

/// The answer to both.
struct CacheAnswer {
  std::uint64_t sequence = 0;
  NodeId origin = kNoNode;    // for whom it is, if a member relays it
  std::uint32_t attempt = 0;  // the change's
  CacheStatus status = CacheStatus::kDone;
  View view;                       // who acts, as the answering member knows it
  Incarnation incarnation;         // of the owner that answered
  std::uint64_t position = 0;      // of the change among the owner's (R1.7); 0: none
  std::optional<AgedMNode> entry;  // as it is now, a tombstone too; none if nothing is known of it
  std::optional<AgedMNode> previous;
  Version absent;  // kAbsent: whatever is not above this was removed, cleared or has expired
  // Of the entry after a get (unless the asker has it) or an append, of the previous one after a
  // change.
  Blob value;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.sequence);
    visit(self.origin);
    visit(self.attempt);
    visit(self.status);
    visit(self.view);
    visit(self.incarnation);
    visit(self.position);
    visit(self.entry);
    visit(self.previous);
    visit(self.absent);
  }
  const ValueHash& value_hash() const {
    return previous ? previous->mnode.value_hash : entry ? entry->mnode.value_hash : kNoValue;
  }
};

/// The acting owner copies a change to another member, in the order of its positions.
struct Replicate {
  Incarnation incarnation;              // the owner's: each start counts its positions anew
  std::uint64_t position = 0;           // from 1 on
  std::uint64_t previous_position = 0;  // of what was sent to this member before; 0: the first
  AgedMNode entry;
  std::string key_text;
  Blob value;  // of the entry, or nothing: the member fetches it if it lacks it

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.incarnation);
    visit(self.position);
    visit(self.previous_position);
    visit(self.entry);
    visit(self.key_text);
  }
  const ValueHash& value_hash() const { return entry.mnode.value_hash; }
};

/// A member has m-nodes and bytes of all that was replicated to it up to a position.
struct ReplicateAck {
  Incarnation incarnation;  // of the owner whose positions these are
  std::uint64_t position = 0;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.incarnation);
    visit(self.position);
  }
};

/// Asks a member for the bytes of a value.
struct FetchValue {
  ValueHash hash;

  static constexpr void fields(auto& self, auto&& visit) { visit(self.hash); }
};

struct FetchedValue {
  ValueHash hash;
  bool found = false;
  Blob value;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.hash);
    visit(self.found);
  }
  const ValueHash& value_hash() const { return hash; }
};

/// The acting owner copies a `clear` to another member: a tombstone over all keys of a cache in one
/// group, in the same sequence of positions.
struct ReplicateClear {
  Incarnation incarnation;
  std::uint64_t position = 0;
  std::uint64_t previous_position = 0;
  Group group;
  CacheId cache;
  Version cleared;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.incarnation);
    visit(self.position);
    visit(self.previous_position);
    visit(self.group);
    visit(self.cache);
    visit(self.cleared);
  }
};

/// A server leaves the bytes of a large value with the member that its hash chooses; the change
/// that names it follows. Kept for kLeftValueTime unless an m-node refers to it. Rule: R0.4.
struct LeaveValue {
  std::uint64_t sequence = 0;  // of the change
  ValueHash hash;
  Blob value;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.sequence);
    visit(self.hash);
  }
  const ValueHash& value_hash() const { return hash; }
};
inline constexpr Duration kLeftValueTime = 30s;

struct ValueLeft {
  std::uint64_t sequence = 0;
  ValueHash hash;
  bool kept = false;  // no room: try the next

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.sequence);
    visit(self.hash);
    visit(self.kept);
  }
};

/// A server has a version that the acting owner may lack: a write of its own that was not
/// replicated when its owner was lost (R1.7), or one that it has read. Same version: nothing new.
struct OfferEntry {
  std::uint64_t sequence = 0;
  NodeId origin = kNoNode;  // the server, if a member relays it
  AgedMNode entry;
  std::string key_text;
  Blob value;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.sequence);
    visit(self.origin);
    visit(self.entry);
    visit(self.key_text);
  }
  const ValueHash& value_hash() const { return entry.mnode.value_hash; }
};

struct OfferAnswer {
  std::uint64_t sequence = 0;
  NodeId origin = kNoNode;
  // kDone: it is here, under `position`; kNotModified: this or a newer one was here; kAbsent: it
  // was removed or cleared since; kTryAgain: as ever.
  CacheStatus status = CacheStatus::kDone;
  View view;
  Incarnation incarnation;  // the owner's
  std::uint64_t position = 0;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.sequence);
    visit(self.origin);
    visit(self.status);
    visit(self.view);
    visit(self.incarnation);
    visit(self.position);
  }
};

using GroupSet = std::bitset<kGroups>;

/// Removes all entries of a cache in the groups that the receiver acts for.
struct ClearCache {
  std::uint64_t sequence = 0;
  CacheId cache;
  GroupSet groups;  // those that nobody has cleared yet

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.sequence);
    visit(self.cache);
    visit(self.groups);
  }
};

struct CacheCleared {
  std::uint64_t sequence = 0;
  CacheStatus status = CacheStatus::kDone;
  GroupSet groups;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.sequence);
    visit(self.status);
    visit(self.groups);
  }
};

/// Asks for the keys of a cache in one group, from one on in the order of their hashes.
struct ListKeys {
  std::uint64_t sequence = 0;
  CacheId cache;
  Group group;
  KeyHash from;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.sequence);
    visit(self.cache);
    visit(self.group);
    visit(self.from);
  }
};

struct KeyPage {
  std::uint64_t sequence = 0;
  CacheStatus status = CacheStatus::kDone;
  std::vector<std::string> keys;
  bool more = false;
  KeyHash next;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.sequence);
    visit(self.status);
    visit(self.keys);
    visit(self.more);
    visit(self.next);
  }
};

enum class EntryEventKind : std::uint8_t { kCreated, kUpdated, kRemoved, kExpired, kCleared };
constexpr EntryEventKind wire_last(EntryEventKind) {
  return EntryEventKind::kCleared;
}

/// To a server that listens to a cache: an entry changed at its acting owner. Sent once, at the
/// time: what is lost with a connection is lost, and the listener is told that some may be.
struct EntryEvent {
  CacheId cache;
  EntryEventKind kind = EntryEventKind::kCreated;
  std::string key_text;  // none of kCleared
  Version version;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.cache);
    visit(self.kind);
    visit(self.key_text);
    visit(self.version);
  }
};

}  // namespace copal
