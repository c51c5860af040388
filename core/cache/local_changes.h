#pragma once

#include <cstdint>
#include <deque>
#include <map>
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

/// Changes that a server's application asks for: sent to the acting owner, again if no answer
/// comes, and answered as what became of them. A small value rides along; a large one is sent only
/// if the owner lacks it, to the member that the value's hash chooses, and is fetched from there.
/// Source: paper, section III (put; data owned by its hash, P62). Rule: R0.3, R0.4.
///
/// What is known of a change: each sending of it is an attempt. One that was answered with "nothing
/// was done" is settled; while one that is not may have been applied somewhere, a later attempt
/// says so (tried), and at the deadline the outcome is unknown instead of "not done".
/// Invariants: 1. every change is answered once, at its deadline at the latest; 2. never more than
/// changes_max are under way; 3. answered_below never passes a change that is not answered.
class LocalChanges {
 public:
  LocalChanges(const LocalCacheConfig& config, const CacheCatalog& catalog, TriadLink& link,
               NearCache& near, KeptWrites& kept, LocalStatistics& statistics,
               std::uint64_t& next_sequence)
      : config_(config),
        catalog_(catalog),
        link_(link),
        near_(near),
        kept_(kept),
        statistics_(statistics),
        next_sequence_(next_sequence) {}

  void change(const ChangeEntry& call, Now now, Effects& effects);
  bool on_answer(NodeId from, const CacheAnswer& answer, Now now, Effects& effects);
  /// A member has the bytes of a large value, or has no room for them.
  void on_left(NodeId from, const ValueLeft& left, Now now, Effects& effects);
  void on_lost(NodeId member, Now now);
  void on_owners_changed(Now now, Effects& effects);
  /// This node has another incarnation: what was sent under the old one may have happened.
  void on_restarted(Now now, Effects& effects);
  void on_time(Now now, Effects& effects);
  TimePoint next_deadline() const { return next_deadline_; }

  std::size_t under_way() const { return questions_.size() + waiting_.size(); }
  struct Counts {
    std::uint64_t changes = 0;
    std::uint64_t attempts = 0;
    std::uint64_t values_sent = 0;
    std::uint64_t unknown = 0;
  };
  const Counts& counts() const { return counts_; }
  void check_invariants() const;

 private:
  static constexpr std::size_t kAttemptsKept = 8;

  struct Attempt {
    std::uint32_t number = 0;
    Slot slot;
    Incarnation incarnation;  // of that member's process, as far as known
  };
  struct Question {
    ChangeEntry call;
    KeyHash key;
    TimePoint first_sent{};
    TimePoint deadline{};
    TimePoint again_at{};
    std::uint32_t attempt = 0;
    NodeId asked;
    std::vector<Attempt> unsettled;
    TriedMembers tried;  // unsettled attempts before those
    Slot avoid{kSlots};
    bool sends_value = false;      // the owner lacks it
    NodeId leaving_at;             // the value is on its way to this member
    NodeId left_at;                // and is there,
    std::uint32_t left_after = 0;  // as attempts say that come after this one
    std::size_t places_tried = 0;

    bool may_have_happened() const { return !unsettled.empty() || tried != TriedMembers{}; }
  };

  CacheStatus refusal(const ChangeEntry& call) const;
  void begin(const ChangeEntry& call, TimePoint deadline, Now now, Effects& effects);
  void begin_waiting(Now now, Effects& effects);
  void send(std::uint64_t sequence, Question& question, Now now, Effects& effects);
  void leave_value(std::uint64_t sequence, Question& question, Now now, Effects& effects);
  std::uint64_t answered_below() const;
  static void settle(Question& question, std::uint32_t attempt);
  void on_nothing_done(std::uint64_t sequence, Question& question, const CacheAnswer& answer,
                       Now now, Effects& effects);
  static Blob bytes_of(const MNode& mnode, const Question& question, const CacheAnswer& answer,
                       const NearCopy* copy);
  void tell(const ChangeEntry& call, AnswerCall answer, Effects& effects);
  void on_outcome(Question& question, const CacheAnswer& answer, Now now, Effects& effects);
  void finish(std::uint64_t sequence, CacheStatus status, Now now, Effects& effects);
  void consider(const Question& question);

  const LocalCacheConfig& config_;
  const CacheCatalog& catalog_;
  TriadLink& link_;
  NearCache& near_;
  KeptWrites& kept_;
  LocalStatistics& statistics_;
  std::uint64_t& next_sequence_;
  struct Waiting {
    ChangeEntry call;
    TimePoint deadline{};
  };
  std::map<std::uint64_t, Question> questions_;
  std::deque<Waiting> waiting_;  // for a place among them, or for room among the kept writes
  TimePoint next_deadline_ = kNever;
  Counts counts_;
};

}  // namespace copal
