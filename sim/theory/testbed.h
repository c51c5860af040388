#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "sim/world.h"

// The testbed in which replica-selection rules were compared: 100 clients, 100 replicas, requests
// given up on after 5 s, and neighbours on the replicas' machines that steal CPU from them.
// Source: Wydrowski, Kleinberg, Rumble, Archer, "Load is not what you should balance: introducing
// Prequal", NSDI 2024, section 5. What is not known of it is chosen here, and said so:
//   machines  half of them are of an older kind and need slow_ratio times the CPU for the same work
//   replica   allocated 16 cores of its machine, and may use 32 while its neighbours leave them; a
//             request keeps one busy for 80 ms on average on a machine of the newer kind, normally
//             distributed with a deviation equal to the mean, negative ones drawn again
//   neighbours (antagonists)   crowd the machine for kCrowdedShare of the time, 20 s on average
//             each time; the replica then gets 0.9 of its allocation, as guarantees are kept a
//             little late and caches are shared. With the simulator's sharing all its requests
//             slow down alike; that the neighbours take cores and leave the others as fast as
//             they were is not modelled
//   load      of the allocations of all replicas together, in work done, not in requests
//   report    every replica to every client each 500 ms; a probe or an answer travels 100 us
// slow_ratio is the one parameter that is fitted, to the published round-robin row.

namespace copal::sim::theory {

enum class Rule : std::uint8_t {
  kRoundRobin,
  kWeighted,     // weights_by_use.h
  kLeastLoaded,  // least connections; each client knows its own requests only
  kTwoChoices,   // polled, probe_rules.h
  kCubic,        // C3, probe_rules.h
  kPrequal,
};
inline constexpr std::array kRules = {Rule::kRoundRobin, Rule::kWeighted, Rule::kLeastLoaded,
                                      Rule::kTwoChoices, Rule::kCubic,    Rule::kPrequal};
std::string_view rule_name(Rule rule);

struct Testbed {
  double load = 0.7;
  double slow_ratio = 1;  // 1 or more
  Duration warm_up = 25s;
  Duration measured = 75s;
  std::uint64_t seed = 1;
};

/// A time that was not answered within, as the tables print TO: larger than every other.
inline constexpr double kTimeOutMs = 5000;

struct RuleFigures {
  std::uint64_t requests = 0;
  double ms_p90 = 0;  // of all requests, given-up ones being the slowest; at most kTimeOutMs
  double ms_p99 = 0;
  double error_ratio = 0;
};

/// Arrivals, work and antagonists depend on the seed alone: all rules meet the same.
RuleFigures run_rule(Rule rule, const Testbed& testbed);

}  // namespace copal::sim::theory
