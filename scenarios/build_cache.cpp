#include "scenarios/build_cache.h"

#include <cmath>

#include "scenarios/read_keys.h"
#include "scenarios/units.h"

namespace copal::scenario {

namespace {

constexpr std::string_view kConsistencyNames[] = {"available", "replicated"};
constexpr std::string_view kSyncNames[] = {"never", "interval", "always"};
constexpr std::string_view kDegradedNames[] = {"allow", "refuse"};
constexpr std::string_view kKeysNames[] = {"drawn", "session", "trace"};

void read_bytes(const Node& node, std::string_view key, std::uint32_t& field) {
  double bytes = field;
  read(node, key, Format::kSize, bytes);
  field = static_cast<std::uint32_t>(bytes);
}

Disk disk(const Node& node) {
  Disk result;
  read(node, "open_time", result.open_time);
  read(node, "write_time", result.write_time);
  read(node, "sync_time", result.sync_time);
  read(node, "read_time", result.read_time);
  read(node, "bandwidth", Format::kBandwidth, result.bandwidth_bytes_per_s);
  read(node, "capacity", Format::kSize, result.capacity_bytes);
  return result;
}

Triad triad(const Node& node) {
  Triad result;
  read(node, "hosts", result.hosts);
  read(node, "members", result.members);
  read(node, "message_cost", result.message_cost);
  read(node, "kilobyte_cost", result.kilobyte_cost);
  read(node, "heartbeat_interval", result.heartbeat_interval);
  read(node, "suspect_after", result.suspect_after);
  read(node, "dead_after", result.dead_after);
  read(node, "start_alone_timeout", result.start_alone_timeout);
  read(node, "values_max", Format::kSize, result.values_max_bytes);
  read(node, "entries_max", result.entries_max);
  result.disk = disk(*node.find("disk"));
  return result;
}

CacheConfig cache(const std::string& name, const Node& node) {
  CacheConfig result;
  result.name = name;
  read(node, "consistency", kConsistencyNames, result.consistency);
  read(node, "local_read_timeout", result.local_read_timeout);
  read(node, "expire_timeout", result.expire_timeout);
  double expire_spread = 0;
  read(node, "expire_spread", Format::kRatio, expire_spread);
  result.expire_spread_percent = static_cast<std::uint32_t>(std::lround(expire_spread * 100));
  Duration idle_timeout{};
  read(node, "idle_timeout", idle_timeout);
  result.idle_timeout_ms = static_cast<std::uint32_t>(idle_timeout / 1ms);
  read(node, "sync", kSyncNames, result.sync);
  enum class Degraded { kAllow, kRefuse } degraded = Degraded::kAllow;
  read(node, "degraded", kDegradedNames, degraded);
  result.refuse_degraded = degraded == Degraded::kRefuse;
  read(node, "evict", result.evict);
  read_bytes(node, "value_size_max", result.value_size_max_bytes);
  return result;
}

CacheUse cache_use(const Node& node, const std::string& folder) {
  CacheUse use;
  read(node, "cache", use.cache);
  read(node, "operations", use.operations);
  read(node, "read_share", Format::kRatio, use.read_share);
  read(node, "remove_share", Format::kRatio, use.remove_share);
  const Node* keys = node.find("keys");
  if (keys != nullptr && keys->kind == Node::Kind::kMap) {
    read(*keys, "count", use.key_count);
    read(*keys, "zipf_exponent", use.zipf_exponent);
  } else {
    read(node, "keys", kKeysNames, use.keys);
  }
  read_bytes(node, "key_size", use.key_size_bytes);
  read_distribution(node, "value_size", Format::kSize, folder, use.value_size);
  read(node, "same_value_share", Format::kRatio, use.same_value_share);
  use.loads_on_miss = node.find("load_on_miss") != nullptr;
  read(node, "load_on_miss", use.load_on_miss);
  read(node, "timeout", use.timeout);
  return use;
}

}  // namespace

void read_caches(const Node& cluster, AppCluster& app) {
  if (const Node* node = cluster.find("triad")) {
    app.triad = triad(*node);
  }
  const Node* caches = cluster.find("caches");
  for (std::size_t i = 0; caches != nullptr && i < caches->keys.size(); ++i) {
    app.caches.push_back(cache(caches->keys[i].text, caches->items[i]));
    app.caches.back().id = CacheId{static_cast<std::uint32_t>(i + 1)};
  }
  if (const Node* near = cluster.find("near_cache")) {
    read(*near, "size", Format::kSize, app.near_cache.size_bytes);
    read(*near, "eviction", eviction_names(), app.near_cache.eviction);
    read(*near, "kept_writes_max", Format::kSize, app.near_cache.kept_writes_max_bytes);
  }
}

void read_cache_use(const Node& node, const std::string& folder, Application& application) {
  const Node* uses = node.find("cache_use");
  for (std::size_t i = 0; uses != nullptr && i < uses->items.size(); ++i) {
    application.cache_use.push_back(cache_use(uses->items[i], folder));
  }
  if (const Node* cost = node.find("cache_cost")) {
    read(*cost, "operation", application.cache_cost.operation);
    read(*cost, "kilobyte", application.cache_cost.kilobyte);
  }
}

}  // namespace copal::scenario
