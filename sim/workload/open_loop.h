#pragma once

#include <cstdint>
#include <memory>

#include "sim/workload/arrival_process.h"
#include "sim/workload/request_model.h"
#include "sim/workload/workload.h"

namespace copal::sim {

/// Requests that come by an arrival process, whatever becomes of those before. Without sessions
/// each request is a user of its own and has a routing key of its own.
class OpenLoop final : public Workload {
 public:
  OpenLoop(std::unique_ptr<ArrivalProcess> process, RequestModel model, std::uint64_t seed);

  TimePoint next_at() override { return next_; }
  Arrival take() override;
  void on_answer(std::uint64_t, TimePoint) override {}

 private:
  void draw_session(Arrival& arrival);

  std::unique_ptr<ArrivalProcess> process_;
  RequestModel model_;
  RequestStreams streams_;
  TimePoint next_;
  std::uint64_t taken_ = 0;
};

}  // namespace copal::sim
