// How fast the simulated world is, each figure beside what it is compared with in the same run:
//   events    messages delivered a second between 1,000 hosts, with so many in flight: fidelity
//             `latency`, fidelity `flow`, and the usual SimGrid program (an actor and a mailbox a
//             node). `ratio` is to the mailbox style under the same options and with as many in
//             flight, `ratio_usual` to the same program under SimGrid's defaults.
//   requests  simulated requests a second end to end, on our own CPU model and on SimGrid's.
//   memory    bytes a simulated server and a request in flight take, at three sizes of cluster.
// Each measurement is made in a process of its own: SimGrid's engine is a singleton.

#include <benchmark/benchmark.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <simgrid/s4u.hpp>

#include "core/base/prng.h"
#include "scenarios/loader.h"
#include "sim/network.h"
#include "sim/workload/make_workload.h"
#include "sim/world.h"

namespace copal::sim {
namespace {

namespace s4u = simgrid::s4u;

constexpr std::uint32_t kHosts = 1000;
constexpr std::uint64_t kMessageSizeBytes = 1000;

struct Measured {
  double seconds = 0;
  double items = 0;
  double extra = 0;
};

/// Measures in a child and takes its figures over a pipe.
template <class Body>
Measured in_child(Body body) {
  int ends[2];
  if (pipe(ends) != 0) {
    return {};
  }
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    const Measured measured = body();
    const bool told = write(ends[1], &measured, sizeof measured) == sizeof measured;
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  Measured measured;
  const bool heard = read(ends[0], &measured, sizeof measured) == sizeof measured;
  close(ends[0]);
  waitpid(pid, nullptr, 0);
  return heard ? measured : Measured{};
}

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// A process that answers each frame by sending one on to a host drawn at random.
struct Hopper final : Endpoint {
  State state() const override { return State::kUp; }
  void on_frame(NodeId, std::span<const std::byte> frame, const Blob&) override {
    ++*delivered;
    if (*delivered < *wanted) {
      hop(frame);
    } else {
      engine->stop();
    }
  }
  void on_link_down(NodeId) override {}
  void hop(std::span<const std::byte> frame) {
    std::uint32_t to = draw_below(*random, kHosts - 1);
    to += to >= self.value ? 1 : 0;
    network->send(self, NodeId{to}, Lane::kData, frame, {{}, kMessageSizeBytes});
  }
  Engine* engine = nullptr;
  Network* network = nullptr;
  Prng* random = nullptr;
  std::uint64_t* delivered = nullptr;
  const std::uint64_t* wanted = nullptr;
  NodeId self;
};

Measured messages(scenario::Fidelity fidelity, std::uint64_t in_flight, std::uint64_t wanted) {
  Engine engine;
  const scenario::Link link{.fidelity = fidelity};
  std::unique_ptr<SimgridCloud> cloud;
  if (fidelity == scenario::Fidelity::kFlow) {
    std::vector<SimgridHost> hosts;
    for (std::uint32_t i = 0; i < kHosts; ++i) {
      hosts.push_back({"h" + std::to_string(i), 1, 1, link, {}, {}});
    }
    cloud = std::make_unique<SimgridCloud>(engine, hosts);
  }
  Network network(engine, std::vector(kHosts, link), cloud.get());
  Prng random(1, "bench");
  std::uint64_t delivered = 0;
  std::vector<std::unique_ptr<Hopper>> hoppers;
  for (std::uint32_t i = 0; i < kHosts; ++i) {
    hoppers.push_back(std::make_unique<Hopper>());
    Hopper& hopper = *hoppers.back();
    hopper.engine = &engine;
    hopper.network = &network;
    hopper.random = &random;
    hopper.delivered = &delivered;
    hopper.wanted = &wanted;
    hopper.self = network.add(i, hopper);
  }
  const std::array<std::byte, 64> frame{};
  for (std::uint64_t i = 0; i < in_flight; ++i) {
    hoppers[i % kHosts]->hop(frame);
  }
  const double seconds = seconds_of([&] { engine.run(); });
  // The process is left without destructors: SimGrid's engine is the next one's, too.
  static_cast<void>(cloud.release());
  return {seconds, static_cast<double>(delivered), 0};
}

/// The usual SimGrid program: an actor a node waits at its mailbox and sends on.
/// usual  SimGrid's own defaults (a TCP model, cross-traffic); else the options of our cloud.
Measured mailboxes(std::uint64_t in_flight, std::uint64_t wanted, bool usual) {
  std::vector<std::string> arguments;
  if (!usual) {
    arguments = SimgridCloud::options();
  }
  arguments.insert(arguments.begin(), "bench");
  arguments.emplace_back("--log=root.thres:critical");
  std::vector<char*> pointers;
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  int count = static_cast<int>(pointers.size());
  auto* engine = new s4u::Engine(&count, pointers.data());
  auto* zone = s4u::create_star_zone("cloud");
  std::vector<s4u::Host*> hosts;
  for (std::uint32_t i = 0; i < kHosts; ++i) {
    auto* host = zone->create_host("h" + std::to_string(i), 1e9);
    auto* link = zone->create_split_duplex_link("l" + std::to_string(i), 1.25e9);
    link->set_latency(50e-6);
    zone->add_route(host->get_netpoint(), nullptr, nullptr, nullptr,
                    {s4u::LinkInRoute(link, s4u::LinkInRoute::Direction::UP)}, true);
    hosts.push_back(host);
  }
  zone->seal();
  static int payload = 0;
  std::uint64_t delivered = 0;
  Prng random(1, "bench");
  const auto start = std::chrono::steady_clock::now();
  double seconds = 0;
  for (std::uint32_t i = 0; i < kHosts; ++i) {
    s4u::Actor::create("a" + std::to_string(i), hosts[i], [&, i] {
      auto* own = s4u::Mailbox::by_name("m" + std::to_string(i));
      const auto hop = [&] {
        std::uint32_t to = draw_below(random, kHosts - 1);
        to += to >= i ? 1 : 0;
        s4u::Mailbox::by_name("m" + std::to_string(to))
            ->put_init(&payload, kMessageSizeBytes)
            ->detach();
      };
      for (std::uint64_t k = i; k < in_flight; k += kHosts) {
        hop();
      }
      for (;;) {
        own->get<int>();
        if (++delivered >= wanted) {
          const auto end = std::chrono::steady_clock::now();
          seconds = std::chrono::duration<double>(end - start).count();
          s4u::Actor::kill_all();
        }
        hop();
      }
    });
  }
  engine->run();
  return {seconds, static_cast<double>(delivered), 0};
}

/// usual, in flight -> messages a second.
std::map<std::pair<bool, std::int64_t>, double>& mailbox_rates() {
  static std::map<std::pair<bool, std::int64_t>, double> rates;
  return rates;
}

void report(benchmark::State& state, const Measured& measured, const char* what) {
  state.SetIterationTime(measured.seconds);
  state.counters[what] = measured.items / measured.seconds;
}

void events_mailbox(benchmark::State& state, bool usual) {
  for (auto _ : state) {
    const std::uint64_t wanted = state.range(0) >= 1000 ? 10'000 : 50'000;
    const Measured measured = in_child(
        [&] { return mailboxes(static_cast<std::uint64_t>(state.range(0)), wanted, usual); });
    report(state, measured, "messages_per_s");
    mailbox_rates()[{usual, state.range(0)}] = measured.items / measured.seconds;
  }
}

void events(benchmark::State& state, scenario::Fidelity fidelity, std::uint64_t wanted) {
  for (auto _ : state) {
    const Measured measured = in_child(
        [&] { return messages(fidelity, static_cast<std::uint64_t>(state.range(0)), wanted); });
    report(state, measured, "messages_per_s");
    const double rate = measured.items / measured.seconds;
    state.counters["ratio"] = rate / mailbox_rates()[{false, state.range(0)}];
    state.counters["ratio_usual"] = rate / mailbox_rates()[{true, state.range(0)}];
  }
}

/// A plain cluster: so many servers of 4 cores at load 0.8, exponential work of 20 ms.
scenario::Scenario cluster(std::uint32_t servers, Duration duration, const char* cpu) {
  const double rate = 0.8 * 4 * servers / 0.020;
  const std::string text =
      "title: bench\nduration: " + std::to_string(duration.count()) +
      "ns\nwarm_up: 0s\ncloud:\n  cpu: " + cpu +
      "\n  hosts:\n    app: {count: " + std::to_string(servers) +
      ", cores: 4}\n    lb: {cores: 4}\n"
      "clusters:\n  site: {servers: app}\n  front: {balances: site, servers: lb}\n"
      "application: {service_time: {distribution: exponential, mean: 20ms}}\n"
      "workload: {kind: poisson, rate: " +
      std::to_string(rate) + "/s}\nvary: {algorithm: [power_of_two]}\n";
  auto loaded = scenario::load_text(text, "bench", "", {});
  for (const auto& problem : loaded.problems) {
    std::fprintf(stderr, "%s\n", problem.message().c_str());
  }
  return loaded.scenarios.at(0);
}

void requests(benchmark::State& state, const char* cpu) {
  for (auto _ : state) {
    const Measured measured = in_child([&] {
      const auto servers = static_cast<std::uint32_t>(state.range(0));
      // About 400,000 requests whatever the size.
      const auto scenario = cluster(servers, from_seconds(400'000 / (160.0 * servers)), cpu);
      auto made = make_workload(scenario, 1);
      World world(scenario, scenario.contenders[0], 1, *made.workload);
      Measured result;
      result.seconds = seconds_of([&] { world.run(); });
      result.items = static_cast<double>(world.requests_arrived());
      result.extra = static_cast<double>(world.engine().event_count());
      // Written by in_child, which leaves without destructors; the world's would come first.
      return result;
    });
    report(state, measured, "requests_per_s");
    state.counters["events_per_s"] = measured.extra / measured.seconds;
  }
}

double used_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

/// What a world has allocated when its first interval ends, beyond what stood before.
/// rate_per_s  of requests, none of which ends before that.
Measured allocated(std::uint32_t servers, double rate_per_s) {
  auto scenario = cluster(servers, 2s, "native");
  scenario.application.service_time = {.mean = 1000};
  scenario.workload.rate_per_s = rate_per_s;
  scenario.balancers.request_timeout = 1s;
  scenario.series_interval = 900ms;
  auto made = make_workload(scenario, 1);
  const double before = used_bytes();
  World world(scenario, scenario.contenders[0], 1, *made.workload);
  Measured measured;
  world.run([&](TimePoint) {
    if (measured.items == 0) {
      measured.items = used_bytes() - before;
      measured.extra = static_cast<double>(world.requests_arrived());
    }
  });
  return measured;
}

void memory(benchmark::State& state) {
  for (auto _ : state) {
    const auto servers = static_cast<std::uint32_t>(state.range(0));
    const Measured idle = in_child([&] { return allocated(servers, 1); });
    const Measured loaded = in_child([&] { return allocated(servers, 100'000); });
    state.SetIterationTime(1);
    state.counters["bytes_per_server"] = idle.items / servers;
    state.counters["bytes_per_request"] = (loaded.items - idle.items) / (loaded.extra - idle.extra);
  }
}

#define COPAL_BENCH(...) \
  BENCHMARK_CAPTURE(__VA_ARGS__)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(1)

COPAL_BENCH(events_mailbox, usual, true)->Arg(10)->Arg(100)->Arg(1000);
COPAL_BENCH(events_mailbox, same_options, false)->Arg(10)->Arg(100)->Arg(1000);
COPAL_BENCH(events, latency, scenario::Fidelity::kLatency, 3'000'000)->Arg(10)->Arg(100)->Arg(1000);
COPAL_BENCH(events, flow, scenario::Fidelity::kFlow, 200'000)->Arg(10)->Arg(100)->Arg(1000);
COPAL_BENCH(requests, native, "native")->Arg(8)->Arg(100)->Arg(1000);
COPAL_BENCH(requests, simgrid, "simgrid")->Arg(8)->Arg(100)->Arg(1000);
BENCHMARK(memory)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->Arg(100)
    ->Arg(1000)
    ->Arg(10000);

}  // namespace
}  // namespace copal::sim

BENCHMARK_MAIN();
