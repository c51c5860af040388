#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "core/mnode/mnode.h"
#include "core/protocol/cache_message.h"

namespace copal {

/// What is promised of a cache's entries; see DESIGN section 5.
enum class Consistency : std::uint8_t {
  kAvailable,   // acknowledged when the acting owner has it (the paper's)
  kReplicated,  // acknowledged when one more ready member has it
};

/// When what was written is safe from a loss of power.
enum class Sync : std::uint8_t {
  kBySystem,  // whenever the system writes it down
  kInterval,  // within the store's interval (100 ms)
  kAlways,    // before it is acknowledged
};

/// One cache's options. Defaults are the paper's (section III, "Customizing Cache Configuration").
struct CacheConfig {
  static constexpr std::uint32_t kValueSizeMaxBytes = 128 * 1024 * 1024;

  CacheId id;
  std::string name;
  Consistency consistency = Consistency::kAvailable;
  Duration expire_timeout{};  // since the last change; 0: none
  // Of an entry's expire timeout: it ends up to so much earlier, each at its own time, or what was
  // read in one moment would have to be made anew in one moment (R0.7).
  std::uint32_t expire_spread_percent = 0;
  std::uint32_t idle_timeout_ms = 0;   // since the last use; 0: none
  Duration local_read_timeout = 10ms;  // how long a copy is used without asking
  bool refuse_degraded = false;        // `replicated`: an error rather than a single copy
  Sync sync = Sync::kInterval;
  // A full triad gives up entries that were not used lately, rather than refuse new ones (R0.7).
  bool evict = false;
  std::uint32_t value_size_max_bytes = kValueSizeMaxBytes;

  static constexpr std::uint32_t kExpireSpreadMaxPercent = 90;
};

/// The caches of a cluster. They come from the configuration and are the same on every node.
class CacheCatalog {
 public:
  /// Ids and names are unique, names within their limit, and not more than kCachesMax, asserted:
  /// the configuration was checked.
  explicit CacheCatalog(std::vector<CacheConfig> caches);

  /// Returns the cache, or nothing. Valid as long as the catalog.
  const CacheConfig* find(CacheId id) const;
  const CacheConfig* find(std::string_view name) const;
  /// The same, with why not: kNameTooLong, kUnknownCache.
  CacheStatus look_up(std::string_view name, CacheId& id) const;
  /// Whether any cache is `sync: always`.
  bool has_synced() const;

  std::size_t count() const { return caches_.size(); }
  /// Where one of its own stands: from 0 on, below count().
  std::size_t place(const CacheConfig& cache) const {
    return static_cast<std::size_t>(&cache - caches_.data());
  }

  static constexpr std::size_t kNameSizeMaxBytes = 128;

 private:
  std::vector<CacheConfig> caches_;  // by id
};

}  // namespace copal
