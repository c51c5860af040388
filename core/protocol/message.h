#pragma once

#include <concepts>
#include <cstdint>
#include <utility>
#include <variant>

#include "core/base/blob.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/protocol/cache_message.h"
#include "core/protocol/compare_message.h"
#include "core/protocol/member_message.h"

// What nodes say to each other. Each message lists its fields once, in fields(); the codec
// (codec.h) and whoever prints or compares messages walk that list. Times travel as lengths, never
// as points in time: no two nodes share a clock. Rule: R0.1.

namespace copal {

/// How loaded a server is, by its own measure.
struct LoadSample {
  std::uint32_t active = 0;  // requests that the server holds, at work or queued
  double cpu_ratio = 0;      // busy share of all its cores over the last reading; 0 to 1
  Duration latency{};        // median of recent answers begun at about this many active; 0: none

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.active);
    visit(self.cpu_ratio);
    visit(self.latency);
  }
};

/// A client's request, passed on by a balancer.
struct Request {
  RequestId id;
  SessionId session;
  std::uint64_t tag = 0;  // the world's own name for the work; see Application::start_work
  Duration time_left{};   // until the balancer gives up; a server drops what is past it
  std::uint32_t body_size_bytes = 0;
  std::uint32_t answer_size_bytes = 0;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.id);
    visit(self.session);
    visit(self.tag);
    visit(self.time_left);
    visit(self.body_size_bytes);
    visit(self.answer_size_bytes);
  }
};

enum class AnswerStatus : std::uint8_t {
  kDone,    // the application answered
  kFailed,  // the application answered with an error (HTTP 5xx)
  kBusy,    // not taken: the server is full, starting or draining (HTTP 503); safe to repeat
};
constexpr AnswerStatus wire_last(AnswerStatus) {
  return AnswerStatus::kBusy;
}

struct Answer {
  RequestId id;
  AnswerStatus status = AnswerStatus::kDone;
  LoadSample load;  // rides along, so that a busy balancer needs few probes
  std::uint32_t body_size_bytes = 0;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.id);
    visit(self.status);
    visit(self.load);
    visit(self.body_size_bytes);
  }
};

/// The balancer no longer waits for this request.
struct Cancel {
  RequestId id;

  static constexpr void fields(auto& self, auto&& visit) { visit(self.id); }
};

/// Sent by each server to each balancer at every report interval, and at once when its phase
/// changes: heartbeat, state and load in one.
struct LoadReport {
  Incarnation incarnation;
  ServerPhase phase = ServerPhase::kStarting;
  LoadSample load;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.incarnation);
    visit(self.phase);
    visit(self.load);
  }
};

/// Asks a server for its load now. Source: Wydrowski et al., Prequal, NSDI 2024.
struct Probe {
  ProbeId id;

  static constexpr void fields(auto& self, auto&& visit) { visit(self.id); }
};

struct ProbeAnswer {
  ProbeId id;
  LoadSample load;

  static constexpr void fields(auto& self, auto&& visit) {
    visit(self.id);
    visit(self.load);
  }
};

/// The order is the wire's: a kind is its index here, so new kinds go to the end.
using MessageKinds =
    std::variant<Request, Answer, Cancel, LoadReport, Probe, ProbeAnswer, CacheGet, CacheChange,
                 CacheAnswer, Replicate, ReplicateAck, FetchValue, FetchedValue, ReplicateClear,
                 LeaveValue, ValueLeft, OfferEntry, OfferAnswer, ClearCache, CacheCleared, ListKeys,
                 KeyPage, EntryEvent, MemberHeartbeat, ServerHeartbeat, ServerList, RosterUpdate,
                 AskHandOver, HandOver, CompareOpen, CompareOpened, CompareSums, CompareDiffer,
                 CompareExchange, CompareExchanged, CompareClose, CompareClosed, CompareUses,
                 CompareUsed>;

template <class Kind, class... Kinds>
constexpr bool is_kind_of(const std::variant<Kinds...>*) {
  return (std::same_as<Kind, Kinds> || ...);
}
/// One of the alternatives of a variant.
template <class Kind, class Variant>
concept KindOf = is_kind_of<Kind>(static_cast<const Variant*>(nullptr));

/// One message of any kind. Copied, moved and destroyed by functions of message.cpp: each is a jump
/// table over all kinds, which would be most of what there is to compile in every file that has to
/// do with messages.
struct Message : MessageKinds {
  Message();
  template <KindOf<MessageKinds> Kind>
  Message(Kind kind)  // NOLINT(google-explicit-constructor): as a variant's
      : MessageKinds(std::in_place_type<Kind>, std::move(kind)) {}
  Message(const Message& other);
  Message(Message&& other) noexcept;
  Message& operator=(const Message& other);
  Message& operator=(Message&& other) noexcept;
  ~Message();
};

/// Groups of kinds: each role has ears for few of the others' groups, and names those.
template <class Kind, class... Kinds>
concept OneOf = (std::same_as<Kind, Kinds> || ...);
template <class Kind>
concept BalancingMessage = OneOf<Kind, Request, Answer, Cancel, LoadReport, Probe, ProbeAnswer>;
/// What servers ask of triad members, and what members answer.
template <class Kind>
concept CacheQuestion =
    OneOf<Kind, CacheGet, CacheChange, LeaveValue, OfferEntry, ClearCache, ListKeys>;
template <class Kind>
concept CacheReply =
    OneOf<Kind, CacheAnswer, ValueLeft, OfferAnswer, CacheCleared, KeyPage, EntryEvent>;
/// Between triad members.
template <class Kind>
concept TriadMessage =
    OneOf<Kind, Replicate, ReplicateAck, ReplicateClear, FetchValue, FetchedValue, RosterUpdate,
          AskHandOver, HandOver, CompareOpen, CompareOpened, CompareSums, CompareDiffer,
          CompareExchange, CompareExchanged, CompareClose, CompareClosed, CompareUses, CompareUsed>;

/// Bytes that travel with a message, that are not part of its frame and that the core never sees.
std::uint64_t body_size_bytes(const Message& message);

/// The value that a message brings; an empty one for most.
Blob value_of(const Message& message);
/// Gives a message that was decoded the value that came with its frame. Returns kMalformed if it
/// can't have one, or if its hash is not the one that the message names.
Result<Message> with_value(Message message, const Blob& value);

}  // namespace copal
