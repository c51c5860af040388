// Trial: what clients ask for, and what they are answered.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/base/hash.h"
#include "core/mnode/value_name.h"
#include "core/protocol/codec.h"
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

void Trial::begin(std::size_t op) {
  const PlannedOp& planned = plan_.ops[op];
  if (planned.kind == OpKind::kRequest) {
    begin_request(planned);
  } else if (planned.kind == OpKind::kForbidden) {
    begin_forbidden(planned);
  } else if (planned.bulk != 0) {
    begin_bulk(op);
  } else if (begin_operation(planned)) {
    tell(history_.operations.back());
  }
}

void Trial::begin_request(const PlannedOp& planned) {
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
}

/// A balancer's process that is not what it should be: it asks whoever acts for the key to change
/// it, as a server would.
void Trial::begin_forbidden(const PlannedOp& planned) {
  const KeyName name{planned.cache, planned.key};
  const KeyHistory& key = history_.keys.at(name);
  for (std::uint8_t slot = 0; slot < kSlots; ++slot) {
    const TriadServer* member = (plan_.slots >> slot & 1U) != 0 ? triad_[slot]->node() : nullptr;
    if (member == nullptr || !member->is_running() || !member->ownership().acts(key.group)) {
      continue;
    }
    const Blob value = value_bytes(planned.value, 0);
    const CacheChange change{.sequence = ++forbidden_,
                             .incarnation = Incarnation{1},
                             .attempt = 1,
                             .view = member->ownership().view(key.group),
                             .time_left = planned.timeout,
                             .cache = CacheId{planned.cache},
                             .key = key.hash,
                             .key_text = key.text,
                             .change = {.value = name_value(value.bytes())}};
    const std::span<std::byte> frame = network_->frame_room();
    const NodeId from = balancers_[planned.server].member->id();
    network_->send(from, triad_[slot]->id(), Lane::kData, frame.first(encode(change, frame)), {});
    return;
  }
}

/// Returns whether there is a process to be told; the operation is the last of the history.
bool Trial::begin_operation(const PlannedOp& planned) {
  Operation& operation = history_.operations.emplace_back();
  operation.id = history_.operations.size();
  operation.planned = planned;
  operation.server = server_node(planned.server);
  operation.asked = engine_.now();
  if (member_of(operation.server).node() != nullptr) {
    operation.was_told = true;
    operation.server_start = servers_[planned.server]->starts();
    open_.insert(operation.id);
  }
  return operation.was_told;
}

bool Trial::goes_with_the_one_before(std::size_t op) const {
  if (op == 0 || op >= plan_.ops.size() || plan_.ops[op].bulk == 0) {
    return false;
  }
  const PlannedOp& before = plan_.ops[op - 1];
  const PlannedOp& planned = plan_.ops[op];
  return before.bulk == planned.bulk && before.cache == planned.cache &&
         before.server == planned.server && only_reads(before.kind) == only_reads(planned.kind);
}

/// Those that follow the first go along with it.
void Trial::begin_bulk(std::size_t first) {
  if (goes_with_the_one_before(first)) {
    return;
  }
  const PlannedOp& planned = plan_.ops[first];
  const CacheId cache{planned.cache};
  const CallId call{history_.operations.size() + 1};
  ReadEntries reads{.call = call, .cache = cache, .keys = {}, .timeout = planned.timeout};
  ChangeEntries changes{.call = call, .cache = cache, .changes = {}, .timeout = planned.timeout};
  bool is_told = false;
  for (std::size_t op = first; op == first || goes_with_the_one_before(op); ++op) {
    is_told = begin_operation(plan_.ops[op]);
    Operation& operation = history_.operations.back();
    if (only_reads(planned.kind)) {
      reads.keys.push_back(key_text(operation.name()));
    } else {
      EntryChange& one = changes.changes.emplace_back();
      one.key = key_text(operation.name());
      operation.change = change_of(plan_.ops[op], one.value);
      one.change = operation.change;
    }
  }
  if (!is_told) {
    return;
  }
  bulk_counts_[call] = history_.operations.size() + 1 - call.value;
  Member& member = member_of(history_.operations.back().server);
  only_reads(planned.kind) ? member.input(reads) : member.input(changes);
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
  for (std::size_t i = 0; i < bulk_counts_.at(answer.call); ++i) {
    AnswerCall one = answer.entries.empty()
                         ? AnswerCall{.call = answer.call, .status = answer.status}
                         : answer.entries[i];
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
