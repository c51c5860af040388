#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/cache/cache_config.h"
#include "core/cache/cache_statistics.h"
#include "core/cache/kept_writes.h"
#include "core/cache/local_cache_config.h"
#include "core/cache/near_cache.h"
#include "core/membership/triad_link.h"
#include "core/protocol/effect.h"

namespace copal {

/// Reads of a server's application: answered from the near cache while a copy may be used without
/// asking, else by the acting owner, who is told which version is held. Concurrent reads of one key
/// become one question. Source: paper, section III (get, local read timeout). Chosen: U4, U22.
/// Rule: R0.7, R1.4.
///
/// What a read may return: at least the newest version that the member asked had local_read_timeout
/// before the read began. So a read joins a question under way only if that was sent within the
/// timeout; else it waits for the next one, which is sent when the answer has come. And a copy
/// counts as checked when the question was sent, not when the answer came.
/// Reads of a key never go back while the server remembers the key: an owner that is behind what is
/// held here is offered it.
/// Invariants: 1. a key has at most one question under way; 2. every read is answered once, at its
/// deadline at the latest.
class LocalReads {
 public:
  /// All it is given outlives it.
  LocalReads(const LocalCacheConfig& config, const CacheCatalog& catalog, TriadLink& link,
             NearCache& near, KeptWrites& kept, LocalStatistics& statistics,
             std::uint64_t& next_sequence)
      : config_(config),
        catalog_(catalog),
        link_(link),
        near_(near),
        kept_(kept),
        statistics_(statistics),
        next_sequence_(next_sequence) {}

  void read(const ReadEntry& call, Now now, Effects& effects);
  /// Returns whether it answered a question of this.
  bool on_answer(NodeId from, const CacheAnswer& answer, Now now, Effects& effects);
  /// What was asked of this member is asked elsewhere.
  void on_lost(NodeId member, Now now);
  /// What is asked of one that no longer acts is asked of who does.
  void on_owners_changed(Now now, Effects& effects);
  void on_time(Now now, Effects& effects);
  TimePoint next_deadline() const { return next_deadline_; }

  /// Copies checked before now are not used any more without asking: this server cleared the cache.
  void on_cleared(CacheId cache, TimePoint now) { cleared_at_[cache] = now; }

  std::size_t under_way() const { return questions_.size(); }
  struct Counts {
    std::uint64_t reads = 0;
    std::uint64_t local = 0;  // without a message
    std::uint64_t joined = 0;
    std::uint64_t questions = 0;
    std::uint64_t not_modified = 0;
    std::uint64_t went_back = 0;  // answers older than what was held
  };
  const Counts& counts() const { return counts_; }
  void check_invariants() const;

 private:
  struct Waiter {
    CallId call;
    bool wants_value = true;
    TimePoint deadline{};
  };
  struct Question {
    CacheId cache;
    KeyHash key;
    std::string key_text;
    bool wants_value = false;
    bool has_held = false;
    NearCopy held;
    std::vector<Waiter> waiters;
    std::vector<Waiter> next;  // of the next question
    NodeId asked;
    TimePoint first_sent{};
    TimePoint again_at{};
    Slot avoid{kSlots};
  };

  bool may_use(const NearCopy& copy, const CacheConfig& cache, Now now) const;
  void begin(CacheId cache, const KeyHash& key, const std::string& key_text,
             std::vector<Waiter> waiters, Now now, Effects& effects);
  void send(std::uint64_t sequence, Question& question, Now now, Effects& effects);
  void try_again(Question& question, Now now);
  const Blob& bytes_of(const Question& question, const CacheAnswer& answer) const;
  void on_not_modified(Question& question, Now now, Effects& effects);
  void on_entry(Question& question, const CacheAnswer& answer, Now now, Effects& effects);
  void on_absent(Question& question, const CacheAnswer& answer, Now now, Effects& effects);
  bool keep_newer(const Question& question, const Version& version, Now now, Effects& effects);
  void answer_all(Question& question, const MNode* mnode, const Blob& value, Now now,
                  Effects& effects);
  void fail_all(Question& question, CacheStatus status, Effects& effects);
  void finish(std::uint64_t sequence, Now now, Effects& effects);
  void give_up(CacheId cache, std::vector<Waiter>& waiters, Now now, Effects& effects);
  void consider(const Question& question);

  const LocalCacheConfig& config_;
  const CacheCatalog& catalog_;
  TriadLink& link_;
  NearCache& near_;
  KeptWrites& kept_;
  LocalStatistics& statistics_;
  std::uint64_t& next_sequence_;
  std::map<std::uint64_t, Question> questions_;
  std::map<KeyHash, std::uint64_t> by_key_;
  std::map<CacheId, TimePoint> cleared_at_;
  TimePoint next_deadline_ = kNever;  // may be early
  Counts counts_;
};

}  // namespace copal
