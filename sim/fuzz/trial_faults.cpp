// Trial: what goes wrong, and what is healed.

#include <algorithm>
#include <map>
#include <utility>

#include "sim/fuzz/fault_names.h"
#include "sim/fuzz/trial.h"

namespace copal::sim::fuzz {

using Kind = PlannedFault::Kind;

namespace {

bool is_link_fault(Kind kind) {
  return kind >= Kind::kPartition && kind <= Kind::kFlipBit;
}
bool is_clock_fault(Kind kind) {
  return kind >= Kind::kClockStep && kind <= Kind::kClockFreeze;
}
bool is_disk_fault(Kind kind) {
  return kind >= Kind::kDiskSlow && kind <= Kind::kDiskTears;
}
bool is_node_fault(Kind kind) {
  return kind <= Kind::kSlowNode || kind == Kind::kFalseLoad;
}
/// Ones in which the node's process is not there for a while.
bool is_down_fault(Kind kind) {
  return kind == Kind::kCrash || kind == Kind::kCrashForGood || kind == Kind::kPowerOff ||
         kind == Kind::kLoseDisk || kind == Kind::kRebootLoop || kind == Kind::kPlannedStop;
}

constexpr Duration kOperatorLooksEach = 3s;

double thousandths(std::int64_t amount) {
  return static_cast<double>(amount) / 1000;
}

}  // namespace

void Trial::on_fault(std::size_t index, bool begins) {
  const PlannedFault& fault = plan_.faults[index];
  if (begins ? core_phase_ : !fault_active_[index]) {
    return;  // too late to begin, or ended by the healing
  }
  fault_active_[index] = begins;
  if (begins) {
    ++counts_.faults[fault_name(fault.kind)];
    schedule(engine_.now() + fault.lasting, Happening::kFaultEnd, index);
    fault_ticks_[index] = 0;
    on_fault_tick(index);
  }
  if (is_link_fault(fault.kind)) {
    refresh_network();
  } else if (is_clock_fault(fault.kind)) {
    on_clock_fault(fault, begins);
  } else if (is_disk_fault(fault.kind)) {
    refresh_disk(fault.node);
  } else if (is_order(fault.kind)) {
    on_order(fault, begins);
  } else if (is_node_fault(fault.kind)) {
    on_node_fault(fault, begins);
  }
}

/// What happens again and again while the fault lasts.
void Trial::on_fault_tick(std::size_t index) {
  const PlannedFault& fault = plan_.faults[index];
  if (!fault_active_[index]) {
    return;
  }
  Duration again{};
  switch (fault.kind) {
    case Kind::kFlap:
      again = std::chrono::milliseconds{std::max<std::int64_t>(1, fault.amount)};
      refresh_network();
      break;
    case Kind::kReset:
      again = std::chrono::milliseconds{std::max<std::int64_t>(1, fault.amount)};
      break_connections(fault);
      break;
    case Kind::kRefuse:
      break_connections(fault);
      return;
    case Kind::kRebootLoop:
      again = fault.lasting / std::max<std::int64_t>(1, fault.amount);
      if (fault_ticks_[index] > 0) {
        crash(fault.node, false);
        revive(fault.node);
      }
      break;
    default:
      return;
  }
  ++fault_ticks_[index];
  schedule(engine_.now() + std::max<Duration>(again, 1ms), Happening::kFaultTick, index);
}

void Trial::break_connections(const PlannedFault& fault) {
  for (std::uint32_t other = 0; other < plan_.node_count(); ++other) {
    if (other != fault.node && (fault.other == PlannedFault::kAnyNode || fault.other == other)) {
      network_->break_connection(NodeId{fault.node}, NodeId{other});
    }
  }
}

// ---- processes and machines

/// The process of a node ends; it is still there.
void Trial::on_end(NodeId id) {
  const std::uint32_t node = id.value;
  changed_at_[node] = engine_.now();
  stopping_[node] = false;
  if (member_of(node).node() == nullptr) {
    return;
  }
  collect_marks(node);
  history_.ends[node].push_back(engine_.now());
  if (plan_.is_server(node)) {
    end_operations_of(node);
  } else if (plan_.is_member(node)) {
    schedule(engine_.now(), Happening::kMemberGone, node);
  }
}

void Trial::crash(std::uint32_t node, bool power) {
  on_end(NodeId{node});
  if (plan_.is_member(node)) {
    power ? triad_[node]->power_off() : triad_[node]->crash();
    watch_disk(node);
  } else if (plan_.is_server(node)) {
    power ? servers_[node - 3]->power_off() : servers_[node - 3]->crash();
  } else {
    balancers_[node - 3 - plan_.servers].member->kill(!power);
  }
}

void Trial::revive(std::uint32_t node) {
  if (gone_[node]) {
    return;
  }
  if (member_of(node).node() == nullptr) {
    changed_at_[node] = engine_.now();
  }
  if (plan_.is_member(node)) {
    if ((plan_.slots >> node & 1U) != 0) {
      triad_[node]->power_on();
      triad_[node]->start();
    }
  } else if (plan_.is_server(node)) {
    servers_[node - 3]->power_on();
    servers_[node - 3]->start();
  } else {
    start_balancer(node - 3 - plan_.servers);
  }
}

void Trial::on_node_fault(const PlannedFault& fault, bool begins) {
  const bool is_down = std::ranges::any_of(plan_.faults, [&](const PlannedFault& other) {
    const auto index = static_cast<std::size_t>(&other - plan_.faults.data());
    return fault_active_[index] && other.node == fault.node && is_down_fault(other.kind) &&
           &other != &fault;
  });
  switch (fault.kind) {
    case Kind::kFreeze:
      begins ? member_of(fault.node).freeze() : member_of(fault.node).thaw();
      return;
    case Kind::kSlowNode:
      member_of(fault.node)
          .set_costs({.message = begins ? std::chrono::microseconds{fault.amount} : 0us});
      return;
    case Kind::kSlowStart:
      refresh_start(fault.node);
      return;
    case Kind::kFalseLoad:
      servers_[fault.node - 3]->set_false_load(begins);
      return;
    case Kind::kCrashForGood:
      if (begins) {
        gone_[fault.node] = true;
        crash(fault.node, false);
        crash(fault.node, true);  // nor does a service manager start it again
      }
      break;
    case Kind::kPlannedStop:
      stopping_[fault.node] = stopping_[fault.node] || begins;
      if (begins && plan_.is_member(fault.node)) {
        triad_[fault.node]->stop();
      } else if (begins && plan_.is_server(fault.node)) {
        servers_[fault.node - 3]->stop();
      }
      break;
    case Kind::kLoseDisk:
      if (begins) {
        crash(fault.node, true);
        if (plan_.is_member(fault.node)) {
          triad_[fault.node]->lose_disk();
          watch_disk(fault.node);
        }
      }
      break;
    case Kind::kCrash:
    case Kind::kPowerOff:
    case Kind::kRebootLoop:
      if (begins) {
        crash(fault.node, fault.kind == Kind::kPowerOff);
      }
      if (begins && fault.kind == Kind::kRebootLoop) {
        revive(fault.node);
      }
      break;
    default:
      return;
  }
  if (!begins && !is_down) {
    revive(fault.node);
  }
}

void Trial::refresh_start(std::uint32_t node) {
  Duration longest{};
  for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
    const PlannedFault& fault = plan_.faults[i];
    if (fault_active_[i] && fault.node == node && fault.kind == Kind::kSlowStart) {
      longest = std::max<Duration>(longest, std::chrono::milliseconds{fault.amount});
    }
  }
  if (plan_.is_member(node)) {
    triad_[node]->disk().set_open_delay(longest);
  } else {
    servers_[node - 3]->set_start_time(longest);
  }
}

// ---- links

/// The network's faults are made anew of all that are active: so that whatever ends, ends.
void Trial::refresh_network() {
  network_faults_.clear();
  for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
    if (fault_active_[i] && is_link_fault(plan_.faults[i].kind)) {
      apply_link_fault(i);
    }
  }
  for (std::uint32_t node = 0; node < plan_.node_count(); ++node) {
    for (std::uint32_t other = 0; broken_for_good_[node] && other < plan_.node_count(); ++other) {
      network_faults_.link(NodeId{node}, NodeId{other}).blocked = true;
      network_faults_.link(NodeId{other}, NodeId{node}).blocked = true;
    }
  }
}

void Trial::apply_link_fault(std::size_t index) {
  const PlannedFault& fault = plan_.faults[index];
  // From then on it is healed, or nothing gets through at all.
  const TimePoint end{std::min(fault.at + fault.lasting, plan_.faults_for)};
  for (std::uint32_t from = 0; from < plan_.node_count(); ++from) {
    for (std::uint32_t to = 0; to < plan_.node_count(); ++to) {
      const bool forth =
          from == fault.node && (fault.other == PlannedFault::kAnyNode || fault.other == to);
      const bool back =
          to == fault.node && (fault.other == PlannedFault::kAnyNode || fault.other == from);
      LinkFaults& link = network_faults_.link(NodeId{from}, NodeId{to});
      if (from == to) {
        continue;
      }
      if (is_partition(fault.kind)) {
        link.blocked = link.blocked || separates(fault, from, to);
        continue;
      }
      if (!forth && (!back || fault.kind == Kind::kOneWay)) {
        continue;
      }
      const double ratio = thousandths(fault.amount);
      switch (fault.kind) {
        case Kind::kOneWay:
          link.blocked = true;
          break;
        case Kind::kFlap:
          link.blocked = link.blocked || fault_ticks_[index] % 2 == 0;
          break;
        case Kind::kLoss:
          link.loss_ratio = std::max(link.loss_ratio, ratio);
          break;
        case Kind::kDelay:
          link.delay_max =
              std::max<Duration>(link.delay_max, std::chrono::microseconds{fault.amount});
          break;
        case Kind::kDuplicate:
          link.duplicate_ratio = std::max(link.duplicate_ratio, ratio);
          break;
        case Kind::kReorder:
          link.late_ratio = std::max(link.late_ratio, ratio);
          break;
        case Kind::kFullQueue:
          link.is_full = true;
          break;
        case Kind::kClog:
          link.clogged_until = std::max(link.clogged_until, end);
          break;
        case Kind::kSlowLink: {
          const double bandwidth = 1000 * static_cast<double>(fault.amount);
          const double known = link.bandwidth_bytes_per_s;
          link.bandwidth_bytes_per_s = known > 0 ? std::min(known, bandwidth) : bandwidth;
          link.slow_until = std::max(link.slow_until, end);
          break;
        }
        case Kind::kRefuse:
          link.refused = true;
          break;
        case Kind::kFlipBit:
          link.flip_ratio = std::max(link.flip_ratio, ratio);
          break;
        default:
          break;
      }
    }
  }
}

// ---- clocks, disks, orders

void Trial::on_clock_fault(const PlannedFault& fault, bool begins) {
  SimClock& clock = member_of(fault.node).clock();
  switch (fault.kind) {
    case Kind::kClockStep:
    case Kind::kClockOffset:
      clock.step_wall(std::chrono::milliseconds{begins ? fault.amount : -fault.amount});
      break;
    case Kind::kClockDrift:
      clock.set_drift_ppm(begins ? fault.amount : 0);
      break;
    case Kind::kClockFreeze:
      clock.set_wall_frozen(begins);
      break;
    default:
      break;
  }
}

void Trial::refresh_disk(std::uint32_t slot) {
  DiskFaults faults;
  double slow = 1;
  bool stalled = false;
  bool full = false;
  for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
    const PlannedFault& fault = plan_.faults[i];
    if (!fault_active_[i] || fault.node != slot || !is_disk_fault(fault.kind)) {
      continue;
    }
    const double ratio = thousandths(fault.amount);
    switch (fault.kind) {
      case Kind::kDiskSlow:
        slow = std::max(slow, static_cast<double>(fault.amount));
        break;
      case Kind::kDiskStall:
        stalled = true;
        break;
      case Kind::kDiskFull:
        full = true;
        break;
      case Kind::kDiskReadErrors:
        faults.read_error_ratio = ratio;
        break;
      case Kind::kDiskWriteErrors:
        faults.write_error_ratio = ratio;
        break;
      case Kind::kDiskFlips:
        faults.flipped_ratio = ratio;
        break;
      case Kind::kDiskMisdirects:
        faults.misdirected_ratio = ratio;
        break;
      case Kind::kDiskLies:
        faults.lying_ratio = ratio;
        break;
      case Kind::kDiskTears:
        faults.torn_ratio = 1;
        break;
      default:
        break;
    }
  }
  SimStorage& disk = triad_[slot]->disk();
  disk.set_faults(faults);
  disk.set_slow_factor(slow);
  disk.set_stalled(stalled);
  disk.set_full(full);
}

/// Given at any member that is there. Its end may be told another one, which must stay heard, and
/// know what it ends: of two orders by operators who do not hear each other the later may lose (the
/// newest is that of the higher hybrid clock).
void Trial::on_order(const PlannedFault& fault, bool begins) {
  const RosterState state = !begins                      ? RosterState::kEnabled
                            : fault.kind == Kind::kDrain ? RosterState::kDraining
                                                         : RosterState::kDisabled;
  const auto given = std::find_if(ordered_.rbegin(), ordered_.rend(),
                                  [&](const Ordered& order) { return order.node == fault.node; });
  if (!begins && (given == ordered_.rend() || given->state == RosterState::kEnabled)) {
    return;  // never begun, or ended with another one
  }
  for (std::uint32_t i = 0; i < kSlots; ++i) {
    SimTriad& member = *triad_[(fault.at.count() + i) % kSlots];
    if (member.node() == nullptr || !member.member().up() || !member.node()->is_running()) {
      continue;
    }
    const bool is_heard = (plan_.core_mask >> member.id().value & 1U) != 0;
    const bool knows = member.node()->roster().state(NodeId{fault.node}) != RosterState::kEnabled;
    if (begins || (is_heard && knows)) {
      member.member().input(ChangeRoster{NodeId{fault.node}, state});
      ordered_.push_back({engine_.now(), fault.node, state});
      return;
    }
  }
  if (!begins) {
    const auto index = static_cast<std::uint64_t>(&fault - plan_.faults.data());
    schedule(engine_.now() + 1s, Happening::kOrderEnd, index);
  }
}

/// The only member that was told an order may have lost its disk since, or have failed to write it.
/// An operator sees that, and orders it again: not where any member that is heard knows of it, for
/// then it has to spread.
void Trial::on_operator_looks() {
  std::map<std::uint32_t, RosterState> last;
  for (const Ordered& order : ordered_) {
    last[order.node] = order.state;
  }
  for (const auto& [server, state] : last) {
    SimTriad* told = nullptr;
    bool is_known = false;
    for (const auto& member : triad_) {
      const bool is_heard = healed_phase_ || (plan_.core_mask >> member->id().value & 1U) != 0;
      if (member->node() == nullptr || !member->node()->is_running() || !is_heard) {
        continue;
      }
      is_known = is_known || member->node()->roster().state(NodeId{server}) == state;
      told = member.get();
    }
    if (told != nullptr && !is_known) {
      told->member().input(ChangeRoster{NodeId{server}, state});
      ordered_.push_back({engine_.now(), server, state});
    }
  }
  schedule(engine_.now() + kOperatorLooksEach, Happening::kOperatorLooks);
}

// ---- healing

bool Trial::touches(const PlannedFault& fault, std::uint32_t node) const {
  if (is_partition(fault.kind)) {
    return true;  // the smaller side is not known to be the broken one
  }
  return fault.node == node || (is_link_fault(fault.kind) && fault.other == node);
}

/// Ends what is wrong with any of these nodes, and has them run.
void Trial::end_all(std::uint32_t nodes) {
  for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
    const PlannedFault& fault = plan_.faults[i];
    bool ends = false;
    for (std::uint32_t node = 0; node < plan_.node_count(); ++node) {
      ends = ends || ((nodes >> node & 1U) != 0 && touches(fault, node));
    }
    if (ends && fault_active_[i]) {
      on_fault(i, false);
    }
  }
  for (std::uint32_t node = 0; node < plan_.node_count(); ++node) {
    if ((nodes >> node & 1U) != 0) {
      member_of(node).thaw();
      if (stopping_[node]) {
        crash(node, false);  // it was told to stop, and has taken its time
      }
      revive(node);
    }
  }
}

void Trial::begin_core_phase() {
  core_from_ = engine_.now();
  for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
    for (std::uint32_t node = 0; node < plan_.node_count(); ++node) {
      const bool in_core = (plan_.core_mask >> node & 1U) != 0;
      if (fault_active_[i] && !in_core && touches(plan_.faults[i], node)) {
        broken_for_good_[node] = true;
      }
    }
  }
  was_cut_off_ = broken_for_good_;
  end_all(plan_.core_mask);
  core_phase_ = true;
  refresh_network();
  schedule(engine_.now() + kOperatorLooksEach, Happening::kOperatorLooks);
}

void Trial::begin_healed_phase() {
  sample_lists(true);
  healed_from_ = engine_.now();
  healed_phase_ = true;
  std::fill(broken_for_good_.begin(), broken_for_good_.end(), false);
  end_all(~0U);
  refresh_network();
  schedule(engine_.now() + 1s, Happening::kLook);
}

}  // namespace copal::sim::fuzz
