#include "sim/fuzz/seeds.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>

#include "core/base/hash.h"
#include "sim/process_pool.h"

namespace copal::sim::fuzz {

namespace {

using Elapsing = std::chrono::steady_clock;

constexpr std::uint64_t kTwiceEach = 20;
constexpr std::uint64_t kCanaryEach = 100;
constexpr std::uint64_t kCanaryPurpose = 0xca4a'57ee;

/// What is done with a seed; the low bits of a pool's item.
enum class Pass : std::uint8_t { kFirst, kAgain, kCanary };

std::uint64_t item_of(std::uint64_t seed, Pass pass) {
  return seed << 2U | static_cast<std::uint64_t>(pass);
}

RunReport report_of(const PoolOutcome& outcome, std::uint64_t seed) {
  if (!outcome.died) {
    return report_from_json(outcome.answer);
  }
  RunReport report;
  report.seed = seed;
  report.violations.push_back({"process", "it " + outcome.end + ": " + outcome.last_words});
  return report;
}

class Seeds {
 public:
  Seeds(const SeedsOptions& options, const std::function<void(double, const SeedsTotals&)>& show)
      : options_(options), show_(show), next_seed_(options.first) {}

  SeedsTotals run() {
    run_in_processes({.processes = options_.jobs},
                     {.next = [this] { return next(); },
                      .work = [this](std::uint64_t item, const auto&) { return work(item); },
                      .noted = nullptr,
                      .done = [this](const PoolOutcome& outcome) { return done(outcome); }});
    totals_.wall_s = elapsed_s();
    std::ranges::sort(totals_.failures, {}, &FailedSeed::seed);
    return std::move(totals_);
  }

 private:
  double elapsed_s() const {
    return std::chrono::duration<double>(Elapsing::now() - started_).count();
  }
  bool is_over() const {
    return (options_.last > 0 && next_seed_ > options_.last) ||
           (options_.minutes > 0 && elapsed_s() >= options_.minutes * 60);
  }

  std::optional<std::uint64_t> next() {
    if (options_.is_enough && options_.is_enough()) {
      return std::nullopt;
    }
    const bool over = is_over();
    // What is run again comes much later, so that another process does it.
    constexpr std::uint64_t kLater = 200;
    if (!again_.empty() && (over || given_ >= again_.front().second + kLater)) {
      const std::uint64_t item = again_.front().first;
      again_.pop_front();
      return item;
    }
    if (over) {
      return std::nullopt;
    }
    const std::uint64_t seed = next_seed_++;
    ++given_;
    if (seed % kTwiceEach == 0) {
      again_.emplace_back(item_of(seed, Pass::kAgain), given_);
    }
    if (mix64(seed, kCanaryPurpose) % kCanaryEach == 0) {
      again_.emplace_back(item_of(seed, Pass::kCanary), given_);
    }
    return item_of(seed, Pass::kFirst);
  }

  std::string work(std::uint64_t item) const {
    Plan plan = draw_plan(item >> 2U, options_.focus);
    plan.canary = static_cast<Pass>(item & 3U) == Pass::kCanary;
    return to_json(run_plan(plan, options_.without));
  }

  bool done(const PoolOutcome& outcome) {
    const std::uint64_t seed = outcome.item >> 2U;
    const RunReport report = report_of(outcome, seed);
    switch (static_cast<Pass>(outcome.item & 3U)) {
      case Pass::kFirst:
        add(report);
        break;
      case Pass::kAgain:
        compare(report);
        break;
      case Pass::kCanary:
        ++totals_.canaries;
        totals_.canaries_caught += report.violations.empty() ? 0 : 1;
        break;
    }
    if (show_) {
      show_(part_done(), totals_);
    }
    return totals_.failures.size() < options_.failures_max;
  }

  double part_done() const {
    const double by_time = options_.minutes > 0 ? elapsed_s() / (options_.minutes * 60) : 0;
    const double by_seeds = options_.last > 0
                                ? static_cast<double>(totals_.seeds) /
                                      static_cast<double>(options_.last - options_.first + 1)
                                : 0;
    return std::max(by_time, by_seeds);
  }

  void compare(const RunReport& report) {
    const auto first = hashes_.find(report.seed);
    if (first == hashes_.end()) {
      return;  // its first run died
    }
    ++totals_.twice;
    if (first->second != report.hash) {
      totals_.differed.push_back(report.seed);
    }
    hashes_.erase(first);
  }

  void add(const RunReport& report) {
    ++totals_.seeds;
    totals_.faultless += report.faults.empty() ? 1 : 0;
    totals_.operations += report.operations;
    totals_.events += report.events;
    totals_.failovers += report.failovers;
    totals_.two_acted += report.two_acted;
    totals_.catch_ups += report.catch_ups;
    totals_.simulated_s += report.simulated_s;
    for (const auto& [name, count] : report.faults) {
      totals_.faults[name] += count;
    }
    for (const auto& [name, count] : report.marks) {
      totals_.marks[name] += count;
    }
    for (const auto& [name, count] : report.judged) {
      totals_.judged_seeds[name] += count > 0 ? 1 : 0;
    }
    if (report.recovery_s >= 0) {
      totals_.recovery_ms.add(static_cast<std::uint64_t>(report.recovery_s * 1e3));
    }
    if (report.seed % kTwiceEach == 0 && report.hash != 0) {
      hashes_[report.seed] = report.hash;
    }
    if (!report.violations.empty()) {
      totals_.failures.push_back({report.seed, report.violations});
    }
  }

  const SeedsOptions& options_;
  const std::function<void(double, const SeedsTotals&)>& show_;
  Elapsing::time_point started_ = Elapsing::now();
  std::uint64_t next_seed_;
  std::uint64_t given_ = 0;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> again_;  // item, and given_ when it came
  std::map<std::uint64_t, std::uint64_t> hashes_;              // of seeds that run again
  SeedsTotals totals_;
};

}  // namespace

SeedsTotals run_seeds(const SeedsOptions& options,
                      const std::function<void(double, const SeedsTotals&)>& show) {
  return Seeds(options, show).run();
}

std::vector<RunReport> run_plans(const std::vector<Plan>& plans, unsigned jobs,
                                 const std::vector<std::string>& without) {
  std::vector<RunReport> reports(plans.size());
  std::uint64_t given = 0;
  run_in_processes({.processes = jobs, .items_a_process = 1},
                   {.next = [&]() -> std::optional<std::uint64_t> {
                      return given < plans.size() ? std::optional(given++) : std::nullopt;
                    },
                    .work = [&](std::uint64_t item,
                                const auto&) { return to_json(run_plan(plans[item], without)); },
                    .noted = nullptr,
                    .done =
                        [&](const PoolOutcome& outcome) {
                          reports[outcome.item] = report_of(outcome, plans[outcome.item].seed);
                          return true;
                        }});
  return reports;
}

}  // namespace copal::sim::fuzz
