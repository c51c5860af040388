#include "sim/fuzz/trial_server.h"

#include <utility>

namespace copal::sim::fuzz {

namespace {
constexpr Duration kWorkTime = 3ms;
}  // namespace

TrialServer::TrialServer(Engine& engine, Network& network, std::size_t host,
                         const DynamicServerConfig& config, CallListener& listener,
                         std::uint64_t seed)
    : EventTarget(0x2000 + static_cast<std::uint32_t>(host)),
      engine_(engine),
      config_(config),
      listener_(listener),
      member_(engine, network, host, {.application = this, .supervisor = this}),
      boots_(seed, "boots", host) {}

void TrialServer::start() {
  if (machine_on_ && member_.node() == nullptr) {
    ++starts_;
    is_ready_ = start_time_ == 0ns;
    config_.ready_at_start = is_ready_;
    member_.start(std::make_unique<Node>(config_));
    listener_.on_start(member_.id());
    member_.input(ListenTo{kListenedTo});
    if (!is_ready_) {
      later(start_time_, Happening::kReady, 0);
    }
  }
}

void TrialServer::set_start_time(Duration time) {
  start_time_ = time;
  if (time == 0ns) {
    become_ready();
  }
}

void TrialServer::become_ready() {
  if (!std::exchange(is_ready_, true)) {
    member_.input(ApplicationReady{});
  }
}

void TrialServer::crash() {
  member_.kill(true);
}

void TrialServer::power_off() {
  member_.kill(false);
  member_.set_machine_on(false);
  machine_on_ = false;
}

void TrialServer::power_on() {
  if (!machine_on_) {
    machine_on_ = true;
    member_.set_machine_on(true);
    member_.clock().reboot(TimePoint{Duration{static_cast<std::int64_t>(boots_.next() >> 20U)}});
    start();
  }
}

const DynamicServer* TrialServer::node() {
  return member_.node() == nullptr ? nullptr : member_.node()->server();
}

void TrialServer::start_work(WorkId work, std::uint64_t) {
  if (false_load_) {
    later(0ns, Happening::kWorkFailed, work.value);
  } else {
    later(kWorkTime, Happening::kWorkEnded, work.value);
  }
}

void TrialServer::read_cpu() {
  later(0ns, Happening::kCpuRead, 0);
}

void TrialServer::stop_process(bool) {
  later(0ns, Happening::kStopped, 0);
}

/// The upper half of a WorkId counts the uses of a slot: both halves are small here.
void TrialServer::later(Duration delay, Happening happening, std::uint64_t detail) {
  const std::uint64_t argument = detail << 24U | (std::uint64_t{starts_} & 0xffffU) << 8U |
                                 static_cast<std::uint64_t>(happening);
  engine_.at(engine_.now() + delay, *this, argument);
}

void TrialServer::on_event(std::uint64_t argument) {
  if ((argument >> 8U & 0xffffU) != (starts_ & 0xffffU) || member_.node() == nullptr) {
    return;
  }
  switch (static_cast<Happening>(argument & 0xffU)) {
    case Happening::kReady:
      become_ready();
      break;
    case Happening::kWorkEnded:
      member_.input(WorkEnded{WorkId{argument >> 24U}, true});
      break;
    case Happening::kWorkFailed:
      member_.input(WorkEnded{WorkId{argument >> 24U}, false});
      break;
    case Happening::kCpuRead:
      member_.input(CpuReading{false_load_ ? 0.0 : 0.1});
      break;
    case Happening::kStopped:
      listener_.on_end(member_.id());
      member_.kill(true);
      break;
  }
}

}  // namespace copal::sim::fuzz
