#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/ports/supervisor.h"
#include "sim/disk_options.h"
#include "sim/engine.h"
#include "sim/member.h"
#include "sim/sim_storage.h"

namespace copal::sim {

/// One machine of the triad: its disk, its clocks, and the process of its node, which a service
/// manager starts again when it says that it can't go on.
class SimTriad final : public Supervisor, public EventTarget {
 public:
  /// config  `self` and `members` are set when all are made: set_config().
  SimTriad(Engine& engine, Network& network, std::string name, std::size_t host, Slot slot,
           const DiskOptions& disk, std::uint64_t seed, const NodeCosts& costs);

  void set_config(const TriadServerConfig& config) { config_ = config; }

  // What may befall it. Each is let be where it makes no sense.
  void start();      // the process, if the machine is on and there is none
  void crash();      // the process dies
  void power_off();  // the machine dies: what the disk had not written down may be lost
  void power_on();   // and starts the process
  void freeze();
  void thaw();
  void stop();       // a planned stop: the process ends itself
  void lose_disk();  // the next start finds an empty one

  /// Told when the process is about to end by itself.
  void on_end(std::function<void()> told) { on_end_ = std::move(told); }

  const std::string& name() const { return name_; }
  Slot slot() const { return slot_; }
  std::size_t host() const { return host_; }
  NodeId id() const { return member_.id(); }
  Member& member() { return member_; }
  SimStorage& disk() { return disk_; }
  const SimStorage& disk() const { return disk_; }
  /// Whether the next start finds an empty one.
  bool disk_is_lost() const { return disk_lost_; }
  /// The node, or nothing while there is none that runs.
  const TriadServer* node();
  /// One that is starting, or begins again, too.
  const TriadServer* process();
  std::uint64_t starts() const { return starts_; }
  /// How often each alarm has begun.
  const std::array<std::uint64_t, kAlarms>& alarms() const { return alarms_; }

  void stop_process(bool failed) override;
  void set_alarm(Alarm alarm, bool on) override;
  void on_event(std::uint64_t argument) override;

 private:
  static constexpr Duration kRestartDelay = 1s;

  Engine& engine_;
  std::string name_;
  Slot slot_;
  std::size_t host_;
  SimStorage disk_;
  Member member_;
  TriadServerConfig config_;
  Prng boots_;
  bool machine_on_ = true;
  bool disk_lost_ = false;
  std::function<void()> on_end_;
  std::uint64_t starts_ = 0;
  std::array<std::uint64_t, kAlarms> alarms_{};
};

}  // namespace copal::sim
