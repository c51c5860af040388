// Trial: what clients ask for, and what they are answered.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/base/hash.h"
#include "core/mnode/value_name.h"
#include "sim/disk_image.h"
#include "sim/fuzz/trial.h"

namespace copal::sim::fuzz {

using OpKind = PlannedOp::Kind;

Blob value_bytes(std::uint32_t number, std::uint32_t size_bytes) {
  if (size_bytes == 0) {
    const std::string text = std::to_string(number % 1000);
    return Blob(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  return Blob::make(size_bytes, [number](std::span<std::uint8_t> bytes) {
    for (std::size_t i = 0; i < bytes.size(); i += sizeof(std::uint64_t)) {
      const std::uint64_t word = mix64(number, i / sizeof word);
      std::memcpy(&bytes[i], &word, std::min(sizeof word, bytes.size() - i));
    }
  });
}

std::uint64_t value_sum(std::span<const std::uint8_t> bytes) {
  return disk_checksum(bytes, bytes.size());
}

std::uint64_t value_sum(const MNode& mnode, const Blob& bytes) {
  const ValueName name = value_name(mnode);
  return name.is_inline ? value_sum(inline_bytes(name)) : value_sum(bytes.bytes());
}

std::string key_text(const KeyName& name) {
  return "key " + std::to_string(name.cache) + "/" + std::to_string(name.key);
}

/// value  the bytes that go with it.
Change Trial::change_of(const PlannedOp& planned, Blob& value) {
  Change change;
  value = value_bytes(planned.value, planned.value_size_bytes);
  change.value = name_value(value.bytes());
  change.user_flags = planned.user_flags;
  change.expire_timeout = planned.expire_timeout;
  const auto seen = last_seen_.find({planned.client, {planned.cache, planned.key}});
  const bool knows = seen != last_seen_.end() && seen->second.entry.has_value();
  switch (planned.kind) {
    case OpKind::kPutIfAbsent:
      change.condition = Condition::kAbsent;
      break;
    case OpKind::kReplace:
      change.condition = Condition::kPresent;
      break;
    case OpKind::kCompareAndSet:
      change.condition = Condition::kVersion;
      change.expected_version = knows ? seen->second.entry->version : kNoVersion;
      break;
    case OpKind::kReplaceValue:
      change.condition = Condition::kValue;
      change.expected_value = knows ? value_name(*seen->second.entry) : ValueName{};
      break;
    case OpKind::kGetAndPut:
      change.wants_previous = true;
      break;
    case OpKind::kGetAndReplace:
      change.condition = Condition::kPresent;
      change.wants_previous = true;
      break;
    case OpKind::kGetAndRemove:
      change.wants_previous = true;
      [[fallthrough]];
    case OpKind::kRemove:
      change.action = Action::kRemove;
      break;
    case OpKind::kRemoveValue:
      change.condition = Condition::kValue;
      change.expected_value = knows ? value_name(*seen->second.entry) : ValueName{};
      change.action = Action::kRemove;
      break;
    case OpKind::kIncrement:
      change.action = Action::kIncrement;
      change.delta = planned.value % 10 + 1;
      break;
    case OpKind::kAppend:
      change.action = Action::kAppend;
      break;
    case OpKind::kPrepend:
      change.action = Action::kPrepend;
      break;
    case OpKind::kTouch:
      change.action = Action::kTouch;
      break;
    default:
      break;
  }
  if (change.action != Action::kPut && !is_append(change.action)) {
    change.value = {};
    value = {};
  }
  if (change.value.is_inline) {
    value = {};
  }
  return change;
}

void Trial::begin(const PlannedOp& planned) {
  if (planned.kind == OpKind::kRequest) {
    Member& member = *balancers_[planned.server].member;
    const auto session = sessions_.find(planned.client);
    const bool sticks = planned.sticks && session != sessions_.end();
    ClientAnswer& request = requests_.emplace_back();
    request = {.asked = engine_.now(),
               .balancer = member.id().value,
               .was_told = member.up(),
               .client = planned.client,
               .stuck_to = sticks ? session->second : kNoNode};
    if (request.was_told) {
      member.input(ClientRequest{.client = ClientId{requests_.size()},
                                 .stuck_to = request.stuck_to,
                                 .tag = requests_.size(),
                                 .answer_size_bytes = 100,
                                 .repeatable = true});
    }
    return;
  }
  Operation& operation = history_.operations.emplace_back();
  operation.id = history_.operations.size();
  operation.planned = planned;
  operation.server = server_node(planned.server);
  operation.asked = engine_.now();
  if (member_of(operation.server).node() != nullptr) {
    operation.was_told = true;
    operation.server_start = servers_[planned.server]->starts();
    open_.insert(operation.id);
    tell(operation);
  }
}

void Trial::tell(Operation& operation) {
  const PlannedOp& planned = operation.planned;
  Member& member = member_of(operation.server);
  const CallId call{operation.id};
  const CacheId cache{planned.cache};
  switch (planned.kind) {
    case OpKind::kGet:
    case OpKind::kContains:
      member.input(ReadEntry{call, cache, key_text(operation.name()), planned.kind == OpKind::kGet,
                             planned.timeout});
      break;
    case OpKind::kClear:
      member.input(ClearEntries{call, cache, planned.timeout});
      break;
    case OpKind::kList:
      member.input(ReadKeys{call, cache, {}, planned.timeout});
      break;
    default: {
      Blob value;
      operation.change = change_of(planned, value);
      member.input(ChangeEntry{call, cache, key_text(operation.name()), operation.change, value,
                               planned.timeout});
      break;
    }
  }
}

void Trial::on_answer(const AnswerCall& answer) {
  Operation& operation = history_.operations[answer.call.value - 1];
  open_.erase(operation.id);
  operation.answered = engine_.now();
  operation.status = answer.status;
  operation.entry = answer.entry;
  operation.version = answer.entry ? answer.entry->version : answer.version;
  operation.previous = answer.previous;
  if (answer.entry && operation.planned.kind == OpKind::kGet) {
    operation.value_sum = value_sum(*answer.entry, answer.value);
    operation.value_sum ^= std::exchange(plan_.canary, false) ? 1U : 0U;
  }
  if (answer.previous) {
    operation.previous_sum = value_sum(*answer.previous, answer.value);
  }
  if (answer.entry) {
    last_seen_[{operation.planned.client, operation.name()}] = operation;
  }
}

/// Operations of one call stand one behind the other.
void Trial::on_entries(const AnswerEntries& answer) {
  for (std::size_t i = 0; i < answer.entries.size(); ++i) {
    AnswerCall one = answer.entries[i];
    one.call.value += i;
    on_answer(one);
  }
}

void Trial::on_keys(const AnswerKeys& answer) {
  Operation& operation = history_.operations[answer.call.value - 1];
  operation.keys.insert(operation.keys.end(), answer.keys.begin(), answer.keys.end());
  if (answer.status == CacheStatus::kDone && answer.next) {
    // The next page, in the same operation, once the step that answered is over.
    const ReadKeys next{answer.call, CacheId{operation.planned.cache}, *answer.next, 10s};
    listing_.push_back({operation.server, operation.server_start, next});
    schedule(engine_.now(), Happening::kNextPage);
    return;
  }
  open_.erase(operation.id);
  operation.answered = engine_.now();
  operation.status = answer.status;
}

void Trial::on_next_page() {
  const Listing listing = listing_.front();
  listing_.pop_front();
  TrialServer& server = *servers_[listing.server - 3];
  if (server.member().node() != nullptr && server.starts() == listing.start) {
    server.member().input(listing.next);
  }
}

/// Their server's process is gone: nobody will answer them.
void Trial::end_operations_of(std::uint32_t node) {
  std::erase_if(open_, [&](std::uint64_t id) {
    Operation& operation = history_.operations[id - 1];
    if (operation.server != node) {
      return false;
    }
    operation.status = CacheStatus::kOutcomeUnknown;
    operation.died = true;
    return true;
  });
}

void Trial::answer_client(const AnswerClient& answer) {
  ClientAnswer& request = requests_[answer.client.value - 1];
  request.answered = engine_.now();
  request.status = answer.status;
  if (answer.server != kNoNode) {
    sessions_[request.client] = answer.server;
  }
}

}  // namespace copal::sim::fuzz
