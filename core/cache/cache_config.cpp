#include "core/cache/cache_config.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/protocol/codec.h"

namespace copal {

CacheCatalog::CacheCatalog(std::vector<CacheConfig> caches) : caches_(std::move(caches)) {
  COPAL_ASSERT(caches_.size() <= kCachesMax);
  std::sort(caches_.begin(), caches_.end(),
            [](const CacheConfig& one, const CacheConfig& other) { return one.id < other.id; });
  for (std::size_t i = 0; i < caches_.size(); ++i) {
    COPAL_ASSERT(i == 0 || caches_[i - 1].id < caches_[i].id);
    COPAL_ASSERT(find(caches_[i].name) == &caches_[i]);
    COPAL_ASSERT(caches_[i].name.size() <= kNameSizeMaxBytes);
    COPAL_ASSERT(caches_[i].expire_spread_percent <= CacheConfig::kExpireSpreadMaxPercent);
  }
}

const CacheConfig* CacheCatalog::find(CacheId id) const {
  const auto at =
      std::lower_bound(caches_.begin(), caches_.end(), id,
                       [](const CacheConfig& cache, CacheId other) { return cache.id < other; });
  return at == caches_.end() || at->id != id ? nullptr : &*at;
}

const CacheConfig* CacheCatalog::find(std::string_view name) const {
  for (const CacheConfig& cache : caches_) {
    if (cache.name == name) {
      return &cache;
    }
  }
  return nullptr;
}

CacheStatus CacheCatalog::look_up(std::string_view name, CacheId& id) const {
  if (name.size() > kNameSizeMaxBytes) {
    return CacheStatus::kNameTooLong;
  }
  const CacheConfig* cache = find(name);
  if (cache == nullptr) {
    return CacheStatus::kUnknownCache;
  }
  id = cache->id;
  return CacheStatus::kDone;
}

bool CacheCatalog::has_synced() const {
  return std::ranges::any_of(caches_,
                             [](const CacheConfig& cache) { return cache.sync == Sync::kAlways; });
}

}  // namespace copal
