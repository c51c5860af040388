// A version is one state of an m-node, wherever and whenever it is seen (R6); and while a member's
// process runs, what it holds of a key does not go back, but for what was forgotten altogether.

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
      const std::vector<HeldState>& held = key.held[member];
      for (std::size_t i = 1; i < held.size(); ++i) {
        const bool runs_on = held[i - 1].running && held[i].running;
        if (runs_on && held[i].version != kNoVersion && held[i].version < held[i - 1].version) {
          findings.violated(key.text + " at member " + std::to_string(member) + " went back from " +
                            describe(held[i - 1].version) + " to " + describe(held[i].version) +
                            " at " + seconds(held[i].since));
        }
      }
    }
  }
}

}  // namespace copal::sim
