#include "sim/cache_client.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/base/assert.h"
#include "core/mnode/value_name.h"

namespace copal::sim {

using Kind = CacheOperation::Kind;

void CacheClient::plan(std::uint64_t work, std::vector<CacheOperation> operations) {
  works_[work] = {.operations = std::move(operations)};
}

CacheClient::Next CacheClient::go_on(std::uint64_t work) {
  const auto at = works_.find(work);
  if (at == works_.end()) {
    return Next::kDone;
  }
  const Work& state = at->second;
  if (state.failed || state.next == state.operations.size()) {
    const bool failed = state.failed;
    works_.erase(at);
    return failed ? Next::kFailed : Next::kDone;
  }
  ask(work, state.operations[state.next]);
  return Next::kWaits;
}

void CacheClient::ask(std::uint64_t work, const CacheOperation& operation) {
  const scenario::CacheUse& use = model_.uses[operation.use];
  const CacheId cache = model_.caches[operation.use];
  const std::string key = cache_key_text(operation.key, use.key_size_bytes);
  const std::uint64_t id = next_call_++;
  Call& call = calls_[id];
  call.work = work;
  call.operation = operation;
  call.outcome = {
      .server = server_,
      .kind = operation.kind,
      .cache = cache,
      .key = hash_key(cache.value,
                      std::span(reinterpret_cast<const std::uint8_t*>(key.data()), key.size())),
      .expires = operation.expire_timeout > 0ns,
      .asked = engine_.now()};
  asking_ = id;
  if (operation.kind == Kind::kRead) {
    member_.input(ReadEntry{CallId{id}, cache, key, true, use.timeout});
  } else {
    ChangeEntry entry{CallId{id}, cache, key, {}, {}, use.timeout};
    if (operation.kind == Kind::kRemove) {
      entry.change.action = Action::kRemove;
    } else {
      entry.value = cache_value(operation.value, operation.value_size_bytes);
      entry.change.value = name_value(entry.value.bytes());
      entry.change.expire_timeout = operation.expire_timeout;
    }
    if (entry.change.value.is_inline) {
      entry.value = {};
    }
    member_.input(entry);
  }
  asking_ = 0;
}

std::optional<CacheClient::Piece> CacheClient::on_answer(const AnswerCall& answer) {
  const auto at = calls_.find(answer.call.value);
  if (at == calls_.end()) {
    return std::nullopt;
  }
  Call call = std::move(at->second);
  calls_.erase(at);
  CacheOutcome& outcome = call.outcome;
  outcome.answered = engine_.now();
  outcome.status = answer.status;
  outcome.version = answer.entry ? answer.entry->version : answer.version;
  outcome.local = asking_ == answer.call.value && outcome.kind == Kind::kRead;
  model_.witness->on_operation(outcome);
  const auto work = works_.find(call.work);
  if (work == works_.end()) {
    return std::nullopt;
  }
  const scenario::CacheUse& use = model_.uses[call.operation.use];
  const bool missed = call.operation.kind == Kind::kRead && answer.status == CacheStatus::kAbsent;
  if (missed && use.loads_on_miss) {
    loads_[next_load_] = call.work;
    engine_.at(engine_.now() + use.load_on_miss, *this, next_load_++);
    return std::nullopt;
  }
  work->second.failed = outcome.failed();
  ++work->second.next;
  return Piece{call.work, cost_of(call.operation, !missed && !outcome.failed())};
}

void CacheClient::on_event(std::uint64_t load) {
  const auto at = loads_.find(load);
  if (at == loads_.end()) {
    return;  // of a process that has ended
  }
  const std::uint64_t work = at->second;
  loads_.erase(at);
  const auto waiting = works_.find(work);
  if (waiting != works_.end()) {
    CacheOperation put = waiting->second.operations[waiting->second.next];
    put.kind = Kind::kPut;
    put.value = cache_value_of_key(put.key);
    ask(work, put);
  }
}

void CacheClient::clear() {
  works_.clear();
  loads_.clear();
  for (auto& [id, call] : std::exchange(calls_, {})) {
    call.outcome.answered = engine_.now();
    call.outcome.status = CacheStatus::kOutcomeUnknown;
    model_.witness->on_operation(call.outcome);
  }
  model_.witness->on_server_end(server_);
}

Duration CacheClient::cost_of(const CacheOperation& operation, bool moved_value) const {
  const bool has_value = moved_value && operation.kind != Kind::kRemove;
  const std::int64_t bytes = has_value ? operation.value_size_bytes : 0;
  const Duration cost =
      model_.cost.operation + Duration{model_.cost.kilobyte.count() * bytes / 1024};
  return std::max<Duration>(cost, 1ns);  // a processor is given no empty work
}

}  // namespace copal::sim
