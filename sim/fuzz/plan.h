#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/balance/policy_config.h"
#include "core/base/time.h"
#include "core/cache/cache_config.h"
#include "core/mnode/owner_order.h"

// One run of the fuzzer as data: what is built, what is asked of it and when, and what goes wrong
// and when. Drawn from a seed (draw_plan.h), kept as a capsule (capsule.h), shrunk (shrink.h): only
// a schedule that is data can be. Nodes are numbered as they are made: members 0 to 2 by slot, then
// servers, then balancers.

namespace copal::sim::fuzz {

/// One cache of the run. Its id is its place, from 1 on.
struct PlannedCache {
  Consistency consistency = Consistency::kAvailable;
  Sync sync = Sync::kInterval;
  Duration local_read_timeout = 10ms;
  Duration expire_timeout{};
  std::uint32_t expire_spread_percent = 0;
  std::uint32_t idle_timeout_ms = 0;
  bool refuse_degraded = false;
  bool evict = false;
};

/// One operation of a client, at a time of its own whatever became of those before.
struct PlannedOp {
  enum class Kind : std::uint8_t {
    kGet,
    kPut,
    kRemove,
    kPutIfAbsent,
    kReplace,        // if present
    kCompareAndSet,  // the version that this client last saw of the key
    kReplaceValue,   // if it has the value that this client last saw of it
    kGetAndPut,
    kGetAndReplace,  // if present
    kGetAndRemove,
    kRemoveValue,  // if it has the value that this client last saw of it
    kIncrement,
    kAppend,
    kPrepend,
    kTouch,
    kContains,
    kClear,
    kList,
    kForbidden,  // a balancer puts, which it may not; no client is told
    kRequest,    // an HTTP request at a balancer
  };
  Duration at{};
  std::uint32_t client = 0;
  std::uint32_t server = 0;  // which of the servers, or of the balancers
  std::uint32_t cache = 1;
  std::uint32_t key = 0;
  Kind kind = Kind::kGet;
  std::uint32_t value = 0;  // number of the value's contents: equal numbers are equal bytes
  std::uint32_t value_size_bytes = 0;
  std::uint32_t user_flags = 0;
  Duration expire_timeout{};  // the entry's own, of a change that gives it one; 0: the cache's
  Duration timeout = 10s;
  std::uint32_t bulk = 0;  // those of one number that follow each other are one call; 0: by itself
  bool sticks = false;     // a request of the session that this client's last answer was of
};
constexpr PlannedOp::Kind kLastOpKind = PlannedOp::Kind::kRequest;

/// Whether an operation's `server` is one of the balancers.
constexpr bool is_of_balancer(PlannedOp::Kind kind) {
  return kind >= PlannedOp::Kind::kForbidden;
}
constexpr bool only_reads(PlannedOp::Kind kind) {
  return kind == PlannedOp::Kind::kGet || kind == PlannedOp::Kind::kContains;
}

/// Something that goes wrong at a time and ends after `lasting`.
struct PlannedFault {
  enum class Kind : std::uint8_t {
    // Processes and machines: `node`.
    kCrash,         // the process; started again at the end
    kCrashForGood,  // the process, never started again; of a node outside of the core
    kPowerOff,      // the machine
    kFreeze,        // the process stands still, sockets open
    kLoseDisk,      // as kPowerOff, and the disk is empty after it
    kRebootLoop,    // crashes again and again, `amount` times within `lasting`
    kPlannedStop,   // hands over first; started again at the end
    kSlowStart,     // a member's store takes `amount` milliseconds more to open, a server's
                    // application so many to become ready
    kSlowNode,      // each message takes it `amount` microseconds
    // Links: from `node` to `other`; kAnyNode: to and from all.
    kPartition,  // silent both ways between the nodes in `mask` and the others
    kRing,       // each of `mask` hears of those only its two neighbours, in the nodes' order
    kBridge,     // as kPartition, but for `node`, a member, which hears both sides
    kOneWay,     // silent from `node` to `other`
    kFlap,       // both ways, on and off every `amount` milliseconds
    kLoss,       // `amount` in a thousand
    kDelay,      // up to `amount` microseconds more
    kDuplicate,  // `amount` in a thousand
    kReorder,    // `amount` in a thousand are late by some milliseconds
    kClog,       // nothing gets through, then all at once
    kFullQueue,  // who sends is told that its queue is full, and nothing leaves
    kSlowLink,   // `amount` kB/s each way, one frame after the other
    kReset,      // connections break every `amount` milliseconds
    kRefuse,     // connections break, and none is made: whoever sends is told at once
    kFlipBit,    // `amount` in a thousand arrive with a bit turned
    // Clocks: `node`.
    kClockStep,    // wall, by `amount` milliseconds, and back at the end
    kClockOffset,  // wall, `amount` milliseconds off from before the first start on
    kClockDrift,   // mono, by `amount` millionths
    kClockFreeze,  // wall
    // Disks: `node`, a member.
    kDiskSlow,  // `amount` times
    kDiskStall,
    kDiskFull,
    kDiskReadErrors,   // `amount` in a thousand
    kDiskWriteErrors,  // `amount` in a thousand
    kDiskFlips,        // records written with a bit turned, `amount` in a thousand
    kDiskMisdirects,   // `amount` in a thousand
    kDiskLies,         // syncs, `amount` in a thousand
    kDiskTears,        // power losses leave part of a batch behind
    // Operators: `node`, a server.
    kDisable,
    kDrain,
    // Load reports: `node`, a server.
    kFalseLoad,  // fails each request at once, and so seems to be idle
  };
  static constexpr std::uint32_t kAnyNode = 0xffff;

  Kind kind = Kind::kCrash;
  Duration at{};
  Duration lasting{};
  std::uint32_t node = 0;
  std::uint32_t other = kAnyNode;
  std::uint32_t mask = 0;  // bit i: node i
  std::int64_t amount = 0;
};
constexpr PlannedFault::Kind kLastFaultKind = PlannedFault::Kind::kFalseLoad;

/// Of the kinds in which some nodes hear each other and others do not.
constexpr bool is_partition(PlannedFault::Kind kind) {
  return kind >= PlannedFault::Kind::kPartition && kind <= PlannedFault::Kind::kBridge;
}
constexpr bool is_order(PlannedFault::Kind kind) {
  return kind == PlannedFault::Kind::kDisable || kind == PlannedFault::Kind::kDrain;
}
/// Whether a partition keeps two nodes from hearing each other.
bool separates(const PlannedFault& partition, std::uint32_t one, std::uint32_t other);

struct Plan {
  std::uint64_t seed = 0;       // of what is still drawn while it runs
  std::uint32_t slots = 0b111;  // filled slots of the triad
  std::uint32_t servers = 3;
  std::uint32_t balancers = 1;
  std::vector<PlannedCache> caches;
  std::uint32_t keys = 8;  // of each cache
  Duration latency = 200us;
  Duration tombstone_lifetime = std::chrono::hours{24};
  Duration kept_write_lifetime = 10min;
  Duration compare_interval = 10s;
  std::uint64_t values_max_bytes = 0;  // 0: no limit
  std::uint64_t memory_max_bytes = 0;  // of values in memory; 0: no limit
  std::uint64_t kept_max_bytes = std::uint64_t{1} << 20U;
  std::uint32_t replication_log_max = 65'536;
  balance::Algorithm algorithm = balance::Algorithm::kRoundRobin;
  Duration start_alone_timeout = 30s;

  // Three phases: things go wrong; a core is healed and must serve, the rest stays broken; all is
  // healed and must become the same.
  Duration faults_for = 60s;
  Duration core_for = 45s;
  Duration healed_for = 60s;
  std::uint32_t core_mask = 0;  // nodes of the core

  std::vector<PlannedFault> faults;  // by `at`
  std::vector<PlannedOp> ops;        // by `at`

  // A defect on purpose, in what the world writes down: proves that a campaign would report one.
  bool canary = false;

  std::uint32_t node_count() const { return 3 + servers + balancers; }
  bool is_member(std::uint32_t node) const { return node < 3; }
  bool is_server(std::uint32_t node) const { return node >= 3 && node < 3 + servers; }
  Duration whole() const { return faults_for + core_for + healed_for; }
};

}  // namespace copal::sim::fuzz
