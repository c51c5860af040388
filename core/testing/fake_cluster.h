#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/node/driver.h"
#include "core/node/node.h"
#include "core/testing/fake_store.h"

namespace copal {

/// Bytes of a text, and such as no other number gives.
Blob text_bytes(std::string_view text);
Blob numbered_bytes(std::uint32_t number, std::size_t size_bytes);

/// A triad with its servers and balancers, each behind the driver that both worlds use, on one wire
/// in which every frame takes kLatency (and its time, where a bandwidth is set), and one clock that
/// the test moves. Nothing is drawn: the same test is the same run. Faults are called by hand;
/// random ones live in sim/. Triad members are the nodes 0 to 2 in the order of their slots.
class FakeCluster {
 public:
  static constexpr Duration kLatency = 1ms;

  /// A message that was sent, delivered or not.
  struct Sent {
    TimePoint at{};
    NodeId from;
    NodeId to;
    Message message;
    std::size_t frame_size_bytes = 0;
  };

  explicit FakeCluster(std::vector<CacheConfig> caches, std::size_t members = 3);
  ~FakeCluster();
  FakeCluster(const FakeCluster&) = delete;
  FakeCluster& operator=(const FakeCluster&) = delete;

  // ---- what is to be started; changes count for what starts after them
  TriadServerConfig member_config;
  DynamicServerConfig server_config;
  void register_node(NodeId node, NodeRole role = NodeRole::kDynamic, std::uint32_t generation = 1);

  /// Starts all members, registers and starts servers of these numbers, and runs until all serve.
  void start(const std::vector<NodeId>& servers);
  /// power_lost  its machine lost power since it ran: what was not synced is gone.
  void start_member(std::uint32_t slot, bool power_lost = false);
  void start_server(NodeId node, std::uint32_t generation = 1);
  void start_balancer(NodeId node);
  /// Whether every group has one owner that is prepared, and all that run know whom to ask.
  bool is_serving() const;

  // ---- time and faults
  void run_for(Duration time);
  /// Returns whether it came true within the time; the clock stands at that moment.
  bool run_until(const std::function<bool()>& holds, Duration within = 60s);
  /// The process ends; its peers are told that the connection broke.
  void kill(NodeId node);
  /// Nothing reaches it and it does nothing, while its connections stand; then it goes on.
  void freeze(NodeId node);
  void thaw(NodeId node);
  /// Silently loses what one sends to the other from now on.
  void cut(NodeId from, NodeId to);
  /// Both ways.
  void part(NodeId one, NodeId other);
  void cut_off(NodeId node);
  void heal() { cut_.clear(); }
  void break_link(NodeId one, NodeId other);
  /// Loses what it says true of.
  std::function<bool(const Sent&)> loses;
  /// Of each lane of each connection; 0: no matter how large a frame is.
  std::uint64_t bandwidth_bytes_per_s = 0;
  /// This node's wall clock is off by so much; counts from its next step.
  void set_wall_offset(NodeId node, Duration offset);

  // ---- what applications do
  AnswerCall read(NodeId server, CacheId cache, const std::string& key);
  AnswerCall change(NodeId server, CacheId cache, const std::string& key, Change change,
                    const Blob& value = {}, Duration timeout = 10s);
  AnswerCall put(NodeId server, CacheId cache, const std::string& key, const Blob& value);
  AnswerCall remove(NodeId server, CacheId cache, const std::string& key);
  /// The same without waiting; answer() has what came, or nothing yet.
  CallId begin_read(NodeId server, CacheId cache, const std::string& key);
  CallId begin_change(NodeId server, CacheId cache, const std::string& key, Change change,
                      const Blob& value = {}, Duration timeout = 10s);
  CallId begin_put(NodeId server, CacheId cache, const std::string& key, const Blob& value);
  const AnswerCall* answer(CallId call) const;
  /// Whatever else a node is told.
  void tell(NodeId node, const Input& input);

  // ---- what there is to see
  TimePoint now() const { return now_; }
  bool is_up(NodeId node) const { return processes_.contains(node); }
  const TriadServer& member(std::uint32_t slot) const;
  const DynamicServer& server(NodeId node) const;
  const Balancer& balancer(NodeId node) const;
  FakeStore& store(std::uint32_t slot) { return stores_[slot]; }
  const Driver& driver(NodeId node) const;
  /// The member that acts for a key, asserted to be one alone.
  std::uint32_t owner_of(CacheId cache, const std::string& key) const;
  /// A key of this cache that this member owns first.
  std::string key_owned_by(std::uint32_t slot, CacheId cache, int number = 0) const;
  const MNodeEntry* entry(std::uint32_t slot, CacheId cache, const std::string& key) const;
  /// Whether all members that run hold the same m-nodes, and all their bytes.
  bool members_agree() const;

  const std::vector<Sent>& sent() const { return sent_; }
  void forget_sent() { sent_.clear(); }
  template <class Kind>
  std::vector<Sent> sent_of() const {
    std::vector<Sent> found;
    for (const Sent& sent : sent_) {
      if (std::holds_alternative<Kind>(sent.message)) {
        found.push_back(sent);
      }
    }
    return found;
  }
  bool stopped(NodeId node) const { return stopped_.contains(node); }
  const std::set<Alarm>& alarms(NodeId node) { return alarms_[node]; }

 private:
  class Process;
  struct OnWire {
    TimePoint due{};
    NodeId from;
    NodeId to;
    std::vector<std::byte> frame;
    Blob value;
    std::uint64_t link_life = 0;  // of the connection when it was sent
  };

  Process& process(NodeId node) const;
  void start_process(NodeId node, std::unique_ptr<Process> process);
  void send(NodeId from, NodeId to, Lane lane, std::span<const std::byte> frame, const Blob& value);
  void deliver(const OnWire& on_wire);
  /// Does what comes next, if that is not after `until`. Returns whether there was anything.
  bool do_next(TimePoint until);
  std::uint64_t& link_life(NodeId one, NodeId other);

  std::shared_ptr<const CacheCatalog> catalog_;
  std::size_t member_count_;
  TimePoint now_{100s};
  std::map<NodeId, std::unique_ptr<Process>> processes_;
  std::array<FakeStore, kSlots> stores_;
  std::map<NodeId, Duration> wall_offsets_;
  std::array<std::byte, kMessageSizeMaxBytes> frame_room_{};
  std::deque<OnWire> wire_;  // by due
  std::map<std::tuple<NodeId, NodeId, Lane>, TimePoint> lane_free_;
  std::map<NodeId, std::deque<OnWire>> frozen_;  // with what has reached its machine
  std::set<std::pair<NodeId, NodeId>> cut_;
  std::map<std::pair<NodeId, NodeId>, std::uint64_t> link_lives_;
  std::vector<Sent> sent_;
  std::map<CallId, AnswerCall> answers_;
  std::set<NodeId> stopped_;
  std::map<NodeId, std::set<Alarm>> alarms_;
  std::uint64_t next_call_ = 1;
};

}  // namespace copal
