#include "sim/workload/open_loop.h"

#include <utility>

#include "core/base/assert.h"

namespace copal::sim {

OpenLoop::OpenLoop(std::unique_ptr<ArrivalProcess> process, RequestModel model, std::uint64_t seed)
    : process_(std::move(process)),
      model_(std::move(model)),
      streams_(seed),
      next_(process_->next()) {}

Arrival OpenLoop::take() {
  COPAL_ASSERT(next_ != kNever);
  Arrival arrival;
  arrival.at = next_;
  draw_session(arrival);
  draw_demand(model_, streams_, process_->answer_factor(), arrival);
  ++taken_;
  next_ = process_->next();
  return arrival;
}

void OpenLoop::draw_session(Arrival& arrival) {
  if (model_.sessions.count() == 0) {
    arrival.user = taken_;
    arrival.routing_key = streams_.keys.next();
    return;
  }
  const std::uint32_t number = model_.sessions.draw(streams_.sessions);
  arrival.user = number;
  arrival.session = session_of(number);
  arrival.routing_key = routing_key_of(arrival.session);
}

}  // namespace copal::sim
