#include "core/testing/fake_cluster.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/prng.h"

namespace copal {

namespace {

constexpr WallTime kWallStart{std::chrono::hours{24 * 365 * 50}};

KeyHash key_hash(CacheId cache, const std::string& key) {
  return hash_key(cache.value,
                  std::span(reinterpret_cast<const std::uint8_t*>(key.data()), key.size()));
}

}  // namespace

Blob text_bytes(std::string_view text) {
  return Blob(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

Blob numbered_bytes(std::uint32_t number, std::size_t size_bytes) {
  return Blob::make(size_bytes, [number](std::span<std::uint8_t> bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::uint8_t>(i < 4 ? number >> (8 * i) : 31 * i + number);
    }
  });
}

/// One node with its driver and all of its ports.
class FakeCluster::Process final : public Clock,
                                   public Transport,
                                   public Application,
                                   public Caller,
                                   public Supervisor {
 public:
  template <class... Arguments>
  Process(FakeCluster& cluster, NodeId node, FakeStore* store, Arguments&&... arguments)
      : cluster_(cluster),
        id_(node),
        store_(store),
        node_(std::forward<Arguments>(arguments)...),
        driver_(node_, {.clock = this,
                        .transport = this,
                        .application = this,
                        .caller = this,
                        .storage = store,
                        .supervisor = this,
                        .frame = cluster.frame_room_}) {}

  Now now() override {
    const auto at = cluster_.wall_offsets_.find(id_);
    const Duration offset = at == cluster_.wall_offsets_.end() ? 0s : at->second;
    return {cluster_.now_, kWallStart + cluster_.now_.time_since_epoch() + offset};
  }
  void wake_at(TimePoint time) override { wake_at_ = std::min(wake_at_, time); }

  Sent send(NodeId peer, Lane lane, std::span<const std::byte> frame, const Body& body) override {
    cluster_.send(id_, peer, lane, frame, body.value);
    return Sent::kQueued;
  }

  void start_work(WorkId, std::uint64_t) override {}
  void cancel_work(WorkId) override {}
  void read_cpu() override {}
  void power_down() override {}
  void answer_call(const AnswerCall& answer) override {
    COPAL_ASSERT(cluster_.answers_.try_emplace(answer.call, answer).second);  // once each
  }
  void answer_entries(const AnswerEntries&) override {}
  void answer_keys(const AnswerKeys&) override {}
  void tell_listener(const TellListener&) override {}
  void answer_client(const AnswerClient&) override {}
  void power_on(NodeId) override {}
  void stop_process(bool) override { cluster_.stopped_.insert(id_); }
  void set_alarm(Alarm alarm, bool on) override {
    const bool changed =
        on ? cluster_.alarms_[id_].insert(alarm).second : cluster_.alarms_[id_].erase(alarm) > 0;
    COPAL_ASSERT(changed);
  }

  Driver& driver() { return driver_; }
  const Node& node() const { return node_; }
  /// Now and then: it walks everything.
  void check_invariants() {
    if (++steps_ % kCheckEach == 0) {
      node_.check_invariants(cluster_.now_);
    }
  }

  TimePoint next() const {
    return store_ != nullptr && store_->has_said() ? cluster_.now_ : wake_at_;
  }
  void do_next() {
    if (store_ != nullptr && store_->has_said()) {
      driver_.on_storage(*store_->take());
    } else {
      wake_at_ = kNever;
      driver_.wake();
    }
    check_invariants();
  }

 private:
  FakeCluster& cluster_;
  NodeId id_;
  FakeStore* store_;
  Node node_;
  Driver driver_;
  TimePoint wake_at_ = kNever;
  static constexpr std::uint64_t kCheckEach = 16;
  std::uint64_t steps_ = 0;
};

// ---- what runs

FakeCluster::FakeCluster(std::vector<CacheConfig> caches, std::size_t members)
    : catalog_(std::make_shared<CacheCatalog>(std::move(caches))), member_count_(members) {
  for (std::uint32_t slot = 0; slot < members; ++slot) {
    member_config.members[slot] = NodeId{slot};
  }
  member_config.caches = catalog_;
  server_config.caches = catalog_;
  server_config.triad.members = member_config.members;
  server_config.ready_at_start = true;
}

FakeCluster::~FakeCluster() = default;

void FakeCluster::register_node(NodeId node, NodeRole role, std::uint32_t generation) {
  member_config.registered.push_back({node, generation, role, {}});
}

void FakeCluster::start_process(NodeId node, std::unique_ptr<Process> process) {
  stopped_.erase(node);
  alarms_.erase(node);
  const auto [at, is_new] = processes_.try_emplace(node, std::move(process));
  COPAL_ASSERT(is_new);
  at->second->driver().start();
}

void FakeCluster::start_member(std::uint32_t slot, bool power_lost) {
  TriadServerConfig config = member_config;
  config.self = NodeId{slot};
  config.slot = Slot{static_cast<std::uint8_t>(slot)};
  stores_[slot].start_again(power_lost);
  start_process(NodeId{slot},
                std::make_unique<Process>(*this, NodeId{slot}, &stores_[slot], config));
}

void FakeCluster::start_server(NodeId node, std::uint32_t generation) {
  DynamicServerConfig config = server_config;
  config.triad.generation = generation;
  start_process(node, std::make_unique<Process>(*this, node, nullptr, config));
}

void FakeCluster::start_balancer(NodeId node) {
  static Prng random(1, "fake cluster");  // round robin draws nothing
  BalancerConfig config;
  config.triad.members = member_config.members;
  start_process(node, std::make_unique<Process>(*this, node, nullptr, config, random));
}

void FakeCluster::start(const std::vector<NodeId>& servers) {
  for (const NodeId server : servers) {
    register_node(server);
  }
  for (std::uint32_t slot = 0; slot < member_count_; ++slot) {
    start_member(slot);
  }
  for (const NodeId server : servers) {
    start_server(server);
  }
  COPAL_ASSERT(run_until([this] { return is_serving(); }));
  run_for(2s);  // lists are pushed, and servers told who acts
}

bool FakeCluster::is_serving() const {
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    int acting = 0;
    for (std::uint32_t slot = 0; slot < member_count_; ++slot) {
      const bool up = is_up(NodeId{slot}) && member(slot).is_running();
      acting += up && member(slot).ownership().is_prepared(Group{i}) ? 1 : 0;
    }
    if (acting != 1) {
      return false;
    }
  }
  return std::ranges::all_of(processes_, [this](const auto& one) {
    const DynamicServer* server = one.second->node().server();
    return server == nullptr || (server->triad() != nullptr && server->triad()->hears_any(now_));
  });
}

// ---- the wire

std::uint64_t& FakeCluster::link_life(NodeId one, NodeId other) {
  return link_lives_[std::minmax(one, other)];
}

void FakeCluster::send(NodeId from, NodeId to, Lane lane, std::span<const std::byte> frame,
                       const Blob& value) {
  Result<Message> message = decode(frame);
  COPAL_ASSERT(message);
  if (value.size_bytes() > 0) {
    message = with_value(std::move(*message), value);
    COPAL_ASSERT(message);
  }
  sent_.push_back({now_, from, to, std::move(*message), frame.size()});
  if (!cut_.contains({from, to}) && !(loses && loses(sent_.back()))) {
    TimePoint due = now_ + kLatency;
    if (bandwidth_bytes_per_s > 0) {
      TimePoint& free = lane_free_[{from, to, lane}];
      const std::uint64_t bytes = frame.size() + value.size_bytes();
      free = std::max(free, now_) + 1s * bytes / bandwidth_bytes_per_s;
      due = free + kLatency;
    }
    const auto behind = std::ranges::upper_bound(wire_, due, {}, &OnWire::due);
    wire_.insert(behind, {due, from, to, {frame.begin(), frame.end()}, value, link_life(from, to)});
  }
}

void FakeCluster::deliver(const OnWire& on_wire) {
  if (on_wire.link_life != link_life(on_wire.from, on_wire.to) || !is_up(on_wire.to)) {
    return;
  }
  const auto frozen = frozen_.find(on_wire.to);
  if (frozen != frozen_.end()) {
    frozen->second.push_back(on_wire);
    return;
  }
  Process& to = process(on_wire.to);
  to.driver().on_frame(on_wire.from, on_wire.frame, on_wire.value);
  to.check_invariants();
}

bool FakeCluster::do_next(TimePoint until) {
  Process* first = nullptr;
  TimePoint at = kNever;
  for (const auto& [node, process] : processes_) {
    if (!frozen_.contains(node) && process->next() < at) {
      first = process.get();
      at = process->next();
    }
  }
  const bool is_frame = !wire_.empty() && wire_.front().due <= std::max(at, now_);
  at = std::max(now_, is_frame ? wire_.front().due : at);
  if (at > until) {
    return false;
  }
  now_ = at;
  if (is_frame) {
    const OnWire on_wire = std::move(wire_.front());
    wire_.pop_front();
    deliver(on_wire);
  } else {
    first->do_next();
  }
  return true;
}

void FakeCluster::run_for(Duration time) {
  const TimePoint until = now_ + time;
  while (do_next(until)) {
  }
  now_ = until;
}

bool FakeCluster::run_until(const std::function<bool()>& holds, Duration within) {
  const TimePoint until = now_ + within;
  while (!holds()) {
    if (!do_next(until)) {
      now_ = until;
      return holds();
    }
  }
  return true;
}

// ---- faults

void FakeCluster::kill(NodeId node) {
  COPAL_ASSERT(processes_.erase(node) == 1);
  frozen_.erase(node);
  for (const auto& [other, process] : processes_) {
    ++link_life(node, other);
    if (!frozen_.contains(other)) {
      process->driver().on_link_down(node);
    }
  }
}

void FakeCluster::freeze(NodeId node) {
  frozen_[node];
}

void FakeCluster::thaw(NodeId node) {
  const std::deque<OnWire> arrived = std::move(frozen_.at(node));
  frozen_.erase(node);
  for (const OnWire& on_wire : arrived) {
    deliver(on_wire);
  }
}

void FakeCluster::cut(NodeId from, NodeId to) {
  cut_.insert({from, to});
}

void FakeCluster::part(NodeId one, NodeId other) {
  cut(one, other);
  cut(other, one);
}

void FakeCluster::cut_off(NodeId node) {
  for (const auto& [other, process] : processes_) {
    part(node, other);
  }
}

void FakeCluster::break_link(NodeId one, NodeId other) {
  ++link_life(one, other);
  process(one).driver().on_link_down(other);
  process(other).driver().on_link_down(one);
}

void FakeCluster::set_wall_offset(NodeId node, Duration offset) {
  wall_offsets_[node] = offset;
}

// ---- applications

CallId FakeCluster::begin_read(NodeId server, CacheId cache, const std::string& key) {
  const CallId call{next_call_++};
  tell(server, ReadEntry{.call = call, .cache = cache, .key = key});
  return call;
}

CallId FakeCluster::begin_change(NodeId server, CacheId cache, const std::string& key,
                                 Change change, const Blob& value, Duration timeout) {
  const CallId call{next_call_++};
  if (value.size_bytes() > 0) {
    change.value = name_value(value.bytes());
  }
  tell(server, ChangeEntry{.call = call,
                           .cache = cache,
                           .key = key,
                           .change = change,
                           .value = change.value.is_inline ? Blob() : value,
                           .timeout = timeout});
  return call;
}

CallId FakeCluster::begin_put(NodeId server, CacheId cache, const std::string& key,
                              const Blob& value) {
  return begin_change(server, cache, key, {.value = name_value(value.bytes())}, value);
}

AnswerCall FakeCluster::read(NodeId server, CacheId cache, const std::string& key) {
  const CallId call = begin_read(server, cache, key);
  COPAL_ASSERT(run_until([&] { return answer(call) != nullptr; }));
  return *answer(call);
}

AnswerCall FakeCluster::change(NodeId server, CacheId cache, const std::string& key, Change change,
                               const Blob& value, Duration timeout) {
  const CallId call = begin_change(server, cache, key, change, value, timeout);
  COPAL_ASSERT(run_until([&] { return answer(call) != nullptr; }));
  return *answer(call);
}

AnswerCall FakeCluster::put(NodeId server, CacheId cache, const std::string& key,
                            const Blob& value) {
  return change(server, cache, key, {.value = name_value(value.bytes())}, value);
}

AnswerCall FakeCluster::remove(NodeId server, CacheId cache, const std::string& key) {
  return change(server, cache, key, {.action = Action::kRemove});
}

const AnswerCall* FakeCluster::answer(CallId call) const {
  const auto at = answers_.find(call);
  return at == answers_.end() ? nullptr : &at->second;
}

void FakeCluster::tell(NodeId node, const Input& input) {
  process(node).driver().input(input);
  process(node).check_invariants();
}

// ---- what there is to see

FakeCluster::Process& FakeCluster::process(NodeId node) const {
  const auto at = processes_.find(node);
  COPAL_ASSERT(at != processes_.end());
  return *at->second;
}

const TriadServer& FakeCluster::member(std::uint32_t slot) const {
  return *process(NodeId{slot}).node().triad_server();
}
const DynamicServer& FakeCluster::server(NodeId node) const {
  return *process(node).node().server();
}
const Balancer& FakeCluster::balancer(NodeId node) const {
  return *process(node).node().balancer();
}
const Driver& FakeCluster::driver(NodeId node) const {
  return process(node).driver();
}

std::uint32_t FakeCluster::owner_of(CacheId cache, const std::string& key) const {
  std::optional<std::uint32_t> owner;
  for (std::uint32_t slot = 0; slot < member_count_; ++slot) {
    if (is_up(NodeId{slot}) && member(slot).ownership().acts(group_of(key_hash(cache, key)))) {
      COPAL_ASSERT(!owner);
      owner = slot;
    }
  }
  COPAL_ASSERT(owner.has_value());
  return *owner;
}

std::string FakeCluster::key_owned_by(std::uint32_t slot, CacheId cache, int number) const {
  for (int i = 0;; ++i) {
    std::string key = "key " + std::to_string(i);
    if (owner_order(key_hash(cache, key)).slots()[0].value == slot && number-- == 0) {
      return key;
    }
  }
}

const MNodeEntry* FakeCluster::entry(std::uint32_t slot, CacheId cache,
                                     const std::string& key) const {
  return member(slot).replica().find(key_hash(cache, key));
}

bool FakeCluster::members_agree() const {
  const Replica* first = nullptr;
  for (std::uint32_t slot = 0; slot < member_count_; ++slot) {
    if (!is_up(NodeId{slot})) {
      continue;
    }
    const Replica& replica = member(slot).replica();
    if (replica.values().missing_count() > 0) {
      return false;
    }
    for (std::uint8_t i = 0; first != nullptr && i < kGroups; ++i) {
      const auto sums = cache_sums(*first, Group{i});
      const auto others = cache_sums(replica, Group{i});
      const bool same = std::ranges::equal(sums, others, [](const auto& one, const auto& other) {
        return one.cache == other.cache && one.sum == other.sum;
      });
      if (!same) {
        return false;
      }
    }
    first = first == nullptr ? &replica : first;
  }
  return true;
}

}  // namespace copal
