// copal-sim: compares balancing algorithms in a simulated cloud. Wiring only: the command line
// here, what the commands do in commands.cpp.

#include <CLI/CLI.hpp>
#include <thread>

#include "sim/commands.h"

namespace {

using copal::sim::RunCommand;

constexpr const char* kRunExamples = R"(
Examples:
  copal-sim run
      the quickstart that is part of the program: a flash crowd on 8 servers
  copal-sim run scenarios/balance/server_dies.yaml --seeds 10 --out out/dies
      ten seeds, confidence intervals, and a report to open in a browser
  copal-sim run scenarios/access_log.yaml --trace /var/log/nginx/access.log
      your own site's traffic
  copal-sim run --set cloud.hosts.app.count=12 --set clusters.web.sticky=false
      the quickstart, changed

Exit codes: 0 all well; 1 an expectation of the scenario failed; 2 a mistake in a scenario, a trace
or the command line; 3 a run died or its results could not be written.)";

void add_inputs(CLI::App& command, RunCommand& run) {
  command
      .add_option("--set", run.settings,
                  "change one value of the scenario: KEY.PATH=VALUE; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command.add_option("--trace", run.trace, "recorded traffic for the scenario's workload")
      ->type_name("FILE");
}

void add_run(CLI::App& app, RunCommand& run) {
  CLI::App* command = app.add_subcommand("run", "run scenarios and compare their lines");
  command->add_option("files", run.files, "scenario files; none: the quickstart")
      ->type_name("FILE");
  add_inputs(*command, run);
  command->add_option("--seeds", run.seed_count, "how many seeds each line is run with")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command->add_option("--first-seed", run.first_seed, "the first of them")->capture_default_str();
  run.process_count = std::max(1U, std::thread::hardware_concurrency());
  command->add_option("--jobs", run.process_count, "runs at the same time, each a process")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--out", run.out, "folder for results and report")->type_name("DIR");
  command->add_flag("--quiet", run.quiet, "show no progress");
  command->footer(kRunExamples);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Compares balancing algorithms in a simulated cloud, on synthetic or real traffic."};
  app.set_version_flag("--version", "copal-sim " COPAL_VERSION);
  app.require_subcommand(1);
  app.footer("Start with: copal-sim run --out out/quickstart\nMore: copal-sim COMMAND --help");

  RunCommand run;
  add_run(app, run);

  RunCommand validated;
  CLI::App* validate = app.add_subcommand("validate", "check scenario files without running them");
  validate->add_option("files", validated.files, "scenario files")->type_name("FILE")->required();
  add_inputs(*validate, validated);
  validate->footer("Example:\n  copal-sim validate scenarios/balance/*.yaml");

  std::string folder = "scenarios";
  CLI::App* list = app.add_subcommand("list", "list the scenarios below a folder");
  list->add_option("folder", folder, "where to look")->type_name("DIR")->capture_default_str();
  list->footer("Example:\n  copal-sim list scenarios/balance");

  std::vector<std::string> folders;
  std::string base;
  CLI::App* compare = app.add_subcommand(
      "compare", "put result folders side by side, with confidence intervals over seeds");
  compare->add_option("folders", folders, "folders that run --out has left")
      ->type_name("DIR")
      ->required();
  compare->add_option("--base", base, "the line that others are compared with")->type_name("LINE");
  compare->footer(
      "Examples:\n  copal-sim compare out/quickstart --base round_robin\n"
      "  copal-sim compare out/before out/after");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? copal::sim::kExitGood : copal::sim::kExitBadInput;
  }
  if (*validate) {
    return copal::sim::validate_scenarios(validated.files, validated.settings, validated.trace);
  }
  if (*list) {
    return copal::sim::list_scenarios_in(folder);
  }
  if (*compare) {
    return copal::sim::compare_folders(folders, base);
  }
  return copal::sim::run_scenarios(run);
}
