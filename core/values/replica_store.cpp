#include "core/values/replica_store.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/assert.h"
#include "core/base/mutant.h"
#include "core/protocol/codec.h"

namespace copal {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::string_view kSelfKey = "self";
constexpr std::string_view kRosterKey = "roster";
constexpr char kGroupPrefix = 'g';

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::array<std::uint8_t, 2> group_key(Group group) {
  return {static_cast<std::uint8_t>(kGroupPrefix), group.value};
}

/// The longest record of an m-node, and of a group in a cluster with as many caches as may be.
constexpr std::size_t kMNodeRecordMaxBytes = kKeySizeMaxBytes + 512;
constexpr std::size_t kGroupRecordMaxBytes = kListSizeMaxBytes;
constexpr std::size_t kOrderSizeMaxBytes = 32;  // of an operator's, in the roster's record

/// How much older what was on the disk is now. A wall clock that went backwards adds nothing. It
/// may have said anything when the record was written: the two may be further apart than a Duration
/// is.
Duration missed(WallTime written, WallTime now) {
  constexpr Duration kMost = std::chrono::hours{24 * 365 * 100};
  if (written >= now && COPAL_MUTANT(kWallClockStepsAge)) {
    return -std::min<Duration>(written - now, kMost);
  }
  if (written >= now) {
    return Duration::zero();
  }
  const std::uint64_t apart_ns = static_cast<std::uint64_t>(now.time_since_epoch().count()) -
                                 static_cast<std::uint64_t>(written.time_since_epoch().count());
  return apart_ns < static_cast<std::uint64_t>(kMost.count())
             ? Duration{static_cast<std::int64_t>(apart_ns)}
             : kMost;
}

}  // namespace

StoreNews ReplicaStore::on_completion(const StorageCompletion& completion, Now now,
                                      Effects& effects) {
  if (const auto* opened = std::get_if<StoreOpened>(&completion)) {
    COPAL_ASSERT(phase_ == Phase::kClosed);
    opened_with_ = opened->newest.value;
    synced_ = opened_with_;
    phase_ = Phase::kState;
    scan({}, effects);
    return {};
  }
  if (const auto* page = std::get_if<ScanEnded>(&completion)) {
    return on_scanned(*page, now, effects);
  }
  if (const auto* read = std::get_if<ReadEnded>(&completion)) {
    return on_read(*read);
  }
  if (const auto* synced = std::get_if<SyncEnded>(&completion)) {
    return on_synced(*synced);
  }
  const auto& failed = std::get<WriteFailed>(completion);
  if (failed.error == WriteError::kIoError) {
    return {.failed = true};
  }
  on_full(now);
  return {};
}

// ---- loading

void ReplicaStore::scan(std::vector<std::uint8_t> from, Effects& effects) {
  scan_from_ = std::move(from);
  scan_again_ = kNever;
  effects.push_back(ScanStore{ReadId{next_read_++},
                              phase_ == Phase::kState ? Family::kState : Family::kMNodes,
                              scan_from_, config_.page_size_bytes});
}

StoreNews ReplicaStore::on_scanned(const ScanEnded& page, Now now, Effects& effects) {
  if (phase_ != Phase::kState && phase_ != Phase::kMNodes) {
    return {};
  }
  if (page.outcome == ReadOutcome::kIoError) {
    scan_again_ = now.mono + kRetryRead;
    return {};
  }
  for (const StorageRecord& record : page.records) {
    if (phase_ == Phase::kState) {
      load_state(record);
    } else {
      load_mnode(record, now);
    }
  }
  for (const StorageDamage& damage : page.damaged) {
    ++counts_.damaged;
    if (damage.key) {
      damaged_keys_.push_back(*damage.key);
    }
  }
  if (page.more) {
    scan(page.next, effects);
    return {};
  }
  heal(effects);
  if (phase_ == Phase::kState) {
    phase_ = Phase::kMNodes;
    scan({}, effects);
    return {};
  }
  phase_ = Phase::kOpen;
  if (counts_.damaged > 0) {
    replica_.forget_horizons();
  }
  self_ = found_self_.value_or(SelfRecord{});
  return {.loaded = true};
}

/// A damaged record is gone: of an m-node a peer has the like (this member is not ready before it
/// has compared), and of the rest nothing is worse than not knowing it. A write that went to the
/// wrong place shows where it went, not where it is missing.
void ReplicaStore::heal(Effects& effects) {
  for (const std::vector<std::uint8_t>& key : std::exchange(damaged_keys_, {})) {
    effects.store().erase(phase_ == Phase::kState ? Family::kState : Family::kMNodes, key);
  }
}

void ReplicaStore::load_state(const StorageRecord& record) {
  const Bytes key = record.key;
  if (std::ranges::equal(key, bytes_of(kSelfKey))) {
    found_self_ = decode_record<SelfRecord>(record.value.bytes());
    counts_.damaged += found_self_ ? 0 : 1;
  } else if (std::ranges::equal(key, bytes_of(kRosterKey))) {
    roster_ = decode_record<RosterRecord>(record.value.bytes()).value_or(RosterRecord{});
  } else if (key.size() == 2 && key[0] == kGroupPrefix && key[1] < kGroups) {
    const auto group = decode_record<GroupRecord>(record.value.bytes());
    if (!group) {
      ++counts_.damaged;
      return;
    }
    replica_.raise_horizon(Group{key[1]}, group->horizon);
    for (const GroupRecord::Cleared& cleared : group->cleared) {
      replica_.clear(Group{key[1]}, cleared.cache, cleared.version);
    }
  }
}

void ReplicaStore::load_mnode(const StorageRecord& record, Now now) {
  auto found = decode_record<MNodeRecord>(record.value.bytes());
  const Bytes key = record.key;
  if (!found || !std::ranges::equal(key, found->entry.mnode.key.bytes)) {
    ++counts_.damaged;
    damaged_keys_.push_back(record.key);
    return;
  }
  const Duration more = missed(found->written, now.wall);
  const auto older = [more](Duration age) {
    const Duration least = COPAL_MUTANT(kWallClockStepsAge) ? -kAgeMax : Duration::zero();
    return std::max(least, age + std::min(more, Duration::max() - age));
  };
  found->entry.modified_age = older(found->entry.modified_age);
  found->entry.accessed_age = older(found->entry.accessed_age);
  replica_.load(dated(found->entry, now.mono), found->key_text);
  ++counts_.loaded;
}

// ---- reading values back

void ReplicaStore::read_value(const ValueHash& hash, Effects& effects) {
  const bool under_way =
      std::ranges::any_of(reads_, [&hash](const auto& read) { return read.second == hash; });
  if (under_way || reads_.size() >= kReadsMax) {
    return;
  }
  const std::uint64_t id = next_read_++;
  reads_[id] = hash;
  effects.push_back(ReadStore{ReadId{id}, Family::kValues, {hash.bytes.begin(), hash.bytes.end()}});
}

StoreNews ReplicaStore::on_read(const ReadEnded& read) {
  const auto at = reads_.find(read.id.value);
  if (at == reads_.end()) {
    return {};
  }
  const ValueHash hash = at->second;
  reads_.erase(at);
  StoreNews news;
  news.value = {hash, false};
  switch (read.outcome) {
    case ReadOutcome::kDone:
      replica_.values().provide(hash, read.value);
      news.value->found = true;
      break;
    case ReadOutcome::kDamaged:
      ++counts_.damaged;
      [[fallthrough]];
    case ReadOutcome::kAbsent:
      ++counts_.lost_values;
      replica_.values().on_lost(hash);
      break;
    case ReadOutcome::kIoError:
      return {};  // whoever waits asks again
  }
  return news;
}

// ---- writing

void ReplicaStore::write_self(const SelfRecord& self, Effects& effects) {
  self_ = self;
  self_changed_ = true;
  if (!full_) {
    put_self(effects);
  }
}

void ReplicaStore::put_self(Effects& effects) {
  std::array<std::uint8_t, 128> record;
  effects.store().put(Family::kState, bytes_of(kSelfKey), encode_record(self_, record));
  unsynced_.self = true;
  self_changed_ = false;
  urgent_ = true;
}

void ReplicaStore::write_roster(const RosterRecord& roster, Effects& effects) {
  roster_ = roster;
  roster_changed_ = full_;
  if (full_) {
    return;
  }
  std::vector<std::uint8_t> record(kOrderSizeMaxBytes * (roster_.orders.size() + 1) +
                                   sizeof(NodeId) * roster_.sleeping.size());
  effects.store().put(Family::kState, bytes_of(kRosterKey), encode_record(roster_, record));
  unsynced_.roster = true;
}

void ReplicaStore::write_group(Group group, Effects& effects) {
  GroupRecord state{.horizon = replica_.horizon(group), .cleared = {}};
  for (const Replica::Cleared& cleared : replica_.cleared(group)) {
    state.cleared.push_back({cleared.cache, cleared.version});
  }
  std::vector<std::uint8_t> record(kGroupRecordMaxBytes);
  effects.store().put(Family::kState, group_key(group), encode_record(state, record));
  unsynced_.groups.push_back(group);
}

void ReplicaStore::write_key(const KeyHash& key, Now now, Effects& effects) {
  unsynced_.keys.push_back(key);
  const MNodeEntry* entry = replica_.find(key);
  if (entry == nullptr) {
    effects.store().erase(Family::kMNodes, key.bytes);
    return;
  }
  std::array<std::uint8_t, kMNodeRecordMaxBytes> record;
  WireWriter writer(std::as_writable_bytes(std::span(record)));
  writer(kRecordVersion);
  writer(now.wall);
  writer(aged(entry->mnode(), now.mono));
  // As a text of the wire, without making one: this is on the path of every change.
  writer(static_cast<std::uint16_t>(entry->key_text().size()));
  const std::size_t head_size_bytes = record.size() - writer.rest_size_bytes();
  std::ranges::copy(bytes_of(entry->key_text()), record.begin() + head_size_bytes);
  effects.store().put(Family::kMNodes, key.bytes,
                      std::span(record).first(head_size_bytes + entry->key_text().size()));
}

void ReplicaStore::write_changes(Now now, Effects& effects) {
  if (phase_ == Phase::kOpen && !full_) {
    write_values_and_keys(now, effects);
  }
  if (!effects.store().empty() && dirty_since_ == kNever) {
    dirty_since_ = now.mono;
  }
}

/// A value goes before its m-node or with it, and is erased after the last m-node that named it or
/// with it: so what a crash leaves names no value that is not there. One step makes little; after
/// the disk was full there may be much, and then it takes several.
void ReplicaStore::write_values_and_keys(Now now, Effects& effects) {
  StorageBatch& batch = effects.store();
  const auto has_room = [&batch] { return batch.size_bytes() < kBatchSizeBytes; };
  ValueStore::Changes& values = value_changes_;
  replica_.values().take_changes(values);
  for (const auto& put : values.written) {
    if (COPAL_MUTANT_SOMETIMES(kBatchesSplit, 5)) {
      continue;
    }
    if (has_room()) {
      unsynced_.values.push_back(put.hash);
      batch.put(Family::kValues, put.hash.bytes, put.bytes.bytes());
    } else {
      replica_.values().on_not_written(put.hash);
    }
  }
  if (has_room() && replica_.has_changes()) {
    replica_.take_changes(changes_);
    for (const Group group : changes_.groups) {
      write_group(group, effects);
    }
    for (const KeyHash& key : changes_.keys) {
      if (has_room()) {
        write_key(key, now, effects);
      } else {
        replica_.on_not_written(key);
      }
    }
  }
  const bool all = has_room();
  for (const ValueHash& hash : values.erased) {
    if (all) {
      unsynced_.values.push_back(hash);
      batch.erase(Family::kValues, hash.bytes);
    } else {
      replica_.values().on_not_written(hash);
    }
  }
  values.written.clear();  // the bytes are the value store's alone
}

void ReplicaStore::sync_if_due(Now now, Effects& effects) {
  if (sync_under_way_ || dirty_since_ == kNever) {
    return;
  }
  const bool due =
      config_.sync_interval != kNoSync && now.mono - dirty_since_ >= config_.sync_interval;
  if (!due && !urgent_) {
    return;
  }
  sync_under_way_ = true;
  urgent_ = false;
  dirty_since_ = kNever;
  syncing_ = std::exchange(unsynced_, {});
  effects.push_back(SyncStore{});
}

StoreNews ReplicaStore::on_synced(const SyncEnded& synced) {
  synced_ = std::max(synced_, synced.synced.value);
  if (!sync_under_way_) {
    return {};
  }
  sync_under_way_ = false;
  if (COPAL_MUTANT(kHiddenMeanwhileNotSynced)) {
    dirty_since_ = kNever;
  }
  for (const ValueHash& hash : syncing_.values) {
    replica_.values().on_synced(hash);
  }
  StoreNews news;
  news.self_synced = syncing_.self && !self_changed_ && !unsynced_.self;
  syncing_ = {};
  return news;
}

// ---- a full disk

void ReplicaStore::append(Unsynced& to, Unsynced& from) {
  to.keys.insert(to.keys.end(), from.keys.begin(), from.keys.end());
  to.groups.insert(to.groups.end(), from.groups.begin(), from.groups.end());
  to.values.insert(to.values.end(), from.values.begin(), from.values.end());
  to.self = to.self || from.self;
  to.roster = to.roster || from.roster;
  from = {};
}

/// Some batches failed, and all that follow one did; which, the node can't know, and writing a
/// record again does no harm. So all that is not synced is written again when there is room.
void ReplicaStore::on_full(Now now) {
  ++counts_.full;
  append(unsynced_, syncing_);
  if (COPAL_MUTANT(kFullStoreForgets)) {
    unsynced_ = {};
  }
  std::ranges::sort(unsynced_.keys);
  unsynced_.keys.erase(std::unique(unsynced_.keys.begin(), unsynced_.keys.end()),
                       unsynced_.keys.end());
  for (const KeyHash& key : unsynced_.keys) {
    replica_.on_not_written(key);
  }
  for (const Group group : unsynced_.groups) {
    replica_.on_not_written(group);
  }
  for (const ValueHash& hash : unsynced_.values) {
    replica_.values().on_not_written(hash);
  }
  self_changed_ = self_changed_ || unsynced_.self;
  roster_changed_ = roster_changed_ || unsynced_.roster;
  unsynced_ = {};
  full_ = true;
  retry_at_ = now.mono + kRetryFull;
}

void ReplicaStore::on_time(Now now, Effects& effects) {
  if (now.mono >= scan_again_) {
    scan(scan_from_, effects);
  }
  if (full_ && now.mono >= retry_at_) {
    // What is to be erased makes room, and is in the same batch: a store that has none for the
    // whole of it refuses it whole, and it is tried again. is_full() ends with the attempt: one
    // that fails begins it anew before any answer could rest on it.
    full_ = false;
    retry_at_ = kNever;
    if (self_changed_) {
      put_self(effects);
    }
    if (roster_changed_) {
      write_roster(RosterRecord(roster_), effects);
    }
  }
}

TimePoint ReplicaStore::next_deadline() const {
  if (!full_ && phase_ == Phase::kOpen &&
      (replica_.has_changes() || replica_.values().has_changes())) {
    return TimePoint{};  // one step was not enough
  }
  TimePoint next = std::min(scan_again_, retry_at_);
  if (!sync_under_way_ && dirty_since_ != kNever && config_.sync_interval != kNoSync) {
    next = std::min(next, dirty_since_ + config_.sync_interval);
  }
  return next;
}

}  // namespace copal
