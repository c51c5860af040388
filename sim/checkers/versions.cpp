// A version is one state of an m-node, wherever and whenever it is seen (R6); and while a member's
// process runs, what it holds of a key does not go back, but for what was forgotten altogether:
// what was cleared, or what is below a horizon (R4.2).

#include <algorithm>

#include "sim/checkers/checkers.h"

namespace copal::sim {

void check_versions(fuzz::Trial& world, Findings& findings) {
  for (const std::string& conflict : world.history().conflicts) {
    findings.violated(conflict);
  }
  for (const auto& [name, key] : world.history().keys) {
    findings.judged(key.states.size());
    for (std::uint32_t member = 0; member < kSlots; ++member) {
      const std::string where = key.text + " at member " + std::to_string(member);
      const std::vector<HeldState>& held = key.held[member];
      for (std::size_t i = 1; i < held.size(); ++i) {
        const HeldState& before = held[i - 1];
        const HeldState& now = held[i];
        if (!before.running || !now.running || now.version >= before.version) {
          continue;
        }
        if (now.version != kNoVersion) {
          findings.violated(where + " went back from " + describe(before.version) + " to " +
                            describe(now.version) + " at " + seconds(now.since));
        } else if (!may_be_forgotten(world.history(), name, key, before, now.since)) {
          findings.violated(where + " was forgotten as " + describe(before.version) + " at " +
                            seconds(now.since) + ", neither cleared nor below a horizon");
        }
      }
    }
  }
}

}  // namespace copal::sim
