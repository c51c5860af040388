// Hit ratios of the eviction policies on recorded keys, and what they cost.
//
//   eviction_bench TRACE…      files as load_key_trace() reads them
//
// 1. For each trace the hit ratio in percent when the cache holds 1, 2, 5, 10 and 20 % of its keys;
//    `optimal` knows the future (Belady), so no policy is above it.
// 2. ns a request of the whole replay at 10 %, with the look-up of the key.
// 3. With 100,000 items, all drawn evenly: hit_ns of the policy alone; insert_ns of a new item and
//    of giving up another for it; find_ns of NearCache, a hit of a key whose hash is known, and its
//    allocations.
// Times are the fastest, the median and the slowest of nine runs.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/assert.h"
#include "core/base/prng.h"
#include "core/cache/near_cache.h"
#include "core/testing/allocation_count.h"
#include "core/testing/eviction_replay.h"
#include "sim/workload/key_trace.h"

namespace {

using copal::Eviction;
using copal::EvictionItem;
using copal::EvictionPolicy;
using copal::EvictionQueue;
using copal::testing::EvictionReplay;

constexpr Eviction kAll[] = {Eviction::kLru, Eviction::kS3Fifo, Eviction::kWTinyLfu};
constexpr std::uint64_t kPercents[] = {1, 2, 5, 10, 20};
constexpr std::size_t kItems = 100'000;
constexpr int kRuns = 9;

using Keys = std::vector<std::uint32_t>;

const char* name_of(Eviction eviction) {
  return copal::eviction_names()[static_cast<std::size_t>(eviction)].data();
}

/// Of the runs of one thing, in ns an operation.
struct Spread {
  double ns_min = 0;
  double ns_median = 0;
  double ns_max = 0;

  std::string text() const {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.0f, %.0f, %.0f", ns_min, ns_median, ns_max);
    return text.data();
  }
};
/// run  does it once and returns how many operations these were.
template <class Run>
Spread time_runs(Run run) {
  std::vector<double> all;
  for (int i = 0; i < kRuns; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const std::uint64_t operations = run();
    const std::chrono::duration<double, std::nano> passed =
        std::chrono::steady_clock::now() - start;
    all.push_back(passed.count() / static_cast<double>(operations));
  }
  std::ranges::sort(all);
  return {all.front(), all[kRuns / 2], all.back()};
}

std::uint64_t hits_of(const Keys& keys, Eviction eviction, std::uint64_t limit) {
  EvictionReplay cache(copal::make_eviction_policy(eviction, limit));
  std::uint64_t hits = 0;
  for (const std::uint32_t key : keys) {
    hits += cache.request(key) ? 1 : 0;
  }
  return hits;
}

/// Belady's algorithm: what is asked for last goes; the new one itself, if that is it.
std::uint64_t optimal_hits(const Keys& keys, std::uint64_t limit) {
  std::vector<std::size_t> next(keys.size());
  std::map<std::uint32_t, std::size_t> seen;
  for (std::size_t i = keys.size(); i-- > 0;) {
    const auto at = seen.find(keys[i]);
    // Never again: in any order behind all others.
    next[i] = at == seen.end() ? keys.size() + i : at->second;
    seen[keys[i]] = i;
  }
  std::set<std::size_t> held;  // by when each is asked for next
  std::uint64_t hits = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    hits += held.erase(i);
    held.insert(next[i]);
    if (held.size() > limit) {
      held.erase(std::prev(held.end()));
    }
  }
  return hits;
}

void compare_hits(const std::string& name, const Keys& keys) {
  const std::size_t distinct = std::set<std::uint32_t>(keys.begin(), keys.end()).size();
  std::printf("\n%s: %zu requests, %zu keys; hits in %%\n\n| held keys | share |", name.c_str(),
              keys.size(), distinct);
  for (const Eviction eviction : kAll) {
    std::printf(" %s |", name_of(eviction));
  }
  std::printf(" optimal |\n|---|---|---|---|---|---|\n");
  const auto percent = [&keys](std::uint64_t hits) {
    return 100 * static_cast<double>(hits) / static_cast<double>(keys.size());
  };
  for (const std::uint64_t share : kPercents) {
    const std::uint64_t limit = distinct * share / 100;
    std::printf("| %llu | %llu %% |", static_cast<unsigned long long>(limit),
                static_cast<unsigned long long>(share));
    for (const Eviction eviction : kAll) {
      std::printf(" %.2f |", percent(hits_of(keys, eviction, limit)));
    }
    std::printf(" %.2f |\n", percent(optimal_hits(keys, limit)));
  }
  std::printf("\n| %s at 10 %% | request_ns |\n|---|---|\n", name.c_str());
  for (const Eviction eviction : kAll) {
    const Spread spread = time_runs([&] {
      hits_of(keys, eviction, distinct / 10);
      return keys.size();
    });
    std::printf("| %s | %s |\n", name_of(eviction), spread.text().c_str());
  }
}

/// Each of the first `count` numbers once, in an order that no cache line follows.
std::vector<std::uint32_t> shuffled(std::size_t count) {
  copal::Prng random(1, "eviction bench");
  std::vector<std::uint32_t> numbers(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    numbers[i] = i;
    std::swap(numbers[i], numbers[copal::draw_below(random, i + 1)]);
  }
  return numbers;
}

/// Twice as many items as the policy holds, so that there is always a next one to insert.
struct Filled {
  explicit Filled(Eviction eviction) : items(2 * kItems) {
    policy = copal::make_eviction_policy(eviction, kItems);
    for (std::size_t i = 0; i < items.size(); ++i) {
      items[i].size_bytes = 1;
    }
    for (std::size_t i = 0; i < kItems; ++i) {
      items[i].hash = copal::mix64(++last_hash);
      policy->insert(items[i], evicted);
    }
    for (std::size_t i = kItems; i < items.size(); ++i) {
      evicted.push_newest(items[i]);
    }
  }
  std::vector<EvictionItem> items;
  std::unique_ptr<EvictionPolicy> policy;
  EvictionQueue evicted;  // and not yet inserted
  std::uint64_t last_hash = 0;
};

Spread time_hits(Eviction eviction) {
  Filled filled(eviction);
  const std::vector<std::uint32_t> order = shuffled(kItems);
  return time_runs([&] {
    for (const std::uint32_t i : order) {
      filled.policy->hit(filled.items[i]);
    }
    return kItems;
  });
}

Spread time_inserts(Eviction eviction) {
  Filled filled(eviction);
  return time_runs([&] {
    for (std::size_t i = 0; i < kItems; ++i) {
      EvictionItem& item = filled.evicted.take_oldest();
      item.hash = copal::mix64(++filled.last_hash);
      filled.policy->insert(item, filled.evicted);
    }
    return kItems;
  });
}

struct Finds {
  Spread spread;
  double allocations = 0;  // a find
};

Finds time_finds(Eviction eviction) {
  copal::NearCache cache({.limit_bytes = std::uint64_t{1} << 32U, .eviction = eviction});
  const copal::Blob value(std::vector<std::uint8_t>(100));
  std::vector<copal::KeyHash> keys(kItems);
  for (const std::uint32_t i : shuffled(kItems)) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&i);
    copal::MNode mnode;
    mnode.key = copal::hash_key(1, {bytes, sizeof i});
    keys[i] = mnode.key;
    cache.put(mnode, value, {});
  }
  std::uint64_t found = 0;
  std::uint64_t allocations = 0;
  const Spread spread = time_runs([&] {
    const std::uint64_t before = copal::testing::allocation_count();
    for (const copal::KeyHash& key : keys) {
      found += cache.find(key)->value.size_bytes();
    }
    allocations += copal::testing::allocation_count() - before;
    return kItems;
  });
  COPAL_ASSERT(found == kRuns * kItems * 100);
  return {spread, static_cast<double>(allocations) / static_cast<double>(kRuns * kItems)};
}

void compare_times() {
  std::printf(
      "\n| %zu items | hit_ns | insert_ns | find_ns | allocations_per_find |\n"
      "|---|---|---|---|---|\n",
      kItems);
  for (const Eviction eviction : kAll) {
    const Spread hit = time_hits(eviction);
    const Spread insert = time_inserts(eviction);
    const Finds find = time_finds(eviction);
    std::printf("| %s | %s | %s | %s | %g |\n", name_of(eviction), hit.text().c_str(),
                insert.text().c_str(), find.spread.text().c_str(), find.allocations);
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    Keys keys;
    if (const auto failure = copal::sim::load_key_trace(argv[i], keys)) {
      std::fprintf(stderr, "%s\n", failure->c_str());
      return 1;
    }
    const std::string path = argv[i];
    compare_hits(path.substr(path.rfind('/') + 1), keys);
  }
  compare_times();
  return 0;
}
