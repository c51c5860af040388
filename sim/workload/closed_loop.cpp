#include "sim/workload/closed_loop.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace copal::sim {

namespace {

constexpr std::uint64_t kThinking = 5;  // purposes; KeyedStreams has 1 to 4
constexpr std::uint64_t kSession = 6;

}  // namespace

ClosedLoop::ClosedLoop(std::uint32_t users, Sampler think_time, RequestModel model,
                       std::uint64_t seed)
    : think_time_(std::move(think_time)), model_(std::move(model)), seed_(seed), users_(users) {
  COPAL_ASSERT(users > 0);
  due_.reserve(users);
  for (std::uint32_t user = 0; user < users; ++user) {
    due_.push_back({TimePoint{} + think(user), user});
  }
  std::make_heap(due_.begin(), due_.end());
}

Duration ClosedLoop::think(std::uint32_t user) const {
  KeyedRandom random(seed_, kThinking, user, users_[user].requests);
  return std::max<Duration>(work_of(think_time_.draw(random)), 1ns);
}

TimePoint ClosedLoop::next_at() {
  return due_.empty() ? kNever : due_.front().at;
}

Arrival ClosedLoop::take() {
  COPAL_ASSERT(!due_.empty());
  std::pop_heap(due_.begin(), due_.end());
  const Due due = due_.back();
  due_.pop_back();
  User& user = users_[due.user];
  Arrival arrival;
  arrival.at = due.at;
  arrival.user = due.user;
  set_session(arrival);
  KeyedStreams streams(seed_, due.user, user.requests);
  draw_demand(model_, streams, 1, arrival);
  user.waits = true;
  ++user.requests;
  return arrival;
}

void ClosedLoop::set_session(Arrival& arrival) const {
  const std::uint32_t count = model_.sessions.count();
  if (count == 0) {
    arrival.routing_key = KeyedRandom(seed_, kSession, arrival.user, 1).next();
    return;
  }
  KeyedRandom random(seed_, kSession, arrival.user, 0);
  const std::uint64_t number =
      model_.sessions.even() ? 1 + arrival.user % count : model_.sessions.draw(random);
  arrival.session = session_of(number);
  arrival.routing_key = routing_key_of(arrival.session);
}

void ClosedLoop::on_answer(std::uint64_t user, TimePoint now) {
  COPAL_ASSERT(user < users_.size() && users_[user].waits);
  const auto index = static_cast<std::uint32_t>(user);
  users_[index].waits = false;
  due_.push_back({now + think(index), index});
  std::push_heap(due_.begin(), due_.end());
}

}  // namespace copal::sim
