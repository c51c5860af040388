// copal-sim: compares balancing algorithms in a simulated cloud. Wiring only: the command line
// here, what the commands do in commands.cpp.

#include <CLI/CLI.hpp>
#include <thread>

#include "sim/commands.h"
#include "sim/fuzz/commands.h"

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

using copal::sim::fuzz::FuzzCommand;
using copal::sim::fuzz::ReplayCommand;

constexpr const char* kFuzzFooter = R"(
Each seed draws a cluster, what clients ask of it, and what goes wrong: processes, links, clocks,
disks, operators' orders, servers' loads. Checkers then judge what happened. A failing seed is made
smaller and kept as a capsule.

Examples:
  copal-sim fuzz --seeds 1..20000 --jobs 8
  copal-sim fuzz --minutes 3 --focus clock --focus partition
  copal-sim replay out/fuzz/seed-17.json

Words for --focus: none; process, link, clock, disk, order, load; or one kind of fault, such as
power_off, one_way or disk_tears. Several add up; without any, each kind is left out in half of the
seeds.

An interrupt ends it early: it still tells what it has found. A second one ends it at once.

Exit codes: 0 nothing found; 1 something found; 2 a mistake on the command line.)";

void add_fuzz(CLI::App& app, FuzzCommand& fuzz, ReplayCommand& replay) {
  CLI::App* command = app.add_subcommand("fuzz", "look for broken promises of the cache");
  command->add_option("--seeds", fuzz.range, "these seeds; default: 1..100, or as time allows")
      ->type_name("A..B");
  command->add_option("--first-seed", fuzz.seeds.first, "where to begin, with --minutes")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 60U))
      ->capture_default_str();
  command->add_option("--minutes", fuzz.seeds.minutes, "begin no seed after so long")
      ->check(CLI::Range(0.0, 1e6));
  fuzz.seeds.jobs = std::max(1U, std::thread::hardware_concurrency());
  command->add_option("--jobs", fuzz.seeds.jobs, "runs at the same time, each a process")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--focus", fuzz.focus, "only these faults")->type_name("WORD");
  command->add_option("--without", fuzz.seeds.without, "leave out a checker")->type_name("CHECKER");
  command->add_option("--failures", fuzz.seeds.failures_max, "begin no seed after so many failed")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--out", fuzz.out, "folder for capsules")
      ->type_name("DIR")
      ->capture_default_str();
  command->add_flag("--quiet", fuzz.quiet, "show no progress");
  command
      ->add_option(
          "--mutant", fuzz.mutant,
          "a defect of core/base/mutant.h, in a program built with them; `list` lists them")
      ->type_name("NAME");
  command->footer(kFuzzFooter);

  CLI::App* again = app.add_subcommand("replay", "run one seed or capsule again and show it");
  again->add_option("what", replay.what, "a seed's number, or a capsule")->required();
  again->add_option("--focus", replay.focus, "as the campaign had it")->type_name("WORD");
  again->add_flag("--steps", replay.trace.steps, "show what each node is told and says");
  again
      ->add_option("--containing", replay.trace.containing, "only lines with this, or one of these")
      ->type_name("TEXT");
  again->add_option("--from", replay.trace.from_s, "only from this second on");
  again->add_option("--to", replay.trace.to_s, "only to this second");
  again->add_option("--trace-json", replay.trace_json, "write a trace for the Perfetto viewer")
      ->type_name("FILE");
  again->footer(
      "Examples:\n  copal-sim replay 17 --steps --containing 'key 1/3' --from 12 --to 20\n"
      "  copal-sim replay out/fuzz/seed-17.json --trace-json trace.json");
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

  FuzzCommand fuzz;
  ReplayCommand replay;
  add_fuzz(app, fuzz, replay);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? copal::sim::kExitGood : copal::sim::kExitBadInput;
  }
  if (app.got_subcommand("fuzz")) {
    return copal::sim::fuzz::run_fuzz(fuzz);
  }
  if (app.got_subcommand("replay")) {
    return copal::sim::fuzz::run_replay(replay);
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
