#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ports/caller.h"
#include "sim/checkers/history.h"
#include "sim/engine.h"
#include "sim/fuzz/plan.h"
#include "sim/fuzz/trial_server.h"
#include "sim/network.h"
#include "sim/network_faults.h"
#include "sim/sim_triad.h"

namespace copal::sim::fuzz {

/// Of balancers.
inline constexpr Duration kRequestTimeout = 5s;

/// What a run says of itself beside its history.
struct RunCounts {
  std::map<std::string, std::uint64_t> marks;   // rare paths, by name
  std::map<std::string, std::uint64_t> faults;  // that befell something, by kind
  std::uint64_t failovers = 0;                  // times that a member began to act for a group
  std::uint64_t two_acted = 0;                  // of those, beside another one
  std::uint64_t catch_ups = 0;                  // comparisons completed
  std::uint64_t events = 0;
};

/// One run of a plan: a triad with disks, servers with clients, balancers; operations and faults at
/// their times; and a history of all of it. Nothing here judges: the checkers do.
class Trial final : public EventTarget, public Caller, public CallListener, public MemberWatcher {
 public:
  explicit Trial(const Plan& plan);
  ~Trial() override;

  /// Watches the network and the steps besides; for traces. Before run().
  void set_trace(Network::Watcher* network, MemberWatcher* steps);

  /// Runs the plan to its end. Call it once.
  void run();

  const Plan& plan() const { return plan_; }
  const History& history() const { return history_; }
  const RunCounts& counts() const { return counts_; }
  /// It was ended before its time, by kEventsMax.
  bool went_in_circles() const { return now() < TimePoint{plan_.whole()}; }
  std::uint64_t hash() const { return engine_.hash(); }
  TimePoint now() const { return engine_.now(); }
  /// When the phases began.
  TimePoint core_from() const { return core_from_; }
  TimePoint healed_from() const { return healed_from_; }
  /// Whether a node stayed broken, and so apart, while the core was healed.
  bool was_cut_off(std::uint32_t node) const { return was_cut_off_[node]; }
  /// Whether its process ended for good.
  bool is_gone(std::uint32_t node) const { return gone_[node]; }
  std::size_t operations_under_way() const { return open_.size(); }

  // At the end, or at any time between events.
  const TriadServer* member(std::uint32_t slot) { return triad_[slot]->node(); }
  SimTriad& triad(std::uint32_t slot) { return *triad_[slot]; }
  TrialServer& server(std::uint32_t index) { return *servers_[index]; }
  const Balancer* balancer(std::uint32_t index);
  std::uint32_t server_node(std::uint32_t index) const { return 3 + index; }

  /// What was routed where, by balancers.
  struct Routed {
    TimePoint at{};
    std::uint32_t balancer = 0;
    NodeId to;
    RosterState known = RosterState::kEnabled;  // the hardest order that a member that ran knew of
    NodeId stuck_to = kNoNode;                  // where the request's session is
  };
  const std::vector<Routed>& routed() const { return routed_; }
  /// When orders of operators reached a member: (server node, state, from).
  struct Ordered {
    TimePoint at{};
    std::uint32_t node = 0;
    RosterState state = RosterState::kEnabled;
  };
  const std::vector<Ordered>& ordered() const { return ordered_; }
  struct ClientAnswer {
    TimePoint asked{};
    TimePoint answered = kNever;
    ClientStatus status = ClientStatus::kTimedOut;
    std::uint32_t balancer = 0;  // node
    bool was_told = false;       // the balancer was up and has got it
    std::uint32_t client = 0;
    NodeId stuck_to = kNoNode;
  };
  const std::vector<ClientAnswer>& requests() const { return requests_; }
  /// What a balancer's list says of a server that has been there, or not, for long enough.
  struct ListSample {
    TimePoint at{};
    std::uint32_t balancer = 0;
    std::uint32_t server = 0;
    ServerPhase listed = ServerPhase::kAbsent;
    bool alive = false;
  };
  const std::vector<ListSample>& list_samples() const { return list_samples_; }
  /// Whether all that should be alike is, now; what is not, in words.
  std::string why_not_converged() const;
  TimePoint converged_at() const { return converged_at_; }

  void answer_client(const AnswerClient& answer) override;
  void power_on(NodeId) override {}
  void on_answer(const AnswerCall& answer) override;
  void on_entries(const AnswerEntries& answer) override;
  void on_keys(const AnswerKeys& answer) override;
  void on_told(NodeId server, const TellListener& news) override;
  void on_start(NodeId server) override;
  void on_end(NodeId id) override;
  void on_step(NodeId node, const Input& input, Now now, const Effects& effects) override;
  void on_event(std::uint64_t argument) override;

 private:
  friend class Tampering;  // tests of the checkers make a good history a bad one
  enum class Happening : std::uint8_t {
    kOperation,
    kFault,
    kFaultEnd,
    kOrderEnd,       // again, if no member could be told
    kOperatorLooks,  // whether what was ended is
    kFaultTick,      // of those that do something again and again
    kCorePhase,
    kHealedPhase,
    kLists,  // what balancers say of servers
    kLook,   // at whether all is alike
    kNextPage,
    kMemberGone,
    kEnd
  };

  // Building.
  void build();
  void build_keys();
  TriadServerConfig triad_config() const;
  DynamicServerConfig server_config() const;
  void start_balancer(std::uint32_t index);
  void schedule(TimePoint at, Happening happening, std::uint64_t detail = 0);

  // Operations (trial_operations.cpp).
  void begin(std::size_t op);
  void begin_request(const PlannedOp& planned);
  void begin_forbidden(const PlannedOp& planned);
  bool begin_operation(const PlannedOp& planned);
  void begin_bulk(std::size_t first);
  bool goes_with_the_one_before(std::size_t op) const;
  void tell(Operation& operation);
  Change change_of(const PlannedOp& planned, Blob& value);
  void on_next_page();
  void end_operations_of(std::uint32_t node);

  // Faults (trial_faults.cpp).
  void on_fault(std::size_t index, bool begins);
  void on_fault_tick(std::size_t index);
  void on_node_fault(const PlannedFault& fault, bool begins);
  void apply_link_fault(std::size_t index);
  void on_clock_fault(const PlannedFault& fault, bool begins);
  void on_order(const PlannedFault& fault, bool begins);
  void on_operator_looks();
  void refresh_network();
  void refresh_disk(std::uint32_t slot);
  void refresh_start(std::uint32_t node);
  void break_connections(const PlannedFault& fault);
  void crash(std::uint32_t node, bool power);
  void revive(std::uint32_t node);
  void end_all(std::uint32_t nodes);
  void begin_core_phase();
  void begin_healed_phase();
  bool touches(const PlannedFault& fault, std::uint32_t node) const;
  Member& member_of(std::uint32_t node);

  // Watching (trial_watch.cpp).
  void watch_member(std::uint32_t slot);
  void watch_store(std::uint32_t slot, const Input& input, const Effects& effects);
  void watch_answers(const Effects& effects);
  void note_state(KeyHistory& key, const MNode& mnode);
  void note_times(std::uint32_t slot, KeyHistory& key, const MNode& mnode);
  void note_orders(std::uint32_t slot, const TriadServer& member);
  void note_generations(std::uint32_t slot, const TriadServer& member);
  void watch_disk(std::uint32_t slot);
  std::optional<MNode> on_disk(std::uint32_t slot, const KeyHistory& key) const;
  RosterState known_order(NodeId server) const;
  void note(std::uint32_t slot, KeyHistory& key, HeldState state);
  bool has_nothing(std::uint32_t slot, const MNodeEntry* entry) const;
  bool somebody_has(const ValueHash& hash) const;
  bool may_lose_records(std::uint32_t slot) const;
  bool may_lose_bytes() const;
  void note_acting(std::uint32_t slot, bool running);
  void collect_marks(std::uint32_t node);
  void mark(const std::string& name, std::uint64_t count);
  void look();

  // Lists of servers (trial_lists.cpp).
  void sample_lists(bool core_only);
  void look_at_lists();
  bool is_path_clear(const std::array<std::uint32_t, 3>& nodes);

  Plan plan_;
  Engine engine_;
  std::unique_ptr<Network> network_;
  NetworkFaults network_faults_;
  std::shared_ptr<const CacheCatalog> caches_;
  std::vector<Registered> registered_;
  std::vector<std::unique_ptr<SimTriad>> triad_;
  std::vector<std::unique_ptr<TrialServer>> servers_;
  struct TrialBalancer {
    std::unique_ptr<Member> member;
    std::unique_ptr<Prng> random;
  };
  std::vector<TrialBalancer> balancers_;
  TriadLinkConfig triad_link_;
  MemberWatcher* trace_ = nullptr;

  History history_;
  RunCounts counts_;
  std::vector<KeyHistory*> tracked_;  // in the order of their names
  std::map<std::string, KeyHistory*> by_hash_;
  struct MemberStore {
    struct Written {
      std::uint64_t batch = 0;
      KeyHistory* key = nullptr;
      Version version;
    };
    std::uint64_t newest = 0;  // batch
    std::uint64_t waited = 0;  // how often a batch was not taken at once
    std::vector<Written> written;
  };
  std::array<MemberStore, kSlots> stores_;
  /// The bytes whose sum was last taken: while a member holds the same, it is not taken again.
  struct Summed {
    Version version;
    Blob bytes;
  };
  std::array<std::vector<Summed>, kSlots> summed_;                    // of each of tracked_
  std::set<std::uint64_t> open_;                                      // operations under way
  std::map<CallId, std::uint64_t> bulk_counts_;                       // of calls that are several
  std::uint64_t forbidden_ = 0;                                       // so many were tried
  std::map<std::pair<std::uint32_t, KeyName>, Operation> last_seen_;  // of each client
  struct Listing {
    std::uint32_t server = 0;
    std::uint32_t start = 0;
    ReadKeys next;
  };
  std::deque<Listing> listing_;  // whose next page is to be asked for
  std::vector<Routed> routed_;
  std::vector<Ordered> ordered_;
  std::vector<ListSample> list_samples_;
  /// Since when nothing has been wrong with a balancer, a member and a server.
  std::map<std::array<std::uint32_t, 3>, TimePoint> path_clear_since_;
  std::vector<TimePoint> changed_at_;  // of each node: its process came or went, or froze
  std::vector<ClientAnswer> requests_;
  std::map<std::uint32_t, NodeId> sessions_;  // by client, at which server
  std::array<std::array<std::optional<std::uint32_t>, kGroups>, kSlots> acting_term_;
  std::array<bool, kSlots> running_{};
  /// What operators have ordered, as the present start of a member knows it.
  struct KnownOrders {
    Incarnation start;
    std::uint64_t sum = 0;
    std::map<NodeId, Version> versions;  // by server
  };
  std::array<KnownOrders, kSlots> known_orders_;
  std::array<std::array<Version, kGroups>, kSlots> horizons_;  // after each member's last change
  std::array<std::array<std::uint32_t, kSlots>, kSlots> generations_{};  // of peers, by member
  /// Some thirty times as many as a run has, many seconds of work. One that has more goes in
  /// circles.
  static constexpr std::uint64_t kEventsMax = 2'000'000;
  static constexpr std::uint64_t kInvariantsEach = 97;  // steps: checking walks everything
  std::uint64_t steps_ = 0;

  std::vector<bool> fault_active_;
  std::vector<std::uint64_t> fault_ticks_;
  std::vector<bool> stopping_;         // nodes that were told to stop, and still run
  std::vector<bool> broken_for_good_;  // nodes outside the core
  std::vector<bool> was_cut_off_;      // the same, kept when they are healed
  std::vector<bool> gone_;             // nodes whose process ended for good
  bool core_phase_ = false;
  bool healed_phase_ = false;
  TimePoint core_from_ = kNever;
  TimePoint healed_from_ = kNever;
  TimePoint converged_at_ = kNever;
};

/// The bytes of a value by its number and size: equal numbers and sizes are equal bytes.
Blob value_bytes(std::uint32_t number, std::uint32_t size_bytes);
/// A sum over bytes that tells values apart.
std::uint64_t value_sum(std::span<const std::uint8_t> bytes);
/// The sum of an m-node's value: of the bytes in it, else of those given.
std::uint64_t value_sum(const MNode& mnode, const Blob& bytes);
std::string key_text(const KeyName& name);

}  // namespace copal::sim::fuzz
