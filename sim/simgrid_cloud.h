#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "scenarios/scenario.h"
#include "sim/cpu.h"
#include "sim/engine.h"

namespace copal::sim {

/// Told how a transfer ended.
class FlowListener {
 public:
  virtual ~FlowListener() = default;
  virtual void on_flow_end(std::uint64_t flow, bool arrived) = 0;
};

/// One host as SimGrid is to have it. Cloud-wide order: the index is the host's number.
struct SimgridHost {
  std::string name;
  std::uint32_t cores = 1;
  double speed = 1;
  scenario::Link link;
  scenario::Power power;
  std::vector<double> slow_factors;  // set_speed_factor() knows these, 0 and 1
};

/// The cloud behind the engine: SimGrid 3.32, driven by callbacks from maestro, without a single
/// actor. It executes CPU work, carries flows that share bandwidth, and counts joules
/// (host_energy). There can be one in a process, ever: SimGrid's engine is a singleton, so each run
/// has its own process. The sharp edges that this class guards against are in simulation-facts 4.2;
/// each has a test in simgrid_cloud_test.cpp. Thread rule: the engine's thread.
class SimgridCloud final : public Physics {
 public:
  /// Builds and seals the platform: a star of all hosts, each behind its link. Links have a
  /// bandwidth, shared evenly by the transfers on them, and no latency.
  /// engine  outlives it.
  SimgridCloud(Engine& engine, const std::vector<SimgridHost>& hosts);
  ~SimgridCloud() override;

  /// Options that are pinned, as "--cfg=…" strings, for the report.
  static std::vector<std::string> options();
  static std::string version();

  /// The CPU of one host, owned by the cloud. listener outlives the cloud. Call it once a host.
  Cpu& cpu(std::size_t host, CpuListener& listener);

  /// Starts a transfer; the listener hears of its end through the event heap. A host that is off or
  /// a link that is down is the caller's to look after (asserted): SimGrid would abort or be
  /// silent. flow  a name that is not in use.   size_bytes  0 is sent as 1.
  void send(std::size_t from, std::size_t to, std::uint64_t size_bytes, std::uint64_t flow,
            FlowListener& listener);

  /// Ends all that is on a host's link, as failed.
  void set_link(std::size_t host, bool up);
  bool link_up(std::size_t host) const;

  /// States of a host's power. Off and boot: nothing may run there. Boot draws boot_watts.
  enum class PowerState { kOff, kBoot, kOn };
  void set_power(std::size_t host, PowerState state);

  /// Joules since the start, exact to the engine's now.
  double energy_joules(std::size_t host);

  bool live() const override;
  void run() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace copal::sim
