#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/time.h"

namespace copal::sim {

/// A disk that is well. The times are those of a small NVMe drive behind a file system; a scenario
/// may set others.
struct DiskOptions {
  Duration open_time = 20ms;   // reading the log after a start
  Duration write_time = 10us;  // a batch into the system's cache
  Duration sync_time = 500us;
  Duration read_time = 80us;  // a read or a page of a scan
  double bandwidth_bytes_per_s = 1e9;
  /// Records take their size on the disk (DiskImage); this is what bounds the simulator's memory.
  std::uint64_t capacity_bytes = std::uint64_t{256} << 20U;
  /// What the system keeps unsynced before it writes the oldest down by itself.
  std::size_t unsynced_count_max = 4096;
  std::size_t unsynced_size_max_bytes = std::size_t{16} << 20U;
};

/// What may be wrong with a disk; each family by itself, all off. A ratio is the share of the
/// operations that it happens to, 0 to 1. Source: DESIGN.md, section 11, "disk".
struct DiskFaults {
  double slow_ratio = 0;  // reads, scans, batches and syncs that take slow_factor times as long
  double slow_factor = 20;
  double stall_ratio = 0;  // the same, before which the whole disk stands still
  Duration stall_time_max = 2s;
  double full_ratio = 0;           // batches that find no room (others use the disk too)
  double write_error_ratio = 0;    // batches and syncs
  double read_error_ratio = 0;     // reads and pages
  double flipped_ratio = 0;        // records put of which a bit turns
  double misdirected_ratio = 0;    // records put that land in another one's place
  double lying_ratio = 0;          // syncs that are reported and did not happen
  double unsynced_lost_ratio = 1;  // power losses that lose some of what was not synced
  double torn_ratio = 0;           // of those, the ones that leave part of a batch behind
};

}  // namespace copal::sim
