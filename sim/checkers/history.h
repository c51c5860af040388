#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/mnode/mnode.h"
#include "core/protocol/cache_message.h"
#include "sim/fuzz/plan.h"

// What happened in a run, as an outsider who sees everything knows it: the clients' operations, and
// for each key what every member and the writers held when. The checkers judge by this alone. Times
// are the engine's, which no node can see.

namespace copal::sim {

/// One key of one cache.
struct KeyName {
  std::uint32_t cache = 0;
  std::uint32_t key = 0;
  auto operator<=>(const KeyName&) const = default;
};

/// One operation of a client.
struct Operation {
  std::uint64_t id = 0;  // 1, 2, …; the CallId
  fuzz::PlannedOp planned;
  std::uint32_t server = 0;        // node
  std::uint32_t server_start = 0;  // of its process
  Change change;                   // of one that changes
  TimePoint asked{};               // when the server's node was told
  TimePoint answered = kNever;
  CacheStatus status = CacheStatus::kTimedOut;
  std::optional<MNode> entry;
  Version version;  // of the entry, a removed one's too
  std::optional<MNode> previous;
  std::uint64_t value_sum = 0;  // of the bytes that came with the answer
  std::uint64_t previous_sum = 0;
  std::vector<std::string> keys;  // of a list, up to the page that has come
  bool was_told = false;          // the server was up and has got it
  bool died = false;              // its process ended before it answered
  bool is_over() const { return answered != kNever; }

  KeyName name() const { return {planned.cache, planned.key}; }
  bool is_read() const {
    return planned.kind == fuzz::PlannedOp::Kind::kGet ||
           planned.kind == fuzz::PlannedOp::Kind::kContains;
  }
  bool changed() const {
    return (status == CacheStatus::kDone || status == CacheStatus::kSingleCopy) && !is_read() &&
           version != kNoVersion;
  }
};

/// What one member holds of one key from a time on.
struct HeldState {
  TimePoint since{};
  bool running = false;  // the process; else what its disk would give back
  Version version;       // kNoVersion: no m-node
  bool is_tombstone = false;
  bool has_bytes = true;  // of the value, where it is stored apart
};

/// A span in which a member acted for a group.
struct ActingSpan {
  std::uint32_t member = 0;
  std::uint32_t term = 0;
  TimePoint from{};
  TimePoint to = kNever;
};

/// Everything about one key.
struct KeyHistory {
  KeyHash hash;
  Group group;
  std::string text;
  std::array<std::vector<HeldState>, kSlots> held;
  /// Every state of the m-node that was ever seen anywhere, by version.
  std::map<Version, MNode> states;
  std::map<Version, std::uint64_t> value_sums;
  /// By member: what its node was told is synced, from when on.
  struct Durable {
    TimePoint since{};
    Version version;
  };
  std::array<std::vector<Durable>, kSlots> durable;
  /// When a member thinks that its entry was used last, by the engine's clock, from when on. Only
  /// of entries with an idle timeout.
  struct KnownUse {
    TimePoint since{};
    Version version;
    TimePoint used{};
  };
  std::array<std::vector<KnownUse>, kSlots> uses;

  /// The versions of which servers that listen were told, by node.
  std::map<std::uint32_t, std::vector<Version>> events;

  /// What a member held at a time.
  const HeldState* at(std::uint32_t member, TimePoint time) const;
  /// The same without what became of it in the steps of that very instant.
  const HeldState* before(std::uint32_t member, TimePoint time) const;
};

struct History {
  std::vector<Operation> operations;  // by id - 1
  std::map<KeyName, KeyHistory> keys;
  std::array<std::vector<ActingSpan>, kGroups> acting;  // by `from`
  /// When the process of a node ended, by node, in order.
  std::vector<std::vector<TimePoint>> ends;
  /// When the process of a server began, by node, and when it was told that events may be lost.
  std::map<std::uint32_t, std::vector<TimePoint>> starts;
  std::map<std::uint32_t, std::vector<TimePoint>> events_lost;
  /// The newest clear that a member knows, from when on; a member whose disk lost it goes back.
  struct KnownClear {
    TimePoint since{};
    Version version;
  };
  /// Of a group's part of a cache, by member.
  std::map<std::pair<std::uint8_t, std::uint32_t>, std::array<std::vector<KnownClear>, kSlots>>
      clears;
  /// The same version with different contents, in words.
  std::vector<std::string> conflicts;
  /// Entries that a member thought to be changed or used later than now, in words.
  std::vector<std::string> from_the_future;
  /// Where a member heard of a peer's new generation and went on with what it had agreed with the
  /// one before, in words.
  std::vector<std::string> agreed_with_others;
  /// Where a member took what was below its horizon, in words.
  std::vector<std::string> below_horizons;
  /// Where an order of an operator was followed by an older one, in words.
  std::vector<std::string> orders_gone_back;
  /// What members counted as overwritten (R6).
  std::uint64_t overwritten_counted = 0;
  std::uint64_t set_aside = 0;
  /// When the highest horizon that any member had rose, and to what, by group.
  struct Rise {
    TimePoint at{};
    Version horizon;
    std::uint32_t member = 0;  // whose rose
  };
  std::array<std::vector<Rise>, kGroups> horizons;

  /// The newest clear that any member has carried out; kNoVersion if none has.
  Version cleared(Group group, std::uint32_t cache) const;
  /// Since when some member's horizon was above a version; kNever if none was.
  TimePoint above(Group group, const Version& version) const;
};

}  // namespace copal::sim
