#include "sim/commands.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <span>

#include "scenarios/loader.h"
#include "sim/campaign.h"
#include "sim/expectations.h"
#include "sim/progress.h"
#include "sim/report/compare.h"
#include "sim/report/summary.h"
#include "sim/report/table.h"
#include "sim/report/verdict.h"
#include "sim/report/write_results.h"
#include "sim/simgrid_cloud.h"

namespace copal::sim {

namespace {

using scenario::Scenario;

void print(std::FILE* stream, const std::string& text) {
  std::fputs(text.c_str(), stream);
}

/// Returns the scenarios of one file, none if it has mistakes, which are then printed.
std::vector<Scenario> load_or_explain(const std::string& file,
                                      const scenario::LoadOptions& options) {
  scenario::LoadResult loaded = scenario::load(file, options);
  for (const scenario::Problem& problem : loaded.problems) {
    print(stderr, problem.message() + "\n");
  }
  if (!loaded.problems.empty()) {
    loaded.scenarios.clear();
  }
  return std::move(loaded.scenarios);
}

std::string fidelity_text(const Scenario& scenario) {
  const auto flows = std::count_if(
      scenario.cloud.hosts.begin(), scenario.cloud.hosts.end(),
      [](const auto& group) { return group.link.fidelity == scenario::Fidelity::kFlow; });
  if (flows == 0) {
    return "latency";
  }
  return flows == static_cast<std::ptrdiff_t>(scenario.cloud.hosts.size()) ? "flow" : "mixed";
}

ReportContext context_of(const Scenario& scenario, const RunCommand& command) {
  ReportContext context;
  context.copal_version = COPAL_VERSION;
  context.scenario_name = scenario.name;
  context.scenario_title = scenario.title;
  context.scenario_claim = scenario.claim;
  context.scenario_file = scenario.file;
  context.scenario_text = scenario.text;
  context.settings = command.settings;
  context.duration_s = to_seconds(scenario.duration);
  context.warm_up_s = to_seconds(scenario.warm_up);
  context.engine.simgrid_version = SimgridCloud::version();
  for (const std::string& option : SimgridCloud::options()) {
    context.engine.simgrid_options.push_back(option.substr(option.find('=') + 1));
  }
  context.engine.cpu = scenario.cloud.cpu == scenario::Cloud::Cpu::kSimgrid ? "simgrid" : "native";
  context.engine.fidelity = fidelity_text(scenario);
  return context;
}

/// All lines under all seeds. A line's seeds stand together.
std::vector<Job> jobs_of(const std::vector<Scenario>& scenarios, const RunCommand& command) {
  std::vector<Job> jobs;
  for (const Scenario& scenario : scenarios) {
    for (std::size_t i = 0; i < scenario.contenders.size(); ++i) {
      for (std::uint32_t k = 0; k < command.seed_count; ++k) {
        jobs.push_back({&scenario, i, command.first_seed + k});
      }
    }
  }
  return jobs;
}

void print_input(const ReportContext::Input& input) {
  std::printf("trace %s: %llu lines, %llu broken and left out\n", input.file.c_str(),
              static_cast<unsigned long long>(input.lines_read),
              static_cast<unsigned long long>(input.lines_broken));
  for (const auto& broken : input.first_broken) {
    std::printf("  line %llu: %s: %s\n", static_cast<unsigned long long>(broken.line),
                broken.reason.c_str(), broken.text.c_str());
  }
}

void print_expectations(std::span<const ReportContext::Expectation> expectations) {
  for (const auto& expectation : expectations) {
    if (!expectation.ok) {
      std::printf("expected of %s: %s; measured %g\n", expectation.line.c_str(),
                  expectation.text.c_str(), expectation.measured);
    }
  }
  const auto held = std::count_if(expectations.begin(), expectations.end(),
                                  [](const auto& expectation) { return expectation.ok; });
  if (!expectations.empty()) {
    std::printf("%td of %zu expectations hold\n", held, expectations.size());
  }
}

std::vector<JobOutcome> run_with_progress(std::span<const Job> jobs, const RunCommand& command) {
  if (command.quiet) {
    return run_jobs(jobs, command.process_count, nullptr);
  }
  ProgressBar bar(stderr, isatty(STDERR_FILENO) == 1);
  return run_jobs(jobs, command.process_count,
                  [&bar](const CampaignProgress& progress) { bar.show(progress); });
}

/// Gathers what the jobs left. Returns false, having said why, if one left nothing.
bool gather(std::vector<JobOutcome>& outcomes, std::vector<RunResult>& runs,
            ReportContext& context) {
  std::vector<std::string> told;
  for (JobOutcome& outcome : outcomes) {
    if (outcome.input && !context.input) {
      context.input = outcome.input;
    }
    if (outcome.result) {
      runs.push_back(std::move(*outcome.result));
    } else if (std::find(told.begin(), told.end(), outcome.error) == told.end()) {
      told.push_back(outcome.error);  // a bad trace is bad for every line: once is enough
      print(stderr, outcome.error + "\n");
    }
  }
  return told.empty();
}

int run_file(const std::string& file, const RunCommand& command, const std::string& out) {
  const std::vector<Scenario> scenarios =
      load_or_explain(file, {.settings = command.settings, .trace = command.trace});
  if (scenarios.empty()) {
    return kExitBadInput;
  }
  const Scenario& first = scenarios.front();
  const std::vector<Job> jobs = jobs_of(scenarios, command);
  std::vector<JobOutcome> outcomes = run_with_progress(jobs, command);
  ReportContext context = context_of(first, command);
  std::vector<RunResult> runs;
  if (!gather(outcomes, runs, context)) {
    return std::any_of(outcomes.begin(), outcomes.end(),
                       [](const JobOutcome& outcome) { return outcome.bad_input; })
               ? kExitBadInput
               : kExitRunFailed;
  }
  const std::vector<LineSummary> lines = summarize(runs);
  for (const Scenario& scenario : scenarios) {
    const auto checked = check_expectations(scenario, lines);
    context.expectations.insert(context.expectations.end(), checked.begin(), checked.end());
  }
  std::printf("%s\n", first.title.empty() ? first.name.c_str() : first.title.c_str());
  print(stdout, summary_table(lines));
  print(stdout, find_verdict(runs, lines).text() + "\n");
  if (context.input) {
    print_input(*context.input);
  }
  print_expectations(context.expectations);
  if (!out.empty()) {
    if (const auto error = write_results(out, context, runs)) {
      print(stderr, error->text() + "\n");
      return kExitRunFailed;
    }
    std::printf("report: %s/report.html\n", out.c_str());
  }
  std::fflush(stdout);
  const bool all_hold = std::all_of(context.expectations.begin(), context.expectations.end(),
                                    [](const auto& expectation) { return expectation.ok; });
  return all_hold ? kExitGood : kExitExpectationFailed;
}

std::string name_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  const std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
  return name.substr(0, name.rfind('.'));
}

}  // namespace

int run_scenarios(const RunCommand& command) {
  if (command.files.size() <= 1) {
    return run_file(command.files.empty() ? std::string{} : command.files.front(), command,
                    command.out);
  }
  int worst = kExitGood;
  for (const std::string& file : command.files) {
    const std::string out = command.out.empty() ? std::string{} : command.out + "/" + name_of(file);
    worst = std::max(worst, run_file(file, command, out));
  }
  return worst;
}

int validate_scenarios(const std::vector<std::string>& files,
                       const std::vector<std::string>& settings, const std::string& trace) {
  int worst = kExitGood;
  for (const std::string& file : files) {
    const auto scenarios = load_or_explain(
        file, {.settings = settings, .trace = trace, .check_files = !trace.empty()});
    if (scenarios.empty()) {
      worst = kExitBadInput;
      continue;
    }
    std::size_t line_count = 0;
    for (const Scenario& scenario : scenarios) {
      line_count += scenario.contenders.size();
    }
    std::printf("%s: good, %zu lines\n", file.c_str(), line_count);
  }
  return worst;
}

int list_scenarios_in(const std::string& folder) {
  const auto scenarios = scenario::list_scenarios(folder);
  if (scenarios.empty()) {
    print(stderr, folder + ": no scenario (*.yaml) in or below this folder\n");
    return kExitBadInput;
  }
  std::size_t width = 0;
  for (const auto& listed : scenarios) {
    width = std::max(width, listed.path.size());
  }
  for (const auto& listed : scenarios) {
    std::printf("%-*s  %s\n", static_cast<int>(width), listed.path.c_str(), listed.title.c_str());
  }
  return kExitGood;
}

int compare_folders(const std::vector<std::string>& folders, const std::string& base) {
  if (const auto error = compare(folders, {.base = base}, std::cout)) {
    print(stderr, error->text() + "\n");
    return kExitBadInput;
  }
  return kExitGood;
}

}  // namespace copal::sim
