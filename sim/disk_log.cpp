#include "sim/disk_log.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/assert.h"

namespace copal::sim {

namespace {

constexpr std::size_t kSpareMax = 64;
/// The memory of a larger batch is given back.
constexpr std::size_t kSpareMaxBytes = 4096;

}  // namespace

DiskLog::Pending DiskLog::take_spare() {
  if (spare_.empty()) {
    return {};
  }
  Pending batch = std::move(spare_.back());
  spare_.pop_back();
  return batch;
}

void DiskLog::append(DiskImage& image, StoreSequence sequence, TimePoint written_at,
                     StorageBatch::Bytes changes) {
  COPAL_ASSERT(sequence.value == newest_.value + 1);
  COPAL_ASSERT(batches_.empty() || written_at >= batches_.back().written_at);
  Pending batch = take_spare();
  batch.written_at = written_at;
  batch.changes.assign(changes.begin(), changes.end());
  for (StorageChanges left(changes); !left.done();) {
    batch.before.push_back(image.apply(left.next()));
  }
  batches_.push_back(std::move(batch));
  newest_ = sequence;
  waiting_size_bytes_ += changes.size();
  size_bytes_ += changes.size();
}

void DiskLog::settle(TimePoint now) {
  while (written_count_ < batches_.size() && batches_[written_count_].written_at <= now) {
    waiting_size_bytes_ -= batches_[written_count_].changes.size();
    ++written_count_;
  }
}

void DiskLog::forget_oldest() {
  COPAL_ASSERT(written_count_ > 0);
  Pending batch = std::move(batches_.front());
  batches_.pop_front();
  --written_count_;
  size_bytes_ -= batch.changes.size();
  if (spare_.size() < kSpareMax && batch.changes.capacity() <= kSpareMaxBytes) {
    batch.before.clear();
    spare_.push_back(std::move(batch));
  }
}

void DiskLog::make_safe(StoreSequence sequence) {
  while (safe() < sequence) {
    forget_oldest();
  }
}

void DiskLog::make_oldest_safe(std::size_t count_max, std::size_t size_max_bytes) {
  while (written_count_ > 0 && (batches_.size() > count_max || size_bytes_ > size_max_bytes)) {
    forget_oldest();
  }
}

void DiskLog::take_back_newest(DiskImage& image) {
  Pending& batch = batches_.back();
  std::vector<StorageBatch::Change> changes;
  for (StorageChanges left(batch.changes); !left.done();) {
    changes.push_back(left.next());
  }
  for (std::size_t i = changes.size(); i > 0; --i) {
    image.take_back(changes[i - 1], std::move(batch.before[i - 1]));
  }
  size_bytes_ -= batch.changes.size();
  batches_.pop_back();
  --newest_.value;
}

void DiskLog::drop_waiting(DiskImage& image) {
  while (waiting_count() > 0) {
    take_back_newest(image);
  }
  waiting_size_bytes_ = 0;
}

std::size_t DiskLog::frame_size_bytes(std::size_t index) const {
  COPAL_ASSERT(index < written_count_);
  return sizeof(FrameHead) + batches_[index].changes.size();
}

std::vector<std::uint8_t> DiskLog::written_log(const PowerLoss& loss) const {
  std::vector<std::uint8_t> log;
  const std::size_t end =
      loss.later_kept
          ? written_count_
          : std::min(loss.kept_count + (loss.torn_size_bytes > 0 ? 1 : 0), written_count_);
  for (std::size_t i = 0; i < end; ++i) {
    const std::vector<std::uint8_t>& changes = batches_[i].changes;
    FrameHead head{safe().value + i + 1, changes.size(), 0};
    head.checksum = disk_checksum(changes, head.sequence);
    const std::size_t at = log.size();
    log.resize(at + sizeof head + changes.size());
    std::memcpy(log.data() + at, &head, sizeof head);
    std::copy(changes.begin(), changes.end(),
              log.begin() + static_cast<std::ptrdiff_t>(at + sizeof head));
    if (i == loss.kept_count) {
      const std::size_t kept = std::min(loss.torn_size_bytes, log.size() - at);
      std::fill(log.begin() + static_cast<std::ptrdiff_t>(at + kept), log.end(), std::uint8_t{0});
    }
  }
  return log;
}

std::size_t DiskLog::replay(DiskImage& image, StorageBatch::Bytes log) {
  std::size_t at = 0;
  while (log.size() - at >= sizeof(FrameHead)) {
    FrameHead head;
    std::memcpy(&head, log.data() + at, sizeof head);
    if (head.size_bytes > log.size() - at - sizeof head) {
      break;
    }
    const StorageBatch::Bytes changes = log.subspan(at + sizeof head, head.size_bytes);
    if (disk_checksum(changes, head.sequence) != head.checksum) {
      break;
    }
    for (StorageChanges left(changes); !left.done();) {
      image.apply(left.next());
    }
    ++newest_.value;
    at += sizeof head + changes.size();
  }
  return at;
}

bool DiskLog::lose_power(DiskImage& image, const PowerLoss& loss) {
  drop_waiting(image);
  const std::vector<std::uint8_t> log = written_log(loss);
  while (!batches_.empty()) {
    take_back_newest(image);
  }
  written_count_ = 0;
  return replay(image, log) < log.size();
}

}  // namespace copal::sim
