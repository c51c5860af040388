#include "scenarios/scenario.h"

namespace copal::scenario {

std::vector<std::string> host_names(const HostGroup& group) {
  if (!group.numbered && group.count == 1) {
    return {group.name};
  }
  std::vector<std::string> names;
  for (std::uint32_t i = 1; i <= group.count; ++i) {
    names.push_back(group.name + "-" + std::to_string(i));
  }
  return names;
}

HostGroup triad_group(const Scenario& scenario) {
  const Triad& triad = scenario.app.triad;
  for (const HostGroup& group : scenario.cloud.hosts) {
    if (group.name == triad.hosts) {
      return group;
    }
  }
  return {.name = "triad", .count = triad.members, .numbered = true};
}

}  // namespace copal::scenario
