#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/cache/cache_config.h"
#include "core/cache/local_cache_config.h"
#include "core/membership/triad_link.h"
#include "core/protocol/effect.h"

namespace copal {

/// What a server's application does with a whole cache: clear it, list its keys, listen to it.
/// A clear is asked of every acting owner until each of the 96 groups is cleared; one that refuses
/// ends it, though others may have cleared theirs by then. Keys are listed group by group. Who does
/// not act for a group is not asked for it twice in a row, whatever this server believes.
/// Invariants: 1. every call is answered once, at its deadline at the latest; 2. what is listened
/// to is sorted, each cache once.
class LocalScans {
 public:
  LocalScans(const LocalCacheConfig& config, const CacheCatalog& catalog, TriadLink& link,
             std::uint64_t& next_sequence)
      : config_(config), catalog_(catalog), link_(link), next_sequence_(next_sequence) {}

  void clear(const ClearEntries& call, Now now, Effects& effects);
  /// Returns the cache that is cleared now, if it is.
  std::optional<CacheId> on_cleared(NodeId from, const CacheCleared& cleared, Now now,
                                    Effects& effects);

  void list(const ReadKeys& call, Now now, Effects& effects);
  void on_page(NodeId from, const KeyPage& page, Now now, Effects& effects);

  void listen(const ListenTo& call, Now now);
  const std::vector<CacheId>& listens() const { return listens_; }
  /// Tells the application; returns whether it listens to this.
  bool on_event(const EntryEvent& event, Effects& effects) const;
  /// Events may have been lost with a connection.
  void on_events_lost(Effects& effects) const;

  void on_lost(NodeId member, Now now);
  void on_time(Now now, Effects& effects);
  TimePoint next_deadline() const { return next_deadline_; }
  std::size_t under_way() const { return clears_.size() + lists_.size(); }

 private:
  struct Clear {
    CallId call;
    CacheId cache;
    GroupSet left;
    std::array<Slot, kGroups> asked{};  // the member that was asked last
    GroupSet refused;                   // of those left: it answered and had not done them
    std::size_t questions = 0;          // sent
    bool single_copy = false;           // some group was cleared at one member alone
    TimePoint deadline{};
    TimePoint again_at{};
  };
  struct List {
    CallId call;
    CacheId cache;
    KeyCursor from;
    NodeId asked;
    TimePoint deadline{};
    TimePoint again_at{};
  };

  void send(std::uint64_t sequence, Clear& clear, Now now, Effects& effects);
  void send(std::uint64_t sequence, List& list, Now now, Effects& effects);

  const LocalCacheConfig& config_;
  const CacheCatalog& catalog_;
  TriadLink& link_;
  std::uint64_t& next_sequence_;
  std::map<std::uint64_t, Clear> clears_;
  std::map<std::uint64_t, List> lists_;
  std::vector<CacheId> listens_;
  TimePoint next_deadline_ = kNever;
};

}  // namespace copal
