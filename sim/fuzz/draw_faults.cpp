// What goes wrong, when and how much; and the names by which a campaign asks for some of it.

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "sim/fuzz/draw.h"
#include "sim/fuzz/fault_names.h"

namespace copal::sim::fuzz {

using Kind = PlannedFault::Kind;

namespace {

constexpr std::array<std::pair<std::string_view, std::pair<Kind, Kind>>, 6> kFaultGroups = {{
    {"process", {Kind::kCrash, Kind::kSlowNode}},
    {"link", {Kind::kPartition, Kind::kFlipBit}},
    {"clock", {Kind::kClockStep, Kind::kClockFreeze}},
    {"disk", {Kind::kDiskSlow, Kind::kDiskTears}},
    {"order", {Kind::kDisable, Kind::kDrain}},
    {"load", {Kind::kFalseLoad, Kind::kFalseLoad}},
}};

/// How much, by kind; see PlannedFault.
std::int64_t draw_amount(Draw& draw, Kind kind) {
  switch (kind) {
    case Kind::kRebootLoop:
      return draw.between(2, 6);
    case Kind::kSlowNode:
    case Kind::kSlowStart:
      return draw.between(100, 20'000);
    case Kind::kSlowLink:
      return draw.one_of(std::array<std::int64_t, 6>{5, 20, 50, 100, 500, 2'000});
    case Kind::kClockOffset:
      return draw.between(-3'600'000, 3'600'000);
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

std::uint32_t draw_server(Draw& draw, const Plan& plan) {
  return 3 + draw.below(plan.servers);
}

/// Mostly of members alone: of three groups of nodes little is left that could go wrong. And for
/// long enough that both sides act.
void draw_sides(Draw& draw, const Plan& plan, PlannedFault& fault) {
  const bool mostly_members = draw.chance(50);
  const std::uint32_t some_servers = draw.below(1U << plan.servers) << 3U;
  const std::uint32_t all = ((1U << plan.node_count()) - 1) & (plan.slots | ~7U);
  if (fault.kind == Kind::kBridge) {
    fault.node = draw_member(draw, plan);
  }
  if (!mostly_members) {
    fault.mask = fault.kind == Kind::kRing ? all : 1 + draw.below((1U << plan.node_count()) - 2);
    return;
  }
  fault.lasting = std::max(fault.lasting, draw.between(5s, 20s));
  if (fault.kind == Kind::kRing) {
    fault.mask = plan.slots | some_servers | 1U << draw_server(draw, plan);
  } else if (fault.kind == Kind::kBridge) {  // the other two members on either side of it
    fault.mask = 1U << (fault.node + 1) % 3 | some_servers;
  } else {
    fault.mask = 1U << draw.below(3) | some_servers;
  }
}

/// Outside of the core, and no balancer; nothing if all belong to it.
std::optional<std::uint32_t> draw_dispensable(Draw& draw, const Plan& plan) {
  std::vector<std::uint32_t> nodes;
  for (std::uint32_t node = 0; node < 3 + plan.servers; ++node) {
    const bool is_there = !plan.is_member(node) || (plan.slots >> node & 1U) != 0;
    if (is_there && (plan.core_mask >> node & 1U) == 0) {
      nodes.push_back(node);
    }
  }
  return nodes.empty() ? std::nullopt
                       : std::optional(nodes[draw.below(static_cast<std::uint32_t>(nodes.size()))]);
}

/// Whom a fault befalls, and for how long where its kind demands it.
void draw_place(Draw& draw, const Plan& plan, PlannedFault& fault) {
  const Kind kind = fault.kind;
  if (kind >= Kind::kDiskSlow && kind <= Kind::kDiskTears) {
    fault.node = draw_member(draw, plan);
  } else if (kind == Kind::kDisable || kind == Kind::kDrain || kind == Kind::kFalseLoad) {
    fault.node = draw_server(draw, plan);
    fault.lasting = std::max<Duration>(fault.lasting, 4s);
  } else if (is_partition(kind)) {
    draw_sides(draw, plan, fault);
  } else if (kind == Kind::kClockOffset) {
    fault.at = 0ns;
    fault.lasting = plan.whole();
  } else if (kind == Kind::kSlowStart) {
    fault.node = draw.chance(65) ? draw_member(draw, plan) : draw_server(draw, plan);
    fault.lasting = std::max<Duration>(fault.lasting, 4s);
  } else if (kind == Kind::kCrashForGood) {
    const auto node = draw_dispensable(draw, plan);
    fault.kind = node ? kind : Kind::kCrash;
    fault.node = node.value_or(fault.node);
    fault.lasting = node ? plan.whole() - fault.at : fault.lasting;
  } else if (kind == Kind::kOneWay || draw.chance(50)) {
    fault.other = draw_node(draw, plan);
    if (fault.other == fault.node) {
      fault.other = PlannedFault::kAnyNode;
    }
  }
}

PlannedFault draw_fault(Draw& draw, const Plan& plan, Kind kind) {
  PlannedFault fault;
  fault.kind = kind;
  fault.at = draw.between(3s, plan.faults_for - 2s);
  fault.lasting = draw.spread(100ms, 25s);
  fault.node = draw_node(draw, plan);
  fault.amount = draw_amount(draw, kind);
  draw_place(draw, plan, fault);
  return fault;
}

/// A start within the time in which its node's starts are slow.
PlannedFault draw_restart(Draw& draw, const PlannedFault& slow_start) {
  return {.kind = draw.chance(70) ? Kind::kCrash : Kind::kPowerOff,
          .at = slow_start.at + draw.between(0s, slow_start.lasting / 2),
          .lasting = draw.between(50ms, 2s),
          .node = slow_start.node};
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

}  // namespace

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
  const std::uint32_t count = 6 + draw.below(draw.chance(30) ? 26 : 8);
  for (std::uint32_t i = 0; i < count; ++i) {
    const PlannedFault fault =
        draw_fault(draw, plan, on[draw.below(static_cast<std::uint32_t>(on.size()))]);
    plan.faults.push_back(fault);
    const bool dies = fault.kind == Kind::kCrash || fault.kind == Kind::kCrashForGood ||
                      fault.kind == Kind::kPowerOff || fault.kind == Kind::kLoseDisk ||
                      fault.kind == Kind::kPlannedStop;
    if (dies && plan.is_member(fault.node) && focus.kinds.empty() && draw.chance(40)) {
      plan.faults.push_back(draw_illness(draw, plan, fault));
    }
    if (fault.kind == Kind::kSlowStart) {
      plan.faults.push_back(draw_restart(draw, fault));
    }
  }
  std::ranges::stable_sort(plan.faults, {}, &PlannedFault::at);
}

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

}  // namespace copal::sim::fuzz
