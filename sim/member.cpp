#include "sim/member.h"

#include <utility>

#include "core/base/assert.h"

namespace copal::sim {

Member::Member(Engine& engine, Network& network, std::size_t host, Application* application,
               Caller* caller)
    : network_(network),
      id_(network.add(host, *this)),
      clock_(engine, 0x1000 + id_.value, [this] { on_wake(); }),
      transport_(network, id_),
      ports_{&clock_, &transport_, application, caller} {}

void Member::start(std::unique_ptr<Node> node) {
  COPAL_ASSERT(node_ == nullptr);
  node_ = std::move(node);
  driver_.emplace(*node_, ports_);
  driver_->start();
}

void Member::kill(bool machine_is_on) {
  if (node_ == nullptr) {
    return;
  }
  driver_.reset();
  node_.reset();
  held_.clear();
  frozen_ = false;
  woken_while_frozen_ = false;
  clock_.restart();
  network_.on_process_end(id_, machine_is_on);
}

void Member::freeze() {
  frozen_ = node_ != nullptr;
}

void Member::thaw() {
  if (!frozen_) {
    return;
  }
  frozen_ = false;
  network_.on_thaw(id_);
  for (const Input& input : std::exchange(held_, {})) {
    driver_->input(input);
  }
  if (std::exchange(woken_while_frozen_, false)) {
    driver_->wake();
  }
}

void Member::input(const Input& input) {
  if (frozen_) {
    held_.push_back(input);
  } else if (driver_) {
    driver_->input(input);
  }
}

Endpoint::State Member::state() const {
  if (!machine_on_) {
    return State::kOff;
  }
  if (node_ == nullptr) {
    return State::kNoOne;
  }
  return frozen_ ? State::kFrozen : State::kUp;
}

void Member::on_frame(NodeId from, std::span<const std::byte> frame, const Blob& value) {
  driver_->on_frame(from, frame, value);
}

void Member::on_link_down(NodeId peer) {
  driver_->on_link_down(peer);
}

void Member::on_wake() {
  if (frozen_) {
    woken_while_frozen_ = true;
  } else if (driver_) {
    driver_->wake();
  }
}

}  // namespace copal::sim
