#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/flat_map.h"
#include "core/base/prng.h"
#include "core/ports/application.h"
#include "scenarios/scenario.h"
#include "sim/cache_client.h"
#include "sim/cpu.h"
#include "sim/engine.h"
#include "sim/member.h"
#include "sim/power_meter.h"

namespace copal::sim {

/// What a request asks of the application.
struct Task {
  Duration work{};
  bool fails = false;
  std::vector<CacheOperation> operations{};  // after the work
};

/// Knows what the tags of requests mean.
class TaskBook {
 public:
  virtual ~TaskBook() = default;
  /// Returns the task, an empty one if its client has gone in the meantime.
  virtual Task task(std::uint64_t tag) const = 0;
};

/// What every server of the application's cluster has in common.
struct ServerModel {
  DynamicServerConfig node;  // ready_at_start is set at each start
  Duration start_time = 0s;
  scenario::ColdStart cold_start;
};

/// One machine of the application's cluster: its power, its CPU, its application, and the process
/// of its node. Answers the node's Application port.
class SimServer final : public Application, public CpuListener, public EventTarget {
 public:
  /// Makes the machine; start_running() switches it on. All references outlive it.
  /// cpu  nothing: one of our own.  cloud  told of power states, where SimGrid counts joules.
  SimServer(Engine& engine, Network& network, const TaskBook& tasks, const ServerModel& model,
            const scenario::HostGroup& spec, std::string name, std::size_t host, std::uint64_t seed,
            SimgridCloud* cpu_cloud);

  /// Whom its node belongs to; before the start.
  void set_triad(const std::array<NodeId, kSlots>& members) { model_.node.triad.members = members; }
  /// What its application does with caches; before the start. model outlives it.
  void set_cache_client(const CacheClientModel& model, std::uint32_t server);
  Member& member() { return member_; }
  /// The state at the start of a run: on, its application up and warm.
  void start_running();

  // What may befall it. Each is let be where it makes no sense (a crash of what is off).
  void crash();                            // the process dies and stays dead
  void restart(double start_time_factor);  // a new process, if the machine is on
  void power_off();                        // the machine dies without a word
  void power_on();                         // boots, then starts the process
  void freeze();
  void thaw();
  void set_speed_factor(double factor);
  void drain(bool on);
  void set_error_ratio(double ratio) { error_ratio_ = ratio; }

  const std::string& name() const { return name_; }
  NodeId id() const { return member_.id(); }
  std::uint32_t active() const { return cpu_->active(); }
  /// Requests that the server holds, at work or waiting.
  std::uint32_t requests_held();
  std::uint64_t tasks_started() const { return tasks_started_; }
  PowerMeter& meter() { return meter_; }
  /// From SimGrid where it executes the work, else from the meter.
  double joules();

  void start_work(WorkId work, std::uint64_t tag) override;
  void cancel_work(WorkId work) override;
  void read_cpu() override;
  void power_down() override;
  void answer_call(const AnswerCall& answer) override;
  void answer_entries(const AnswerEntries& answer) override;
  void answer_keys(const AnswerKeys& answer) override;
  void tell_listener(const TellListener& news) override;

  void on_work_done(std::uint64_t work) override;
  void on_event(std::uint64_t argument) override;

 private:
  enum class Happening : std::uint8_t { kBooted, kApplicationReady, kCpuRead, kPowerDown, kErred };

  void later(Duration delay, Happening happening, std::uint64_t detail = 0);
  void start_process(bool ready, Duration start_time);
  void end_process(bool machine_is_on);
  void note_load();
  Duration cold(Duration work) const;

  Engine& engine_;
  const TaskBook& tasks_;
  ServerModel model_;
  Duration boot_time_;
  std::string name_;
  std::size_t host_;
  SimgridCloud* cloud_;
  Member member_;
  std::unique_ptr<Cpu> own_cpu_;
  Cpu* cpu_;
  PowerMeter meter_;
  Prng errors_;
  double error_ratio_ = 0;
  double speed_factor_ = 1;
  bool frozen_ = false;
  std::uint32_t life_ = 0;  // grows whenever what was to happen no longer is
  TimePoint ready_at_{};    // of the application, for its cold start
  bool started_cold_ = false;
  std::uint64_t tasks_started_ = 0;
  PowerMeter::Reading last_cpu_read_;
  std::optional<CacheClient> client_;  // nothing: no caches
  FlatMap<bool> failing_;              // work that will end in an error
  FlatMap<bool> erring_;               // work that errs at once
};

}  // namespace copal::sim
