#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "core/protocol/effect.h"
#include "core/protocol/record.h"
#include "core/values/replica.h"

namespace copal {

struct ReplicaStoreConfig {
  // How often what was written is synced; 0: as soon as it can be; kNoSync: left to the system.
  Duration sync_interval = 100ms;
  std::size_t page_size_bytes = std::size_t{256} << 10U;
};
inline constexpr Duration kNoSync = Duration::max();

/// What the store has to say; the node acts on it.
struct StoreNews {
  bool loaded = false;       // the replica holds what the disk had; once
  bool self_synced = false;  // what write_self() was given last is on the disk
  bool failed = false;       // the disk has failed: start again
  struct Value {
    ValueHash hash;
    bool found = false;  // else the value counts as lost now
  };
  std::optional<Value> value;
};

/// Keeps a replica on the disk: loads it at a start, writes each step's changes as one batch, syncs
/// at intervals or at once, and reads values back. A full disk loses nothing: what could not be
/// written is written when there is room, and until then is_full(). Rule: R0.2, R0.6.
/// Source: paper, section III: the triad persists to a database, so that recovery from transient
/// errors is fast (P65). Departs: a damaged record is one record lost, refilled from a peer; the
/// product lost the store (T1).
/// Invariants: 1. one sync at a time; 2. what is not synced is known, so that it can be written
/// again; 3. reads under way never exceed kReadsMax.
class ReplicaStore {
 public:
  /// replica  empty; outlives it.
  ReplicaStore(const ReplicaStoreConfig& config, Replica& replica)
      : config_(config), replica_(replica) {}

  /// A completion of the storage port. The first is StoreOpened: loading begins.
  StoreNews on_completion(const StorageCompletion& completion, Now now, Effects& effects);

  // Before `loaded`:

  /// What the disk said of earlier starts; nothing if it is empty. Known once `loaded`.
  const std::optional<SelfRecord>& found_self() const { return found_self_; }
  /// The newest batch that was there at the start.
  std::uint64_t opened_with() const { return opened_with_; }

  // After it:

  /// Writes what this member must know after a restart, and syncs it: self_synced.
  void write_self(const SelfRecord& self, Effects& effects);
  void write_roster(const RosterRecord& roster, Effects& effects);
  /// What was written last, by this start or an earlier one.
  const RosterRecord& roster() const { return roster_; }
  /// To be called at the end of each step: writes what changed in the replica.
  void write_changes(Now now, Effects& effects);
  /// Syncs as soon as it can: an answer waits for it.
  void want_sync() { urgent_ = true; }
  /// To be called after both.
  void sync_if_due(Now now, Effects& effects);
  /// Reads a value's bytes: `value` follows. Does nothing if that read is under way or too many
  /// are; the caller asks again.
  void read_value(const ValueHash& hash, Effects& effects);

  void on_time(Now now, Effects& effects);
  TimePoint next_deadline() const;

  /// Whether all that was written is synced.
  bool is_synced() const { return !sync_under_way_ && dirty_since_ == kNever && is_written(); }
  /// Whether the store was given all that changed.
  bool is_written() const {
    return !full_ && !replica_.has_changes() && !replica_.values().has_changes();
  }
  bool is_loaded() const { return phase_ == Phase::kOpen; }
  /// The disk has no room: changes that need some are to be refused.
  bool is_full() const { return full_; }
  /// The newest batch that is synced (R5.5).
  std::uint64_t synced() const { return synced_; }

  struct Counts {
    std::uint64_t loaded = 0;   // m-nodes
    std::uint64_t damaged = 0;  // records that were not what was written
    std::uint64_t lost_values = 0;
    std::uint64_t full = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  enum class Phase : std::uint8_t { kClosed, kState, kMNodes, kOpen };
  static constexpr std::size_t kReadsMax = 256;
  static constexpr std::size_t kBatchSizeBytes = std::size_t{4} << 20U;  // of one step, roughly
  static constexpr Duration kRetryFull = 1s;
  static constexpr Duration kRetryRead = 50ms;

  /// What was written and is not synced: it may have to be written again.
  struct Unsynced {
    std::vector<KeyHash> keys;
    std::vector<Group> groups;
    std::vector<ValueHash> values;
    bool self = false;
    bool roster = false;

    bool empty() const {
      return keys.empty() && groups.empty() && values.empty() && !self && !roster;
    }
  };

  void scan(std::vector<std::uint8_t> from, Effects& effects);
  StoreNews on_scanned(const ScanEnded& page, Now now, Effects& effects);
  void load_state(const StorageRecord& record);
  void load_mnode(const StorageRecord& record, Now now);
  void heal(Effects& effects);
  StoreNews on_read(const ReadEnded& read);
  StoreNews on_synced(const SyncEnded& synced);
  void on_full(Now now);
  static void append(Unsynced& to, Unsynced& from);

  void put_self(Effects& effects);
  void write_values_and_keys(Now now, Effects& effects);
  void write_group(Group group, Effects& effects);
  void write_key(const KeyHash& key, Now now, Effects& effects);

  ReplicaStoreConfig config_;
  Replica& replica_;
  Phase phase_ = Phase::kClosed;
  std::optional<SelfRecord> found_self_;
  std::uint64_t opened_with_ = 0;
  std::vector<std::vector<std::uint8_t>> damaged_keys_;  // of the family that is scanned
  std::vector<std::uint8_t> scan_from_;
  TimePoint scan_again_ = kNever;

  SelfRecord self_;
  RosterRecord roster_;
  ValueStore::Changes value_changes_;  // of one step; here for their room
  Replica::Changes changes_;
  Unsynced unsynced_;
  Unsynced syncing_;
  bool self_changed_ = false;
  bool roster_changed_ = false;
  bool sync_under_way_ = false;
  bool urgent_ = false;
  TimePoint dirty_since_ = kNever;
  bool full_ = false;
  TimePoint retry_at_ = kNever;
  std::uint64_t synced_ = 0;

  std::map<std::uint64_t, ValueHash> reads_;  // by id
  std::uint64_t next_read_ = 1;
  Counts counts_;
};

}  // namespace copal
