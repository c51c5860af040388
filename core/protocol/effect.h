#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/blob.h"
#include "core/base/ids.h"
#include "core/ports/application.h"
#include "core/ports/storage.h"
#include "core/ports/supervisor.h"
#include "core/protocol/input.h"
#include "core/protocol/message.h"

// All that a node can ask for. A step appends them; the driver performs them in order after the
// step has returned.

namespace copal {

struct Send {
  NodeId to;
  Message message;
  // Leaves only when all that this step and those before it wrote to the store is synced, and
  // vanishes with it at a crash. Later messages of its kind to the same peer wait behind it.
  // Rule: R0.2.
  bool after_sync = false;
};

/// What a client is told.
enum class ClientStatus : std::uint8_t {
  kDone,
  kFailed,    // the application's own error (HTTP 500)
  kRejected,  // no server takes it (503)
  kTimedOut,  // 504
  kLost,      // the connection to the server broke and a retry was not allowed (502)
};

struct AnswerClient {
  ClientId client;
  ClientStatus status = ClientStatus::kDone;
  NodeId server = kNoNode;     // who answered; the client's cookie names it from now on
  std::uint32_t attempts = 0;  // 0: no server was asked
};

struct StartWork {
  WorkId work;
  std::uint64_t tag = 0;
};

struct CancelWork {
  WorkId work;
};

struct ReadCpu {};

/// A server is idle and may go to low power.
struct PowerDown {};

/// A balancer wants a sleeping server back.
struct PowerOn {
  NodeId server;
};

/// The application's operation is over.
struct AnswerCall {
  CallId call;
  CacheStatus status = CacheStatus::kDone;
  std::optional<MNode> entry;     // as it is now, if it is there; times are this node's
  Version version;                // of the entry after a change, a removed one's too
  std::optional<MNode> previous;  // if it was asked for, and was there
  Blob value;  // of the entry read, or of the previous one; empty if it stands in the m-node
};

/// Several operations of one call are over.
struct AnswerEntries {
  CallId call;
  CacheStatus status = CacheStatus::kDone;  // otherwise: of all of them, and nothing was done
  std::vector<AnswerCall> entries;          // one for each, in their order; all of this call
};

/// A page of a cache's keys.
struct AnswerKeys {
  CallId call;
  CacheStatus status = CacheStatus::kDone;
  std::vector<std::string> keys;
  std::optional<KeyCursor> next;  // where the next page begins; nothing: that was all
};

/// An entry of a cache that the application listens to changed; or, without an event, some events
/// may have been lost with a connection to a member, or with that member. That is told at once, and
/// again when the member knows anew who listens: who looks at that time misses nothing.
struct TellListener {
  std::optional<EntryEvent> event;
};

/// One record, or a page of them: Storage::read() and scan(). Completions are inputs.
struct ReadStore {
  ReadId id;
  Family family = Family::kMNodes;
  std::vector<std::uint8_t> key;
};
struct ScanStore {
  ReadId id;
  Family family = Family::kMNodes;
  std::vector<std::uint8_t> from;
  std::size_t size_max_bytes = 0;
};
/// Makes all that was written so far durable: SyncEnded follows.
struct SyncStore {};

/// The process has nothing more to do: a planned stop is over, or its store has failed and it must
/// start again.
struct StopProcess {
  bool failed = false;
};

/// An alarm begins, or is over.
struct SetAlarm {
  Alarm alarm = Alarm::kServesAlone;
  bool on = true;
};

using EffectKinds = std::variant<Send, AnswerClient, StartWork, CancelWork, ReadCpu, PowerDown,
                                 PowerOn, AnswerCall, AnswerEntries, AnswerKeys, TellListener,
                                 ReadStore, ScanStore, SyncStore, StopProcess, SetAlarm>;

/// One effect of any kind; compiled once, in effect.cpp, like Message.
struct Effect : EffectKinds {
  template <KindOf<EffectKinds> Kind>
  Effect(Kind kind)  // NOLINT(google-explicit-constructor): as a variant's
      : EffectKinds(std::in_place_type<Kind>, std::move(kind)) {}
  template <class Kind, class... Fields>
  explicit Effect(std::in_place_type_t<Kind> kind, Fields&&... fields)
      : EffectKinds(kind, std::forward<Fields>(fields)...) {}
  Effect(const Effect& other);
  Effect(Effect&& other) noexcept;
  Effect& operator=(const Effect& other);
  Effect& operator=(Effect&& other) noexcept;
  ~Effect();
};

/// All that one step asks for: effects in their order, and what it writes to the store, as one
/// batch that is carried out whole or not at all, before any of the effects.
/// Owned by the driver and reused.
class Effects {
 public:
  template <class Kind>
  void push_back(Kind&& effect) {
    // In its place: to make an Effect of it first would move the message once more.
    list_.emplace_back(std::in_place_type<std::remove_cvref_t<Kind>>, std::forward<Kind>(effect));
  }
  /// Appends an empty one, to be filled where it stands. Valid until the next is appended.
  template <class Kind>
  Kind& add() {
    return std::get<Kind>(list_.emplace_back(std::in_place_type<Kind>));
  }
  /// Takes out those that a function says true of.
  template <class Predicate>
  void erase_if(Predicate&& taken) {
    std::erase_if(list_, std::forward<Predicate>(taken));
  }
  StorageBatch& store() { return store_; }
  const StorageBatch& store() const { return store_; }
  void clear() {
    list_.clear();
    store_.clear();
  }

  bool empty() const { return list_.empty(); }
  std::size_t size() const { return list_.size(); }
  const Effect& operator[](std::size_t index) const { return list_[index]; }
  Effect& operator[](std::size_t index) { return list_[index]; }
  const Effect& back() const { return list_.back(); }
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  auto begin() { return list_.begin(); }
  auto end() { return list_.end(); }

 private:
  std::vector<Effect> list_;
  StorageBatch store_;
};

}  // namespace copal
