#include "sim/sim_server.h"

#include <utility>

#include "core/base/assert.h"
#include "sim/native_cpu.h"

namespace copal::sim {

namespace {

/// What an application takes to answer "500" when it fails fast.
constexpr Duration kErrorTime = 200us;

}  // namespace

SimServer::SimServer(Engine& engine, Network& network, const TaskBook& tasks,
                     const ServerModel& model, const scenario::HostGroup& spec, std::string name,
                     std::size_t host, std::uint64_t seed, SimgridCloud* cpu_cloud)
    : EventTarget(0x2000 + static_cast<std::uint32_t>(host)),
      engine_(engine),
      tasks_(tasks),
      model_(model),
      boot_time_(spec.boot_time),
      name_(std::move(name)),
      host_(host),
      cloud_(cpu_cloud),
      member_(engine, network, host, {.application = this}),
      meter_(spec.power, spec.cores),
      errors_(seed, "errors", host) {
  if (cloud_ != nullptr) {
    cpu_ = &cloud_->cpu(host, *this);
  } else {
    own_cpu_ = std::make_unique<NativeCpu>(engine, 0x4000 + static_cast<std::uint32_t>(host),
                                           spec.cores, spec.speed, *this);
    cpu_ = own_cpu_.get();
  }
}

void SimServer::set_cache_client(const CacheClientModel& model, std::uint32_t server) {
  client_.emplace(engine_, 0x9000 + static_cast<std::uint32_t>(host_), member_, model, server);
}

void SimServer::start_running() {
  start_process(true, 0s);
}

void SimServer::crash() {
  end_process(true);
}

void SimServer::restart(double start_time_factor) {
  if (meter_.state() == PowerMeter::State::kOn && member_.node() == nullptr) {
    start_process(false, from_seconds(to_seconds(model_.start_time) * start_time_factor));
  }
}

void SimServer::power_off() {
  end_process(false);
  member_.set_machine_on(false);
  meter_.set_state(PowerMeter::State::kOff, engine_.now());
  if (cloud_ != nullptr) {
    cloud_->set_power(host_, SimgridCloud::PowerState::kOff);
  }
}

void SimServer::power_on() {
  if (meter_.state() != PowerMeter::State::kOff) {
    return;
  }
  meter_.set_state(PowerMeter::State::kBooting, engine_.now());
  if (cloud_ != nullptr) {
    cloud_->set_power(host_, SimgridCloud::PowerState::kBoot);
  }
  later(boot_time_, Happening::kBooted);
}

void SimServer::freeze() {
  frozen_ = true;
  member_.freeze();
  cpu_->set_speed_factor(0);
}

void SimServer::thaw() {
  frozen_ = false;
  cpu_->set_speed_factor(speed_factor_);
  member_.thaw();
}

void SimServer::set_speed_factor(double factor) {
  speed_factor_ = factor;
  if (!frozen_) {
    cpu_->set_speed_factor(factor);
  }
}

void SimServer::drain(bool on) {
  member_.input(DrainOrder{on});
}

std::uint32_t SimServer::requests_held() {
  return member_.node() == nullptr ? 0 : member_.node()->server()->active();
}

double SimServer::joules() {
  return cloud_ != nullptr ? cloud_->energy_joules(host_) : meter_.read(engine_.now()).joules;
}

void SimServer::start_work(WorkId work, std::uint64_t tag) {
  ++tasks_started_;
  Task task = tasks_.task(tag);
  if (error_ratio_ > 0 && draw_unit(errors_) < error_ratio_) {
    erring_[work.value] = true;
    later(kErrorTime, Happening::kErred, work.value);
    return;
  }
  if (task.fails) {
    failing_[work.value] = true;
  } else if (client_ && !task.operations.empty()) {
    client_->plan(work.value, std::move(task.operations));
  }
  cpu_->start(work.value, cold(task.work));
  note_load();
}

void SimServer::cancel_work(WorkId work) {
  cpu_->cancel(work.value);
  if (client_) {
    client_->cancel(work.value);
  }
  failing_.erase(work.value);
  erring_.erase(work.value);
  note_load();
}

void SimServer::read_cpu() {
  later(0s, Happening::kCpuRead);
}

void SimServer::power_down() {
  later(0s, Happening::kPowerDown);
}

void SimServer::answer_call(const AnswerCall& answer) {
  const auto piece = client_ ? client_->on_answer(answer) : std::nullopt;
  if (piece) {
    cpu_->start(piece->work, piece->amount);
    note_load();
  }
}

void SimServer::answer_entries(const AnswerEntries&) {}

void SimServer::answer_keys(const AnswerKeys&) {}
void SimServer::tell_listener(const TellListener&) {}

void SimServer::on_work_done(std::uint64_t work) {
  note_load();
  if (failing_.erase(work)) {
    member_.input(WorkEnded{WorkId{work}, false});
    return;
  }
  const auto next = client_ ? client_->go_on(work) : CacheClient::Next::kDone;
  if (next != CacheClient::Next::kWaits) {
    member_.input(WorkEnded{WorkId{work}, next == CacheClient::Next::kDone});
  }
}

/// argument  index of a note on what is to happen; see later().
void SimServer::on_event(std::uint64_t argument) {
  const auto happening = static_cast<Happening>(argument & 0xffU);
  if (happening == Happening::kErred) {
    // The detail is a WorkId, whose upper half (a use count) leaves room for the kind.
    const std::uint64_t work = argument >> 8U;
    if (erring_.erase(work)) {
      member_.input(WorkEnded{WorkId{work}, false});
    }
    return;
  }
  if (argument >> 8U != life_) {
    return;
  }
  switch (happening) {
    case Happening::kBooted:
      member_.set_machine_on(true);
      meter_.set_state(PowerMeter::State::kOn, engine_.now());
      if (cloud_ != nullptr) {
        cloud_->set_power(host_, SimgridCloud::PowerState::kOn);
      }
      start_process(false, model_.start_time);
      break;
    case Happening::kApplicationReady:
      ready_at_ = engine_.now();
      member_.input(ApplicationReady{});
      break;
    case Happening::kCpuRead: {
      const PowerMeter::Reading& now = meter_.read(engine_.now());
      const double cores = now.core_s - last_cpu_read_.core_s;
      const double busy = now.busy_core_s - last_cpu_read_.busy_core_s;
      last_cpu_read_ = now;
      member_.input(CpuReading{cores > 0 ? std::min(1.0, busy / cores) : 0.0});
      break;
    }
    case Happening::kPowerDown:
      power_off();
      break;
    case Happening::kErred:
      break;
  }
}

void SimServer::later(Duration delay, Happening happening, std::uint64_t detail) {
  const std::uint64_t subject = happening == Happening::kErred ? detail : life_;
  engine_.at(engine_.now() + delay, *this, (subject << 8U) | static_cast<std::uint64_t>(happening));
}

void SimServer::start_process(bool ready, Duration start_time) {
  DynamicServerConfig config = model_.node;
  config.ready_at_start = ready;
  started_cold_ = !ready;
  ready_at_ = engine_.now();
  member_.start(std::make_unique<Node>(config));
  if (!ready) {
    later(start_time, Happening::kApplicationReady);
  }
}

void SimServer::end_process(bool machine_is_on) {
  ++life_;
  cpu_->clear();
  failing_.clear();
  erring_.clear();
  if (client_) {
    client_->clear();
  }
  note_load();
  member_.kill(machine_is_on);
  if (frozen_) {
    thaw();
  }
}

void SimServer::note_load() {
  meter_.set_active(cpu_->active(), engine_.now());
}

Duration SimServer::cold(Duration work) const {
  const scenario::ColdStart& cold_start = model_.cold_start;
  const Duration since = engine_.now() - ready_at_;
  if (!started_cold_ || since >= cold_start.time) {
    return work;
  }
  const double left = 1 - to_seconds(since) / to_seconds(cold_start.time);
  return from_seconds(to_seconds(work) * (1 + (cold_start.factor - 1) * left));
}

}  // namespace copal::sim
