#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/cache/eviction_choice.h"
#include "scenarios/distribution.h"

// What a scenario says about the triad and about the use of caches, as data. The caches themselves
// are the core's CacheConfig. Field names are those of the file.

namespace copal::scenario {

/// The disk of each member of the triad.
struct Disk {
  Duration open_time = 20ms;
  Duration write_time = 10us;
  Duration sync_time = 500us;
  Duration read_time = 80us;
  double bandwidth_bytes_per_s = 1e9;
  double capacity_bytes = 268'435'456;
};

/// The members of the application's cluster that keep its caches and the list of its servers.
struct Triad {
  std::string hosts;          // a HostGroup's name, of 1 to 3 hosts; empty: hosts of their own
  std::uint32_t members = 3;  // without `hosts`: triad-1 to triad-<members>
  // Work of a member; counted only where there are caches.
  Duration message_cost = 5us;     // each message that it receives
  Duration kilobyte_cost = 300ns;  // of its frame and value
  Duration heartbeat_interval = 250ms;
  Duration suspect_after = 1s;
  Duration dead_after = 3s;
  Duration start_alone_timeout = 30s;
  double values_max_bytes = 0;    // of all values; 0: no limit
  std::uint32_t entries_max = 0;  // 0: no limit
  Disk disk;
};

/// Each server's own side of the caches.
struct NearCache {
  double size_bytes = 67'108'864;  // 0: keeps nothing
  Eviction eviction = Eviction::kS3Fifo;
  double kept_writes_max_bytes = 67'108'864;  // acknowledged, not replicated
};

/// What each request does with one cache.
struct CacheUse {
  std::string cache;             // its name
  std::uint32_t operations = 1;  // one after another
  double read_share = 0.9;
  double remove_share = 0;  // of all operations; what is left are puts
  enum class Keys {
    kDrawn,    // key_count keys, the k-th as popular as k^-zipf_exponent
    kSession,  // one key a session
    kTrace,    // what the workload's recording asks for
  } keys = Keys::kDrawn;
  std::uint32_t key_count = 10'000;
  double zipf_exponent = 0.9;
  std::uint32_t key_size_bytes = 16;
  Distribution value_size{.mean = 500};  // a key keeps its size
  double same_value_share = 0;           // puts that write the value that they wrote before
  bool loads_on_miss = false;            // a read that finds nothing is followed by a put …
  Duration load_on_miss{};               // … this much later: what the database takes
  Duration timeout = 2s;
  /// What puts ask for: expire timeouts by share. From a cluster's statistics only.
  struct Lifetime {
    Duration expire_timeout{};
    double share = 0;
  };
  std::vector<Lifetime> lifetimes{};
};

/// CPU time of each operation at the server, on one core of speed 1.
struct CacheCost {
  Duration operation = 10us;
  Duration kilobyte = 500ns;  // of the value
};

}  // namespace copal::scenario
