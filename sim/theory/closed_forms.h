#pragma once

#include <cstdint>
#include <vector>

// What queueing theory says exactly about the clusters that the theory tests build. Times are in
// mean service times; load is the busy share that is asked of each core, 0 < load < 1. Formulas of
// textbooks (Harchol-Balter, "Performance Modeling and Design of Computer Systems", 2013) unless a
// paper is named.

namespace copal::sim::theory {

/// M/M/1, first come first served: 1 / (1 - load).
double mm1_mean_time(double load);
/// Its response times are exponential: the time that a share p of all requests stays below.
double mm1_time_quantile(double load, double p);

/// Erlang C: the probability that a request to M/M/c has to wait.
double erlang_c(std::uint32_t servers, double load);
/// M/M/c: erlang_c / (c (1 - load)) + 1.
double mmc_mean_time(std::uint32_t servers, double load);
/// M/M/c: probability that a request waits longer than t.
double mmc_wait_exceeds(std::uint32_t servers, double load, double t);

/// E_n/M/1: every n-th arrival of a Poisson stream, what round robin over n servers hands each of
/// them. 1 / (1 - z), z the root below 1 of z = (n load / (n load + 1 - z))^n.
double erlang_arrivals_mean_time(std::uint32_t stages, double load);
/// D/M/1, its limit for large n: z = exp(-(1 - z) / load).
double even_arrivals_mean_time(double load);

/// M/G/1, first come first served, with the squared coefficient of variation of the service time:
/// 1 + load (1 + cv2) / (2 (1 - load)). Source: Pollaczek and Khinchine.
double mg1_mean_time(double load, double cv2);
/// M/G/1 with processor sharing: 1 / (1 - load), whatever the service times' law.
double mg1_sharing_mean_time(double load);

/// d random choices, least loaded wins, infinitely many servers:
/// sum over i >= 1 of load^((d^i - d) / (d - 1)). Source: Mitzenmacher, IEEE TPDS 2001.
double power_of_choices_mean_time(std::uint32_t choices, double load);

/// Join an idle queue, else a random one; many dispatchers with r servers each.
/// 1 / (1 - load (1 - q)), q = x / (1 + x), x = r (1 - load). Source: Lu et al., 2011.
double join_idle_queue_mean_time(double servers_per_dispatcher, double load);

/// The keys' shares of the requests when the i-th of `count` keys, from 1, is asked for in
/// proportion to i^-exponent.
std::vector<double> zipf_shares(std::uint32_t count, double exponent);
/// Che's approximation: the hit ratio of an LRU cache that holds `capacity` of the keys, 0 <
/// capacity < keys, when each request is for a key by its share, whatever was asked before. A key
/// is held if it was asked for within the characteristic time t of requests: the sum of 1 -
/// exp(-share t) is the capacity; the ratio is the sum of share (1 - exp(-share t)). Source: Che,
/// Tung, Wang, "Hierarchical web caching systems", IEEE JSAC 2002.
double lru_hit_ratio(const std::vector<double>& shares, double capacity);

/// Time after which an M/M/1 queue has forgotten all but 1/e of how it began.
/// 1 / (1 - sqrt(load))^2.
double relaxation_time(double load);

}  // namespace copal::sim::theory
