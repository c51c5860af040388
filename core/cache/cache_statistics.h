#pragma once

#include <cstdint>
#include <vector>

#include "core/base/assert.h"
#include "core/cache/cache_config.h"
#include "core/protocol/cache_message.h"

namespace copal {

/// What a server's application has asked of one cache since the server's start, and what came of
/// it. Each operation is counted when it is answered, one of several in a call by itself.
struct CacheStatistics {
  // Reads.
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;        // nothing there, or past its time
  std::uint64_t local = 0;         // of both: answered from this server's copy, without a message
  std::uint64_t reads_failed = 0;  // timed out, overloaded, …
  // Changes.
  std::uint64_t updates = 0;   // made, replaced, added to, or touched an entry
  std::uint64_t removals = 0;  // took one away
  std::uint64_t unmet = 0;     // changed nothing: their condition failed, or there was no entry
  std::uint64_t unknown = 0;   // may have happened or not (R0.3)
  std::uint64_t changes_failed = 0;

  std::uint64_t reads() const { return hits + misses + reads_failed; }
  std::uint64_t changes() const { return updates + removals + unmet + unknown + changes_failed; }

  void count_read(CacheStatus status) {
    switch (status) {
      case CacheStatus::kDone:
        ++hits;
        return;
      case CacheStatus::kAbsent:
        ++misses;
        return;
      default:
        ++reads_failed;
    }
  }
  void count_change(CacheStatus status, Action action) {
    switch (status) {
      case CacheStatus::kDone:
      case CacheStatus::kSingleCopy:
        ++(action == Action::kRemove ? removals : updates);
        return;
      case CacheStatus::kConditionFailed:
      case CacheStatus::kAbsent:
        ++unmet;
        return;
      case CacheStatus::kOutcomeUnknown:
        ++unknown;
        return;
      default:
        ++changes_failed;
    }
  }

  bool operator==(const CacheStatistics&) const = default;
};

/// Those of all caches, at one server.
class LocalStatistics {
 public:
  /// catalog  outlives it.
  explicit LocalStatistics(const CacheCatalog& catalog)
      : catalog_(catalog), all_(catalog.count()) {}

  /// cache  one of the catalog's own.
  CacheStatistics& of(const CacheConfig& cache) { return all_[catalog_.place(cache)]; }
  /// cache  defined, asserted.
  CacheStatistics& of(CacheId cache) {
    const CacheConfig* found = catalog_.find(cache);
    COPAL_ASSERT(found != nullptr);
    return of(*found);
  }
  /// Nothing for a cache that is not defined.
  const CacheStatistics* find(CacheId cache) const {
    const CacheConfig* found = catalog_.find(cache);
    return found == nullptr ? nullptr : &all_[catalog_.place(*found)];
  }

 private:
  const CacheCatalog& catalog_;
  std::vector<CacheStatistics> all_;  // by place in the catalog
};

}  // namespace copal
