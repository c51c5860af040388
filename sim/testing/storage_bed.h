#pragma once

#include "core/ports/storage_contract.h"
#include "sim/sim_storage.h"

namespace copal::sim {

/// One simulated disk and an engine that runs for a while at a time.
struct StorageBed : StorageWorld {
  explicit StorageBed(const DiskFaults& faults = {}, std::uint64_t seed = 1,
                      const DiskOptions& options = {})
      : disk(engine, 7, options, seed,
             [this](const StorageCompletion& completion) { completions.push_back(completion); }) {
    disk.open();
    wait_for_next<StoreOpened>();
    disk.set_faults(faults);
  }

  Storage& storage() override { return disk; }
  void run_for(Duration time) override {
    engine.at(engine.now() + time, stopper, 0);
    engine.run();
  }
  void crash(bool power) override {
    disk.crash(power ? SimStorage::Crash::kPower : SimStorage::Crash::kProcess);
  }
  void open() override { disk.open(); }
  bool damage(Family family, StorageBatch::Bytes key) override {
    return disk.flip_bit(family, key);
  }
  bool set_full(bool full) override {
    disk.set_full(full);
    return true;
  }

  struct Stopper final : EventTarget {
    explicit Stopper(Engine& e) : EventTarget(98), engine(e) {}
    void on_event(std::uint64_t) override { engine.stop(); }
    Engine& engine;
  };
  Engine engine;
  Stopper stopper{engine};
  SimStorage disk;
};

}  // namespace copal::sim
