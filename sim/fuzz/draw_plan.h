#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/fuzz/plan.h"

namespace copal::sim::fuzz {

/// What a campaign draws more of, or only: families of faults by name (fault_names.h), or a group
/// of them: process, link, clock, disk, order, load; "none": no faults. Empty: all, each off in
/// half of the seeds.
struct Focus {
  std::vector<PlannedFault::Kind> kinds;
  bool none = false;
};
/// Returns false if a word is no family and no group.
bool add_focus(std::string_view word, Focus& focus);
/// All words that add_focus() knows.
std::vector<std::string> focus_words();

/// The plan of a seed. Source: Groce et al., "Swarm testing", ISSTA 2012: features left out in turn
/// find more than all of them at once; simulation-facts 1.3.
Plan draw_plan(std::uint64_t seed, const Focus& focus = {});

}  // namespace copal::sim::fuzz
