#include "sim/simgrid_cloud.h"

#include <simgrid/plugins/energy.h>
#include <simgrid/version.h>
#include <simgrid/kernel/Timer.hpp>
#include <simgrid/s4u.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/assert.h"
#include "core/base/flat_map.h"

namespace copal::sim {

namespace s4u = simgrid::s4u;
namespace timer = simgrid::kernel::timer;

namespace {

/// Operations that a core of speed 1 does in a second; any number would do.
constexpr double kFlopsPerSecond = 1e9;
/// A frozen host: SimGrid wants some speed. Within a simulated month it does 2.6 ms of work.
constexpr double kFrozenFactor = 1e-9;

enum Pstate : unsigned long { kPstateOn = 0, kPstateBoot = 1, kPstateFrozen = 2, kPstateSlow = 3 };

std::string number_text(double number) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  return {text, end};
}

/// "idle:epsilon:all cores" for each pstate, as the plugin host_energy reads it.
std::string wattage(const SimgridHost& host) {
  const std::string boot = number_text(host.power.boot_watts);
  const std::string idle = number_text(host.power.idle_watts);
  const std::string running = idle + ":" + idle + ":" + number_text(host.power.busy_watts);
  std::string all = running + "," + boot + ":" + boot + ":" + boot + "," + running;
  for (std::size_t i = 0; i < host.slow_factors.size(); ++i) {
    all += "," + running;
  }
  return all;
}

std::vector<double> speeds(const SimgridHost& host) {
  const double full = host.speed * kFlopsPerSecond;
  std::vector<double> all = {full, full, full * kFrozenFactor};
  for (const double factor : host.slow_factors) {
    all.push_back(full * factor);
  }
  return all;
}

}  // namespace

// Classes in all but access, which nobody outside this file has.
// NOLINTBEGIN(readability-identifier-naming)
struct SimgridCloud::Impl final : EventTarget {
  struct ExecCpu;

  /// An execution or a transfer under way. It keeps its reference until SimGrid has reported.
  struct Activity {
    s4u::ActivityPtr activity;
    std::uint64_t name = 0;            // the caller's
    std::uint64_t sequence = 0;        // order of beginning
    ExecCpu* cpu = nullptr;            // an execution's
    FlowListener* listener = nullptr;  // a transfer's
    bool arrived = false;
    bool ended = false;  // reported; its event waits in the heap
    bool used = false;
  };

  /// One host's CPU as SimGrid executes it.
  struct ExecCpu final : Cpu {
    ExecCpu(Impl& impl, std::size_t host, CpuListener& listener)
        : impl_(impl), host_(host), listener_(listener) {}

    void start(std::uint64_t work, Duration amount) override {
      impl_.synchronise();
      const std::uint32_t slot = impl_.take_slot();
      s4u::ExecPtr exec = s4u::Exec::init();
      exec->set_flops_amount(std::max(1.0, to_seconds(amount) * kFlopsPerSecond));
      exec->set_host(impl_.hosts_[host_]);
      impl_.begin(slot, exec, {.activity = exec, .name = work, .cpu = this, .used = true});
      running_[work] = slot;
      exec->start();
    }
    void cancel(std::uint64_t work) override {
      if (const std::uint32_t* slot = running_.find(work)) {
        impl_.cancel(*slot);
        running_.erase(work);
      }
    }
    void clear() override {
      for (std::uint32_t slot = 0; slot < impl_.activities_.size(); ++slot) {
        if (impl_.activities_[slot].used && impl_.activities_[slot].cpu == this) {
          cancel(impl_.activities_[slot].name);
        }
      }
    }
    void set_speed_factor(double factor) override;
    std::uint32_t active() const override { return static_cast<std::uint32_t>(running_.size()); }

    Impl& impl_;
    std::size_t host_;
    CpuListener& listener_;
    FlatMap<std::uint32_t> running_;  // work -> slot
  };

  Impl(Engine& engine, const std::vector<SimgridHost>& hosts);

  /// Brings SimGrid's clock to the engine's: needed before anything starts or changes, where the
  /// heap has been running alone.
  void synchronise() {
    if (!inside_ && s4u::Engine::get_clock() < to_seconds(engine_.now())) {
      timer::Timer::set(to_seconds(engine_.now()), [] {});
      s4u::Engine::get_instance()->run();
    }
  }

  std::uint32_t take_slot() {
    if (free_.empty()) {
      activities_.emplace_back();
      return static_cast<std::uint32_t>(activities_.size() - 1);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }

  template <class ActivityPtr>
  void begin(std::uint32_t slot, ActivityPtr& activity, Activity&& record) {
    // Slot + 1, so that nothing is told from slot 0.
    activity->set_data(
        reinterpret_cast<void*>(static_cast<std::uintptr_t>(slot) + 1));  // NOLINT: no address
    activities_[slot] = std::move(record);
    activities_[slot].sequence = next_sequence_++;
    ++live_;
  }

  /// SimGrid reports a cancelled activity twice, and a reference dropped between the two crashes:
  /// it is forgotten here at once, and kept until its round is over.
  void cancel(std::uint32_t slot) {
    if (activities_[slot].ended) {
      activities_[slot].used = false;
      return;
    }
    s4u::ActivityPtr activity = activities_[slot].activity;
    activity->set_data(nullptr);
    release(slot);
    graveyard_.push_back(activity);
    activity->cancel();
  }

  void release(std::uint32_t slot) {
    activities_[slot] = Activity{};
    free_.push_back(slot);
    --live_;
  }

  void on_completion(const s4u::Activity& activity) {
    const auto data = reinterpret_cast<std::uintptr_t>(activity.get_data<void>());
    if (data == 0) {
      return;  // cancelled
    }
    const auto slot = static_cast<std::uint32_t>(data - 1);
    Activity& record = activities_[slot];
    record.arrived = activity.get_state() == s4u::Activity::State::FINISHED;
    record.ended = true;
    record.activity->set_data(nullptr);
    graveyard_.push_back(record.activity);
    --live_;
    reported_.push_back(slot);
    if (reported_.size() == 1) {
      timer::Timer::set(s4u::Engine::get_clock(), [this] { on_reports(); });
    }
  }

  /// What ends at one instant is reported in no order that SimGrid promises (simulation-facts 4.2):
  /// it enters the heap in the order in which it began.
  void on_reports() {
    std::sort(reported_.begin(), reported_.end(), [this](std::uint32_t a, std::uint32_t b) {
      return activities_[a].sequence < activities_[b].sequence;
    });
    const TimePoint at{from_seconds(s4u::Engine::get_clock())};
    for (const std::uint32_t slot : reported_) {
      engine_.at(std::max(at, engine_.now()), *this, slot);
    }
    reported_.clear();
    // Runs them here and now: another timer for the same date would cost SimGrid a round.
    run_events(std::max(at, engine_.now()));
  }

  /// An activity ended, in the heap's order.
  void on_event(std::uint64_t slot) override {
    Activity record = std::move(activities_[slot]);
    activities_[slot] = Activity{};
    free_.push_back(static_cast<std::uint32_t>(slot));
    if (!record.used) {
      return;  // cancelled between its end and now
    }
    if (record.cpu != nullptr) {
      record.cpu->running_.erase(record.name);
      if (record.arrived) {
        record.cpu->listener_.on_work_done(record.name);
      }
    } else {
      record.listener->on_flow_end(record.name, record.arrived);
    }
  }

  /// Asks SimGrid to stop at the head of the heap.
  void arm() {
    const TimePoint next = engine_.next_time();
    if (next == armed_for_) {
      return;
    }
    if (timer_ != nullptr) {
      timer_->remove();
      timer_ = nullptr;
    }
    armed_for_ = next;
    if (next != kNever) {
      timer_ = timer::Timer::set(std::max(to_seconds(next), s4u::Engine::get_clock()),
                                 [this] { on_timer(); });
    }
  }

  void on_timer() {
    const TimePoint due = armed_for_;
    timer_ = nullptr;
    armed_for_ = kNever;
    graveyard_.clear();
    run_events(due);
  }

  void run_events(TimePoint due) {
    inside_ = true;
    engine_.run_due(due);
    inside_ = false;
    if (!engine_.stopped() && (live_ > 0 || !reported_.empty())) {
      arm();
    }
  }

  Engine& engine_;
  std::vector<s4u::Host*> hosts_;
  std::vector<s4u::Link*> links_;
  std::vector<bool> link_up_;  // a split-duplex link says that it is on whatever is done to it
  std::vector<SimgridHost> specs_;
  std::vector<std::unique_ptr<ExecCpu>> cpus_;
  std::vector<Activity> activities_;
  std::vector<std::uint32_t> free_;
  std::vector<s4u::ActivityPtr> graveyard_;
  std::vector<std::uint32_t> reported_;  // ended at this instant
  std::uint64_t next_sequence_ = 0;
  std::size_t live_ = 0;  // SimGrid has them
  timer::Timer* timer_ = nullptr;
  TimePoint armed_for_{kNever};
  bool inside_ = false;  // a timer's callback is running the heap
};

// NOLINTEND(readability-identifier-naming)

SimgridCloud::Impl::Impl(Engine& engine, const std::vector<SimgridHost>& hosts)
    : EventTarget(0xc10d), engine_(engine), specs_(hosts) {
  auto* zone = s4u::create_star_zone("cloud");
  for (const SimgridHost& spec : hosts) {
    auto* host =
        zone->create_host(spec.name, speeds(spec))->set_core_count(static_cast<int>(spec.cores));
    host->set_property("wattage_per_state", wattage(spec));
    host->set_property("wattage_off", number_text(spec.power.off_watts));
    auto* link = zone->create_split_duplex_link(spec.name, spec.link.bandwidth_bytes_per_s);
    link->set_latency(0);  // the network's: see network.h
    zone->add_route(host->get_netpoint(), nullptr, nullptr, nullptr,
                    {s4u::LinkInRoute(link, s4u::LinkInRoute::Direction::UP)}, true);
    hosts_.push_back(host);
    links_.push_back(link);
    link_up_.push_back(true);
    cpus_.emplace_back();
  }
  zone->seal();
  s4u::Activity::on_completion_cb(
      [this](const s4u::Activity& activity) { on_completion(activity); });
}

void SimgridCloud::Impl::ExecCpu::set_speed_factor(double factor) {
  unsigned long pstate = kPstateOn;
  if (factor == 0) {
    pstate = kPstateFrozen;
  } else if (factor != 1) {
    const auto& known = impl_.specs_[host_].slow_factors;
    const auto found = std::find(known.begin(), known.end(), factor);
    COPAL_ASSERT(found != known.end());
    pstate = kPstateSlow + static_cast<unsigned long>(found - known.begin());
  }
  impl_.synchronise();
  impl_.hosts_[host_]->set_pstate(pstate);
}

SimgridCloud::SimgridCloud(Engine& engine, const std::vector<SimgridHost>& hosts) {
  std::vector<std::string> arguments = options();
  arguments.insert(arguments.begin(), "copal-sim");
  arguments.emplace_back("--log=root.thres:critical");
  std::vector<char*> pointers;
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  int count = static_cast<int>(pointers.size());
  pointers.push_back(nullptr);
  // Never deleted: SimGrid's own exit code takes it down with the process.
  new s4u::Engine(&count, pointers.data());
  sg_host_energy_plugin_init();
  impl_ = std::make_unique<Impl>(engine, hosts);
  engine.set_physics(this);
}

SimgridCloud::~SimgridCloud() = default;

std::vector<std::string> SimgridCloud::options() {
  // CM02 without cross-traffic: the default LV08 stretches a latency 13 times, which is right for
  // TCP streams and wrong for requests (simulation-facts 4.4).
  return {"--cfg=network/model:CM02",     "--cfg=network/crosstraffic:0",
          "--cfg=network/TCP-gamma:1e15", "--cfg=network/optim:Lazy",
          "--cfg=cpu/optim:Lazy",         "--cfg=surf/precision:1e-9"};
}

std::string SimgridCloud::version() {
  return std::to_string(SIMGRID_VERSION_MAJOR) + "." + std::to_string(SIMGRID_VERSION_MINOR);
}

Cpu& SimgridCloud::cpu(std::size_t host, CpuListener& listener) {
  COPAL_ASSERT(impl_->cpus_[host] == nullptr);
  impl_->cpus_[host] = std::make_unique<Impl::ExecCpu>(*impl_, host, listener);
  return *impl_->cpus_[host];
}

void SimgridCloud::send(std::size_t from, std::size_t to, std::uint64_t size_bytes,
                        std::uint64_t flow, FlowListener& listener) {
  impl_->synchronise();
  COPAL_ASSERT(impl_->hosts_[from]->is_on() && impl_->hosts_[to]->is_on());
  COPAL_ASSERT(link_up(from) && link_up(to));
  const std::uint32_t slot = impl_->take_slot();
  s4u::CommPtr comm = s4u::Comm::sendto_init(impl_->hosts_[from], impl_->hosts_[to]);
  comm->set_payload_size(std::max<std::uint64_t>(size_bytes, 1));
  impl_->begin(
      slot, comm,
      {.activity = comm, .name = flow, .cpu = nullptr, .listener = &listener, .used = true});
  comm->start();
}

void SimgridCloud::set_link(std::size_t host, bool up) {
  impl_->synchronise();
  impl_->link_up_[host] = up;
  up ? impl_->links_[host]->turn_on() : impl_->links_[host]->turn_off();
}

bool SimgridCloud::link_up(std::size_t host) const {
  return impl_->link_up_[host];
}

void SimgridCloud::set_power(std::size_t host, PowerState state) {
  impl_->synchronise();
  s4u::Host* target = impl_->hosts_[host];
  if (state == PowerState::kOff) {
    if (impl_->cpus_[host] != nullptr) {
      impl_->cpus_[host]->clear();
    }
    target->turn_off();
    return;
  }
  if (!target->is_on()) {
    target->turn_on();
  }
  target->set_pstate(state == PowerState::kBoot ? kPstateBoot : kPstateOn);
}

double SimgridCloud::energy_joules(std::size_t host) {
  impl_->synchronise();
  return sg_host_get_consumed_energy(impl_->hosts_[host]);
}

bool SimgridCloud::live() const {
  return impl_->live_ > 0;
}

void SimgridCloud::run() {
  impl_->arm();
  s4u::Engine::get_instance()->run();
}

}  // namespace copal::sim
