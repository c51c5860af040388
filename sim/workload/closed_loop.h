#pragma once

#include <cstdint>
#include <vector>

#include "sim/workload/request_model.h"
#include "sim/workload/sampler.h"
#include "sim/workload/workload.h"

namespace copal::sim {

/// Users who ask, wait for the answer, think, and ask again; all begin by thinking.
/// Invariant: each user either thinks or has exactly one request under way.
///
/// What a user's n-th request asks for and how long the user thinks before it depend on the seed,
/// the user and n alone, never on the order in which servers answer: so all algorithms meet the
/// same users, although not at the same times.
///
/// With sessions each user keeps to one: user u to number 1 + u mod count where all are equally
/// popular, else to one drawn by popularity.
class ClosedLoop final : public Workload {
 public:
  /// users  > 0.   think_time  in seconds; below 1 ns counts as 1 ns, or a server that refuses at
  /// once and a user who never thinks would stop time.
  ClosedLoop(std::uint32_t users, Sampler think_time, RequestModel model, std::uint64_t seed);

  TimePoint next_at() override;
  Arrival take() override;
  /// Asserts that the user has a request under way.
  void on_answer(std::uint64_t user, TimePoint now) override;

 private:
  struct Due {
    TimePoint at;
    std::uint32_t user = 0;
    /// For a heap that gives the earliest first, and the lowest user among equals.
    bool operator<(const Due& other) const {
      return at != other.at ? at > other.at : user > other.user;
    }
  };
  struct User {
    std::uint32_t requests = 0;  // so many begun
    bool waits = false;
  };

  Duration think(std::uint32_t user) const;
  void set_session(Arrival& arrival) const;

  Sampler think_time_;
  RequestModel model_;
  std::uint64_t seed_;
  std::vector<User> users_;
  std::vector<Due> due_;  // a heap
};

}  // namespace copal::sim
