#include "sim/fuzz/commands.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "core/base/mutant.h"
#include "sim/commands.h"
#include "sim/fuzz/capsule.h"
#include "sim/fuzz/draw_plan.h"
#include "sim/fuzz/fault_names.h"
#include "sim/fuzz/first_difference.h"
#include "sim/fuzz/shrink.h"
#include "sim/progress.h"

namespace copal::sim::fuzz {

namespace {

/// Rare paths and checkers are judged by a campaign of at least so many seeds, with all faults.
constexpr std::uint64_t kMarksFrom = 20'000;
constexpr std::uint64_t kSharesFrom = 1'000;
constexpr double kShareMin = 0.2;
constexpr std::size_t kShrinkRunsMax = 600;

volatile std::sig_atomic_t interrupted = 0;  // the signal, or 0

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool good = error == std::errc{} && end == text.data() + text.size();
  return good ? std::optional(number) : std::nullopt;
}

/// Returns false, having said why.
bool set_range(const std::string& text, SeedsOptions& seeds) {
  const std::size_t dots = text.find("..");
  const auto first = number_of(text.substr(0, dots));
  const auto last = dots == std::string::npos ? first : number_of(text.substr(dots + 2));
  if (!first || !last || *first < 1 || *last < *first || *last > UINT64_MAX / 8) {
    std::fprintf(stderr, "--seeds %s: expected A..B with 1 <= A <= B\n", text.c_str());
    return false;
  }
  seeds.first = *first;
  seeds.last = *last;
  return true;
}

bool set_focus(const std::vector<std::string>& words, Focus& focus) {
  for (const std::string& word : words) {
    if (!add_focus(word, focus)) {
      std::string known;
      for (const std::string& each : focus_words()) {
        known += " " + each;
      }
      std::fprintf(stderr, "--focus %s: expected one of%s\n", word.c_str(), known.c_str());
      return false;
    }
  }
  return true;
}

bool check_without(const std::vector<std::string>& without) {
  for (const std::string& name : without) {
    if (std::ranges::find(all_checkers(), name, &Checker::name) == all_checkers().end()) {
      std::fprintf(stderr, "--without %s: expected a checker:", name.c_str());
      for (const Checker& checker : all_checkers()) {
        std::fprintf(stderr, " %s", std::string(checker.name).c_str());
      }
      std::fprintf(stderr, "\n");
      return false;
    }
  }
  return true;
}

// ---- what a campaign prints

unsigned long long wide(std::uint64_t number) {
  return number;
}

void print_totals(const SeedsTotals& totals) {
  std::printf(
      "%llu seeds, %llu of them without faults; %llu operations, %.1f simulated hours, "
      "%.1f M events\n",
      wide(totals.seeds), wide(totals.faultless), wide(totals.operations),
      totals.simulated_s / 3600, static_cast<double>(totals.events) / 1e6);
  if (totals.wall_s > 0) {
    std::printf("%.0f seeds and %.1f simulated hours a minute\n",
                static_cast<double>(totals.seeds) * 60 / totals.wall_s,
                totals.simulated_s / 60 / totals.wall_s);
  }
  std::printf(
      "%llu failovers, %llu with two acting owners, %llu catch-ups; healed after %.1f s in "
      "the median, %.1f s in the 99th percentile\n",
      wide(totals.failovers), wide(totals.two_acted), wide(totals.catch_ups),
      totals.recovery_ms.quantile(0.5) / 1e3, totals.recovery_ms.quantile(0.99) / 1e3);
  std::printf("faults:");
  for (const std::string_view name : fault_names()) {
    const auto found = totals.faults.find(std::string(name));
    std::printf(" %s %llu", std::string(name).c_str(),
                wide(found == totals.faults.end() ? 0 : found->second));
  }
  std::printf("\nrare paths:\n");
  for (const auto& [name, count] : totals.marks) {
    std::printf("  %-44s %llu\n", name.c_str(), wide(count));
  }
}

/// Returns whether each had something to judge often enough.
bool print_shares(const SeedsTotals& totals, const FuzzCommand& command) {
  bool good = true;
  std::printf("checkers, and in how many of the seeds they had something to judge:\n");
  for (const Checker& checker : all_checkers()) {
    const auto found = totals.judged_seeds.find(std::string(checker.name));
    const double share =
        found == totals.judged_seeds.end() || totals.seeds == 0
            ? 0
            : static_cast<double>(found->second) / static_cast<double>(totals.seeds);
    const bool is_off = std::ranges::count(command.seeds.without, checker.name) > 0;
    const bool rare = !is_off && share < kShareMin && totals.seeds >= kSharesFrom;
    std::printf("  %-12s %5.1f %%  %s%s\n", std::string(checker.name).c_str(), 100 * share,
                std::string(checker.what).c_str(), rare ? "  <- too rarely" : "");
    good = good && (!rare || !command.focus.empty());
  }
  return good;
}

/// Where two runs of a plan part that should be the same.
void print_difference(std::uint64_t seed, const FuzzCommand& command) {
  const Plan plan = draw_plan(seed, command.seeds.focus);
  std::printf("  seed %llu is not deterministic: ", wide(seed));
  const auto found = first_difference(plan, plan);
  if (!found) {
    std::printf("but two runs of it now were the same\n");
    return;
  }
  std::string focus;
  for (const std::string& word : command.focus) {
    focus += " --focus " + word;
  }
  const double at_s = to_seconds(found->at);
  std::printf(
      "two runs part at step %llu, of node %u at %.6f s; compare what\n"
      "    copal-sim replay %llu%s --steps --from %.6f --to %.6f  prints\n",
      wide(found->step), found->node, at_s, wide(seed), focus.c_str(), at_s - 0.01, at_s + 0.01);
}

bool print_gates(const SeedsTotals& totals, const FuzzCommand& command) {
  bool good = true;
  if (totals.seeds >= kMarksFrom && command.focus.empty()) {
    for (const auto& [name, count] : totals.marks) {
      if (count == 0) {
        std::printf("rare path never taken: %s\n", name.c_str());
        good = false;
      }
    }
  }
  std::printf("run twice, in two processes: %llu seeds, %zu of them with another hash\n",
              wide(totals.twice), totals.differed.size());
  for (const std::uint64_t seed : totals.differed) {
    print_difference(seed, command);
  }
  std::printf("runs with a defect on purpose (the canary): %llu, %llu of them reported\n",
              wide(totals.canaries), wide(totals.canaries_caught));
  const bool canaries_off = std::ranges::count(command.seeds.without, "values") > 0;
  return good && totals.differed.empty() &&
         (canaries_off || totals.canaries == totals.canaries_caught);
}

// ---- failures

std::string write_capsule(const std::string& folder, const Capsule& capsule) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string path = folder + "/seed-" + std::to_string(capsule.plan.seed) + ".json";
  std::ofstream out(path);
  out << to_json(capsule);
  out.close();
  return out ? path : std::string{};
}

/// A smaller plan in which the same checker still finds something.
Capsule shrunk(const FailedSeed& failed, const FuzzCommand& command) {
  const std::string checker = failed.violations.front().checker;
  const auto finding_of = [&](const RunReport& report) -> const Violation* {
    const auto found = std::ranges::find(report.violations, checker, &Violation::checker);
    return found == report.violations.end() ? nullptr : &*found;
  };
  const unsigned jobs = command.seeds.jobs;
  Capsule capsule{.checker = checker,
                  .finding = failed.violations.front().message,
                  .program = "copal-sim " COPAL_VERSION};
  capsule.plan = shrink(
      draw_plan(failed.seed, command.seeds.focus),
      [&](const std::vector<Plan>& plans) {
        std::vector<bool> fails;
        for (const RunReport& report : run_plans(plans, jobs, command.seeds.without)) {
          fails.push_back(finding_of(report) != nullptr);
        }
        return fails;
      },
      kShrinkRunsMax, 2 * jobs);
  const auto reports = run_plans({capsule.plan}, 1, command.seeds.without);
  if (const Violation* last = finding_of(reports.front())) {
    capsule.finding = last->message;
  }
  return capsule;
}

void print_failure(const FailedSeed& failed, const FuzzCommand& command) {
  std::printf("\nseed %llu fails:\n", wide(failed.seed));
  constexpr std::size_t kShown = 5;
  for (std::size_t i = 0; i < failed.violations.size() && i < kShown; ++i) {
    std::printf("  %s: %s\n", failed.violations[i].checker.c_str(),
                failed.violations[i].message.c_str());
  }
  if (failed.violations.size() > kShown) {
    std::printf("  and %zu more\n", failed.violations.size() - kShown);
  }
  if (interrupted != 0) {  // shrinking takes minutes
    std::printf("repeat it: copal-sim replay %llu\n", wide(failed.seed));
    return;
  }
  std::fflush(stdout);
  const Capsule capsule = shrunk(failed, command);
  std::printf("shrunk to %zu faults and %zu operations: %s\n", capsule.plan.faults.size(),
              capsule.plan.ops.size(), capsule.finding.c_str());
  const std::string path = write_capsule(command.out, capsule);
  if (path.empty()) {
    std::fprintf(stderr, "%s: no capsule can be written there\n", command.out.c_str());
  } else {
    std::printf("repeat it: copal-sim replay %s\n", path.c_str());
  }
}

}  // namespace

namespace {

/// Returns an exit code, or nothing if there is something to run.
std::optional<int> choose_mutant(const std::string& name) {
  if (name.empty()) {
    return std::nullopt;
  }
#ifdef COPAL_MUTANTS
  for (const MutantInfo& mutant : kMutants) {
    if (name == "list") {
      std::printf("%-26s %-5s %s\n", std::string(mutant.name).c_str(),
                  std::string(mutant.rule).c_str(), std::string(mutant.what).c_str());
    } else if (name == mutant.name) {
      active_mutant = mutant.mutant;
      return std::nullopt;
    }
  }
  if (name == "list") {
    return kExitGood;
  }
  std::fprintf(stderr, "--mutant %s: expected one that `--mutant list` shows\n", name.c_str());
#else
  std::fprintf(stderr, "--mutant %s: this program has none; configure with -DCOPAL_MUTANTS=ON\n",
               name.c_str());
#endif
  return kExitBadInput;
}

/// By which checkers, each once.
void print_caught(const FailedSeed& failed, const std::string& mutant) {
  std::set<std::string> checkers;
  for (const Violation& violation : failed.violations) {
    checkers.insert(violation.checker);
  }
  std::printf("%s is caught at seed %llu by", mutant.c_str(), wide(failed.seed));
  for (const std::string& checker : checkers) {
    std::printf(" %s", checker.c_str());
  }
  std::printf("\n");
}

/// While it lives, an interrupt only asks for the end: seeds that processes were given, some
/// dozens, come to theirs, and what was found is told. A second one from the keyboard ends the
/// program as ever.
class HeedsInterrupts {
 public:
  HeedsInterrupts() {
    interrupted = 0;
    struct sigaction action {};
    action.sa_handler = [](int signal) { interrupted = signal; };
    sigaction(SIGTERM, &action, &before_term_);
    action.sa_flags = SA_RESETHAND;
    sigaction(SIGINT, &action, &before_int_);
  }
  ~HeedsInterrupts() {
    sigaction(SIGINT, &before_int_, nullptr);
    sigaction(SIGTERM, &before_term_, nullptr);
  }
  HeedsInterrupts(const HeedsInterrupts&) = delete;
  HeedsInterrupts& operator=(const HeedsInterrupts&) = delete;

 private:
  struct sigaction before_int_ {};
  struct sigaction before_term_ {};
};

}  // namespace

int run_fuzz(FuzzCommand command) {
  if (const auto code = choose_mutant(command.mutant)) {
    return *code;
  }
  if (!set_focus(command.focus, command.seeds.focus) || !check_without(command.seeds.without) ||
      (!command.range.empty() && !set_range(command.range, command.seeds))) {
    return kExitBadInput;
  }
  if (command.range.empty() && command.seeds.minutes <= 0) {
    command.seeds.last = command.seeds.first + 99;
  }
  SeedsTotals totals;
  {
    const HeedsInterrupts heeds;
    command.seeds.is_enough = [] { return interrupted != 0; };
    ProgressBar bar(stderr, isatty(STDERR_FILENO) == 1);
    std::size_t told = 0;
    totals = run_seeds(command.seeds, [&](double part, const SeedsTotals& so_far) {
      // At once, in one line: a campaign may be killed before its end, where all of it is told.
      for (; command.mutant.empty() && told < so_far.failures.size(); ++told) {
        const FailedSeed& failed = so_far.failures[told];
        std::fprintf(stderr, "seed %llu fails: %s: %s\n", wide(failed.seed),
                     failed.violations.front().checker.c_str(),
                     failed.violations.front().message.c_str());
      }
      if (!command.quiet) {
        bar.show({.jobs_done = so_far.seeds,
                  .job_count = static_cast<std::size_t>(
                      part > 0 ? static_cast<double>(so_far.seeds) / part : 0),
                  .done_ratio = part,
                  .requests = so_far.operations});
      }
    });
  }
  print_totals(totals);
  const bool shares_hold = print_shares(totals, command);
  const bool gates_hold = print_gates(totals, command);
  std::fflush(stdout);
  for (std::size_t i = 0; i < totals.failures.size() && i < command.seeds.failures_max; ++i) {
    if (command.mutant.empty()) {
      print_failure(totals.failures[i], command);
    } else {
      print_caught(totals.failures[i], command.mutant);
    }
  }
  const bool good = totals.failures.empty() && shares_hold && gates_hold;
  std::printf("%llu passed, %zu failed\n", wide(totals.seeds - totals.failures.size()),
              totals.failures.size() + (totals.failures.empty() && !good ? 1 : 0));
  if (interrupted != 0) {
    std::printf("ended by a signal before its time\n");
    std::fflush(stdout);
    std::raise(interrupted);  // whoever started it is to know
    return kExitRunFailed;
  }
  return good ? kExitGood : kExitExpectationFailed;
}

namespace {

std::optional<Plan> plan_to_replay(const ReplayCommand& command) {
  Focus focus;
  if (!set_focus(command.focus, focus)) {
    return std::nullopt;
  }
  if (const auto seed = number_of(command.what)) {
    return draw_plan(*seed, focus);
  }
  std::ifstream in(command.what);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) {
    std::fprintf(stderr, "%s: expected a seed's number, or the path of a capsule\n",
                 command.what.c_str());
    return std::nullopt;
  }
  ReadCapsule read = capsule_from_json(text.str());
  if (!read.capsule) {
    std::fprintf(stderr, "%s: %s\n", command.what.c_str(), read.error.c_str());
    return std::nullopt;
  }
  return std::move(read.capsule->plan);
}

}  // namespace

int run_replay(const ReplayCommand& command) {
  const std::optional<Plan> plan = plan_to_replay(command);
  if (!plan) {
    return kExitBadInput;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // a run may end in an assertion
  Trial world(*plan);
  TextTrace text(stdout, world, command.trace);
  std::optional<PerfettoTrace> perfetto;
  if (!command.trace_json.empty()) {
    perfetto.emplace(world);
    world.set_trace(&*perfetto, &*perfetto);
  } else {
    world.set_trace(nullptr, &text);
  }
  world.run();
  if (command.outline) {
    text.write_outline();
  }
  const Findings findings = check_run(world);
  for (const Violation& violation : findings.violations()) {
    std::printf("%s: %s\n", violation.checker.c_str(), violation.message.c_str());
  }
  std::printf("hash %016llx, %zu findings\n", wide(world.hash()), findings.violations().size());
  if (perfetto) {
    if (const std::string error = perfetto->write(command.trace_json); !error.empty()) {
      std::fprintf(stderr, "%s\n", error.c_str());
      return kExitRunFailed;
    }
    std::printf("%s: open it at https://ui.perfetto.dev\n", command.trace_json.c_str());
  }
  return findings.violations().empty() ? kExitGood : kExitExpectationFailed;
}

}  // namespace copal::sim::fuzz
