#pragma once

#include <cstdint>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/cache/cache_config.h"
#include "core/cache/cache_statistics.h"
#include "core/cache/kept_writes.h"
#include "core/cache/local_bulk.h"
#include "core/cache/local_cache_config.h"
#include "core/cache/local_changes.h"
#include "core/cache/local_reads.h"
#include "core/cache/local_scans.h"
#include "core/cache/near_cache.h"
#include "core/membership/triad_link.h"
#include "core/protocol/effect.h"

namespace copal {

/// A server's side of the cache: what its application asks for, and what the triad answers. It only
/// hands on, to who reads, who changes, who keeps what is not replicated, and who scans.
/// Source: paper, section III. Chosen: U4, U5.
class LocalCache {
 public:
  /// catalog and link outlive it.
  LocalCache(const LocalCacheConfig& config, const CacheCatalog& catalog, TriadLink& link)
      : config_(config),
        catalog_(catalog),
        statistics_(catalog),
        next_sequence_(link.incarnation().value),
        near_(config.near),
        kept_(config_, link, near_, next_sequence_),
        reads_(config_, catalog, link, near_, kept_, statistics_, next_sequence_),
        changes_(config_, catalog, link, near_, kept_, statistics_, next_sequence_),
        scans_(config_, catalog, link, next_sequence_) {}
  LocalCache(const LocalCache&) = delete;
  LocalCache& operator=(const LocalCache&) = delete;

  // The application's calls.
  void on_call(const ReadEntry& call, Now now, Effects& effects) {
    reads_.read(call, now, effects);
  }
  void on_call(const ChangeEntry& call, Now now, Effects& effects) {
    changes_.change(call, now, effects);
  }
  void on_call(const ReadEntries& call, Now now, Effects& effects);
  void on_call(const ChangeEntries& call, Now now, Effects& effects);
  void on_call(const ClearEntries& call, Now now, Effects& effects) {
    scans_.clear(call, now, effects);
  }
  void on_call(const ReadKeys& call, Now now, Effects& effects) { scans_.list(call, now, effects); }
  void on_call(const ListenTo& call, Now now, Effects&) { scans_.listen(call, now); }

  // The triad's answers.
  void on_reply(NodeId from, const CacheAnswer& answer, Now now, Effects& effects);
  void on_reply(NodeId from, const ValueLeft& left, Now now, Effects& effects) {
    changes_.on_left(from, left, now, effects);
  }
  void on_reply(NodeId, const OfferAnswer& answer, Now now, Effects&) {
    kept_.on_answer(answer, now);
  }
  void on_reply(NodeId from, const CacheCleared& cleared, Now now, Effects& effects);
  void on_reply(NodeId from, const KeyPage& page, Now now, Effects& effects) {
    scans_.on_page(from, page, now, effects);
  }
  void on_reply(NodeId from, const EntryEvent& event, Now now, Effects& effects);
  /// A member asks for bytes that it lacks.
  void on_fetch(NodeId from, const FetchValue& fetch, Effects& effects) const {
    kept_.on_fetch(from, fetch, effects);
  }

  /// A connection to a member broke: what was asked there is asked again a moment later, for the
  /// next connection may break at once as well.
  void on_lost(NodeId member, Now now);
  void on_link_news(const TriadLink::News& news, Now now, Effects& effects);
  void on_time(Now now, Effects& effects);
  /// To be called at the end of each step, lest parts of calls be told as calls.
  void end_step(Effects& effects) { bulk_.gather(effects); }
  TimePoint next_deadline() const;

  /// Nothing for a cache that is not defined.
  const CacheStatistics* statistics(CacheId cache) const { return statistics_.find(cache); }
  const std::vector<CacheId>& listens() const { return scans_.listens(); }
  /// Whether nothing is under way and everything acknowledged is replicated: it may stop.
  bool is_idle() const {
    return reads_.under_way() + changes_.under_way() + scans_.under_way() + kept_.count() == 0;
  }

  const NearCache& near() const { return near_; }
  const LocalReads& reads() const { return reads_; }
  const LocalChanges& changes() const { return changes_; }
  const KeptWrites& kept() const { return kept_; }
  void check_invariants() const;

 private:
  bool may_begin(CallId call, CacheId cache, std::size_t count, Effects& effects) const;

  LocalCacheConfig config_;
  const CacheCatalog& catalog_;
  LocalStatistics statistics_;
  // From the incarnation on: an answer to an earlier start of this server is none to this one.
  std::uint64_t next_sequence_;
  NearCache near_;
  KeptWrites kept_;
  LocalReads reads_;
  LocalChanges changes_;
  LocalScans scans_;
  LocalBulk bulk_;
};

}  // namespace copal
