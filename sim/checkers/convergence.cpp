// Once everything is healed, the members become the same within a bound: each group is acted for by
// the first of its filled slots and by nobody else, all are ready, hold the same of every key, and
// lack no bytes (R1, R4). A member that crashed for good is left out: its slot counts as empty, as
// it is dead to all (R1.1), and what it alone had nobody can have.

#include "sim/checkers/checkers.h"

namespace copal::sim {

void check_convergence(fuzz::Trial& world, Findings& findings) {
  findings.judged();
  const std::string why = world.why_not_converged();
  if (!why.empty()) {
    findings.violated("at the end: " + why);
  } else if (world.converged_at() == kNever) {
    findings.violated("not yet the same at the last look");
  }
}

}  // namespace copal::sim
