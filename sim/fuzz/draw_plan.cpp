#include "sim/fuzz/draw_plan.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/prng.h"
#include "sim/fuzz/fault_names.h"

namespace copal::sim::fuzz {

using Kind = PlannedFault::Kind;
using Op = PlannedOp::Kind;

namespace {

constexpr std::array<std::pair<std::string_view, std::pair<Kind, Kind>>, 5> kFaultGroups = {{
    {"process", {Kind::kCrash, Kind::kSlowNode}},
    {"link", {Kind::kPartition, Kind::kFlipBit}},
    {"clock", {Kind::kClockStep, Kind::kClockFreeze}},
    {"disk", {Kind::kDiskSlow, Kind::kDiskTears}},
    {"order", {Kind::kDisable, Kind::kDrain}},
}};

/// Numbers from one stream, in the forms that a plan needs.
class Draw {
 public:
  Draw(std::uint64_t seed, std::string_view purpose) : random_(seed, purpose) {}

  std::uint32_t below(std::uint32_t count) { return draw_below(random_, count); }
  /// Both ends are possible.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low +
           static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(high - low + 1));
  }
  Duration between(Duration low, Duration high) {
    return Duration{between(low.count(), high.count())};
  }
  /// Small ones as likely as large ones: evenly over the powers of two.
  Duration spread(Duration low, Duration high) {
    Duration most = low;
    const std::uint32_t doublings = 1 + static_cast<std::uint32_t>(between(0, 31));
    for (std::uint32_t i = 0; i < doublings % 16 && most < high; ++i) {
      most *= 2;
    }
    return between(low, std::clamp(most, low, high));
  }
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  template <class Item, std::size_t kCount>
  Item one_of(const std::array<Item, kCount>& items) {
    return items[below(kCount)];
  }

 private:
  Prng random_;
};

// ---- shape

PlannedCache draw_cache(Draw& draw) {
  PlannedCache cache;
  cache.consistency = draw.chance(50) ? Consistency::kAvailable : Consistency::kReplicated;
  cache.sync = draw.one_of(std::array{Sync::kInterval, Sync::kInterval, Sync::kInterval,
                                      Sync::kAlways, Sync::kAlways, Sync::kBySystem});
  cache.local_read_timeout = draw.one_of(std::array<Duration, 6>{0ms, 0ms, 10ms, 10ms, 200ms, 1s});
  cache.refuse_degraded = draw.chance(10);
  if (draw.chance(25)) {
    cache.expire_timeout = draw.between(2s, 12s);
  }
  if (draw.chance(20)) {
    cache.idle_timeout_ms = static_cast<std::uint32_t>(
        draw.chance(50) ? draw.between(2'000, 8'000) : draw.between(15'000, 60'000));
  }
  return cache;
}

void draw_shape(std::uint64_t seed, Plan& plan) {
  Draw draw(seed, "plan shape");
  plan.seed = seed;
  const std::uint32_t triad = draw.below(100);
  plan.slots = triad < 80   ? 0b111
               : triad < 92 ? 0b111 ^ (1U << draw.below(3))
                            : 1U << draw.below(3);
  plan.servers = 2 + draw.below(3);
  plan.balancers = 1 + draw.below(2);
  for (std::uint32_t i = 0, count = 2 + draw.below(3); i < count; ++i) {
    plan.caches.push_back(draw_cache(draw));
  }
  plan.caches[0].expire_timeout = 0ns;  // one at least in which nothing ends by itself
  plan.caches[0].idle_timeout_ms = 0;
  plan.keys = 4 + draw.below(9);
  plan.latency = draw.spread(50us, 20ms);
  plan.compare_interval = draw.between(3s, 15s);
  if (draw.chance(12)) {
    plan.tombstone_lifetime = draw.between(15s, 40s);
  }
  if (draw.chance(15)) {
    plan.caches.back().evict = true;
    plan.values_max_bytes = static_cast<std::uint64_t>(draw.between(50'000, 300'000));
  }
  if (draw.chance(30)) {
    plan.memory_max_bytes = static_cast<std::uint64_t>(draw.between(1, 20'000));
  }
  if (draw.chance(20)) {
    plan.kept_max_bytes = static_cast<std::uint64_t>(draw.between(2'000, 50'000));
  }
  if (draw.chance(20)) {
    plan.replication_log_max = static_cast<std::uint32_t>(draw.between(4, 60));
  }
  plan.start_alone_timeout = draw.between(6s, 15s);
  plan.core_for = plan.start_alone_timeout + 30s;
  do {
    plan.core_mask = draw.below(1U << (3 + plan.servers));
  } while ((plan.core_mask & plan.slots) == 0 || plan.core_mask >> 3U == 0);
  plan.core_mask &= plan.slots | ~7U;
  for (std::uint32_t i = 0; i < plan.balancers; ++i) {
    plan.core_mask |= 1U << (3 + plan.servers + i);
  }
  // In the other half it is longer than the run, and what was kept is never too old.
  if (draw.chance(50)) {
    plan.kept_write_lifetime = draw.between(0s, 10s);
  }
  plan.kept_write_lifetime = std::min(plan.kept_write_lifetime, plan.tombstone_lifetime);
}

// ---- operations

std::uint32_t draw_value_size(Draw& draw) {
  const std::uint32_t kind = draw.below(100);
  if (kind < 40) {
    return 8 + draw.below(25);
  }
  if (kind < 75) {
    return 33 + draw.below(2'000);
  }
  return kind < 96 ? 4'097 + draw.below(16'000) : 50'000 + draw.below(200'000);
}

/// Of a key that holds numbers, and of any other.
Op draw_op(Draw& draw, bool number) {
  constexpr std::array kNumberOps = {Op::kGet,       Op::kGet,       Op::kGet,
                                     Op::kIncrement, Op::kIncrement, Op::kIncrement,
                                     Op::kPut,       Op::kRemove,    Op::kCompareAndSet};
  constexpr std::array kOps = {
      Op::kGet,           Op::kGet,          Op::kGet,       Op::kGet,
      Op::kGet,           Op::kGet,          Op::kPut,       Op::kPut,
      Op::kPut,           Op::kPut,          Op::kRemove,    Op::kRemove,
      Op::kPutIfAbsent,   Op::kPutIfAbsent,  Op::kReplace,   Op::kCompareAndSet,
      Op::kCompareAndSet, Op::kReplaceValue, Op::kGetAndPut, Op::kGetAndRemove,
      Op::kAppend,        Op::kTouch,        Op::kContains,  Op::kIncrement};
  return number ? draw.one_of(kNumberOps) : draw.one_of(kOps);
}

/// At any time, or just before a fault or after it: there is most to go wrong.
Duration draw_op_time(Draw& draw, const Plan& plan, bool near_faults, Duration first,
                      Duration last) {
  if (!near_faults || plan.faults.empty() || draw.chance(60)) {
    return draw.between(first, last);
  }
  const PlannedFault& fault =
      plan.faults[draw.below(static_cast<std::uint32_t>(plan.faults.size()))];
  return std::max(first, fault.at + draw.between(-3s, 5s));
}

/// Often just after a node has come back, or gone on: it knows little then, and is asked all the
/// same.
Duration draw_request_time(Draw& draw, const Plan& plan, Duration otherwise) {
  if (plan.faults.empty() || draw.chance(40)) {
    return otherwise;
  }
  const PlannedFault& fault =
      plan.faults[draw.below(static_cast<std::uint32_t>(plan.faults.size()))];
  return fault.kind <= Kind::kSlowNode && plan.is_member(fault.node)
             ? fault.at + fault.lasting + draw.between(0ms, 600ms)
             : otherwise;
}

void draw_ops(std::uint64_t seed, Plan& plan) {
  Draw draw(seed, "plan operations");
  const std::uint32_t count = 520 + draw.below(500);
  const std::uint32_t clients = 3 + draw.below(10);
  const bool bursts = draw.chance(50);
  const bool clears = draw.chance(40);
  const bool near_faults = draw.chance(50);
  const bool is_hot = draw.chance(40);  // one key has half of all operations
  const std::uint32_t hot_cache = draw.below(static_cast<std::uint32_t>(plan.caches.size()));
  const Duration first = 2s;
  const Duration last = plan.faults_for + plan.core_for - 4s;
  Duration at = first;
  for (std::uint32_t i = 0; i < count; ++i) {
    at = bursts && draw.chance(80) ? at + draw.between(0us, 2ms)
                                   : draw_op_time(draw, plan, near_faults, first, last);
    PlannedOp op;
    op.at = std::min(at, last);
    op.client = draw.below(clients);
    op.server = draw.chance(75) ? op.client % plan.servers : draw.below(plan.servers);
    op.cache = 1 + draw.below(static_cast<std::uint32_t>(plan.caches.size()));
    op.key = draw.below(plan.keys);
    if (is_hot && draw.chance(50)) {
      op.cache = 1 + hot_cache;
      op.key = 1;
    }
    const bool number = op.key % 4 == 0;
    op.kind = draw_op(draw, number);
    op.value = draw.chance(85) ? 1'000 + i : draw.below(8);
    op.value_size_bytes = number ? 0 : draw_value_size(draw);
    if (!number && op.value < 8) {
      op.value_size_bytes = 5'000;  // the same bytes again and again
    }
    op.timeout = draw.between(1s, 10s);
    const std::uint32_t rare = draw.below(1'000);
    if (rare < 60) {
      op.kind = Op::kRequest;
      op.server = draw.below(plan.balancers);
      op.at = std::min(draw_request_time(draw, plan, op.at), last);
    } else if (rare < 66 && clears) {
      op.kind = Op::kClear;
      op.timeout = 10s;
    } else if (rare < 72) {
      op.kind = Op::kList;
    }
    plan.ops.push_back(op);
  }
  std::ranges::stable_sort(plan.ops, {}, &PlannedOp::at);
}

// ---- faults

/// How much, by kind; see PlannedFault.
std::int64_t draw_amount(Draw& draw, Kind kind) {
  switch (kind) {
    case Kind::kRebootLoop:
      return draw.between(2, 6);
    case Kind::kSlowNode:
      return draw.between(100, 20'000);
    case Kind::kFlap:
      return draw.between(50, 4'000);
    case Kind::kLoss:
      return draw.between(10, 400);
    case Kind::kDelay:
      return draw.spread(1us, 1s).count() / 1'000;
    case Kind::kDuplicate:
    case Kind::kReorder:
      return draw.between(10, 500);
    case Kind::kReset:
      return draw.between(100, 5'000);
    case Kind::kFlipBit:
      return draw.between(1, 60);
    case Kind::kClockStep:
      return draw.one_of(
          std::array<std::int64_t, 6>{-3'600'000, -600'000, -5'000, 5'000, 600'000, 3'600'000});
    case Kind::kClockDrift:
      return draw.between(-9'000, 9'000);
    case Kind::kDiskSlow:
      return draw.between(2, 200);
    case Kind::kDiskReadErrors:
    case Kind::kDiskFlips:
    case Kind::kDiskMisdirects:
      return draw.between(5, 300);
    case Kind::kDiskWriteErrors:
      return draw.between(1, 40);
    case Kind::kDiskLies:
      return draw.between(100, 1'000);
    default:
      return 0;
  }
}

std::uint32_t draw_member(Draw& draw, const Plan& plan) {
  std::uint32_t slot = draw.below(3);
  while ((plan.slots >> slot & 1U) == 0) {
    slot = (slot + 1) % 3;
  }
  return slot;
}

std::uint32_t draw_node(Draw& draw, const Plan& plan) {
  const std::uint32_t kind = draw.below(100);
  if (kind < 65) {
    return draw_member(draw, plan);
  }
  return kind < 93 ? 3 + draw.below(plan.servers) : 3 + plan.servers + draw.below(plan.balancers);
}

PlannedFault draw_fault(Draw& draw, const Plan& plan, Kind kind) {
  PlannedFault fault;
  fault.kind = kind;
  fault.at = draw.between(3s, plan.faults_for - 2s);
  fault.lasting = draw.spread(100ms, 25s);
  fault.node = draw_node(draw, plan);
  fault.amount = draw_amount(draw, kind);
  const bool is_disk = kind >= Kind::kDiskSlow && kind <= Kind::kDiskTears;
  if (is_disk) {
    fault.node = draw_member(draw, plan);
  } else if (kind == Kind::kDisable || kind == Kind::kDrain) {
    fault.node = 3 + draw.below(plan.servers);
    fault.lasting = std::max<Duration>(fault.lasting, 4s);
  } else if (kind == Kind::kPartition) {
    fault.mask = 1 + draw.below((1U << plan.node_count()) - 2);
    // Mostly of members alone: of three groups of nodes little is left that could go wrong. And for
    // long enough that both sides act.
    if (draw.chance(50)) {
      fault.mask = 1U << draw.below(3) | (draw.below(1U << plan.servers) << 3U);
      fault.lasting = std::max(fault.lasting, draw.between(5s, 20s));
    }
  } else if (kind == Kind::kOneWay || draw.chance(50)) {
    fault.other = draw_node(draw, plan);
    if (fault.other == fault.node) {
      fault.other = PlannedFault::kAnyNode;
    }
  }
  return fault;
}

/// What dies or stops has often been ill before: a link of it, its network to the other members,
/// its disk. Then what it did last is known to some and not to others.
PlannedFault draw_illness(Draw& draw, const Plan& plan, const PlannedFault& death) {
  constexpr std::array kKinds = {Kind::kDelay, Kind::kOneWay,    Kind::kOneWay,
                                 Kind::kLoss,  Kind::kPartition, Kind::kDiskStall};
  PlannedFault illness{.kind = draw.one_of(kKinds), .node = death.node};
  illness.at = std::max<Duration>(death.at - draw.between(100ms, 8s), 0ns);
  illness.lasting = death.at + draw.between(100ms, 2s) - illness.at;
  if (illness.kind == Kind::kPartition) {  // clients still reach it
    illness.mask = ~7U & ((1U << plan.node_count()) - 1);
    illness.mask |= 1U << death.node;
  } else if (illness.kind == Kind::kDelay) {
    illness.amount = draw.between(100'000, 2'000'000);
  } else {
    illness.amount = draw_amount(draw, illness.kind);
  }
  illness.other = (death.node + 1 + draw.below(2)) % 3;
  if ((plan.slots >> illness.other & 1U) == 0) {
    illness.other = PlannedFault::kAnyNode;
  } else if (illness.kind == Kind::kOneWay && draw.chance(50)) {
    std::swap(illness.node, illness.other);
  }
  return illness;
}

void draw_faults(std::uint64_t seed, const Focus& focus, Plan& plan) {
  Draw draw(seed, "plan faults");
  std::vector<Kind> on;
  for (const auto& [name, range] : kFaultGroups) {
    const bool group_on = draw.chance(50) || !focus.kinds.empty();
    for (auto i = static_cast<int>(range.first); i <= static_cast<int>(range.second); ++i) {
      const Kind kind = static_cast<Kind>(i);
      const bool wanted = focus.kinds.empty() || std::ranges::count(focus.kinds, kind) > 0;
      if (draw.chance(50) && group_on && wanted) {
        on.push_back(kind);
      }
    }
  }
  if (on.empty() && !focus.kinds.empty()) {
    on.push_back(focus.kinds[draw.below(static_cast<std::uint32_t>(focus.kinds.size()))]);
  }
  if (on.empty() || focus.none) {
    return;
  }
  const std::uint32_t count = 5 + draw.below(draw.chance(30) ? 20 : 6);
  for (std::uint32_t i = 0; i < count; ++i) {
    plan.faults.push_back(
        draw_fault(draw, plan, on[draw.below(static_cast<std::uint32_t>(on.size()))]));
    const PlannedFault& fault = plan.faults.back();
    const bool dies = fault.kind == Kind::kCrash || fault.kind == Kind::kPowerOff ||
                      fault.kind == Kind::kLoseDisk || fault.kind == Kind::kPlannedStop;
    if (dies && plan.is_member(fault.node) && focus.kinds.empty() && draw.chance(40)) {
      plan.faults.push_back(draw_illness(draw, plan, fault));
    }
  }
  std::ranges::stable_sort(plan.faults, {}, &PlannedFault::at);
}

}  // namespace

bool add_focus(std::string_view word, Focus& focus) {
  if (word == "none") {
    focus.none = true;
    return true;
  }
  for (const auto& [name, range] : kFaultGroups) {
    if (name == word) {
      for (auto i = static_cast<int>(range.first); i <= static_cast<int>(range.second); ++i) {
        focus.kinds.push_back(static_cast<Kind>(i));
      }
      return true;
    }
  }
  for (std::size_t i = 0; i < fault_names().size(); ++i) {
    if (fault_names()[i] == word) {
      focus.kinds.push_back(static_cast<Kind>(i));
      return true;
    }
  }
  return false;
}

std::vector<std::string> focus_words() {
  std::vector<std::string> words = {"none"};
  for (const auto& [name, range] : kFaultGroups) {
    words.emplace_back(name);
  }
  words.insert(words.end(), fault_names().begin(), fault_names().end());
  return words;
}

Plan draw_plan(std::uint64_t seed, const Focus& focus) {
  Plan plan;
  draw_shape(seed, plan);
  draw_faults(seed, focus, plan);
  draw_ops(seed, plan);
  return plan;
}

}  // namespace copal::sim::fuzz
