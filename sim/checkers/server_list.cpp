// The list of servers comes to be what is true (R9): at the end, when all is healed, every balancer
// calls every server able to serve; and just before the healing, balancers of the core call absent
// those of whom no process has been there for long, and able those of the core. A server that
// crashed for good is absent in both. At any time a balancer calls able a server that some member
// hears, if it hears the member. And no member takes an older order of an operator for a newer one.

#include "sim/checkers/checkers.h"

namespace copal::sim {

void check_server_list(fuzz::Trial& world, Findings& findings) {
  for (const std::string& where : world.history().orders_gone_back) {
    findings.violated("an order " + where + " was followed by an older one");
  }
  for (const auto& sample : world.list_samples()) {
    findings.judged();
    const bool right =
        sample.alive ? sample.listed == ServerPhase::kReady : sample.listed == ServerPhase::kAbsent;
    if (!right) {
      findings.violated("balancer " + std::to_string(sample.balancer) + " has server " +
                        std::to_string(sample.server) + " as phase " +
                        std::to_string(static_cast<int>(sample.listed)) + " at " +
                        seconds(sample.at) + "; it is " + (sample.alive ? "there" : "not there"));
    }
  }
}

}  // namespace copal::sim
