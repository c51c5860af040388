#include "sim/fuzz/first_difference.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "sim/fuzz/trial.h"
#include "sim/process_pool.h"

namespace copal::sim::fuzz {

namespace {

struct Step {
  std::int64_t at_ns = 0;
  std::uint64_t node = 0;
  std::uint64_t hash = 0;  // of all events up to it

  bool operator==(const Step&) const = default;
};

class Recorder final : public MemberWatcher {
 public:
  explicit Recorder(const Trial& world) : world_(world) {}
  void on_step(NodeId node, const Input&, Now, const Effects&) override {
    steps_.push_back({world_.now().time_since_epoch().count(), node.value, world_.hash()});
  }
  const std::vector<Step>& steps() const { return steps_; }

 private:
  const Trial& world_;
  std::vector<Step> steps_;
};

std::string recorded(const Plan& plan) {
  Trial world(plan);
  Recorder recorder(world);
  world.set_trace(nullptr, &recorder);
  world.run();
  return {reinterpret_cast<const char*>(recorder.steps().data()),
          recorder.steps().size() * sizeof(Step)};
}

std::vector<Step> steps_of(const std::string& bytes) {
  std::vector<Step> steps(bytes.size() / sizeof(Step));
  std::memcpy(steps.data(), bytes.data(), steps.size() * sizeof(Step));
  return steps;
}

}  // namespace

std::optional<FirstDifference> first_difference(const Plan& one, const Plan& other) {
  std::array<std::vector<Step>, 2> runs;
  std::uint64_t given = 0;
  run_in_processes(
      {.processes = 2, .items_a_process = 1},
      {.next = [&] { return given < 2 ? std::optional(given++) : std::nullopt; },
       .work = [&](std::uint64_t item, const auto&) { return recorded(item == 0 ? one : other); },
       .noted = nullptr,
       .done =
           [&](const PoolOutcome& outcome) {
             runs[outcome.item] = steps_of(outcome.answer);
             return true;
           }});
  const auto [at, in_other] = std::ranges::mismatch(runs[0], runs[1]);
  if (at == runs[0].end() && in_other == runs[1].end()) {
    return std::nullopt;
  }
  const Step& step = at != runs[0].end() ? *at : *in_other;
  return FirstDifference{static_cast<std::uint64_t>(at - runs[0].begin()),
                         TimePoint{Duration{step.at_ns}}, static_cast<std::uint32_t>(step.node)};
}

}  // namespace copal::sim::fuzz
