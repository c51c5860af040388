#include "sim/engine.h"

#include "core/base/assert.h"

namespace copal::sim {

namespace {

constexpr std::size_t kChildren = 4;

}  // namespace

void Engine::at(TimePoint time, EventTarget& target, std::uint64_t argument) {
  COPAL_ASSERT(time >= now_);
  const auto nanoseconds = static_cast<std::uint64_t>(time.time_since_epoch().count());
  const Event event{(static_cast<Key>(nanoseconds) << 64U) | next_sequence_++, &target, argument};
  std::size_t i = heap_.size();
  heap_.push_back(event);
  while (i > 0) {
    const std::size_t parent = (i - 1) / kChildren;
    if (event.key >= heap_[parent].key) {
      break;
    }
    heap_[i] = heap_[parent];
    i = parent;
  }
  heap_[i] = event;
}

void Engine::run() {
  stopped_ = false;
  while (!stopped_) {
    if (physics_ != nullptr && physics_->live()) {
      physics_->run();
    } else if (!heap_.empty()) {
      run_next();
    } else {
      return;
    }
  }
}

void Engine::run_due(TimePoint time) {
  while (!stopped_ && next_time() <= time) {
    run_next();
  }
}

void Engine::run_next() {
  const Event event = heap_.front();
  pop();
  now_ = event.time();
  ++event_count_;
  mix_into_hash(static_cast<std::uint64_t>(event.key >> 64U));
  mix_into_hash(event.argument ^ (static_cast<std::uint64_t>(event.target->trace_id()) << 32U));
  event.target->on_event(event.argument);
}

std::size_t Engine::least_of_four(std::size_t first) const {
  const Event* const child = heap_.data() + first;
  const std::size_t left = child[1].key < child[0].key ? 1 : 0;
  const std::size_t right = child[3].key < child[2].key ? 3 : 2;
  return first + (child[right].key < child[left].key ? right : left);
}

std::size_t Engine::least_of(std::size_t first, std::size_t end) const {
  std::size_t least = first;
  for (std::size_t child = first + 1; child < end; ++child) {
    least = heap_[child].key < heap_[least].key ? child : least;
  }
  return least;
}

void Engine::pop() {
  const Event last = heap_.back();
  heap_.pop_back();
  const std::size_t size = heap_.size();
  if (size == 0) {
    return;
  }
  std::size_t i = 0;
  for (;;) {
    const std::size_t first = i * kChildren + 1;
    if (first >= size) {
      break;
    }
    const std::size_t least =
        first + kChildren <= size ? least_of_four(first) : least_of(first, size);
    if (heap_[least].key >= last.key) {
      break;
    }
    heap_[i] = heap_[least];
    i = least;
  }
  heap_[i] = last;
}

}  // namespace copal::sim
