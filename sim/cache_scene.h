#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "scenarios/scenario.h"
#include "sim/cache_client.h"
#include "sim/cache_judge.h"
#include "sim/engine.h"
#include "sim/member.h"
#include "sim/network.h"
#include "sim/recovery.h"
#include "sim/sim_triad.h"
#include "sim/workload/cache_operations.h"

namespace copal::sim {

/// All that a World knows of its caches beside its machines: what requests do with them, and what
/// comes of it.
class CacheScene final : public MemberWatcher, private CacheWitness {
 public:
  /// All it is given outlives it.
  CacheScene(const scenario::Scenario& scenario, Engine& engine, const Network& network,
             std::uint64_t seed);

  const std::shared_ptr<const CacheCatalog>& catalog() const { return catalog_; }
  const CacheClientModel& client_model() const { return client_model_; }
  std::vector<CacheOperation> draw(const Arrival& arrival, std::uint64_t request) const {
    return law_.draw(arrival, request);
  }

  /// Watches a member of the triad, or an application's server, from before it starts.
  void watch(SimTriad& member);
  void watch_server(Member& server) { server.watch(this); }
  Recovery& recovery() { return recovery_; }

  void on_warm();
  /// The scenario is over; what is still under way goes on.
  void on_end();
  /// Looks whether members hold the same, if somebody wants to know.
  void look();
  /// Whether all members that should run do, and hold the same: there is nothing to wait for.
  bool is_settled();

  /// In the order of docs/results.md. Call it once.
  std::vector<std::pair<std::string, double>> finish();

  void on_step(NodeId node, const Input& input, Now now, const Effects& effects) override;

 private:
  void on_operation(const CacheOutcome& outcome) override;
  void on_server_end(std::uint32_t server) override { judge_.on_server_end(server); }
  void on_member_step(SimTriad& member, const Effects& effects);
  SlotSet running();

  Engine& engine_;
  const Network& network_;
  std::shared_ptr<const CacheCatalog> catalog_;
  OperationLaw law_;
  CacheClientModel client_model_;
  CacheJudge judge_;
  Recovery recovery_;
  std::array<SimTriad*, kSlots> members_{};
  std::array<std::uint64_t, kSlots> loaded_{};  // the start of which the judge knows
  std::uint64_t questions_answered_ = 0;
  std::uint64_t not_modified_ = 0;
  bool measures_ = false;
  Network::Counts counts_warm_{};
  Network::Counts counts_end_{};
};

}  // namespace copal::sim
