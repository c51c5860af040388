// What clients ask for, and when.

#include <algorithm>
#include <array>

#include "sim/fuzz/draw.h"

namespace copal::sim::fuzz {

using Kind = PlannedFault::Kind;
using Op = PlannedOp::Kind;

namespace {

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
      Op::kGet,           Op::kGet,           Op::kGet,        Op::kGet,
      Op::kGet,           Op::kGet,           Op::kPut,        Op::kPut,
      Op::kPut,           Op::kPut,           Op::kRemove,     Op::kRemove,
      Op::kPutIfAbsent,   Op::kPutIfAbsent,   Op::kReplace,    Op::kCompareAndSet,
      Op::kCompareAndSet, Op::kReplaceValue,  Op::kGetAndPut,  Op::kGetAndRemove,
      Op::kAppend,        Op::kPrepend,       Op::kTouch,      Op::kContains,
      Op::kIncrement,     Op::kGetAndReplace, Op::kRemoveValue};
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

/// Flags in a half of the runs, expire timeouts of their own for a quarter of the keys in another.
/// Where an entry may end by itself, less can be judged: the other keys have none. And which
/// requests belong to a session.
void draw_attributes(std::uint64_t seed, Plan& plan) {
  Draw draw(seed, "plan attributes");
  const bool flags = draw.chance(50);
  const bool timeouts = draw.chance(50);
  for (PlannedOp& op : plan.ops) {
    op.sticks = op.kind == Op::kRequest && draw.chance(40);
    const bool is_change = op.kind != Op::kGet && op.kind != Op::kContains && op.kind < Op::kClear;
    if (flags && is_change && draw.chance(50)) {
      op.user_flags = draw.below(3) + (draw.chance(50) ? 0xffff'fff0 : 0);
    }
    if (timeouts && is_change && op.key % 4 == 3 && draw.chance(40)) {
      op.expire_timeout = draw.between(2s, 12s);
    }
  }
}

/// More of the same call, of the keys behind its own: reads, or puts and removals.
void draw_bulk(Draw& draw, std::uint32_t number, Plan& plan) {
  plan.ops.back().bulk = number;
  const PlannedOp first = plan.ops.back();
  for (std::uint32_t i = 1, count = 2 + draw.below(4); i < count; ++i) {
    PlannedOp more = first;
    more.key = (first.key + i) % plan.keys;
    if (!only_reads(first.kind)) {
      more.kind = draw.chance(70) ? Op::kPut : Op::kRemove;
      more.value = 100'000 + 10 * number + i;
      more.value_size_bytes = more.key % 4 == 0 ? 0 : draw_value_size(draw);
    }
    plan.ops.push_back(more);
  }
}

}  // namespace

void draw_operations(std::uint64_t seed, Plan& plan) {
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
    } else if (rare < 78) {
      op.kind = Op::kForbidden;
      op.server = draw.below(plan.balancers);
    }
    plan.ops.push_back(op);
    const bool may_be_bulk = op.kind == Op::kGet || op.kind == Op::kPut || op.kind == Op::kRemove;
    if (may_be_bulk && draw.chance(8)) {
      draw_bulk(draw, i + 1, plan);
    }
  }
  std::ranges::stable_sort(plan.ops, {}, &PlannedOp::at);
  draw_attributes(seed, plan);
}

}  // namespace copal::sim::fuzz
