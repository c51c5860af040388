#include "core/node/dynamic_server.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/base/overloaded.h"

namespace copal {

DynamicServer::DynamicServer(const DynamicServerConfig& config) : config_(config) {}

void DynamicServer::step(const Input& input, Now now, Effects& effects) {
  if (!started_) {
    on_start(now, effects);
  }
  std::visit(
      Overloaded{[&](const MessageReceived& received) {
                   on_message(received.from, received.message, now, effects);
                 },
                 [&](const LinkDown& down) { on_link_down(down.peer, now, effects); },
                 [&](const Wake&) { on_wake(now, effects); }, [](const ClientRequest&) {},
                 [&](const WorkEnded& ended) { on_work_ended(ended, now, effects); },
                 [&](const CpuReading& reading) { on_cpu_reading(reading, now, effects); },
                 [&](const ApplicationReady&) { on_phase(ServerPhase::kReady, now, effects); },
                 [&](const DrainOrder& order) {
                   on_phase(order.drain ? ServerPhase::kDraining : ServerPhase::kReady, now,
                            effects);
                 },
                 [&](const CallInput auto& call) { on_call(call, now, effects); },
                 [&](const StopOrder&) { on_stop_order(now, effects); },
                 [](const SendRefused&) {},  // it is asked again in time
                 [](const TriadInput auto&) {}},
      input);
  on_triad_time(now, effects);
  if (cache_) {
    cache_->end_step(effects);
  }
}

/// The kinds that only servers send mean nothing here; a peer that sends them is wrong, and is not
/// believed.
void DynamicServer::on_message(NodeId from, const Message& message, Now now, Effects& effects) {
  std::visit(Overloaded{[&](const Request& request) { on_request(from, request, now, effects); },
                        [&](const Cancel& cancel) { on_cancel(from, cancel, now, effects); },
                        [&](const Probe& probe) { on_probe(from, probe, now, effects); },
                        [](const Answer&) {}, [](const LoadReport&) {}, [](const ProbeAnswer&) {},
                        [&](const MemberHeartbeat& heartbeat) {
                          on_link_news(link_->on_heartbeat(from, heartbeat, now), now, effects);
                        },
                        [&](const ServerList& list) {
                          on_link_news(link_->on_list(from, list, now), now, effects);
                        },
                        [](const ServerHeartbeat&) {},
                        [&](const CacheReply auto& reply) {
                          if (cache_ && link_->slot_of(from)) {
                            cache_->on_reply(from, reply, now, effects);
                          }
                        },
                        [&](const FetchValue& fetch) {
                          if (cache_ && link_->slot_of(from)) {
                            cache_->on_fetch(from, fetch, effects);
                          }
                        },
                        [](const CacheQuestion auto&) {}, [](const TriadMessage auto&) {}},
             message);
}

TimePoint DynamicServer::next_deadline() const {
  if (!started_) {
    return TimePoint{};
  }
  if (phase_ == ServerPhase::kSleeping) {
    return kNever;
  }
  TimePoint next = std::min(next_report_, link_->next_deadline());
  if (cache_) {
    next = std::min(next, cache_->next_deadline());
  }
  if (may_sleep()) {
    next = std::min(next, idle_since_ + config_.sleep_after);
  }
  return next;
}

// ---- the triad and the cache

void DynamicServer::on_call(const CallInput auto& call, Now now, Effects& effects) {
  using Call = std::remove_cvref_t<decltype(call)>;
  if (cache_) {
    cache_->on_call(call, now, effects);
  } else if constexpr (!std::is_same_v<Call, ListenTo>) {
    using OfOne = std::conditional_t<std::is_same_v<Call, ReadKeys>, AnswerKeys, AnswerCall>;
    using Refusal =
        std::conditional_t<OneOf<Call, ReadEntries, ChangeEntries>, AnswerEntries, OfOne>;
    effects.push_back(Refusal{.call = call.call, .status = CacheStatus::kUnknownCache});
  }
}

void DynamicServer::on_link_news(const TriadLink::News& news, Now now, Effects& effects) {
  if (cache_) {
    cache_->on_link_news(news, now, effects);
  }
  if (!news.list_changed) {
    return;
  }
  balancers_.clear();
  for (const ListedServer& listed : link_->list()) {
    if (listed.role == NodeRole::kBalancer && listed.phase != ServerPhase::kAbsent) {
      balancers_.push_back(listed.node);
    }
  }
  report(now, effects);
}

void DynamicServer::on_triad_time(Now now, Effects& effects) {
  if (phase_ == ServerPhase::kSleeping && !link_->is_due(now.mono)) {
    return;
  }
  static const std::vector<CacheId> kNone;
  on_link_news(link_->on_time(phase_, cache_ ? cache_->listens() : kNone, now, effects), now,
               effects);
  if (cache_) {
    cache_->on_time(now, effects);
  }
  if (stop_by_ != kNever) {
    stop_if_done(now, effects);
  }
}

/// Takes nothing new, ends what is under way, and has everything replicated that was acknowledged.
void DynamicServer::on_stop_order(Now now, Effects& effects) {
  if (stop_by_ == kNever) {
    stop_by_ = now.mono + config_.stop_timeout;
    on_phase(ServerPhase::kDraining, now, effects);
  }
}

void DynamicServer::stop_if_done(Now now, Effects& effects) {
  const bool done = active() == 0 && (!cache_ || cache_->is_idle());
  if (done || now.mono >= stop_by_) {
    stop_by_ = kNever;
    link_->leave(now, effects);
    effects.push_back(StopProcess{});
  }
}

void DynamicServer::on_start(Now now, Effects& effects) {
  started_ = true;
  link_.emplace(config_.triad, now);
  if (config_.caches) {
    cache_.emplace(config_.cache, *config_.caches, *link_);
  }
  next_report_ = now.mono;
  idle_since_ = now.mono;
  if (config_.ready_at_start) {
    on_phase(ServerPhase::kReady, now, effects);
  }
}

void DynamicServer::on_request(NodeId from, const Request& request, Now now, Effects& effects) {
  const std::uint64_t key = key_of(from, request.id);
  if (index_.find(key) != nullptr) {
    return;  // a repeated frame: it is under way
  }
  const bool serves = phase_ == ServerPhase::kReady || phase_ == ServerPhase::kDraining;
  const bool at_once = config_.concurrency_max == 0 || at_work_ < config_.concurrency_max;
  if (!serves || (!at_once && queued_ >= config_.queue_max)) {
    refuse(from, request.id, now, effects);
    return;
  }
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(works_.size());
    works_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  Work& work = works_[slot];
  const std::uint32_t uses = work.uses + 1;
  work = Work{.from = from,
              .request = request.id,
              .tag = request.tag,
              .arrived = now.mono,
              .expires = now.mono + std::min(request.time_left, Duration{std::chrono::hours(24)}),
              .answer_size_bytes = request.answer_size_bytes,
              .active_at_arrival = active(),
              .uses = uses,
              .state = Work::State::kQueued};
  index_[key] = slot;
  if (at_once) {
    work.state = Work::State::kAtWork;
    ++at_work_;
    effects.push_back(StartWork{work_id(slot), work.tag});
  } else {
    ++queued_;
    queue_.push_back(work_id(slot));
  }
}

void DynamicServer::on_work_ended(const WorkEnded& ended, Now now, Effects& effects) {
  const auto slot = static_cast<std::uint32_t>(ended.work.value);
  if (slot >= works_.size() || works_[slot].state != Work::State::kAtWork ||
      work_id(slot) != ended.work) {
    return;  // cancelled in the meantime
  }
  const Work& work = works_[slot];
  latency_.add(work.active_at_arrival, now.mono - work.arrived, now.mono);
  const NodeId to = work.from;
  Answer answer{.id = work.request,
                .status = ended.succeeded ? AnswerStatus::kDone : AnswerStatus::kFailed,
                .load = {},
                .body_size_bytes = ended.succeeded ? work.answer_size_bytes : 0};
  release(slot, now);
  start_queued(now, effects);
  answer.load = load(now);
  effects.push_back(Send{to, answer});
}

void DynamicServer::on_cancel(NodeId from, const Cancel& cancel, Now now, Effects& effects) {
  const std::uint32_t* found = index_.find(key_of(from, cancel.id));
  if (found == nullptr) {
    return;  // answered already
  }
  const std::uint32_t slot = *found;
  if (works_[slot].state == Work::State::kAtWork) {
    effects.push_back(CancelWork{work_id(slot)});
  }
  release(slot, now);
  start_queued(now, effects);
}

void DynamicServer::on_link_down(NodeId peer, Now now, Effects& effects) {
  on_link_news(link_->on_link_down(peer, now.mono), now, effects);
  if (cache_ && link_->slot_of(peer)) {
    cache_->on_lost(peer, now);
  }
  for (std::uint32_t slot = 0; slot < works_.size(); ++slot) {
    if (works_[slot].state != Work::State::kFree && works_[slot].from == peer) {
      on_cancel(peer, Cancel{works_[slot].request}, now, effects);
    }
  }
}

void DynamicServer::on_probe(NodeId from, const Probe& probe, Now now, Effects& effects) {
  effects.push_back(Send{from, ProbeAnswer{probe.id, load(now)}});
}

void DynamicServer::on_cpu_reading(const CpuReading& reading, Now now, Effects& effects) {
  cpu_ratio_ = std::clamp(reading.busy_ratio, 0.0, 1.0);
  next_report_ = now.mono + config_.report_interval;
  report(now, effects);
}

void DynamicServer::on_phase(ServerPhase phase, Now now, Effects& effects) {
  phase_ = phase;
  if (active() == 0) {
    idle_since_ = now.mono;
  }
  link_->hasten();  // the list follows
  report(now, effects);
}

void DynamicServer::on_wake(Now now, Effects& effects) {
  if (phase_ == ServerPhase::kSleeping) {
    return;
  }
  if (may_sleep() && now.mono - idle_since_ >= config_.sleep_after) {
    on_phase(ServerPhase::kSleeping, now, effects);
    on_triad_time(now, effects);  // the members must know that it is not dead
    effects.push_back(PowerDown{});
    return;
  }
  if (now.mono >= next_report_) {
    // The reading brings the report; should it never come, the next one is asked for in time.
    next_report_ = now.mono + config_.report_interval;
    effects.push_back(ReadCpu{});
  }
}

/// What it has acknowledged and no member has replicated would be lost with its memory (R1.7).
bool DynamicServer::may_sleep() const {
  return config_.sleep_after > Duration::zero() && phase_ == ServerPhase::kReady && active() == 0 &&
         (!cache_ || cache_->is_idle());
}

void DynamicServer::start_queued(Now now, Effects& effects) {
  while (!queue_.empty() && (config_.concurrency_max == 0 || at_work_ < config_.concurrency_max)) {
    const WorkId next = queue_.front();
    queue_.pop_front();
    const auto slot = static_cast<std::uint32_t>(next.value);
    Work& work = works_[slot];
    if (work.state != Work::State::kQueued || work_id(slot) != next) {
      continue;  // cancelled while it waited
    }
    if (now.mono >= work.expires) {
      release(slot, now);  // nobody waits for it any more
      continue;
    }
    work.state = Work::State::kAtWork;
    --queued_;
    ++at_work_;
    effects.push_back(StartWork{next, work.tag});
  }
}

void DynamicServer::release(std::uint32_t slot, Now now) {
  Work& work = works_[slot];
  (work.state == Work::State::kAtWork ? at_work_ : queued_) -= 1;
  index_.erase(key_of(work.from, work.request));
  work.state = Work::State::kFree;
  free_.push_back(slot);
  // Cancelled ones leave their ids in the queue; while the application stands still nobody takes
  // them out from the front.
  if (queue_.size() > 2 * static_cast<std::size_t>(queued_) + 64) {
    std::erase_if(queue_, [this](WorkId id) {
      const auto queued_slot = static_cast<std::uint32_t>(id.value);
      return works_[queued_slot].state != Work::State::kQueued || work_id(queued_slot) != id;
    });
  }
  if (active() == 0) {
    idle_since_ = now.mono;
  }
}

void DynamicServer::refuse(NodeId to, RequestId request, Now now, Effects& effects) const {
  effects.push_back(
      Send{to, Answer{.id = request, .status = AnswerStatus::kBusy, .load = load(now)}});
}

void DynamicServer::report(Now now, Effects& effects) const {
  for (const NodeId balancer : balancers_) {
    effects.push_back(Send{balancer, LoadReport{link_->incarnation(), phase_, load(now)}});
  }
}

LoadSample DynamicServer::load(Now now) const {
  return {active(), cpu_ratio_, latency_.estimate(active(), now.mono)};
}

WorkId DynamicServer::work_id(std::uint32_t slot) const {
  return WorkId{(static_cast<std::uint64_t>(works_[slot].uses) << 32U) | slot};
}

std::uint64_t DynamicServer::key_of(NodeId from, RequestId request) {
  return mix64(from.value, request.value);
}

void DynamicServer::check_invariants() const {
  COPAL_ASSERT(config_.concurrency_max == 0 || at_work_ <= config_.concurrency_max);
  COPAL_ASSERT(queued_ <= config_.queue_max);
  COPAL_ASSERT(at_work_ + queued_ == index_.size());
  COPAL_ASSERT(queued_ == 0 || at_work_ == config_.concurrency_max);
  COPAL_ASSERT(free_.size() + index_.size() == works_.size());
}

}  // namespace copal
