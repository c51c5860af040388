#include "sim/theory/closed_forms.h"

#include "core/base/assert.h"
#include "core/base/math.h"

namespace copal::sim::theory {

namespace {

/// The root below 1 of z = f(z), for the transforms of arrivals at a load below 1: f is convex and
/// f(z) > z exactly below the root, so halving finds it.
template <class Function>
double root_below_one(Function f) {
  double low = 0;
  double high = 1 - 1e-9;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (f(middle) > middle ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

double mm1_mean_time(double load) {
  COPAL_ASSERT(load > 0 && load < 1);
  return 1 / (1 - load);
}

double mm1_time_quantile(double load, double p) {
  COPAL_ASSERT(p > 0 && p < 1);
  return -math::log(1 - p) * mm1_mean_time(load);
}

double erlang_c(std::uint32_t servers, double load) {
  COPAL_ASSERT(servers >= 1 && load > 0 && load < 1);
  const double offered = load * servers;
  double blocked = 1;  // Erlang B
  for (std::uint32_t k = 1; k <= servers; ++k) {
    blocked = offered * blocked / (k + offered * blocked);
  }
  return blocked / (1 - load * (1 - blocked));
}

double mmc_mean_time(std::uint32_t servers, double load) {
  return erlang_c(servers, load) / (servers * (1 - load)) + 1;
}

double mmc_wait_exceeds(std::uint32_t servers, double load, double t) {
  return erlang_c(servers, load) * math::exp(-(servers * (1 - load) * t));
}

double erlang_arrivals_mean_time(std::uint32_t stages, double load) {
  COPAL_ASSERT(stages >= 1 && load > 0 && load < 1);
  const double rate = stages * load;
  const double z =
      root_below_one([&](double x) { return math::pow(rate / (rate + 1 - x), stages); });
  return 1 / (1 - z);
}

double even_arrivals_mean_time(double load) {
  COPAL_ASSERT(load > 0 && load < 1);
  const double z = root_below_one([&](double x) { return math::exp(-(1 - x) / load); });
  return 1 / (1 - z);
}

double mg1_mean_time(double load, double cv2) {
  COPAL_ASSERT(load > 0 && load < 1 && cv2 >= 0);
  return 1 + load * (1 + cv2) / (2 * (1 - load));
}

double mg1_sharing_mean_time(double load) {
  return mm1_mean_time(load);
}

double power_of_choices_mean_time(std::uint32_t choices, double load) {
  COPAL_ASSERT(choices >= 2 && load > 0 && load < 1);
  double sum = 0;
  double exponent = 0;  // (d^i - d) / (d - 1): 0, d, d + d^2, …
  double power = choices;
  for (;;) {
    const double term = math::pow(load, exponent);
    sum += term;
    if (term < 1e-18) {
      return sum;
    }
    exponent += power;
    power *= choices;
  }
}

double join_idle_queue_mean_time(double servers_per_dispatcher, double load) {
  COPAL_ASSERT(servers_per_dispatcher > 0 && load > 0 && load < 1);
  const double x = servers_per_dispatcher * (1 - load);
  const double occupied = x / (1 + x);
  return 1 / (1 - load * (1 - occupied));
}

std::vector<double> zipf_shares(std::uint32_t count, double exponent) {
  std::vector<double> shares;
  double sum = 0;
  for (std::uint32_t i = 1; i <= count; ++i) {
    shares.push_back(math::pow(i, -exponent));
    sum += shares.back();
  }
  for (double& share : shares) {
    share /= sum;
  }
  return shares;
}

double lru_hit_ratio(const std::vector<double>& shares, double capacity) {
  COPAL_ASSERT(capacity > 0 && capacity < static_cast<double>(shares.size()));
  const auto held = [&shares](double time) {
    double sum = 0;
    for (const double share : shares) {
      sum += 1 - math::exp(-share * time);
    }
    return sum;
  };
  double low = 0;
  double high = 1;
  while (held(high) < capacity) {
    high *= 2;
  }
  for (int i = 0; i < 50; ++i) {
    const double middle = (low + high) / 2;
    (held(middle) < capacity ? low : high) = middle;
  }
  double ratio = 0;
  for (const double share : shares) {
    ratio += share * (1 - math::exp(-share * low));
  }
  return ratio;
}

double relaxation_time(double load) {
  COPAL_ASSERT(load > 0 && load < 1);
  const double gap = 1 - math::sqrt(load);
  return 1 / (gap * gap);
}

}  // namespace copal::sim::theory
