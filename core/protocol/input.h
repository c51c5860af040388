#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/blob.h"
#include "core/base/ids.h"
#include "core/ports/application.h"
#include "core/ports/storage.h"
#include "core/protocol/message.h"

// All that a node can be told. Whatever decides about a node's behaviour is one of these or the
// time, so a list of them is a recording.

namespace copal {

/// A client's request at a balancer, until it is answered; given by the world.
using ClientId = detail::Id<struct ClientIdTag, std::uint64_t>;

struct MessageReceived {
  NodeId from;
  Message message;
};

/// The connection to a peer broke, and what was on it may be lost.
struct LinkDown {
  NodeId peer;
};

/// The transport's queue to a peer was full: something that this node sent was not taken.
struct SendRefused {
  NodeId peer;
};

/// The deadline that the node told has come. One too many does no harm.
struct Wake {};

/// To a balancer: a client asks.
struct ClientRequest {
  ClientId client;
  SessionId session;
  std::uint64_t routing_key = 0;  // hash of the session, else of what the scenario routes by
  NodeId stuck_to = kNoNode;      // the server that the client's cookie names
  std::uint64_t tag = 0;
  std::uint32_t body_size_bytes = 0;
  std::uint32_t answer_size_bytes = 0;
  bool repeatable = false;  // may be sent a second time after it may have been worked on
};

/// An application's operation on a cache at its server, until it is answered; given by the world,
/// below kCallsBelow.
using CallId = detail::Id<struct CallIdTag, std::uint64_t>;

inline constexpr std::uint64_t kCallsBelow = std::uint64_t{1} << 63U;

/// To a server: its application reads an entry.
struct ReadEntry {
  CallId call;
  CacheId cache;
  std::string key;
  bool wants_value = true;  // containsKey does not
  Duration timeout = 10s;
};

/// To a server: its application changes an entry.
struct ChangeEntry {
  CallId call;
  CacheId cache;
  std::string key;
  Change change;
  Blob value;  // of change.value, unless that is inline
  Duration timeout = 10s;
};

/// To a server: its application reads some entries (getAll), each by itself: they are of no common
/// moment. One answer: AnswerEntries.
struct ReadEntries {
  CallId call;
  CacheId cache;
  std::vector<std::string> keys;
  bool wants_value = true;
  Duration timeout = 10s;
};

/// One of several changes: as ChangeEntry.
struct EntryChange {
  std::string key;
  Change change;
  Blob value;
};

/// To a server: its application changes some entries (putAll, removeAll), each by itself: some may
/// be done and others not, and a key that is named twice is changed in either order. One answer:
/// AnswerEntries.
struct ChangeEntries {
  CallId call;
  CacheId cache;
  std::vector<EntryChange> changes;
  Duration timeout = 10s;
};

/// To a server: its application removes all entries of a cache.
struct ClearEntries {
  CallId call;
  CacheId cache;
  Duration timeout = 10s;
};

/// Where a page of keys begins. The default: at the first.
struct KeyCursor {
  Group group;
  KeyHash from;
};

/// To a server: its application asks for some keys of a cache, in no order of their text. Keys that
/// are there all the time come once; others may come or not.
struct ReadKeys {
  CallId call;
  CacheId cache;
  KeyCursor from;
  Duration timeout = 10s;
};

/// To a server: its application wants the events of a cache from now on, or no longer.
struct ListenTo {
  CacheId cache;
  bool listen = true;
};

/// To a triad member, from its operator: what becomes of a registered server.
struct ChangeRoster {
  NodeId node;
  RosterState state = RosterState::kEnabled;
};

/// To any node, from its operator: hand over what it is in charge of, then StopProcess. Rule: R1.5.
struct StopOrder {};

/// To a server: work that it started is over.
struct WorkEnded {
  WorkId work;
  bool succeeded = true;
};

/// To a server: the answer to ReadCpu.
struct CpuReading {
  double busy_ratio = 0;  // 0 to 1
};

/// To a server: its application has started and may be given requests.
struct ApplicationReady {};

/// To a server, from its operator: take no new sessions, or take them again.
struct DrainOrder {
  bool drain = true;
};

using InputKinds = std::variant<MessageReceived, LinkDown, Wake, ClientRequest, WorkEnded,
                                CpuReading, ApplicationReady, DrainOrder, ReadEntry, ChangeEntry,
                                ReadEntries, ChangeEntries, ClearEntries, ReadKeys, ListenTo,
                                ChangeRoster, StopOrder, SendRefused, StorageCompletion>;

/// One input of any kind; compiled once, in input.cpp, like Message.
struct Input : InputKinds {
  template <KindOf<InputKinds> Kind>
  Input(Kind kind)  // NOLINT(google-explicit-constructor): as a variant's
      : InputKinds(std::in_place_type<Kind>, std::move(kind)) {}
  Input(const Input& other);
  Input(Input&& other) noexcept;
  Input& operator=(const Input& other);
  Input& operator=(Input&& other) noexcept;
  ~Input();
};

/// What a dynamic server's application asks of its cache.
template <class Kind>
concept CallInput = OneOf<Kind, ReadEntry, ChangeEntry, ReadEntries, ChangeEntries, ClearEntries,
                          ReadKeys, ListenTo>;
/// What only a triad member is told.
template <class Kind>
concept TriadInput = OneOf<Kind, ChangeRoster, StorageCompletion>;

}  // namespace copal
