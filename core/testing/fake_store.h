#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/ports/storage.h"

namespace copal {

/// A store of tests, in memory: everything happens at once, what it has to say is taken from it one
/// by one, and its faults are switched on by hand. Its own contract is tested in sim/, where disks
/// are what matters; here a member needs one that it can lose.
class FakeStore final : public Storage {
 public:
  using Key = std::vector<std::uint8_t>;
  using Records = std::map<std::pair<Family, Key>, Blob>;

  // ---- the port

  Result<StoreSequence> write(const StorageBatch& batch) override {
    if (is_full || failed_last_ > 0) {
      failed_last_ = std::max(failed_last_, last_) + 1;
      return StoreSequence{failed_last_};
    }
    apply(batch, records_);
    unsynced_.push_back(batch);
    return StoreSequence{++last_};
  }

  void sync() override {
    sync_asked_ = true;
    end_sync();
  }

  bool read(ReadId id, Family family, StorageBatch::Bytes key) override {
    const std::pair<Family, Key> name{family, Key(key.begin(), key.end())};
    const auto at = records_.find(name);
    ReadEnded ended{.id = id};
    if (damaged.contains(name)) {
      ended.outcome = ReadOutcome::kDamaged;
    } else if (at != records_.end()) {
      ended.outcome = ReadOutcome::kDone;
      ended.value = at->second;
    }
    said_.push_back(ended);
    return true;
  }

  bool scan(ReadId id, Family family, StorageBatch::Bytes from,
            std::size_t size_max_bytes) override {
    ScanEnded page{.id = id};
    std::size_t size_bytes = 0;
    for (auto at = records_.lower_bound({family, Key(from.begin(), from.end())});
         at != records_.end() && at->first.first == family; ++at) {
      const Key& key = at->first.second;
      size_bytes += key.size() + at->second.size_bytes();
      if (size_bytes > size_max_bytes && !(page.records.empty() && page.damaged.empty())) {
        page.more = true;
        page.next = key;
        break;
      }
      if (damaged.contains(at->first)) {
        page.damaged.push_back({key});
      } else {
        page.records.push_back({key, at->second});
      }
    }
    said_.push_back(std::move(page));
    return true;
  }

  // ---- faults

  bool is_full = false;
  /// Syncs that are asked for wait until this is false again and end_sync() was called.
  bool sync_stalls = false;
  /// Records that are not what was written any more; writing or erasing them heals them.
  std::set<std::pair<Family, Key>> damaged;

  void end_sync() {
    if (!sync_asked_ || sync_stalls) {
      return;
    }
    sync_asked_ = false;
    for (const StorageBatch& batch : std::exchange(unsynced_, {})) {
      apply(batch, synced_records_);
    }
    synced_ = last_;
    said_.push_back(SyncEnded{StoreSequence{synced_}});
  }

  /// The process begins anew; with the power gone, what was not synced is as well.
  void start_again(bool power_lost) {
    said_.clear();
    sync_asked_ = false;
    failed_last_ = 0;
    unsynced_.clear();
    if (power_lost) {
      records_ = synced_records_;
      last_ = synced_;
    } else {
      synced_records_ = records_;
      synced_ = last_;
    }
    said_.push_back(StoreOpened{StoreSequence{last_}});
  }
  /// Everything is gone: a damaged store is set aside, or the disk replaced.
  void wipe() { *this = FakeStore(); }

  // ---- for tests

  /// What it says next; nothing if it has nothing to say. Not inline: there g++ 12 takes the
  /// completion's other kinds for uninitialized.
  [[gnu::noinline]] std::optional<StorageCompletion> take() {
    if (failed_last_ > 0) {
      return WriteFailed{StoreSequence{last_ + 1}, StoreSequence{std::exchange(failed_last_, 0)},
                         WriteError::kFull};
    }
    if (said_.empty()) {
      return std::nullopt;
    }
    StorageCompletion next = std::move(said_.front());
    said_.pop_front();
    return next;
  }
  bool has_said() const { return !said_.empty() || failed_last_ > 0; }
  const Records& records() const { return records_; }
  std::size_t count(Family family) const {
    return static_cast<std::size_t>(
        std::count_if(records_.begin(), records_.end(),
                      [family](const auto& record) { return record.first.first == family; }));
  }

 private:
  void apply(const StorageBatch& batch, Records& records) {
    for (StorageChanges changes(batch.bytes()); !changes.done();) {
      const StorageBatch::Change change = changes.next();
      const std::pair<Family, Key> name{change.family, Key(change.key.begin(), change.key.end())};
      damaged.erase(name);
      if (change.is_put) {
        records[name] = Blob(change.value);
      } else {
        records.erase(name);
      }
    }
  }

  Records records_;
  Records synced_records_;
  std::vector<StorageBatch> unsynced_;
  std::deque<StorageCompletion> said_;
  std::uint64_t last_ = 0;
  std::uint64_t synced_ = 0;
  std::uint64_t failed_last_ = 0;  // of batches that failed and were not told yet; 0: none
  bool sync_asked_ = false;
};

}  // namespace copal
