#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "core/base/assert.h"
#include "core/values/replica_store.h"

// A member is loaded from whatever records its disk holds, however they came there: those that make
// no sense are counted and dropped, and what was loaded is in order, can be written again and is
// then the same.

namespace {

using copal::Family;

/// Takes bytes off the front of what the fuzzer gave.
class Source {
 public:
  Source(const std::uint8_t* data, std::size_t size_bytes) : rest_(data, size_bytes) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    const std::uint8_t value = rest_.empty() ? 0 : rest_[0];
    rest_ = rest_.subspan(rest_.empty() ? 0 : 1);
    return value;
  }
  std::span<const std::uint8_t> bytes(std::size_t size_bytes) {
    const auto taken = rest_.first(std::min(size_bytes, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

/// A page of records of one family. An m-node's key is mostly the one that its record says.
copal::ScanEnded page_of(Family family, Source& source) {
  copal::ScanEnded page;
  for (int count = source.byte() % 4; count > 0; --count) {
    const std::uint8_t choice = source.byte();
    const auto record = source.bytes(source.byte() + 256U * (choice & 1U));
    copal::StorageRecord& stored = page.records.emplace_back();
    stored.value = copal::Blob(record);
    if (family == Family::kMNodes) {
      // Behind the record's version and the time of writing.
      const auto key = record.size() >= 41 ? record.subspan(9, 32) : record;
      stored.key.assign(key.begin(), key.end());
      stored.key.resize(std::max<std::size_t>(stored.key.size(), 1));  // no store has empty ones
    } else if ((choice & 6U) == 0) {
      stored.key = {'s', 'e', 'l', 'f'};
    } else if ((choice & 6U) == 2) {
      stored.key = {'o', 'r', 'd', 'e', 'r', 's'};
    } else {
      stored.key = {'g', static_cast<std::uint8_t>(choice >> 3U)};
    }
  }
  return page;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  Source source(data, size_bytes);
  copal::Replica replica;
  copal::ReplicaStore store({}, replica);
  const copal::Now now{copal::TimePoint{std::chrono::hours{1}},
                       copal::WallTime{std::chrono::hours{24 * 365 * 50}}};
  copal::Effects effects;
  store.on_completion(copal::StoreOpened{copal::StoreSequence{7}}, now, effects);
  store.on_completion(page_of(Family::kState, source), now, effects);
  const auto news = store.on_completion(page_of(Family::kMNodes, source), now, effects);
  COPAL_ASSERT(news.loaded);
  replica.check_invariants();
  for (std::uint8_t i = 0; i < copal::kGroups; ++i) {
    const copal::MNodeTable& table = replica.table(copal::Group{i});
    for (const copal::CacheId cache : table.caches()) {
      for (std::size_t bucket = 0; bucket < copal::HashTree::kFanout; ++bucket) {
        for (const copal::MNodeEntry* entry : table.tree(cache)->entries(bucket)) {
          replica.on_not_written(entry->mnode().key);
        }
      }
    }
  }
  effects.clear();
  store.write_changes(now, effects);
  store.sync_if_due(now, effects);
  return 0;
}
