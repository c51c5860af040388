// Time and allocations of the ten balancing algorithms, by the number of servers.
//
//   policy_bench [--benchmark_filter=…] [--benchmark_format=csv] …
//
// pick    choose() alone, on a cluster with two requests in the air for each server. Prequal's pool
//         is kept full for it (no removal, reuse without limit), as nothing else would refill it.
// cycle   one request's whole life: choose(), on_start(), probe_targets() with every probe answered
//         at once, and on_end() of the request that was started longest ago.
// Columns: pick_ns or cycle_ns, and allocations_per_pick or allocations_per_cycle; the aim is none,
// and no pick above 1,000 ns at 1,000 servers. Servers have weights 1 to 4.

#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/balance/policy_config.h"
#include "core/base/hash.h"
#include "core/testing/allocation_count.h"
#include "core/testing/policy_bed.h"

namespace {

using copal::Duration;
using copal::balance::Algorithm;
using copal::balance::PolicyConfig;
using copal::testing::allocation_count;
using copal::testing::PolicyBed;

constexpr std::size_t kRequestsPerServer = 2;

/// A policy in the middle of its work, and the requests that are in the air.
struct Busy {
  Busy(const PolicyConfig& config, std::size_t server_count)
      : bed(copal::balance::make_policy(config), server_count) {
    for (std::size_t i = 0; i < server_count; ++i) {
      bed.servers[i].weight = static_cast<double>(i % 4 + 1);
    }
    bed.changed();
    for (std::size_t i = 0; i < kRequestsPerServer * server_count; ++i) {
      started.push_back(bed.pick(copal::mix64(i)));
      bed.probe();
    }
    for (std::size_t i = 0; i < 2 * started.size(); ++i) {
      cycle();
    }
  }

  void cycle() {
    bed.pass(Duration{1'000});
    std::size_t& oldest = started[count % started.size()];
    bed.end(oldest, Duration{5'000'000});
    oldest = bed.pick(copal::mix64(count));
    bed.probe();
    ++count;
  }

  PolicyBed bed;
  std::vector<std::size_t> started;
  std::uint64_t count = 0;
};

/// Measures a loop of the benchmark from its making to report(), which names columns with units.
class Meter {
 public:
  void report(benchmark::State& state, const std::string& what) const {
    const std::uint64_t allocations = allocation_count() - allocations_before_;
    const std::chrono::duration<double, std::nano> passed =
        std::chrono::steady_clock::now() - start_;
    const auto iterations = static_cast<double>(state.iterations());
    state.counters[what + "_ns"] = passed.count() / iterations;
    state.counters["allocations_per_" + what] = static_cast<double>(allocations) / iterations;
  }

 private:
  std::uint64_t allocations_before_ = allocation_count();
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void pick(benchmark::State& state, std::size_t algorithm) {
  PolicyConfig config{.algorithm = static_cast<Algorithm>(algorithm)};
  config.probe_rate = 0;
  config.probe_remove_rate = 0;
  Busy busy(config, static_cast<std::size_t>(state.range(0)));
  for (std::size_t i = 0; i < busy.bed.servers.size(); ++i) {
    busy.bed.report(i, copal::balance::ReportKind::kProbe, {kRequestsPerServer, 0, Duration{1}});
  }
  std::uint64_t key = 0;
  const Meter meter;
  for (auto _ : state) {
    benchmark::DoNotOptimize(busy.bed.choose(copal::mix64(++key)));
  }
  meter.report(state, "pick");
}

void cycle(benchmark::State& state, std::size_t algorithm) {
  Busy busy({.algorithm = static_cast<Algorithm>(algorithm)},
            static_cast<std::size_t>(state.range(0)));
  const Meter meter;
  for (auto _ : state) {
    busy.cycle();
  }
  meter.report(state, "cycle");
}

void add(const std::string& kind, void (*run)(benchmark::State&, std::size_t)) {
  const auto names = copal::balance::algorithm_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = kind + "/" + std::string(names[i]) + "/servers";
    benchmark::RegisterBenchmark(name.c_str(), run, i)->Arg(10)->Arg(100)->Arg(1'000);
  }
}

}  // namespace

int main(int argc, char** argv) {
  add("pick", pick);
  add("cycle", cycle);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 1;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
