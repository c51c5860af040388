#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "core/base/time.h"
#include "core/ports/storage.h"
#include "sim/disk_image.h"

namespace copal::sim {

/// What a power loss leaves of the batches that were not safe yet, in the order of the log.
struct PowerLoss {
  std::size_t kept_count = 0;       // whole batches from the oldest on
  std::size_t torn_size_bytes = 0;  // of the next one, so many bytes from its start
  bool later_kept = false;          // those behind it were written all the same
};

/// The batches that a disk's image shows and that a power loss may still take: those whose sync
/// has not ended, and those whose sync was a lie. Each keeps what it replaced. Only a power loss
/// makes bytes of them, so while nothing goes wrong a batch costs a copy and no checksum.
/// Invariants: 1. numbers are consecutive; 2. times of writing never go back.
class DiskLog {
 public:
  /// Carries a batch out on the image and remembers it.
  /// sequence    the next number, asserted.
  /// written_at  when it leaves the queue; not before that of the batch before, asserted.
  void append(DiskImage& image, StoreSequence sequence, TimePoint written_at,
              StorageBatch::Bytes changes);

  /// Lets the batches whose time has come leave the queue.
  void settle(TimePoint now);
  std::size_t waiting_count() const { return batches_.size() - written_count_; }
  std::size_t waiting_size_bytes() const { return waiting_size_bytes_; }

  /// The batches up to this one are safe, whatever happens.
  void make_safe(StoreSequence sequence);
  /// The oldest ones become safe until no more are left than this; those that wait stay.
  void make_oldest_safe(std::size_t count_max, std::size_t size_max_bytes);

  /// The process ended: what waited is lost.
  void drop_waiting(DiskImage& image);

  /// How large a written batch would be in the log; for drawing where it is torn.
  /// index  below written_count().
  std::size_t frame_size_bytes(std::size_t index) const;
  /// Batches that a power loss may leave.
  std::size_t written_count() const { return written_count_; }
  /// The power was lost: writes down the log as `loss` says, damage and all, reads it again and
  /// carries out what is found to be whole. The rest is gone from the image; nothing is left here.
  /// Returns whether something behind the end was not whole.
  bool lose_power(DiskImage& image, const PowerLoss& loss);

  /// The last batch that the image shows.
  StoreSequence newest() const { return newest_; }
  /// All up to this one are safe.
  StoreSequence safe() const { return StoreSequence{newest_.value - batches_.size()}; }

 private:
  struct Pending {
    TimePoint written_at{};
    std::vector<std::uint8_t> changes;
    std::vector<DiskImage::Before> before;  // one for each change
  };
  /// Stands in front of a batch in the log.
  struct FrameHead {
    std::uint64_t sequence = 0;
    std::uint64_t size_bytes = 0;
    std::uint64_t checksum = 0;  // over number and changes
  };

  Pending take_spare();
  void forget_oldest();
  void take_back_newest(DiskImage& image);
  std::vector<std::uint8_t> written_log(const PowerLoss& loss) const;
  /// Carries out the batches at the start of the bytes that are whole. Returns how many bytes.
  std::size_t replay(DiskImage& image, StorageBatch::Bytes log);

  std::deque<Pending> batches_;
  std::vector<Pending> spare_;  // their memory is used again
  StoreSequence newest_;
  std::size_t written_count_ = 0;
  std::size_t waiting_size_bytes_ = 0;
  std::size_t size_bytes_ = 0;
};

}  // namespace copal::sim
