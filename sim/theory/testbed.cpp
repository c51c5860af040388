#include "sim/theory/testbed.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/base/assert.h"
#include "core/base/math.h"
#include "sim/theory/probe_rules.h"
#include "sim/theory/weights_by_use.h"
#include "sim/workload/make_workload.h"
#include "sim/workload/sampler.h"

namespace copal::sim::theory {

namespace {

constexpr std::uint32_t kClients = 100;
constexpr std::uint32_t kReplicas = 100;
constexpr std::uint32_t kOldReplicas = kReplicas / 2;
constexpr std::uint32_t kAllocatedCores = 16;
constexpr std::uint32_t kUsableCores = 32;
constexpr double kWorkMeanS = 0.080;
constexpr double kCrowdedShare = 0.6;
constexpr double kCrowdedTimeMeanS = 20;
constexpr double kLeftWhenCrowded = 0.9;  // of the allocation

/// Replaces the work of each request by a draw from the normal law cut at zero.
class CutNormalWork final : public Workload {
 public:
  CutNormalWork(Workload& inner, std::uint64_t seed) : inner_(inner), random_(seed, "cut normal") {}

  TimePoint next_at() override { return inner_.next_at(); }
  Arrival take() override {
    Arrival arrival = inner_.take();
    double number = -1;
    while (number < 0) {
      const double radius = math::sqrt(2 * draw_exponential(random_));
      number = 1 + radius * math::sin_turns(draw_unit(random_));
    }
    // The mean of N(1, 1) above zero: 1 + phi(1) / Phi(1).
    constexpr double kMeanAboveZero = 1.2875999709391783;
    arrival.work = from_seconds(number * kWorkMeanS / kMeanAboveZero);
    return arrival;
  }
  void on_answer(std::uint64_t user, TimePoint now) override { inner_.on_answer(user, now); }

 private:
  Workload& inner_;
  Prng random_;
};

scenario::HostGroup machines(std::string name, std::uint32_t count, std::uint32_t cores) {
  scenario::HostGroup group;
  group.name = std::move(name);
  group.count = count;
  group.cores = cores;
  group.numbered = true;
  return group;
}

/// What one replica's neighbours leave it: from each moment on this share of kUsableCores.
struct Left {
  TimePoint since{};
  double share = 1;
};
using Neighbours = std::vector<std::vector<Left>>;  // by replica

Neighbours make_neighbours(const Testbed& testbed) {
  Prng random(testbed.seed, "antagonists");
  constexpr double kCrowded = kLeftWhenCrowded * kAllocatedCores / kUsableCores;
  constexpr double kFreeTimeMeanS = kCrowdedTimeMeanS * (1 - kCrowdedShare) / kCrowdedShare;
  const double end_s = to_seconds(testbed.warm_up + testbed.measured);
  Neighbours neighbours(kReplicas);
  for (std::vector<Left>& course : neighbours) {
    bool crowded = draw_unit(random) < kCrowdedShare;
    for (double at_s = 0; at_s < end_s; crowded = !crowded) {
      course.push_back({TimePoint{from_seconds(at_s)}, crowded ? kCrowded : 1});
      at_s += (crowded ? kCrowdedTimeMeanS : kFreeTimeMeanS) * draw_exponential(random);
    }
  }
  return neighbours;
}

/// The same as changes of the hosts' speeds.
void add_faults(const Neighbours& neighbours, scenario::Scenario& scenario) {
  std::size_t replica = 0;
  for (std::size_t group = 0; group < 2; ++group) {
    for (const std::string& host : scenario::host_names(scenario.cloud.hosts[group])) {
      for (const Left& left : neighbours[replica]) {
        scenario::Fault fault;
        fault.kind = scenario::Fault::Kind::kSlow;
        fault.at = left.since.time_since_epoch();
        fault.host = host;
        fault.factor = left.share;
        scenario.faults.push_back(fault);
      }
      ++replica;
    }
  }
}

double share_left(const std::vector<Left>& course, TimePoint at) {
  const auto later = std::upper_bound(course.begin(), course.end(), at,
                                      [](TimePoint t, const Left& left) { return t < left.since; });
  return later == course.begin() ? 1 : (later - 1)->share;
}

scenario::Scenario scenario_of(Rule rule, const Testbed& testbed) {
  COPAL_ASSERT(testbed.slow_ratio >= 1);
  scenario::Scenario scenario;
  scenario.warm_up = testbed.warm_up;
  scenario.duration = testbed.warm_up + testbed.measured;
  scenario.series_interval = scenario.duration;
  scenario.cloud.hosts = {machines("newer", kReplicas - kOldReplicas, kUsableCores),
                          machines("older", kOldReplicas, kUsableCores),
                          machines("balancer", kClients, 1)};
  scenario.cloud.hosts[1].speed = 1 / testbed.slow_ratio;
  scenario.app.servers = {{"newer"}, {"older"}};
  scenario.app.report_interval = 500ms;
  scenario.balancers.servers = {{"balancer"}};
  scenario.balancers.sticky = false;
  scenario.balancers.request_timeout = from_seconds(kTimeOutMs * 1e-3);
  scenario.balancers.attempts_max = 1;
  // The rules alone decide: a replica that let requests time out is not taken out for longer than
  // until its next report.
  scenario.balancers.recover_time_min = 1ms;
  scenario.balancers.recover_time_max = 1ms;
  scenario.application.request_size.mean = 0;
  scenario.application.answer_size.mean = 0;
  scenario.workload.kind = scenario::WorkloadSpec::Kind::kPoisson;
  const double allocated =
      kAllocatedCores * (kReplicas - kOldReplicas + kOldReplicas / testbed.slow_ratio);
  scenario.workload.rate_per_s = testbed.load * allocated / kWorkMeanS;
  scenario.contenders = {{std::string(rule_name(rule)), {}}};
  return scenario;
}

/// Sets the core's algorithm, or returns what makes the comparator.
PolicyMaker maker_of(Rule rule, const Neighbours& neighbours, balance::PolicyConfig& policy) {
  switch (rule) {
    case Rule::kRoundRobin:
      policy.algorithm = balance::Algorithm::kRoundRobin;
      return nullptr;
    case Rule::kLeastLoaded:
      policy.algorithm = balance::Algorithm::kLeastConnections;
      return nullptr;
    case Rule::kPrequal:
      policy.algorithm = balance::Algorithm::kPrequal;
      return nullptr;
    case Rule::kWeighted:
      return [weights = std::make_shared<UseWeights>([&neighbours](std::size_t i, TimePoint at) {
                return share_left(neighbours[i], at);
              })] { return std::make_unique<WeightedByUse>(weights); };
    case Rule::kTwoChoices:
      return [] { return std::make_unique<PolledTwoChoices>(); };
    case Rule::kCubic:
      return [] { return std::make_unique<CubicScore>(kClients); };
  }
  return nullptr;
}

/// The quantile over all requests, where those that were not answered are the slowest.
double quantile_ms(const RunResult& run, double ratio) {
  const double answered = metric(run, "answered_count");
  const double among_answered = ratio * metric(run, "requests_count") / answered;
  return answered > 0 && among_answered < 1
             ? std::min(run.latency.quantile(among_answered) * 1e-6, kTimeOutMs)
             : kTimeOutMs;
}

}  // namespace

std::string_view rule_name(Rule rule) {
  constexpr std::array<std::string_view, kRules.size()> kNames = {
      "RoundRobin", "WeightedRR", "LeastLoaded", "YARP-Po2C", "C3", "Prequal"};
  return kNames[static_cast<std::size_t>(rule)];
}

RuleFigures run_rule(Rule rule, const Testbed& testbed) {
  scenario::Scenario scenario = scenario_of(rule, testbed);
  const Neighbours neighbours = make_neighbours(testbed);
  add_faults(neighbours, scenario);
  const PolicyMaker maker = maker_of(rule, neighbours, scenario.contenders[0].policy);
  const MadeWorkload made = make_workload(scenario, testbed.seed);
  COPAL_ASSERT(made.workload != nullptr);
  CutNormalWork workload(*made.workload, testbed.seed);
  World world(scenario, scenario.contenders[0], testbed.seed, workload, maker);
  const RunResult run = world.run();
  return {.requests = static_cast<std::uint64_t>(metric(run, "requests_count")),
          .ms_p90 = quantile_ms(run, 0.90),
          .ms_p99 = quantile_ms(run, 0.99),
          .error_ratio = metric(run, "error_ratio")};
}

}  // namespace copal::sim::theory
