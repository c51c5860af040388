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

}  // namespace copal::scenario
