#include "sim/sim_storage.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/base/overloaded.h"

namespace copal::sim {

namespace {

/// Draws nothing while the family is off: a quiet disk costs no random numbers.
bool happens(Random& random, double ratio) {
  return ratio > 0 && draw_unit(random) < ratio;
}

/// What a trace must tell apart of a completion, in one number.
std::uint64_t digest(const StorageCompletion& completion) {
  return std::visit(
      Overloaded{
          [](const StoreOpened& opened) { return mix64(1, opened.newest.value); },
          [](const SyncEnded& sync) { return mix64(2, sync.synced.value); },
          [](const WriteFailed& failed) {
            return mix64(mix64(3, failed.first.value),
                         mix64(failed.last.value, static_cast<std::uint64_t>(failed.error)));
          },
          [](const ReadEnded& read) {
            return mix64(mix64(4, read.id.value),
                         disk_checksum(read.value.bytes(), static_cast<unsigned>(read.outcome)));
          },
          [](const ScanEnded& scan) {
            std::uint64_t sum = mix64(mix64(5, scan.id.value), static_cast<unsigned>(scan.outcome));
            for (const StorageRecord& record : scan.records) {
              sum = disk_checksum(record.value.bytes(), disk_checksum(record.key, sum));
            }
            return mix64(mix64(sum, scan.damaged.size()), disk_checksum(scan.next, scan.more));
          }},
      completion);
}

}  // namespace

SimStorage::Draws::Draws(std::uint64_t seed, std::uint32_t disk)
    : slow(seed, "disk slow", disk),
      stall(seed, "disk stall", disk),
      full(seed, "disk full", disk),
      write_error(seed, "disk write error", disk),
      read_error(seed, "disk read error", disk),
      flipped(seed, "disk flipped bit", disk),
      misdirected(seed, "disk misdirected write", disk),
      lying(seed, "disk lying", disk),
      unsynced_lost(seed, "disk unsynced lost", disk),
      torn(seed, "disk torn write", disk) {}

SimStorage::SimStorage(Engine& engine, std::uint32_t trace_id, const DiskOptions& options,
                       std::uint64_t seed, Deliver deliver)
    : EventTarget(trace_id),
      engine_(engine),
      options_(options),
      draws_(seed, trace_id),
      deliver_(std::move(deliver)) {}

void SimStorage::at(TimePoint time, std::uint32_t what) {
  engine_.at(time, *this, (static_cast<std::uint64_t>(starts_) << 32U) | what);
}

void SimStorage::deliver(const StorageCompletion& completion) {
  engine_.mix_into_hash(digest(completion));
  deliver_(completion);
}

void SimStorage::settle() {
  if (!standing_still()) {
    log_.settle(engine_.now());
  }
}

TimePoint SimStorage::occupy(TimePoint& free_at, Duration time, std::size_t size_bytes) {
  double factor = slow_factor_;
  if (happens(draws_.slow, faults_.slow_ratio)) {
    ++counts_.slow;
    factor *= faults_.slow_factor;
  }
  if (!hiccup_ && happens(draws_.stall, faults_.stall_ratio)) {
    ++counts_.stalls;
    settle();
    hiccup_ = true;
    at(engine_.now() + from_seconds(to_seconds(faults_.stall_time_max) * draw_unit(draws_.stall)),
       kThawed);
  }
  const double seconds =
      to_seconds(time) + static_cast<double>(size_bytes) / options_.bandwidth_bytes_per_s;
  free_at = std::max(free_at, engine_.now()) + from_seconds(seconds * factor);
  return free_at;
}

// Writing.

std::optional<WriteError> SimStorage::refusal(const StorageBatch& batch) {
  std::size_t put_size_bytes = 0;
  for (StorageChanges left(batch.bytes()); !left.done();) {
    const StorageBatch::Change change = left.next();
    put_size_bytes +=
        change.is_put ? DiskImage::record_size_bytes(change.key.size(), change.value.size()) : 0;
  }
  // What a put replaces is not counted: a store needs room for both until it has tidied up.
  const bool fits = image_.size_bytes() + put_size_bytes <= options_.capacity_bytes && !full_;
  if (put_size_bytes > 0 && (!fits || happens(draws_.full, faults_.full_ratio))) {
    ++counts_.full;
    return WriteError::kFull;
  }
  if (happens(draws_.write_error, faults_.write_error_ratio)) {
    ++counts_.write_errors;
    return WriteError::kIoError;
  }
  return std::nullopt;
}

void SimStorage::damage_puts(StorageBatch::Bytes changes) {
  for (StorageChanges left(changes); !left.done();) {
    const StorageBatch::Change change = left.next();
    const std::string_view key = DiskImage::text(change.key);
    if (!change.is_put) {
      continue;
    }
    if (happens(draws_.misdirected, faults_.misdirected_ratio) &&
        image_.misdirect(change.family, key, draws_.misdirected)) {
      ++counts_.misdirected;
    }
    if (happens(draws_.flipped, faults_.flipped_ratio) &&
        image_.flip_bit(change.family, key, draws_.flipped)) {
      ++counts_.flipped;
    }
  }
}

Result<StoreSequence> SimStorage::write(const StorageBatch& batch) {
  COPAL_ASSERT(state_ == State::kOpen && !batch.empty());
  settle();
  const std::size_t waiting = log_.waiting_count();
  if (waiting >= kStorageWritesMax ||
      (waiting > 0 && log_.waiting_size_bytes() + batch.size_bytes() > kStorageWritesMaxBytes)) {
    return Error::kOverloaded;
  }
  const StoreSequence sequence{++newest_given_.value};
  if (broken_ || failure_) {
    return sequence;
  }
  const TimePoint written_at = occupy(write_free_at_, options_.write_time, batch.size_bytes());
  if (const std::optional<WriteError> error = refusal(batch)) {
    failure_ = {sequence, *error};
    at(written_at, kFailed);
    return sequence;
  }
  ++counts_.batches;
  log_.append(image_, sequence, written_at, batch.bytes());
  if (faults_.misdirected_ratio > 0 || faults_.flipped_ratio > 0) {
    damage_puts(batch.bytes());
  }
  log_.make_oldest_safe(options_.unsynced_count_max, options_.unsynced_size_max_bytes);
  return sequence;
}

void SimStorage::on_failed() {
  if (!failure_) {
    return;  // a sync's error was told first, for this batch too
  }
  const Failure failure = *std::exchange(failure_, std::nullopt);
  const WriteFailed failed{failure.first, newest_given_, failure.error};
  if (failure.error == WriteError::kFull) {
    newest_given_.value = failure.first.value - 1;
  } else {
    broken_ = true;
  }
  deliver(failed);
}

// Syncing.

void SimStorage::sync() {
  COPAL_ASSERT(state_ == State::kOpen);
  sync_wanted_ = true;
  if (!syncing_) {
    begin_sync();
  }
}

void SimStorage::begin_sync() {
  sync_wanted_ = false;
  syncing_ = true;
  sync_target_ = log_.newest();
  // Batches that come while it runs may be written meanwhile: they only need not be in it.
  TimePoint free_at = write_free_at_;
  at(occupy(free_at, options_.sync_time, 0), kSynced);
}

void SimStorage::on_synced() {
  syncing_ = false;
  if (broken_) {
    return;
  }
  ++counts_.syncs;
  settle();
  if (sync_target_ > log_.safe() && happens(draws_.write_error, faults_.write_error_ratio)) {
    ++counts_.write_errors;
    failure_ = {StoreSequence{synced_.value + 1}, WriteError::kIoError};
    on_failed();
    return;
  }
  if (sync_target_ > log_.safe() && happens(draws_.lying, faults_.lying_ratio)) {
    ++counts_.lies;
  } else {
    log_.make_safe(sync_target_);
  }
  synced_ = sync_target_;
  if (sync_wanted_) {
    begin_sync();
  }
  deliver(SyncEnded{synced_});
}

// Reading.

bool SimStorage::look_up(Lookup&& lookup, std::size_t size_bytes) {
  COPAL_ASSERT(state_ == State::kOpen);
  if (lookups_.size() - free_lookups_.size() >= kStorageReadsMax) {
    return false;
  }
  if (free_lookups_.empty()) {
    free_lookups_.push_back(static_cast<std::uint32_t>(lookups_.size()));
    lookups_.emplace_back();
  }
  const std::uint32_t slot = free_lookups_.back();
  free_lookups_.pop_back();
  lookups_[slot] = std::move(lookup);
  at(occupy(read_free_at_, options_.read_time, size_bytes), slot);
  return true;
}

bool SimStorage::read(ReadId id, Family family, StorageBatch::Bytes key) {
  COPAL_ASSERT(!key.empty() && key.size() <= kStorageKeyMaxBytes);
  const std::string* record = image_.find(family, DiskImage::text(key));
  return look_up({id, family, false, std::string(DiskImage::text(key)), 0},
                 record == nullptr ? 0 : record->size());
}

bool SimStorage::scan(ReadId id, Family family, StorageBatch::Bytes from,
                      std::size_t size_max_bytes) {
  COPAL_ASSERT(from.size() <= kStorageKeyMaxBytes && size_max_bytes >= 1);
  return look_up({id, family, true, std::string(DiskImage::text(from)), size_max_bytes},
                 std::min<std::size_t>(size_max_bytes, image_.size_bytes(family)));
}

void SimStorage::on_looked_up(std::uint32_t slot) {
  const Lookup lookup = std::move(lookups_[slot]);
  free_lookups_.push_back(slot);
  if (happens(draws_.read_error, faults_.read_error_ratio)) {
    ++counts_.read_errors;
    if (lookup.is_scan) {
      deliver(ScanEnded{.id = lookup.id, .outcome = ReadOutcome::kIoError});
    } else {
      deliver(ReadEnded{.id = lookup.id, .outcome = ReadOutcome::kIoError});
    }
  } else if (lookup.is_scan) {
    deliver(scan_now(lookup));
  } else {
    deliver(read_now(lookup));
  }
}

ReadEnded SimStorage::read_now(const Lookup& lookup) {
  const std::string* record = image_.find(lookup.family, lookup.key);
  if (record == nullptr) {
    return {lookup.id, ReadOutcome::kAbsent, {}};
  }
  const auto value = DiskImage::value_in(lookup.family, lookup.key, *record);
  if (!value) {
    ++counts_.damaged_found;
    return {lookup.id, ReadOutcome::kDamaged, {}};
  }
  return {lookup.id, ReadOutcome::kDone, Blob(DiskImage::bytes(*value))};
}

ScanEnded SimStorage::scan_now(const Lookup& lookup) {
  const auto copy = [](std::string_view text) {
    const StorageBatch::Bytes bytes = DiskImage::bytes(text);
    return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
  };
  ScanEnded page{.id = lookup.id};
  const DiskImage::Table& table = image_.table(lookup.family);
  std::size_t size_bytes = 0;
  for (auto at = table.lower_bound(lookup.key); at != table.end(); ++at) {
    const auto& [key, record] = *at;
    const auto value = DiskImage::value_in(lookup.family, key, record);
    const std::size_t added_bytes = value ? key.size() + value->size() : record.size();
    if (size_bytes > 0 && size_bytes + added_bytes > lookup.size_max_bytes) {
      page.more = true;
      page.next = copy(key);
      break;
    }
    size_bytes += added_bytes;
    if (value) {
      page.records.push_back({copy(key), Blob(DiskImage::bytes(*value))});
      continue;
    }
    // The place is the simulator's knowledge; a store has only what the record says of itself.
    ++counts_.damaged_found;
    StorageDamage& damage = page.damaged.emplace_back();
    if (DiskImage::names(record, key)) {
      damage.key = copy(key);
    }
  }
  return page;
}

// Starts and ends.

PowerLoss SimStorage::draw_power_loss() {
  const std::size_t count = log_.written_count();
  PowerLoss loss{.kept_count = count};
  if (count == 0 || !happens(draws_.unsynced_lost, faults_.unsynced_lost_ratio)) {
    return loss;
  }
  loss.kept_count = draw_below(draws_.unsynced_lost, static_cast<std::uint32_t>(count) + 1);
  if (loss.kept_count < count && happens(draws_.torn, faults_.torn_ratio)) {
    const std::size_t frame_bytes = log_.frame_size_bytes(loss.kept_count);
    loss.torn_size_bytes = 1 + draw_below(draws_.torn, static_cast<std::uint32_t>(frame_bytes - 1));
    loss.later_kept = draw_below(draws_.torn, 2) == 0;
  }
  return loss;
}

void SimStorage::crash(Crash crash) {
  settle();
  const StoreSequence newest = log_.newest();
  // After an error nobody knows what the system still keeps of the unsynced batches.
  if (crash == Crash::kPower || broken_) {
    counts_.torn_found += log_.lose_power(image_, draw_power_loss()) ? 1 : 0;
    counts_.lost_batches += newest.value - log_.newest().value;
  } else {
    log_.drop_waiting(image_);
  }
  ++starts_;
  state_ = State::kNone;
  hiccup_ = syncing_ = sync_wanted_ = broken_ = false;
  failure_.reset();
  lookups_.clear();
  free_lookups_.clear();
  write_free_at_ = read_free_at_ = engine_.now();
}

void SimStorage::open() {
  COPAL_ASSERT(state_ == State::kNone);
  state_ = State::kOpening;
  at(occupy(read_free_at_, options_.open_time, 0) + open_delay_, kOpened);
}

void SimStorage::set_open_delay(Duration delay) {
  const bool was_put_off = std::exchange(open_delay_, delay) > 0ns;
  if (was_put_off && delay == 0ns && state_ == State::kOpening) {
    at(engine_.now(), kOpened);
  }
}

void SimStorage::on_opened() {
  if (state_ != State::kOpening) {
    return;  // it was put off, and that ended sooner
  }
  state_ = State::kOpen;
  newest_given_ = log_.newest();
  if (newest_given_ > log_.safe() && happens(draws_.lying, faults_.lying_ratio)) {
    ++counts_.lies;
  } else {
    log_.make_safe(newest_given_);
  }
  synced_ = newest_given_;
  deliver(StoreOpened{newest_given_});
}

void SimStorage::set_aside() {
  COPAL_ASSERT(state_ == State::kNone);
  image_ = DiskImage{};
  log_ = DiskLog{};
}

// Faults from outside.

void SimStorage::set_slow_factor(double factor) {
  COPAL_ASSERT(factor > 0);
  slow_factor_ = factor;
}

void SimStorage::set_stalled(bool stalled) {
  settle();
  stalled_ = stalled;
  resume();
}

bool SimStorage::flip_bit(Family family, StorageBatch::Bytes key) {
  const bool there = image_.flip_bit(family, DiskImage::text(key), draws_.flipped);
  counts_.flipped += there ? 1 : 0;
  return there;
}

/// Hands out what was held, until the disk stands still again or the process is gone.
void SimStorage::resume() {
  while (!standing_still() && !held_.empty()) {
    const std::uint64_t argument = held_.front();
    held_.pop_front();
    on_event(argument);
  }
}

void SimStorage::on_event(std::uint64_t argument) {
  if (argument >> 32U != starts_) {
    return;
  }
  const auto what = static_cast<std::uint32_t>(argument);
  if (what == kThawed) {
    hiccup_ = false;
    resume();
    return;
  }
  if (standing_still()) {
    held_.push_back(argument);
    return;
  }
  switch (what) {
    case kOpened:
      return on_opened();
    case kSynced:
      return on_synced();
    case kFailed:
      return on_failed();
    default:
      return on_looked_up(what);
  }
}

}  // namespace copal::sim
