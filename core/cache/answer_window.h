#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "core/base/ids.h"
#include "core/protocol/cache_message.h"

namespace copal {

/// What an owner has answered to each server's changes, so that one that comes again is answered
/// again and not done again. A server says below which sequence it has all its answers; those are
/// forgotten. A member that passes a change on remembers to whom: it may be done there, should this
/// one act later. Rule: R0.3. Invariants: 1. nothing is kept below answered_below, nor of an
/// earlier start of a server; 2. never more than kAnswersMax a server.
class AnswerWindow {
 public:
  /// One change that waits for a dead owner keeps the answers to all after it: what a server may
  /// write in dead_after. Chosen: 2,700 changes a second of each server.
  static constexpr std::size_t kAnswersMax = 8192;

  enum class Seen : std::uint8_t {
    kNew,       // to be done
    kPending,   // done, and its answer waits for other members
    kAnswered,  // answer() has it
    kObsolete,  // the server does not wait for it: an earlier start's, or answered and confirmed
    kTooMany,   // to be refused: the server has too many changes under way
  };
  /// Looks up a change, and forgets what the server no longer needs.
  Seen look_up(NodeId server, const CacheChange& change);

  /// A change that was kNew is passed on to another member.
  void pass_on(NodeId server, std::uint64_t sequence, Slot to, Incarnation start);
  /// To whom a change that is kNew was passed on before.
  TriedMembers passed_on(NodeId server, std::uint64_t sequence) const;
  /// A change that was kNew is done; its answer may come later.
  void begin(NodeId server, std::uint64_t sequence);
  /// Its answer. One that the window no longer knows is not kept.
  void finish(NodeId server, Incarnation incarnation, const CacheAnswer& answer);
  /// The answer to a change that is kAnswered, asserted.
  const CacheAnswer& answer(NodeId server, std::uint64_t sequence) const;

  /// The server is gone for good.
  void forget(NodeId server) { servers_.erase(server); }
  std::size_t count(NodeId server) const;

 private:
  enum class State : std::uint8_t { kPassedOn, kDone, kAnswered };
  struct Known {
    State state = State::kPassedOn;
    TriedMembers passed_on;
    CacheAnswer answer;
  };
  struct Server {
    Incarnation incarnation;
    std::uint64_t answered_below = 0;
    std::map<std::uint64_t, Known> known;  // by sequence
  };

  const Known* find(NodeId server, std::uint64_t sequence) const;

  std::map<NodeId, Server> servers_;
};

}  // namespace copal
