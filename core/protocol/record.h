#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/mnode/owner_order.h"
#include "core/protocol/cache_message.h"
#include "core/protocol/member_message.h"
#include "core/protocol/wire.h"

// What a triad member's disk holds, as bytes: the record's version (1 byte), then its fields as on
// the wire (wire.h). Values are stored as they are, under their hash.

namespace copal {

inline constexpr std::uint8_t kRecordVersion = 1;

/// One m-node. Ages at the time of writing: after a restart what the wall clock says was missed is
/// added, see R0.1.
struct MNodeRecord {
  WallTime written{};
  AgedMNode entry;
  std::string key_text;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.written);
    visit(self.entry);
    visit(self.key_text);
  }
};

/// What a group remembers of what was removed.
struct GroupRecord {
  struct Cleared {
    CacheId cache;
    Version version;

    static constexpr void fields(auto& self, auto&& visit) {
      visit(self.cache);
      visit(self.version);
    }
  };
  Version horizon;
  std::vector<Cleared> cleared;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.horizon);
    visit(self.cleared);
  }
};

/// What a member has heard of a peer's starts. A peer that lost its own record learns from here
/// what it must not use again (R5.5); so it has to outlive this member's process.
struct PeerStart {
  NodeId node = kNoNode;         // the peer
  Incarnation incarnation;       // the last that was heard; 0: none was
  std::uint64_t began = 0;       // the peer's wall clock at that start, see FailureDetector
  std::uint32_t generation = 0;  // the highest that it said it was
  std::uint64_t stored = 0;      // the newest synced batch that it told of, roughly, as it said

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.node);
    visit(self.incarnation);
    visit(self.began);
    visit(self.generation);
    visit(self.stored);
  }
  bool operator==(const PeerStart&) const = default;
};

/// What a member must know after a restart: of itself what it must never use again, reserved ahead
/// and synced before use; of its peers which start of each it heard.
struct SelfRecord {
  std::uint32_t generation = 0;
  Incarnation incarnation;           // of the last start
  std::uint32_t terms_below = 1;     // terms below were perhaps acted under (ActingOwner)
  std::uint64_t clock_reserved = 0;  // no reading of the hybrid clock was higher (R6)
  std::array<PeerStart, kSlots> peers{};

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.generation);
    visit(self.incarnation);
    visit(self.terms_below);
    visit(self.clock_reserved);
    for (auto& peer : self.peers) {
      visit(peer);
    }
  }
  bool operator==(const SelfRecord&) const = default;
};

/// What operators ordered, and which servers sleep: these are silent, and a member that did not
/// know would take them for dead, and nobody would wake them.
struct RosterRecord {
  std::vector<RosterOrder> orders;
  std::vector<NodeId> sleeping;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.orders);
    visit(self.sleeping);
  }
  bool operator==(const RosterRecord&) const = default;
};

/// Writes a record to the front of `out`, which is large enough (asserted). Returns its bytes.
template <class Record>
std::span<const std::uint8_t> encode_record(const Record& record, std::span<std::uint8_t> out) {
  WireWriter writer(std::as_writable_bytes(out));
  writer(kRecordVersion);
  writer(record);
  return out.first(out.size() - writer.rest_size_bytes());
}

/// Returns the record, or nothing if the bytes are no such record of this version.
template <class Record>
std::optional<Record> decode_record(std::span<const std::uint8_t> bytes) {
  WireReader reader(std::as_bytes(bytes));
  std::uint8_t version = 0;
  Record record;
  reader(version);
  reader(record);
  if (!reader.complete() || version != kRecordVersion) {
    return std::nullopt;
  }
  return record;
}

}  // namespace copal
