#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/prng.h"
#include "core/ports/storage.h"
#include "sim/disk_image.h"
#include "sim/disk_log.h"
#include "sim/disk_options.h"
#include "sim/engine.h"

namespace copal::sim {

/// The disk of one machine and the store on it: Storage's contract in the simulated cloud, on the
/// event heap alone. It stays when the process or the machine goes, and each start opens it anew.
/// Batches go one after the other into the system's cache, reads and pages one after the other to
/// the disk; the two do not wait for each other and do not share bandwidth. A sync begins when all
/// batches before it are in the cache. A batch shows at once; one without faults costs no event.
class SimStorage final : public Storage, public EventTarget {
 public:
  using Deliver = std::function<void(const StorageCompletion&)>;

  /// What happened to the disk since it was made; so that a campaign can tell which rare paths it
  /// took, and a test that a fault was there.
  struct Counts {
    std::uint64_t batches = 0;
    std::uint64_t syncs = 0;
    std::uint64_t slow = 0;
    std::uint64_t stalls = 0;
    std::uint64_t full = 0;
    std::uint64_t write_errors = 0;
    std::uint64_t read_errors = 0;
    std::uint64_t flipped = 0;
    std::uint64_t misdirected = 0;
    std::uint64_t lies = 0;           // syncs
    std::uint64_t lost_batches = 0;   // in power losses
    std::uint64_t torn_found = 0;     // starts that found a log not whole at its end
    std::uint64_t damaged_found = 0;  // records, at reads and scans
  };

  /// engine   outlives it.   trace_id  see EventTarget.
  /// seed     of the run; every family of faults has a stream of its own from it and the trace_id.
  /// deliver  told each completion, from an event, never from inside a call.
  SimStorage(Engine& engine, std::uint32_t trace_id, const DiskOptions& options, std::uint64_t seed,
             Deliver deliver);

  // The node's side. Only between StoreOpened and crash(), asserted.
  Result<StoreSequence> write(const StorageBatch& batch) override;
  void sync() override;
  bool read(ReadId id, Family family, StorageBatch::Bytes key) override;
  bool scan(ReadId id, Family family, StorageBatch::Bytes from,
            std::size_t size_max_bytes) override;

  enum class Crash : std::uint8_t {
    kProcess,  // loses the batches that wait to be written
    kPower,    // and of the unsynced ones what the faults say
  };
  /// The process is no more, and may have been none before. Nothing comes to it any more.
  void crash(Crash crash);
  /// A new process opens the store: StoreOpened. None is there, asserted.
  void open();
  /// The store is set aside, or the disk was replaced: the next start finds an empty one. No
  /// process is there, asserted.
  void set_aside();

  /// Draws with these from now on.
  void set_faults(const DiskFaults& faults) { faults_ = faults; }
  /// factor  > 0; all times from now on are multiplied by it.
  void set_slow_factor(double factor);
  /// A disk that stands still completes nothing; what was asked for completes when it goes on.
  void set_stalled(bool stalled);
  /// Opening takes so much longer from now on. What was put off and still waits is over at 0.
  void set_open_delay(Duration delay);
  /// A full disk takes no batch that puts anything, whatever its capacity.
  void set_full(bool full) { full_ = full; }
  /// Turns a drawn bit of a record. Returns false if there is none.
  bool flip_bit(Family family, StorageBatch::Bytes key);

  const Counts& counts() const { return counts_; }
  const DiskImage& image() const { return image_; }

  void on_event(std::uint64_t argument) override;

 private:
  /// What an event's argument says below the start; lower numbers are lookups.
  enum Event : std::uint32_t { kOpened = 0xffff'ff00, kSynced, kFailed, kThawed };

  struct Lookup {
    ReadId id;
    Family family = Family::kMNodes;
    bool is_scan = false;
    std::string key;
    std::size_t size_max_bytes = 0;
  };
  struct Failure {
    StoreSequence first;
    WriteError error = WriteError::kFull;
  };
  /// One stream for each family of faults.
  struct Draws {
    Draws(std::uint64_t seed, std::uint32_t disk);
    Prng slow, stall, full, write_error, read_error, flipped, misdirected, lying, unsynced_lost,
        torn;
  };

  bool standing_still() const { return stalled_ || hiccup_; }
  void resume();
  /// Lets batches leave the queue up to now; to be called before the disk stops.
  void settle();
  void at(TimePoint time, std::uint32_t what);
  void deliver(const StorageCompletion& completion);
  /// Takes the next free time of a queue. Returns when the operation is over.
  TimePoint occupy(TimePoint& free_at, Duration time, std::size_t size_bytes);
  std::optional<WriteError> refusal(const StorageBatch& batch);
  void damage_puts(StorageBatch::Bytes changes);
  bool look_up(Lookup&& lookup, std::size_t size_bytes);
  PowerLoss draw_power_loss();

  void begin_sync();
  void on_opened();
  void on_synced();
  void on_failed();
  void on_looked_up(std::uint32_t slot);
  ReadEnded read_now(const Lookup& lookup);
  ScanEnded scan_now(const Lookup& lookup);

  Engine& engine_;
  DiskOptions options_;
  DiskFaults faults_;
  Draws draws_;
  Deliver deliver_;
  Counts counts_;

  // The disk.
  DiskImage image_;
  DiskLog log_;
  double slow_factor_ = 1;
  bool stalled_ = false;
  bool hiccup_ = false;  // a drawn stall
  bool full_ = false;
  Duration open_delay_{};
  TimePoint write_free_at_{};
  TimePoint read_free_at_{};
  std::deque<std::uint64_t> held_;  // events that came while it stood still

  // The process.
  enum class State : std::uint8_t { kNone, kOpening, kOpen };
  State state_ = State::kNone;
  std::uint32_t starts_ = 0;
  StoreSequence newest_given_;
  StoreSequence synced_;  // the highest one named
  StoreSequence sync_target_;
  bool syncing_ = false;
  bool sync_wanted_ = false;
  bool broken_ = false;             // after an I/O error of writing
  std::optional<Failure> failure_;  // not told yet
  std::vector<Lookup> lookups_;
  std::vector<std::uint32_t> free_lookups_;
};

}  // namespace copal::sim
