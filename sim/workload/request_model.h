#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/hash.h"
#include "core/base/prng.h"
#include "scenarios/scenario.h"
#include "sim/workload/sampler.h"
#include "sim/workload/sessions.h"
#include "sim/workload/workload.h"

namespace copal::sim {

/// What a scenario says about a single request: the laws of its work, its sizes, its session, and
/// whether the application fails. Says nothing about when it comes.
struct RequestModel {
  Sampler work;          // seconds
  Sampler request_size;  // bytes
  Sampler answer_size;   // bytes
  double error_ratio = 0;
  SessionLaw sessions;
};

/// Returns what is wrong, for people; nothing if all is well. Reads the laws' files.
[[nodiscard]] std::optional<std::string> load_request_model(const scenario::Scenario& scenario,
                                                            RequestModel& model);

/// One stream of random numbers a purpose: a law that draws more or less often, or not at all,
/// shifts nothing elsewhere.
struct RequestStreams {
  explicit RequestStreams(std::uint64_t seed)
      : work(seed, "service"),
        request_size(seed, "request sizes"),
        answer_size(seed, "answer sizes"),
        errors(seed, "errors"),
        sessions(seed, "sessions"),
        keys(seed, "keys") {}

  Prng work;
  Prng request_size;
  Prng answer_size;
  Prng errors;
  Prng sessions;
  Prng keys;
};

/// Numbers that depend on nothing but what they are for: splitmix64 from a hash of a seed, a
/// purpose, a user and the user's how-manieth request. So a closed loop's users behave the same
/// however their requests are interleaved, which no stream shared by all of them could give.
class KeyedRandom final : public Random {
 public:
  KeyedRandom(std::uint64_t seed, std::uint64_t purpose, std::uint64_t user, std::uint64_t request)
      : state_(mix64(mix64(seed, purpose), mix64(user, request))) {}

  std::uint64_t next() override {
    const std::uint64_t number = mix64(state_);
    state_ += 0x9e37'79b9'7f4a'7c15u;
    return number;
  }

 private:
  std::uint64_t state_;
};

/// The same purposes as RequestStreams, for one request of a closed loop.
struct KeyedStreams {
  KeyedStreams(std::uint64_t seed, std::uint64_t user, std::uint64_t request)
      : work(seed, 1, user, request),
        request_size(seed, 2, user, request),
        answer_size(seed, 3, user, request),
        errors(seed, 4, user, request) {}

  KeyedRandom work;
  KeyedRandom request_size;
  KeyedRandom answer_size;
  KeyedRandom errors;
};

/// Draws what the request asks of the application into `arrival`: work, sizes, failing.
/// streams  RequestStreams or KeyedStreams.   answer_factor  on the answer's size.
template <class Streams>
void draw_demand(const RequestModel& model, Streams& streams, double answer_factor,
                 Arrival& arrival) {
  arrival.work = work_of(model.work.draw(streams.work));
  arrival.request_size_bytes = size_of(model.request_size.draw(streams.request_size));
  arrival.answer_size_bytes = size_of(answer_factor * model.answer_size.draw(streams.answer_size));
  arrival.fails = model.error_ratio > 0 && draw_unit(streams.errors) < model.error_ratio;
}

}  // namespace copal::sim
