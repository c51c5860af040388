#include "sim/sim_triad.h"

#include <utility>

namespace copal::sim {

SimTriad::SimTriad(Engine& engine, Network& network, std::string name, std::size_t host, Slot slot,
                   const DiskOptions& disk, std::uint64_t seed, const NodeCosts& costs)
    : EventTarget(0x6000 + static_cast<std::uint32_t>(host)),
      engine_(engine),
      name_(std::move(name)),
      slot_(slot),
      host_(host),
      disk_(engine, 0x7000 + static_cast<std::uint32_t>(host), disk, seed,
            [this](const StorageCompletion& completion) { member_.on_storage(completion); }),
      member_(engine, network, host, {.storage = &disk_, .supervisor = this}, costs),
      boots_(seed, "boots", host) {}

void SimTriad::start() {
  if (!machine_on_ || member_.node() != nullptr) {
    return;
  }
  ++starts_;
  if (std::exchange(disk_lost_, false)) {
    disk_.set_aside();
  }
  member_.start(std::make_unique<Node>(config_));
  disk_.open();
}

void SimTriad::crash() {
  if (member_.node() != nullptr) {
    member_.kill(true);
    disk_.crash(SimStorage::Crash::kProcess);
  }
}

void SimTriad::power_off() {
  if (!machine_on_) {
    return;
  }
  const bool was_running = member_.node() != nullptr;
  member_.kill(false);
  member_.set_machine_on(false);
  machine_on_ = false;
  if (was_running) {
    disk_.crash(SimStorage::Crash::kPower);
  }
}

void SimTriad::power_on() {
  if (machine_on_) {
    return;
  }
  machine_on_ = true;
  member_.set_machine_on(true);
  // The mono clock counts from the machine's start, whose zero nobody knows.
  member_.clock().reboot(TimePoint{Duration{static_cast<std::int64_t>(boots_.next() >> 20U)}});
  start();
}

void SimTriad::freeze() {
  member_.freeze();
}

void SimTriad::thaw() {
  member_.thaw();
}

void SimTriad::stop() {
  member_.input(StopOrder{});
}

void SimTriad::lose_disk() {
  disk_lost_ = true;
}

const TriadServer* SimTriad::process() {
  Node* node = member_.node();
  return node == nullptr ? nullptr : node->triad_server();
}

const TriadServer* SimTriad::node() {
  const TriadServer* server = process();
  return server != nullptr && server->is_running() ? server : nullptr;
}

/// From inside a step: what is to become of it happens after.
void SimTriad::stop_process(bool failed) {
  engine_.at(engine_.now(), *this, (starts_ << 1U) | (failed ? 1U : 0U));
}

void SimTriad::set_alarm(Alarm alarm, bool on) {
  alarms_[static_cast<std::size_t>(alarm)] += on ? 1 : 0;
}

void SimTriad::on_event(std::uint64_t argument) {
  const bool restart = (argument & 1U) != 0;
  if (argument >> 1U != starts_) {
    return;
  }
  if (member_.node() == nullptr) {
    start();
    return;
  }
  if (on_end_) {
    on_end_();
  }
  member_.kill(true);
  disk_.crash(SimStorage::Crash::kProcess);
  if (restart) {
    engine_.at(engine_.now() + kRestartDelay, *this, argument);
  }
}

}  // namespace copal::sim
