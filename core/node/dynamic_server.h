#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "core/balance/latency_by_load.h"
#include "core/base/flat_map.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/cache/local_cache.h"
#include "core/membership/triad_link.h"
#include "core/protocol/effect.h"
#include "core/protocol/input.h"

namespace copal {

struct DynamicServerConfig {
  TriadLinkConfig triad;
  std::shared_ptr<const CacheCatalog> caches;  // nothing: none
  LocalCacheConfig cache;
  std::uint32_t concurrency_max = 0;  // requests at work at once; 0: no limit
  std::uint32_t queue_max = 1024;     // requests waiting beyond those; then kBusy
  Duration report_interval = 250ms;
  Duration sleep_after = 0s;    // idle so long, it goes to low power; 0: never
  bool ready_at_start = false;  // its application needs no time to start
  Duration stop_timeout = 30s;  // for what is under way, at a planned stop
};

/// A server of the application cluster: takes requests from balancers, has its application work on
/// them in order of arrival, answers, and tells the balancers in the triad's list how loaded it is.
/// What its application asks of the cache is answered by the local cache, or the triad.
/// Invariants: 1. every request taken is answered once, or cancelled, or past its time; 2. never
/// more than concurrency_max at work, never more than queue_max waiting; 3. the oldest waiting is
/// next.
class DynamicServer {
 public:
  explicit DynamicServer(const DynamicServerConfig& config);

  void step(const Input& input, Now now, Effects& effects);
  TimePoint next_deadline() const;

  /// Nothing before the first step; the cache also where none is defined.
  const LocalCache* cache() const { return cache_ ? &*cache_ : nullptr; }
  const TriadLink* triad() const { return link_ ? &*link_ : nullptr; }
  std::uint32_t active() const { return static_cast<std::uint32_t>(index_.size()); }
  void check_invariants() const;

 private:
  /// A request taken. Its slot's number is part of its WorkId.
  struct Work {
    NodeId from;
    RequestId request;
    std::uint64_t tag = 0;
    TimePoint arrived{};
    TimePoint expires{};
    std::uint32_t answer_size_bytes = 0;
    std::uint32_t active_at_arrival = 0;
    std::uint32_t uses = 0;  // of this slot: makes WorkIds unique
    enum class State : std::uint8_t { kFree, kQueued, kAtWork } state = State::kFree;
  };

  // Handlers, in the order in which a request meets them.
  void on_start(Now now, Effects& effects);
  void on_request(NodeId from, const Request& request, Now now, Effects& effects);
  void on_work_ended(const WorkEnded& ended, Now now, Effects& effects);
  void on_cancel(NodeId from, const Cancel& cancel, Now now, Effects& effects);
  void on_link_down(NodeId peer, Now now, Effects& effects);
  void on_probe(NodeId from, const Probe& probe, Now now, Effects& effects);
  void on_cpu_reading(const CpuReading& reading, Now now, Effects& effects);
  void on_phase(ServerPhase phase, Now now, Effects& effects);
  void on_wake(Now now, Effects& effects);

  // The triad, and the cache.
  void on_message(NodeId from, const Message& message, Now now, Effects& effects);
  void on_call(const CallInput auto& call, Now now, Effects& effects);
  void on_link_news(const TriadLink::News& news, Now now, Effects& effects);
  void on_triad_time(Now now, Effects& effects);
  void on_stop_order(Now now, Effects& effects);
  void stop_if_done(Now now, Effects& effects);

  void start_queued(Now now, Effects& effects);
  void release(std::uint32_t slot, Now now);
  void refuse(NodeId to, RequestId request, Now now, Effects& effects) const;
  void report(Now now, Effects& effects) const;
  LoadSample load(Now now) const;
  WorkId work_id(std::uint32_t slot) const;
  bool may_sleep() const;
  static std::uint64_t key_of(NodeId from, RequestId request);

  DynamicServerConfig config_;
  std::optional<TriadLink> link_;  // from the first step on
  std::optional<LocalCache> cache_;
  std::vector<NodeId> balancers_;  // who gets its reports
  TimePoint stop_by_ = kNever;
  ServerPhase phase_ = ServerPhase::kStarting;
  std::vector<Work> works_;
  std::vector<std::uint32_t> free_;
  std::deque<WorkId> queue_;      // ids, because a cancelled one stays here until its turn
  FlatMap<std::uint32_t> index_;  // key_of() -> slot
  std::uint32_t at_work_ = 0;
  std::uint32_t queued_ = 0;
  double cpu_ratio_ = 0;
  balance::LatencyByLoad latency_;
  TimePoint next_report_{};
  TimePoint idle_since_{};
  bool started_ = false;
};

}  // namespace copal
