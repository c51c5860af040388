#include "core/cache/local_bulk.h"

#include <iterator>
#include <utility>

#include "core/base/assert.h"

namespace copal {

namespace {

const AnswerCall* part_of(const Effect& effect) {
  const auto* answer = std::get_if<AnswerCall>(&effect);
  return answer != nullptr && answer->call.value >= kCallsBelow ? answer : nullptr;
}

}  // namespace

CallId LocalBulk::begin(CallId call, std::size_t count) {
  COPAL_ASSERT(count > 0);
  const CallId first{next_part_};
  next_part_ += count;
  calls_[first.value] = {call, count, std::vector<AnswerCall>(count)};
  return first;
}

void LocalBulk::take(const AnswerCall& answer) {
  const auto after = calls_.upper_bound(answer.call.value);
  COPAL_ASSERT(after != calls_.begin());
  auto& [first, bulk] = *std::prev(after);
  const std::uint64_t place = answer.call.value - first;
  COPAL_ASSERT(place < bulk.entries.size() && bulk.left > 0);
  bulk.entries[place] = answer;
  bulk.entries[place].call = bulk.call;
  --bulk.left;
}

void LocalBulk::gather(Effects& effects) {
  if (calls_.empty()) {
    return;
  }
  bool any = false;
  for (const Effect& effect : effects) {
    if (const AnswerCall* answer = part_of(effect)) {
      take(*answer);
      any = true;
    }
  }
  if (!any) {
    return;
  }
  effects.erase_if([](const Effect& effect) { return part_of(effect) != nullptr; });
  for (auto at = calls_.begin(); at != calls_.end();) {
    Bulk& bulk = at->second;
    if (bulk.left > 0) {
      ++at;
      continue;
    }
    effects.push_back(AnswerEntries{bulk.call, CacheStatus::kDone, std::move(bulk.entries)});
    at = calls_.erase(at);
  }
}

}  // namespace copal
