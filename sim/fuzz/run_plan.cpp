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

namespace {

/// All fields but the violations, once for both ways.
void fields(auto& report, auto&& visit) {
  visit("seed", report.seed);
  visit("hash", report.hash);
  visit("judged", report.judged);
  visit("marks", report.marks);
  visit("faults", report.faults);
  visit("operations", report.operations);
  visit("failovers", report.failovers);
  visit("two_acted", report.two_acted);
  visit("catch_ups", report.catch_ups);
  visit("events", report.events);
  visit("simulated_s", report.simulated_s);
  visit("recovery_s", report.recovery_s);
}

}  // namespace

std::string to_json(const RunReport& report) {
  Json json;
  fields(report, [&json](const char* name, const auto& value) { json[name] = value; });
  json["violations"] = Json::array();
  for (const Violation& violation : report.violations) {
    json["violations"].push_back({violation.checker, violation.message});
  }
  return json.dump();
}

RunReport report_from_json(const std::string& text) {
  const Json json = Json::parse(text);
  RunReport report;
  fields(report, [&json](const char* name, auto& value) { json.at(name).get_to(value); });
  for (const Json& violation : json.at("violations")) {
    report.violations.push_back({violation.at(0), violation.at(1)});
  }
  return report;
}

}  // namespace copal::sim::fuzz
