#include "sim/member.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace copal::sim {

Member::Member(Engine& engine, Network& network, std::size_t host, const World& world,
               const NodeCosts& costs)
    : EventTarget(0x8000 + static_cast<std::uint32_t>(host)),
      engine_(engine),
      network_(network),
      id_(network.add(host, *this)),
      costs_(costs),
      clock_(engine, 0x1000 + id_.value, [this] { on_wake(); }),
      transport_(network, id_),
      ports_{&clock_,       &transport_,      world.application,   world.caller,
             world.storage, world.supervisor, network.frame_room()} {}

void Member::start(std::unique_ptr<Node> node) {
  COPAL_ASSERT(node_ == nullptr);
  node_ = std::move(node);
  driver_.emplace(*node_, ports_);
  if (watcher_ != nullptr) {
    driver_->watch(this);
  }
  driver_->start();
}

const Driver::Counts& Member::driver_counts() const {
  COPAL_ASSERT(driver_.has_value());
  return driver_->counts();
}

void Member::kill(bool machine_is_on) {
  if (node_ == nullptr) {
    return;
  }
  driver_.reset();
  node_.reset();
  held_.clear();
  waiting_.clear();
  ++starts_;
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
    if (const auto* completion = std::get_if<StorageCompletion>(&input)) {
      on_storage(*completion);
    } else {
      this->input(input);
    }
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

void Member::on_storage(const StorageCompletion& completion) {
  if (frozen_) {
    held_.push_back(completion);
  } else if (driver_) {
    driver_->on_storage(completion);
  }
}

void Member::on_frame(NodeId from, std::span<const std::byte> frame, const Blob& value) {
  if (!costs_.any() && waiting_.empty()) {
    driver_->on_frame(from, frame, value);
    return;
  }
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(frame.data()), frame.size());
  later({from, Blob(bytes), value});
}

void Member::on_link_down(NodeId peer) {
  if (waiting_.empty()) {
    driver_->on_link_down(peer);
  } else {
    later({peer, {}, {}, true});  // not before what came over it
  }
}

void Member::later(Waiting waiting) {
  waiting_.push_back(std::move(waiting));
  if (waiting_.size() == 1) {
    begin_next();
  }
}

/// The processor takes the next message, at what one costs by now.
void Member::begin_next() {
  const Waiting& next = waiting_.front();
  const auto size_bytes =
      static_cast<std::int64_t>(next.frame.size_bytes() + next.value.size_bytes());
  const Duration cost =
      next.is_link_down ? 0ns
                        : costs_.message + Duration{costs_.kilobyte.count() * size_bytes / 1024};
  engine_.at(engine_.now() + cost, *this, starts_);
}

void Member::on_event(std::uint64_t start) {
  if (start != starts_ || waiting_.empty()) {
    return;
  }
  if (frozen_) {
    engine_.at(engine_.now() + 10ms, *this, starts_);
    return;
  }
  const Waiting next = std::move(waiting_.front());
  waiting_.pop_front();
  if (next.is_link_down) {
    driver_->on_link_down(next.from);
  } else {
    driver_->on_frame(next.from, std::as_bytes(next.frame.bytes()), next.value);
  }
  if (start == starts_ && !waiting_.empty()) {  // the process may have ended by it
    begin_next();
  }
}

void Member::on_step(const Input& input, Now now, const Effects& effects) {
  watcher_->on_step(id_, input, now, effects);
}

void Member::on_wake() {
  if (frozen_) {
    woken_while_frozen_ = true;
  } else if (driver_) {
    driver_->wake();
  }
}

}  // namespace copal::sim
