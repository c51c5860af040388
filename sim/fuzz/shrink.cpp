#include "sim/fuzz/shrink.h"

#include <algorithm>

namespace copal::sim::fuzz {

namespace {

class Shrinker {
 public:
  Shrinker(Plan plan, const TryPlans& try_plans, std::size_t runs_max, std::size_t together)
      : plan_(std::move(plan)), try_plans_(try_plans), runs_left_(runs_max), together_(together) {}

  Plan run() {
    for (std::size_t before = runs_left_ + 1; before != runs_left_ && changed_;) {
      before = runs_left_;
      changed_ = false;
      leave_out(&Plan::faults);
      leave_out(&Plan::ops);
      drop_nodes();
      shorten();
    }
    return std::move(plan_);
  }

 private:
  /// Takes the first of the candidates that still fails. Returns its place, or their number.
  std::size_t take_first(const std::vector<Plan>& candidates) {
    for (std::size_t first = 0; first < candidates.size() && runs_left_ > 0;) {
      const std::size_t count = std::min({together_, candidates.size() - first, runs_left_});
      const auto from = candidates.begin() + static_cast<std::ptrdiff_t>(first);
      const std::vector<bool> fails = try_plans_({from, from + static_cast<std::ptrdiff_t>(count)});
      runs_left_ -= count;
      for (std::size_t i = 0; i < count; ++i) {
        if (fails[i]) {
          plan_ = candidates[first + i];
          changed_ = true;
          return first + i;
        }
      }
      first += count;
    }
    return candidates.size();
  }

  /// Halves first, then ever smaller parts.
  template <class Part>
  void leave_out(std::vector<Part> Plan::*list) {
    std::size_t size = (plan_.*list).size();
    while (size >= 1 && runs_left_ > 0) {
      size = std::min(size, (plan_.*list).size());
      std::size_t from = 0;
      while (from < (plan_.*list).size() && runs_left_ > 0) {
        std::vector<Plan> candidates;
        std::vector<std::size_t> starts;
        for (std::size_t at = from; at < (plan_.*list).size(); at += size) {
          Plan& candidate = candidates.emplace_back(plan_);
          std::vector<Part>& parts = candidate.*list;
          const auto begin = parts.begin() + static_cast<std::ptrdiff_t>(at);
          parts.erase(begin,
                      begin + static_cast<std::ptrdiff_t>(std::min(size, parts.size() - at)));
          starts.push_back(at);
        }
        const std::size_t taken = take_first(candidates);
        from = taken < starts.size() ? starts[taken] : (plan_.*list).size();
      }
      size /= 2;
    }
  }

  bool is_named(std::uint32_t node) const {
    return std::ranges::any_of(plan_.faults, [&](const PlannedFault& fault) {
      return fault.node >= node || (fault.other >= node && fault.other != PlannedFault::kAnyNode);
    });
  }

  /// The last server or balancer, if nothing speaks of it.
  void drop_nodes() {
    std::vector<Plan> candidates;
    const auto uses = [&](bool balancer, std::uint32_t number) {
      return std::ranges::any_of(plan_.ops, [&](const PlannedOp& op) {
        return is_of_balancer(op.kind) == balancer && op.server == number;
      });
    };
    if (plan_.balancers > 1 && !is_named(plan_.node_count() - 1) &&
        !uses(true, plan_.balancers - 1)) {
      Plan& candidate = candidates.emplace_back(plan_);
      --candidate.balancers;
    }
    // Balancers are numbered behind the servers: the numbers of faults at balancers would change.
    if (plan_.servers > 1 && !is_named(2 + plan_.servers) && !uses(false, plan_.servers - 1)) {
      Plan& candidate = candidates.emplace_back(plan_);
      const std::uint32_t dropped = 2 + plan_.servers;
      const auto without = [&](std::uint32_t mask) {
        return (mask & ((1U << dropped) - 1)) | (mask >> (dropped + 1) << dropped);
      };
      --candidate.servers;
      candidate.core_mask = without(candidate.core_mask);
      for (PlannedFault& fault : candidate.faults) {
        fault.mask = without(fault.mask);
      }
      if (candidate.core_mask >> 3U == 0) {
        candidates.pop_back();
      }
    }
    if (take_first(candidates) < candidates.size()) {
      drop_nodes();
    }
  }

  /// Faults that last half as long; an end soon after the last thing that happens.
  void shorten() {
    for (std::size_t i = 0; i < plan_.faults.size() && runs_left_ > 0; ++i) {
      if (plan_.faults[i].kind == PlannedFault::Kind::kCrashForGood) {
        continue;  // lasts as long as the run
      }
      while (plan_.faults[i].lasting > 100ms && runs_left_ > 0) {
        Plan candidate = plan_;
        candidate.faults[i].lasting /= 2;
        if (take_first({candidate}) > 0) {
          break;
        }
      }
    }
    Duration last{};
    for (const PlannedOp& op : plan_.ops) {
      last = std::max(last, op.at);
    }
    for (const PlannedFault& fault : plan_.faults) {
      last = std::max(last, fault.at);
    }
    if (last + 1s < plan_.faults_for) {
      Plan candidate = plan_;
      candidate.faults_for = last + 1s;
      take_first({candidate});
    }
  }

  Plan plan_;
  const TryPlans& try_plans_;
  std::size_t runs_left_;
  std::size_t together_;
  bool changed_ = true;
};

}  // namespace

Plan shrink(const Plan& failing, const TryPlans& try_plans, std::size_t runs_max,
            std::size_t together) {
  return Shrinker(failing, try_plans, runs_max, std::max<std::size_t>(1, together)).run();
}

}  // namespace copal::sim::fuzz
