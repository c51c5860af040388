#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/base/prng.h"
#include "core/ports/application.h"
#include "core/ports/supervisor.h"
#include "sim/engine.h"
#include "sim/member.h"

namespace copal::sim::fuzz {

/// Told what becomes of the operations that were asked of a server.
class CallListener {
 public:
  virtual ~CallListener() = default;
  virtual void on_answer(const AnswerCall& answer) = 0;
  virtual void on_entries(const AnswerEntries& answer) = 0;
  virtual void on_keys(const AnswerKeys& answer) = 0;
  /// A server listens to kListenedTo since its start, and was told something.
  virtual void on_told(NodeId server, const TellListener& news) = 0;
  /// The process of a server has begun.
  virtual void on_start(NodeId server) = 0;
  /// The process of a server is about to end by itself.
  virtual void on_end(NodeId server) = 0;
};

/// The cache to whose events all servers listen.
inline constexpr CacheId kListenedTo{1};

/// One machine of the application's cluster as the fuzzer needs it: the process of its node, whose
/// application takes a few milliseconds for each request.
class TrialServer final : public Application, public Supervisor, public EventTarget {
 public:
  TrialServer(Engine& engine, Network& network, std::size_t host, const DynamicServerConfig& config,
              CallListener& listener, std::uint64_t seed);

  void set_triad(const std::array<NodeId, kSlots>& members) { config_.triad.members = members; }
  void start();
  void crash();
  void power_off();
  void power_on();
  void stop() { member_.input(StopOrder{}); }
  /// The application of each start becomes ready so long after it. One that waits is ready at 0.
  void set_start_time(Duration time);
  /// Requests fail at once, and the processor is idle.
  void set_false_load(bool on) { false_load_ = on; }

  Member& member() { return member_; }
  /// The node, or nothing while there is none.
  const DynamicServer* node();
  std::uint32_t starts() const { return starts_; }

  void start_work(WorkId work, std::uint64_t tag) override;
  void cancel_work(WorkId) override {}
  void read_cpu() override;
  void power_down() override {}
  void answer_call(const AnswerCall& answer) override { listener_.on_answer(answer); }
  void answer_entries(const AnswerEntries& answer) override { listener_.on_entries(answer); }
  void answer_keys(const AnswerKeys& answer) override { listener_.on_keys(answer); }
  void tell_listener(const TellListener& news) override { listener_.on_told(member_.id(), news); }
  void stop_process(bool failed) override;
  void set_alarm(Alarm, bool) override {}  // of members alone
  void on_event(std::uint64_t argument) override;

 private:
  enum class Happening : std::uint8_t { kReady, kWorkEnded, kWorkFailed, kCpuRead, kStopped };
  void later(Duration delay, Happening happening, std::uint64_t detail);
  void become_ready();

  Engine& engine_;
  DynamicServerConfig config_;
  CallListener& listener_;
  Member member_;
  Prng boots_;
  Duration start_time_{};
  bool is_ready_ = false;
  bool false_load_ = false;
  bool machine_on_ = true;
  std::uint32_t starts_ = 0;
};

}  // namespace copal::sim::fuzz
