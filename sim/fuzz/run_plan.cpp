#include "sim/fuzz/run_plan.h"

#include <nlohmann/json.hpp>

#include "sim/fuzz/trial.h"

namespace copal::sim::fuzz {

using Json = nlohmann::json;

RunReport run_plan(const Plan& plan, std::span<const std::string> without) {
  Trial world(plan);
  world.run();
  const Findings findings = check_run(world, without);
  RunReport report;
  report.seed = plan.seed;
  report.hash = world.hash();
  report.violations = findings.violations();
  report.judged = findings.judged_counts();
  report.marks = world.counts().marks;
  report.faults = world.counts().faults;
  report.operations = world.history().operations.size() + world.requests().size();
  report.failovers = world.counts().failovers;
  report.two_acted = world.counts().two_acted;
  report.catch_ups = world.counts().catch_ups;
  report.events = world.counts().events;
  report.simulated_s = to_seconds(world.now());
  report.recovery_s =
      world.converged_at() == kNever ? -1 : to_seconds(world.converged_at() - world.healed_from());
  return report;
}

std::string to_json(const RunReport& report) {
  Json violations = Json::array();
  for (const Violation& violation : report.violations) {
    violations.push_back({violation.checker, violation.message});
  }
  return Json{{"seed", report.seed},
              {"hash", report.hash},
              {"violations", violations},
              {"judged", report.judged},
              {"marks", report.marks},
              {"faults", report.faults},
              {"operations", report.operations},
              {"failovers", report.failovers},
              {"two_acted", report.two_acted},
              {"catch_ups", report.catch_ups},
              {"events", report.events},
              {"simulated_s", report.simulated_s},
              {"recovery_s", report.recovery_s}}
      .dump();
}

RunReport report_from_json(const std::string& text) {
  const Json json = Json::parse(text);
  RunReport report;
  for (const Json& violation : json.at("violations")) {
    report.violations.push_back({violation.at(0), violation.at(1)});
  }
  report.seed = json.at("seed");
  report.hash = json.at("hash");
  report.judged = json.at("judged");
  report.marks = json.at("marks");
  report.faults = json.at("faults");
  report.operations = json.at("operations");
  report.failovers = json.at("failovers");
  report.two_acted = json.at("two_acted");
  report.catch_ups = json.at("catch_ups");
  report.events = json.at("events");
  report.simulated_s = json.at("simulated_s");
  report.recovery_s = json.at("recovery_s");
  return report;
}

}  // namespace copal::sim::fuzz
