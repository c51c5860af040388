#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "scenarios/loader.h"
#include "scenarios/testing/mistake.h"

// What a scenario may say about the triad, about caches and about their use, and what a person
// reads after a mistake there. One scenario that is right, and one change to it at a time.

namespace copal::scenario {
namespace {

constexpr std::string_view kRightCaches =
    "duration: 1min\n"
    "cloud:\n"
    "  hosts:\n"
    "    app: {count: 3}\n"
    "    lb: {}\n"
    "clusters:\n"
    "  shop:\n"
    "    servers: app\n"
    "    triad: {members: 3}\n"
    "    caches:\n"
    "      carts: {consistency: replicated}\n"
    "  web: {balances: shop, servers: lb}\n"
    "application:\n"
    "  service_time: 20ms\n"
    "  cache_use:\n"
    "    - {cache: carts}\n"
    "workload: {kind: poisson, rate: 50/s}\n"
    "faults:\n"
    "  - {at: 10s, kind: crash, host: triad-1}\n"
    "expect:\n"
    "  - {metric: lost_writes_count, below: 1}\n";

std::string changed(std::string_view right, std::string_view wrong) {
  std::string text(kRightCaches);
  const std::size_t at = text.find(right);
  EXPECT_NE(at, std::string::npos) << right;
  return text.replace(at, right.size(), wrong);
}

Scenario loaded_one(const std::string& text) {
  LoadResult result = load_text(text, "x.yaml", "dir/");
  for (const Problem& problem : result.problems) {
    ADD_FAILURE() << problem.message();
  }
  return result.scenarios.empty() ? Scenario{} : std::move(result.scenarios[0]);
}

TEST(CacheLoader, WhatIsNotSaidHasTheDefaultsOfTheCore) {
  const Scenario scenario = loaded_one(std::string(kRightCaches));
  ASSERT_EQ(scenario.app.caches.size(), 1U);
  const CacheConfig& cache = scenario.app.caches[0];
  EXPECT_EQ(cache.id, CacheId{1});
  EXPECT_EQ(cache.name, "carts");
  EXPECT_EQ(cache.consistency, Consistency::kReplicated);
  const CacheConfig defaults;
  EXPECT_EQ(cache.local_read_timeout, defaults.local_read_timeout);
  EXPECT_EQ(cache.expire_timeout, defaults.expire_timeout);
  EXPECT_EQ(cache.expire_spread_percent, defaults.expire_spread_percent);
  EXPECT_EQ(cache.idle_timeout_ms, defaults.idle_timeout_ms);
  EXPECT_EQ(cache.sync, defaults.sync);
  EXPECT_EQ(cache.refuse_degraded, defaults.refuse_degraded);
  EXPECT_EQ(cache.evict, defaults.evict);
  EXPECT_EQ(cache.value_size_max_bytes, defaults.value_size_max_bytes);
  EXPECT_EQ(scenario.app.triad.members, 3U);
  EXPECT_EQ(scenario.app.near_cache.size_bytes, 64.0 * 1024 * 1024);
  ASSERT_EQ(scenario.application.cache_use.size(), 1U);
  const CacheUse& use = scenario.application.cache_use[0];
  EXPECT_EQ(use.operations, 1U);
  EXPECT_EQ(use.keys, CacheUse::Keys::kDrawn);
  EXPECT_EQ(use.key_count, 10'000U);
  EXPECT_EQ(use.zipf_exponent, 0.9);
  EXPECT_EQ(use.value_size.mean, 500);
  EXPECT_FALSE(use.loads_on_miss);
}

TEST(CacheLoader, EveryOptionArrives) {
  const Scenario scenario = loaded_one(changed(
      "    triad: {members: 3}\n"
      "    caches:\n"
      "      carts: {consistency: replicated}\n",
      "    triad: {members: 2, message_cost: 1us, kilobyte_cost: 2us, heartbeat_interval: 100ms,\n"
      "            suspect_after: 500ms, dead_after: 1s, start_alone_timeout: 5s, values_max: "
      "1MB,\n"
      "            entries_max: 77, disk: {open_time: 1ms, write_time: 2us, sync_time: 3ms,\n"
      "            read_time: 4us, bandwidth: 100MBps, capacity: 10MB}}\n"
      "    near_cache: {size: 1MB, eviction: lru, kept_writes_max: 2MB}\n"
      "    caches:\n"
      "      other: {}\n"
      "      carts: {consistency: replicated, local_read_timeout: 1s, expire_timeout: 2min,\n"
      "              expire_spread: 15%, idle_timeout: 3s, sync: always, degraded: refuse, evict: "
      "true,\n"
      "              value_size_max: 4kB}\n"));
  const Triad& triad = scenario.app.triad;
  EXPECT_EQ(triad.members, 2U);
  EXPECT_EQ(triad.message_cost, 1us);
  EXPECT_EQ(triad.kilobyte_cost, 2us);
  EXPECT_EQ(triad.heartbeat_interval, 100ms);
  EXPECT_EQ(triad.suspect_after, 500ms);
  EXPECT_EQ(triad.dead_after, 1s);
  EXPECT_EQ(triad.start_alone_timeout, 5s);
  EXPECT_EQ(triad.values_max_bytes, 1e6);
  EXPECT_EQ(triad.entries_max, 77U);
  EXPECT_EQ(triad.disk.open_time, 1ms);
  EXPECT_EQ(triad.disk.write_time, 2us);
  EXPECT_EQ(triad.disk.sync_time, 3ms);
  EXPECT_EQ(triad.disk.read_time, 4us);
  EXPECT_EQ(triad.disk.bandwidth_bytes_per_s, 1e8);
  EXPECT_EQ(triad.disk.capacity_bytes, 1e7);
  EXPECT_EQ(scenario.app.near_cache.size_bytes, 1e6);
  EXPECT_EQ(scenario.app.near_cache.eviction, Eviction::kLru);
  EXPECT_EQ(scenario.app.near_cache.kept_writes_max_bytes, 2e6);
  ASSERT_EQ(scenario.app.caches.size(), 2U);
  const CacheConfig& cache = scenario.app.caches[1];
  EXPECT_EQ(cache.id, CacheId{2});
  EXPECT_EQ(cache.local_read_timeout, 1s);
  EXPECT_EQ(cache.expire_timeout, 2min);
  EXPECT_EQ(cache.expire_spread_percent, 15U);
  EXPECT_EQ(cache.idle_timeout_ms, 3000U);
  EXPECT_EQ(cache.sync, Sync::kAlways);
  EXPECT_TRUE(cache.refuse_degraded);
  EXPECT_TRUE(cache.evict);
  EXPECT_EQ(cache.value_size_max_bytes, 4000U);
}

TEST(CacheLoader, EveryOptionOfTheUseArrives) {
  const Scenario scenario = loaded_one(changed(
      "    - {cache: carts}\n",
      "    - {cache: carts, operations: 3, read_share: 50%, remove_share: 10%, key_size: 20B,\n"
      "       keys: {count: 7, zipf_exponent: 0}, value_size: 16MB, same_value_share: 0.25,\n"
      "       load_on_miss: 5ms, timeout: 7s}\n"
      "    - {cache: carts, keys: {count: 5}}\n"
      "  cache_cost: {operation: 1us, kilobyte: 2us}\n"));
  ASSERT_EQ(scenario.application.cache_use.size(), 2U);
  const CacheUse& use = scenario.application.cache_use[0];
  EXPECT_EQ(use.cache, "carts");
  EXPECT_EQ(use.operations, 3U);
  EXPECT_EQ(use.read_share, 0.5);
  EXPECT_EQ(use.remove_share, 0.1);
  EXPECT_EQ(use.key_size_bytes, 20U);
  EXPECT_EQ(use.key_count, 7U);
  EXPECT_EQ(use.zipf_exponent, 0);
  EXPECT_EQ(use.value_size.mean, 16e6);
  EXPECT_EQ(use.same_value_share, 0.25);
  EXPECT_TRUE(use.loads_on_miss);
  EXPECT_EQ(use.load_on_miss, 5ms);
  EXPECT_EQ(use.timeout, 7s);
  EXPECT_EQ(scenario.application.cache_use[1].key_count, 5U);
  EXPECT_EQ(scenario.application.cache_cost.operation, 1us);
  EXPECT_EQ(scenario.application.cache_cost.kilobyte, 2us);
}

TEST(CacheLoader, FaultsOfMembersAndLinks) {
  const Scenario scenario = loaded_one(
      changed("  - {at: 10s, kind: crash, host: triad-1}\n",
              "  - {at: 1s, kind: stop, host: triad-1, lasting: 5s}\n"
              "  - {at: 2s, kind: lose_disk, host: triad-2}\n"
              "  - {at: 3s, kind: partition, hosts: [triad-1, app-1], lasting: 5s}\n"
              "  - {at: 4s, kind: loss, hosts: [triad-1], from: [app-1, lb], one_way: true, "
              "factor: 0.2}\n"));
  ASSERT_EQ(scenario.faults.size(), 4U);
  EXPECT_EQ(scenario.faults[0].kind, Fault::Kind::kStop);
  EXPECT_EQ(scenario.faults[1].kind, Fault::Kind::kLoseDisk);
  EXPECT_EQ(scenario.faults[2].kind, Fault::Kind::kPartition);
  EXPECT_EQ(scenario.faults[2].hosts, (std::vector<std::string>{"triad-1", "app-1"}));
  EXPECT_TRUE(scenario.faults[2].from.empty());
  EXPECT_FALSE(scenario.faults[2].one_way);
  EXPECT_EQ(scenario.faults[3].from, (std::vector<std::string>{"app-1", "lb"}));
  EXPECT_TRUE(scenario.faults[3].one_way);
  EXPECT_EQ(scenario.faults[3].factor, 0.2);
}

TEST(CacheLoader, ATriadOfTheFilesOwnHosts) {
  std::string text = changed("    triad: {members: 3}\n", "    triad: {hosts: keepers}\n");
  text.replace(text.find("    lb: {}\n"), 11, "    lb: {}\n    keepers: {count: 2}\n");
  text.replace(text.find("triad-1"), 7, "keepers-2");
  const Scenario scenario = loaded_one(text);
  EXPECT_EQ(host_names(triad_group(scenario)),
            (std::vector<std::string>{"keepers-1", "keepers-2"}));
}

TEST(CacheLoader, AMemberOfItsOwnIsNumberedAlsoAlone) {
  Scenario scenario = loaded_one(changed("members: 3", "members: 1"));
  EXPECT_EQ(host_names(triad_group(scenario)), (std::vector<std::string>{"triad-1"}));
}

const Mistake kCacheMistakes[] = {
    {"UnknownCacheOption", "{consistency: replicated}", "{consistensy: replicated}",
     "x.yaml:11:15: unknown key 'consistensy' in clusters.shop.caches.carts; did you mean "
     "'consistency'?"},
    {"UnknownConsistency", "{consistency: replicated}", "{consistency: replikated}",
     "x.yaml:11:28: clusters.shop.caches.carts.consistency is 'replikated'; did you mean "
     "'replicated'?"},
    {"TimeoutWithoutUnit", "{consistency: replicated}", "{local_read_timeout: 10}",
     "x.yaml:11:35: clusters.shop.caches.carts.local_read_timeout is '10', a number without a "
     "unit; expected a duration such as 20ms, 1.5s or 5min"},
    {"SpreadTooLarge", "{consistency: replicated}", "{expire_spread: 95%}",
     "x.yaml:11:30: clusters.shop.caches.carts.expire_spread is 95%; expected at least 0 and at "
     "most 0.9"},
    {"IdleTimeoutTooLong", "{consistency: replicated}", "{idle_timeout: 60d}",
     "x.yaml:11:29: clusters.shop.caches.carts.idle_timeout is 60d; expected at most 4294967s"},
    {"ValuesTooLarge", "{consistency: replicated}", "{value_size_max: 1GB}",
     "x.yaml:11:31: clusters.shop.caches.carts.value_size_max is 1GB; expected at least 1B and at "
     "most 128MiB"},
    {"RefusesWithoutReplication", "{consistency: replicated}", "{degraded: refuse}",
     "x.yaml:11:25: clusters.shop.caches.carts.degraded has no use: an available cache never waits "
     "for a second copy; expected consistency: replicated beside it"},
    {"UnknownCache", "{cache: carts}", "{cache: cart}",
     "x.yaml:16:15: application.cache_use.0: there is no cache 'cart'; did you mean 'carts'?"},
    {"NoCache", "{cache: carts}", "{operations: 2}",
     "x.yaml:16:7: application.cache_use.0 needs 'cache'; expected a text such as carts"},
    {"SharesTooLarge", "{cache: carts}", "{cache: carts, read_share: 90%, remove_share: 20%}",
     "x.yaml:16:53: application.cache_use.0: reads and removals are more than all operations; "
     "expected together at most 100%"},
    {"SessionsThatAreNot", "{cache: carts}", "{cache: carts, keys: session}",
     "x.yaml:16:28: application.cache_use.0.keys is session, and requests have none; expected "
     "workload.sessions, or keys: {count: …}"},
    {"TraceThatIsNot", "{cache: carts}", "{cache: carts, keys: trace}",
     "x.yaml:16:28: application.cache_use.0.keys is trace, and the workload has no keys; expected "
     "workload.kind key_trace or cluster_stats, or keys: {count: …}"},
    {"KeysWithoutCount", "{cache: carts}", "{cache: carts, keys: {zipf_exponent: 1}}",
     "x.yaml:16:22: application.cache_use.0.keys needs 'count'; expected a whole number such as "
     "10000"},
    {"KeyTooLong", "{cache: carts}", "{cache: carts, key_size: 2kB}",
     "x.yaml:16:32: application.cache_use.0.key_size is 2kB; expected at least 10B and at most "
     "1KiB"},
    {"FourMembers", "{members: 3}", "{members: 4}",
     "x.yaml:9:22: clusters.shop.triad.members is 4; expected at least 1 and at most 3"},
    {"TriadOnNoHosts", "{members: 3}", "{hosts: apps}",
     "x.yaml:9:20: there is no host group 'apps'; did you mean 'app'?"},
    {"TriadOnTheServers", "{members: 3}", "{hosts: app}",
     "x.yaml:9:20: the host group 'app' has servers already; expected a group of its own for the "
     "triad"},
    {"SuspectAfterDeath", "{members: 3}", "{suspect_after: 4s}",
     "x.yaml:9:28: suspect_after is 4s; expected at most dead_after, 3s"},
    {"DeadTooSoon", "{members: 3}", "{dead_after: 100ms, suspect_after: 50ms}",
     "x.yaml:9:25: dead_after is 100ms; expected at least two heartbeat_interval, 500ms"},
    {"FaultOfAMemberThatIsNot", "host: triad-1", "host: triad-4",
     "x.yaml:19:34: faults.0: nothing runs on a host 'triad-4'; did you mean 'triad-1'?"},
    {"StopOfAServer", "kind: crash, host: triad-1", "kind: stop, host: app-1",
     "x.yaml:19:33: faults.0: no member of the triad runs on a host 'app-1'; expected one of "
     "triad-1, triad-2, triad-3"},
    {"DrainOfAMember", "kind: crash, host: triad-1", "kind: drain, host: triad-1",
     "x.yaml:19:34: faults.0: no server runs on a host 'triad-1'; expected one of app-1, app-2, "
     "app-3, lb"},
    {"PartitionOfOneHost", "kind: crash, host: triad-1", "kind: partition, host: triad-1",
     "x.yaml:19:5: faults.0 (kind: partition) needs 'hosts'; expected a list such as [triad-1, "
     "app-1]"},
    {"CrashOfSeveral", "kind: crash, host: triad-1", "kind: crash, host: triad-1, hosts: [triad-1]",
     "x.yaml:19:43: faults.0.hosts does not belong to kind: crash; expected one of at, kind, host, "
     "lasting"},
    {"PartitionWithBothSidesAlike", "kind: crash, host: triad-1",
     "kind: partition, hosts: [triad-1], from: [triad-1]",
     "x.yaml:19:57: faults.0: 'triad-1' is on both sides; expected each host on one"},
    {"PartitionOfNobody", "kind: crash, host: triad-1", "kind: partition, hosts: [triad-9]",
     "x.yaml:19:40: faults.0: nothing runs on a host 'triad-9'; did you mean 'triad-1'?"},
    {"LossWithoutShare", "kind: crash, host: triad-1", "kind: loss, hosts: [triad-1]",
     "x.yaml:19:5: faults.0 (kind: loss) needs 'factor'; expected a number such as 0.2"},
};

class CacheMistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(CacheMistakes, IsExplained) {
  const Mistake& mistake = GetParam();
  const LoadResult result =
      load_text(changed(mistake.right, mistake.wrong), "x.yaml", "", {.check_files = false});
  ASSERT_FALSE(result.problems.empty());
  const std::string message = result.problems[0].message();
  EXPECT_EQ(message.substr(0, message.find('\n')), mistake.message);
}

INSTANTIATE_TEST_SUITE_P(One, CacheMistakes, testing::ValuesIn(kCacheMistakes),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(CacheLoader, AMetricOfCachesNeedsCaches) {
  constexpr std::string_view kNone =
      "duration: 1min\n"
      "cloud: {hosts: {app: {count: 3}, lb: {}}}\n"
      "clusters: {shop: {servers: app}, web: {balances: shop, servers: lb}}\n"
      "application: {service_time: 20ms}\n"
      "workload: {kind: poisson, rate: 50/s}\n"
      "expect: [{metric: staleness_ms_p99, below: 1}]\n";
  const LoadResult result = load_text(kNone, "x.yaml", "");
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_EQ(result.problems[0].text, "expect.0: staleness_ms_p99 is about caches");
  EXPECT_EQ(result.problems[0].expected, "caches in the application's cluster");
}

TEST(CacheLoader, ATriadsMachinesHaveNamesOfTheirOwn) {
  std::string text = changed("    lb: {}\n", "    lb: {}\n    triad: {count: 2}\n");
  const LoadResult result = load_text(text, "x.yaml", "");
  ASSERT_FALSE(result.problems.empty());
  EXPECT_EQ(result.problems[0].text, "a member of the triad is called 'triad-1' too");
}

}  // namespace
}  // namespace copal::scenario
