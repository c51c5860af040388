#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/flat_map.h"
#include "core/base/pending_table.h"
#include "core/base/prng.h"
#include "core/ports/caller.h"
#include "scenarios/scenario.h"
#include "sim/cache_scene.h"
#include "sim/engine.h"
#include "sim/member.h"
#include "sim/network.h"
#include "sim/network_faults.h"
#include "sim/report/recorder.h"
#include "sim/report/result.h"
#include "sim/sim_server.h"
#include "sim/sim_triad.h"
#include "sim/workload/workload.h"

namespace copal::sim {

/// Makes a policy that is no Algorithm: the comparators of published tables.
using PolicyMaker = std::function<std::unique_ptr<balance::Policy>()>;

/// One run: a cloud, its servers and balancers, the workload in front, the faults on their
/// timeline, and the figures at the end. Everything that differs between two lines of a comparison
/// is the contender; arrivals, sizes and faults are the seed's alone.
class World final : public EventTarget, public Caller, public TaskBook {
 public:
  /// scenario and workload outlive it.   seed  of all randomness.
  /// policy_maker  instead of the contender's algorithm, if given.
  World(const scenario::Scenario& scenario, const scenario::Contender& contender,
        std::uint64_t seed, Workload& workload, PolicyMaker policy_maker = nullptr);
  ~World() override;

  /// Runs to the scenario's end, waits for the requests still under way, and returns the figures.
  /// progress  called now and then with the simulated time; may be nothing. Call it once.
  RunResult run(const std::function<void(TimePoint)>& progress = nullptr);

  const Engine& engine() const { return engine_; }
  /// Requests so far, those of the warm-up included.
  std::uint64_t requests_arrived() const { return requests_arrived_; }

  void answer_client(const AnswerClient& answer) override;
  void power_on(NodeId server) override;
  Task task(std::uint64_t tag) const override;
  void on_event(std::uint64_t argument) override;

 private:
  enum class Happening : std::uint8_t {
    kArrival,
    kInterval,
    kWarm,
    kEnd,
    kGiveUp,
    kFault,
    kFaultEnd,
    kFormed,
    kLook  // at what the triad's members hold
  };

  /// Before a scenario's time begins the triad's members find each other and everybody else.
  static constexpr TimePoint kFormedAt{2s};

  static constexpr Duration kLookInterval = 100ms;
  /// So long after the last answer members may still be busy with becoming alike.
  static constexpr Duration kSettleTime = 20s;

  /// A request between its arrival and its answer. Its id in the table is the client's and the tag.
  struct Underway {
    Arrival arrival;
    std::size_t balancer = 0;
    std::vector<CacheOperation> operations;
  };
  struct SimBalancer {
    std::unique_ptr<Member> member;
    std::unique_ptr<Prng> random;
    std::size_t host = 0;
    BalancerCounts counts;  // of processes that have ended
  };
  /// A server's totals when the cluster had formed, at the end of the warm-up, and at the last
  /// interval.
  struct Mark {
    PowerMeter::Reading formed;
    double joules_formed = 0;
    PowerMeter::Reading warm;
    PowerMeter::Reading interval;
    std::uint64_t tasks_warm = 0;
  };

  void build_hosts();
  void build_servers();
  void build_balancers();
  void build_triad();
  TriadServerConfig triad_config() const;
  /// Nodes that stand on one of some hosts.
  std::vector<NodeId> nodes_on(const std::vector<std::string>& hosts) const;
  /// Hosts of a group, or those that no scenario names for the triad.
  std::vector<std::size_t> hosts_of(const std::string& group) const;
  void on_formed();
  /// The scenario's time: from when the cluster had formed.
  TimePoint now() const { return TimePoint{engine_.now() - kFormedAt}; }
  void start_balancer(std::size_t index);
  void end_balancer(std::size_t index, bool machine_is_on);
  void schedule(Duration after, Happening happening, std::uint64_t detail = 0);
  void schedule_arrival();
  void on_arrival();
  void admit(const Arrival& arrival);
  std::size_t pick_balancer(const Arrival& arrival) const;
  void on_interval();
  void on_end();
  void finish_if_drained();
  void on_fault(std::size_t index, bool begins);
  void on_server_fault(SimServer& server, const scenario::Fault& fault, bool begins);
  void on_balancer_fault(std::size_t index, const scenario::Fault& fault, bool begins);
  void on_triad_fault(SimTriad& member, std::size_t index, bool begins);
  bool is_stopping(const std::string& host) const;
  void on_link_fault(const scenario::Fault& fault, bool begins);
  void note_fault(const scenario::Fault& fault, bool begins);
  void on_look();

  RunResult result();
  void add_server_results(RunResult& result) const;
  BalancerCounts balancer_counts();
  std::vector<std::pair<std::string, double>> metrics();
  Network::Count balancing_messages() const;

  const scenario::Scenario& scenario_;
  const scenario::Contender& contender_;
  scenario::HostGroup triad_group_;
  std::uint64_t seed_;
  Workload& workload_;
  PolicyMaker policy_maker_;

  Engine engine_;
  std::unique_ptr<SimgridCloud> cloud_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<NetworkFaults> network_faults_;  // nothing: no fault of a link
  std::unique_ptr<CacheScene> caches_;             // nothing: no caches
  std::vector<std::string> host_names_;
  std::vector<const scenario::HostGroup*> host_specs_;
  ServerModel model_;
  std::vector<std::unique_ptr<SimServer>> servers_;
  std::vector<double> server_weights_;
  std::vector<std::size_t> server_hosts_;
  std::vector<SimBalancer> balancers_;
  std::vector<std::unique_ptr<SimTriad>> triad_;
  NodeCosts triad_costs_;
  TriadLinkConfig triad_link_;
  Network::Counts counts_formed_{};
  std::vector<Mark> marks_;
  std::vector<PowerMeter::Reading> at_end_;
  std::vector<double> joules_at_end_;

  Recorder recorder_;
  mutable PendingTable<Underway> underway_;
  FlatMap<std::uint32_t> stuck_to_;  // the clients' cookies: session -> server
  std::function<void(TimePoint)> progress_;
  TimePoint end_{kNever};  // when arrivals stop, in the scenario's time
  TimePoint scheduled_arrival_{kNever};
  std::uint64_t requests_arrived_ = 0;
  bool ended_ = false;
};

}  // namespace copal::sim
